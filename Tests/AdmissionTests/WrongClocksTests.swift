import Admission
import TestSupport
import Testing

private let received: Int64 = 1_790_000_000_000
private let day: Int64 = 86_400_000

/// Clients' clocks are wrong by seconds, hours and years; events keep their order and their place.
@Suite struct WrongClocksTests {
    /// The offset that a fresh table finds after seeing these differences of received and sent.
    private func offset(after differences: [Int64], window: String = "window-one") -> Int64 {
        var clock = ClockCorrection(entries: 64)
        var offset: Int64 = 0
        for difference in differences {
            offset = withView(window) {
                clock.offset(
                    window: $0,
                    sentAt: received - difference,
                    receivedAt: received
                )
            }
        }
        return offset
    }

    @Test(arguments: [0, 1, 59_999, 60_000, -60_000, -1])
    func aSmallDifferenceSeenOnceIsTransitAndNotSkew(_ difference: Int64) {
        #expect(offset(after: [difference]) == 0)
    }

    @Test(arguments: [60_001, -60_001, 3_600_000, -3_600_000, 40 * 365 * day])
    func aLargeDifferenceSeenOnceIsBelieved(_ difference: Int64) {
        #expect(offset(after: [difference]) == difference)
    }

    @Test func theFastestOfSeveralAttemptsCounts() {
        #expect(offset(after: [30_000, 120, 9_000]) == 120)
        #expect(offset(after: [-5_000, 25_000]) == -5_000)
    }

    @Test func aStallOfTheNetworkIsNotSkew() {
        #expect(offset(after: [80, 30_000]) == 80)
    }

    @Test func theMemorySpansTenToTwentyAttempts() {
        let slow = [Int64](repeating: 5_000, count: 9)
        #expect(offset(after: [100] + slow) == 100)
        #expect(offset(after: [100] + slow + slow) == 100)
        #expect(offset(after: [100] + slow + slow + [5_000, 5_000]) == 5_000)
    }

    @Test func windowsDoNotShareTheirClocks() {
        var clock = ClockCorrection(entries: 1 << 10)
        let skewed = withView("window-one") {
            clock.offset(window: $0, sentAt: received - day, receivedAt: received)
        }
        let right = withView("window-two") {
            clock.offset(window: $0, sentAt: received - 10, receivedAt: received)
        }
        #expect(skewed == day)
        #expect(right == 0)
    }

    @Test func aWindowThatLostItsPlaceStartsAnew() {
        var clock = ClockCorrection(entries: 1)
        for window in ["window-one", "window-two", "window-one"] {
            let offset = withView(window) {
                clock.offset(window: $0, sentAt: received - 50_000, receivedAt: received)
            }
            #expect(offset == 0, "\(window) was not alone in the table")
        }
    }

    @Test func nothingHappensInTheFuture() {
        let (time, moved) = ClockCorrection.occurredAt(
            clientTime: received + 5_000,
            offset: 0,
            receivedAt: received
        )
        #expect(time == received)
        #expect(!moved)
    }

    @Test func nothingIsOlderThanSevenDays() {
        let (time, moved) = ClockCorrection.occurredAt(
            clientTime: received - 400 * day,
            offset: 0,
            receivedAt: received
        )
        #expect(time == received - 7 * day)
        #expect(moved)
    }

    @Test func aYoungerEventKeepsItsTime() {
        let sixDays = received - 6 * day
        let (time, moved) = ClockCorrection.occurredAt(
            clientTime: sixDays,
            offset: 0,
            receivedAt: received
        )
        #expect(time == sixDays)
        #expect(!moved)
    }

    @Test(arguments: [(600_000, false), (600_001, true), (-600_000, false), (-600_001, true)])
    func aMoveOfMoreThanTenMinutesIsMarked(_ offset: Int64, _ marked: Bool) {
        let client = received - day
        let (time, moved) = ClockCorrection.occurredAt(
            clientTime: client,
            offset: offset,
            receivedAt: received
        )
        #expect(time == client + offset)
        #expect(moved == marked)
    }
}
