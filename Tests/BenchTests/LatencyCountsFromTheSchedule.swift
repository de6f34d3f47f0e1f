import BenchLoad
import Histogram
import Testing

@Suite struct LatencyCountsFromTheSchedule {
    @Test func anOpenLoopHandsOutEveryMissedTurnWithItsOwnTime() {
        var schedule = Schedule(rate: 1_000, startNanoseconds: 5_000_000)
        #expect(schedule.takeDue(nowNanoseconds: 4_999_999) == nil)
        #expect(schedule.takeDue(nowNanoseconds: 5_000_000) == 5_000_000)
        #expect(schedule.takeDue(nowNanoseconds: 5_000_000) == nil)
        // The engine stalls for 3 ms: three turns were missed, each counts from when it was due.
        #expect(schedule.takeDue(nowNanoseconds: 8_500_000) == 6_000_000)
        #expect(schedule.takeDue(nowNanoseconds: 8_500_000) == 7_000_000)
        #expect(schedule.takeDue(nowNanoseconds: 8_500_000) == 8_000_000)
        #expect(schedule.takeDue(nowNanoseconds: 8_500_000) == nil)
        #expect(schedule.nextNanoseconds == 9_000_000)
    }

    @Test func anOpenLoopKeepsItsRateOverALongTime() {
        var schedule = Schedule(rate: 33_333, startNanoseconds: 0)
        var turns = 0
        while schedule.takeDue(nowNanoseconds: 10_000_000_000) != nil { turns += 1 }
        #expect((333_330...333_331).contains(turns))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func bunchedArrivalsKeepTheirRateAndTheirBunches(seed: UInt64) {
        var schedule = Schedule(
            rate: 1_000,
            startNanoseconds: 0,
            arrivals: .poisson,
            seed: seed
        )
        var dues: [Int64] = []
        while let due = schedule.takeDue(nowNanoseconds: 100_000_000_000) { dues.append(due) }
        // 100 000 on average, with a standard deviation of 316.
        #expect(abs(dues.count - 100_000) < 1_600, "seed \(seed)")
        #expect(dues == dues.sorted())
        // Of exponential gaps 1/e are longer than the mean; of even ones none are.
        let long = zip(dues, dues.dropFirst()).count { $1 - $0 > 1_000_000 }
        #expect(abs(Double(long) / Double(dues.count) - 0.368) < 0.01, "seed \(seed)")
    }

    @Test func aClosedLoopIsAlwaysDue() {
        var schedule = Schedule(rate: nil, startNanoseconds: 0)
        #expect(schedule.takeDue(nowNanoseconds: 77) == 77)
        #expect(schedule.takeDue(nowNanoseconds: 77) == 77)
    }

    @Test func quantilesAreTheHistogramsInMilliseconds() throws {
        var histogram = latencyHistogram()
        #expect(Quantiles(nanoseconds: histogram) == nil)
        for milliseconds in 1...1_000 {
            histogram.record(nanoseconds: Int64(milliseconds) * 1_000_000)
        }
        let quantiles = try #require(Quantiles(nanoseconds: histogram))
        #expect(quantiles.count == 1_000)
        #expect(abs(quantiles.p50 - 500) < 2)
        #expect(abs(quantiles.p99 - 990) < 2)
        #expect(abs(quantiles.p999 - 999) < 2)
        #expect(abs(quantiles.max - 1_000) < 2)
    }

    @Test func timesBeyondTheHistogramAreKeptAsItsLongest() throws {
        var histogram = latencyHistogram()
        histogram.record(nanoseconds: Int64.max)
        histogram.record(nanoseconds: -5)
        #expect(histogram.totalCount == 2)
        let longest = try #require(Quantiles(nanoseconds: histogram)).max
        #expect(longest >= Double(longestLatencyNanoseconds) / 1e6 * 0.999)
    }
}
