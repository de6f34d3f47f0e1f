import BenchLoad
import Bytes
import Foundation
import Journal
import Records

extension Stages {
    /// Appending with and without deciding what repeats. Commits are left out of the time: what a
    /// disk takes is no property of the code.
    static func journal(_ batches: Int) throws -> [Entry] {
        let plain = try Load.plain()
        let folder = try Self.temporaryFolder()
        return [
            append(
                "journal",
                "a record of ten events appended, repeats not looked for",
                .rejected,
                try JournalBox(folder + "/plain", plain, batches),
                end: { try? FileManager.default.removeItem(atPath: folder) }
            ),
            append(
                "journal-dedup",
                "the same with the repeats among them decided",
                .slice,
                try JournalBox(folder + "/judged", plain, batches)
            ),
        ]
    }

    private static func append(
        _ name: String,
        _ title: String,
        _ kind: RecordHeader.Kind,
        _ box: JournalBox,
        end: @escaping () -> Void = {}
    ) -> Entry {
        Entry(
            name: name,
            title: title,
            unit: "record",
            measure: { try box.round($0, name, kind) },
            end: end
        )
    }

    private static func temporaryFolder() throws -> String {
        let folder =
            FileManager.default.temporaryDirectory.path
            + "/heliograph-micro-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        return folder
    }

    /// A journal in a place of its own, because it cannot be copied.
    private final class JournalBox {
        private var writer: JournalWriter
        private let bodies: Bodies
        private let slices = Slices()
        private let batches: Int

        init(_ folder: String, _ load: Load, _ batches: Int) throws {
            var limits = JournalLimits()
            limits.diskBytesMaximum = 1 << 30
            writer = try JournalWriter(directory: folder, limits: limits)
            bodies = Bodies(load)
            self.batches = batches
        }

        func round(_ meter: Meter, _ name: String, _ kind: RecordHeader.Kind) throws -> Reading {
            bodies.make(batches)
            slices.make(bodies)
            var sum = Reading(nanoseconds: 0, instructions: 0)
            var next = 0
            while next < slices.count {
                let group = next..<min(slices.count, next + Self.recordsPerGroup)
                let reading = try Stages.timed(meter, name, expected: group.count) {
                    append(group, kind)
                }
                try writer.commit()
                let share = Double(group.count) / Double(slices.count)
                sum.nanoseconds += reading.nanoseconds * share
                sum.instructions = zip(sum.instructions, reading.instructions, share)
                next = group.upperBound
            }
            return sum
        }

        /// About half of what a group can hold.
        private static let recordsPerGroup = 256

        private func append(_ group: Range<Int>, _ kind: RecordHeader.Kind) -> Int {
            let now = Bodies.epochMilliseconds()
            var count = 0
            for index in group {
                let payload = slices.payload(index)
                let appended = try? writer.append(
                    kind: kind,
                    partition: Partition(UInt8(truncatingIfNeeded: index)),
                    receivedAt: now,
                    payload: payload
                )
                if let appended, appended.duplicates == 0 { count += 1 }
            }
            return count
        }

        private func zip(_ sum: Double?, _ more: Double?, _ share: Double) -> Double? {
            guard let sum, let more else { return nil }
            return sum + more * share
        }
    }
}
