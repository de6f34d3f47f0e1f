import Admission
import Bytes
import TestSupport
import Testing

/// A limit lets through exactly what it says, whoever else is sending.
struct RateLimitsTests {
    private let second: Int64 = 1_000_000_000

    @Test(arguments: [1, 7, 100, 3_000, 50_000])
    func aSenderGetsItsRateAndItsBurstAndNotOneMore(perSecond: Int) {
        let limiter = RateLimiter(senders: 64)
        let rate = Rate(perSecond: perSecond, burst: 10)
        var passed = 0
        // Four tries for each that may pass, over ten seconds.
        for step in 0..<perSecond * 40 {
            let now = second + Int64(step) * second / Int64(perSecond * 4)
            if limiter.take(sender: 9, units: 1, rate: rate, nowNanoseconds: now) == .allowed {
                passed += 1
            }
        }
        let wanted = Double(perSecond * 10 + 10)
        #expect(abs(Double(passed) - wanted) <= max(1, wanted * 0.002), "\(passed) of \(wanted)")
    }

    @Test func whoIsRefusedLearnsWhenToComeAgainAndMayThen() {
        let limiter = RateLimiter(senders: 64)
        let rate = Rate(perSecond: 2, burst: 4)
        let slot = limiter.slot(ofSite: "a") ?? -1
        #expect(take(limiter, slot, 4, rate, at: 0) == .allowed)
        guard case .refused(let wait) = take(limiter, slot, 4, rate, at: 0) else {
            Issue.record("a spent burst was given again")
            return
        }
        #expect(wait == 2)
        #expect(take(limiter, slot, 4, rate, at: Int64(wait) * second) == .allowed)
    }

    private func take(
        _ limiter: RateLimiter,
        _ slot: Int,
        _ events: Int,
        _ rate: Rate,
        at now: Int64
    ) -> Passage {
        limiter.take(site: slot, events: events, rate: rate, nowNanoseconds: now)
    }

    @Test func strangersInNumberDoNotFreeWhoIsLimited() {
        let limiter = RateLimiter(senders: 1 << 12)
        let rate = Rate(perSecond: 1, burst: 100)
        for _ in 0..<100 {
            _ = limiter.take(sender: 77, units: 1, rate: rate, nowNanoseconds: second)
        }
        var dice = Dice(seed: 11)
        for _ in 0..<100_000 {
            _ = limiter.take(
                sender: dice.next(),
                units: 1,
                rate: rate,
                nowNanoseconds: second
            )
        }
        #expect(
            limiter.take(sender: 77, units: 1, rate: rate, nowNanoseconds: second) != .allowed
        )
    }

    @Test func addressesOfOneSubscriberCountTogether() {
        let limiter = RateLimiter(senders: 64)
        var bytes: [UInt8] = [0x20, 0x01, 0xd, 0xb8, 0, 1, 0, 2] + [UInt8](repeating: 0, count: 8)
        let first = sender(limiter, bytes)
        bytes[15] = 9
        #expect(sender(limiter, bytes) == first)
        bytes[7] = 3
        #expect(sender(limiter, bytes) != first)
    }

    private func sender(_ limiter: RateLimiter, _ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { limiter.sender(address: ByteView($0)) }
    }

    @Test func aDaysQuotaEndsWithTheDayAndSurvivesARestart() {
        let limiter = RateLimiter(senders: 64)
        let slot = limiter.slot(ofSite: "a") ?? -1
        let noon: Int64 = 20_000 * 86_400_000 + 43_200_000
        #expect(quota(limiter, slot, 90, at: noon) == .allowed)
        #expect(quota(limiter, slot, 20, at: noon) == .refused(retryAfterSeconds: 43_200))
        #expect(quota(limiter, slot, 10, at: noon) == .allowed)
        let restarted = RateLimiter(senders: 64)
        for (name, count) in limiter.dayCounts {
            restarted.restore(site: name, day: count.day, events: count.events)
        }
        let again = restarted.slot(ofSite: "a") ?? -1
        #expect(quota(restarted, again, 1, at: noon) != .allowed)
        #expect(quota(restarted, again, 1, at: noon + 43_200_000) == .allowed)
    }

    private func quota(
        _ limiter: RateLimiter,
        _ slot: Int,
        _ events: Int,
        at time: Int64
    ) -> Passage {
        limiter.take(site: slot, events: events, perDay: 100, nowMilliseconds: time)
    }
}
