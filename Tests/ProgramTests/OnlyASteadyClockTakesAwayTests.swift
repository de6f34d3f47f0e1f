import Settings
import Testing
import Units

@testable import heliograph

/// What is too old is taken away by a clock that went right for an hour, and by no other.
struct OnlyASteadyClockTakesAwayTests {
    private static let hour = Limits.retentionEveryMilliseconds
    private static let day: Int64 = 86_400_000

    private let clock = SimulatedClock(epochMilliseconds: 20_000 * Self.day)

    private func pass(_ milliseconds: Int64) {
        clock.advance(milliseconds: milliseconds)
    }

    @Test func notAtTheStartAndOnceAnHourLater() {
        var retention = RetentionClock()
        let time = TimeSource.simulated(clock)
        #expect(retention.due(at: time) == nil)
        pass(Self.hour - 1)
        #expect(retention.due(at: time) == nil)
        pass(1)
        #expect(retention.due(at: time) == 20_000)
        #expect(retention.due(at: time) == nil)
        pass(24 * Self.hour)
        #expect(retention.due(at: time) == 20_001)
    }

    @Test(arguments: [-3_652, -1, 1, 3_652] as [Int64])
    func notInTheHourOfAJump(days: Int64) {
        var retention = RetentionClock()
        let time = TimeSource.simulated(clock)
        _ = retention.due(at: time)
        clock.jump(toEpochMilliseconds: (20_000 + days) * Self.day)
        pass(Self.hour)
        #expect(retention.due(at: time) == nil)
        pass(Self.hour)
        #expect(retention.due(at: time) == Int32(20_000 + days))
    }
}
