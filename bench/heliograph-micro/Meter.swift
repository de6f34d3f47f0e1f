import CBench
import Foundation
import Glibc

/// What one round of one stage took, for each unit of its work.
struct Reading {
    var nanoseconds: Double
    /// In user space; nil where the machine does not count them.
    var instructions: Double?
}

/// A stage did other work than it was given, so its time means nothing.
struct WrongWork: Error, CustomStringConvertible {
    let stage: String
    let expected: Int
    let done: Int

    var description: String { "\(stage): \(done) units of work were done, not \(expected)" }
}

/// Reads this thread's clock and instruction counter.
final class Meter {
    private let counter = cbench_instructions_open()

    deinit { if counter >= 0 { close(counter) } }

    /// Time of this thread alone: what else the machine does then counts for little.
    func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Instructions since the start, or nil.
    func instructions() -> Int64? {
        let count = cbench_instructions(counter)
        return count < 0 ? nil : count
    }
}

/// The whole run as JSON.
struct MicroReport: Encodable {
    struct Figure: Encodable {
        var median: Double
        var low: Double
        var high: Double
        var rounds: Int
    }

    struct Stage: Encodable {
        var title: String
        var unit: String
        var nanoseconds: Figure
        var ratio: Figure
        var instructions: Double?
    }

    private var reference: Stage
    private var stages: [String: Stage] = [:]

    /// The first of `stages` is the reference.
    init(_ stages: [Stages.Entry], _ readings: [[Reading]]) {
        let base = readings[0].map(\.nanoseconds)
        let made = zip(stages, readings).map { entry, readings in
            let times = readings.map(\.nanoseconds)
            return Stage(
                title: entry.title,
                unit: entry.unit,
                nanoseconds: Self.figure(times),
                ratio: Self.figure(zip(times, base).map { $0 / $1 }),
                instructions: Self.figure(readings.compactMap(\.instructions))?.median
            )
        }
        reference = made[0]
        for (entry, stage) in zip(stages, made).dropFirst() { self.stages[entry.name] = stage }
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }

    private static func figure(_ values: [Double]) -> Figure {
        let sorted = values.sorted()
        return Figure(
            median: thousandths(sorted[sorted.count / 2]),
            low: thousandths(sorted[0]),
            high: thousandths(sorted[sorted.count - 1]),
            rounds: sorted.count
        )
    }

    private static func figure(_ values: [Double]) -> Figure? {
        values.isEmpty ? nil : .some(figure(values) as Figure)
    }

    private static func thousandths(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}
