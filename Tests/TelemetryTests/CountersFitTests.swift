// Goal: every counter, problem and gauge has a slot and a row of its own, and quantiles are as exact
// as promised. Method: exhaustive over the enums; random values against a sorted list.
import Testing

@testable import Telemetry

@Suite struct CountersFitTests {
    @Test func everyCaseHasASlot() {
        #expect(Counter.allCases.count <= CounterBlock.slotCount)
        #expect(Problem.allCases.count <= CounterBlock.slotCount)
        #expect(Gauge.allCases.count <= 32)
        let block = CounterBlock(thread: "t")
        for counter in Counter.allCases { block.add(counter, Int(counter.rawValue) + 1) }
        for problem in Problem.allCases { block.add(problem, Int(problem.rawValue) + 500) }
        for counter in Counter.allCases {
            #expect(block.count(counter) == Int64(counter.rawValue) + 1)
        }
        for problem in Problem.allCases {
            #expect(block.count(problem) == Int64(problem.rawValue) + 500)
        }
    }

    @Test func everyProblemHasItsRow() {
        #expect(Problem.rows.count == Problem.allCases.count)
        for problem in Problem.allCases { #expect(problem.row.problem == problem) }
        #expect(Set(Problem.rows.map(\.code.description)).count == Problem.rows.count)
        for row in Problem.rows {
            #expect(row.status == 0 || (400...599).contains(row.status))
            #expect(!row.reason.description.isEmpty)
        }
    }

    @Test func metricNamesDoNotCollide() {
        let names =
            Counter.allCases.map { $0.description.metric + $0.description.labels }
            + Gauge.allCases.map(\.description.metric) + Latency.allCases.map(\.metric)
        #expect(Set(names).count == names.count)
    }

    @Test func bucketsTileTheRange() {
        for bucket in 0..<LatencyHistogram.bucketCount - 1 {
            let bound = LatencyHistogram.upperBound(of: bucket)
            #expect(LatencyHistogram.bucket(of: bound - 1) == bucket)
            #expect(LatencyHistogram.bucket(of: bound) == bucket + 1)
        }
        #expect(LatencyHistogram.bucket(of: .max) == LatencyHistogram.bucketCount - 1)
    }

    @Test func quantilesAreWithinASixteenth() {
        var generator = SystemRandomNumberGenerator()
        let histogram = LatencyHistogram(.acknowledge, thread: "t")
        var values: [UInt64] = []
        for _ in 0..<10_000 {
            let value = UInt64.random(in: 0..<(1 << UInt64.random(in: 1..<36)), using: &generator)
            values.append(value)
            histogram.record(nanoseconds: Int64(value))
        }
        values.sort()
        let snapshot = histogram.snapshot()
        for quantile in [0.01, 0.5, 0.9, 0.99, 1] {
            let exact = values[max(0, Int((10_000 * quantile).rounded(.up)) - 1)]
            let measured = snapshot.nanoseconds(quantile: quantile)
            #expect(measured >= exact && Double(measured) <= Double(exact) * 1.0625 + 1)
        }
    }
}
