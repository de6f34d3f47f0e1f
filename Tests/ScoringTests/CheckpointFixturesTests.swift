// Goal: a partition's checkpoint that an earlier release wrote can be folded on from.
// Method: one file for each version of the format beside the journal's, committed with the release that
// wrote it first; HELIOGRAPH_WRITE_FIXTURES=1 makes that of this version where there is none yet.

import Bytes
import Foundation
import Records
import TestSupport
import Testing

@testable import Scoring

@Suite struct CheckpointFixturesTests {
    private static let records = 120

    private static func file(_ version: UInt32) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("JournalTests/Fixtures/partition-v\(version).bin")
    }

    private func folded() -> PartitionFold {
        var fold = PartitionFold(model: Scenes.model)
        var random = RandomRecords(seed: 21)
        for record in random.records(Self.records, orderFree: false) {
            record.withSlice { header, slice in _ = fold.apply(header, slice) }
        }
        return fold
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["HELIOGRAPH_WRITE_FIXTURES"] == "1"))
    func writeThatOfThisVersion() throws {
        let file = Self.file(PartitionFold.checkpointVersion)
        guard !FileManager.default.fileExists(atPath: file.path) else { return }
        var buffer = ByteBuffer(capacity: 4096, limit: 1 << 20)
        folded().serialize(into: &buffer)
        try Data(buffer.view.buffer).write(to: file)
    }

    @Test(arguments: 2...PartitionFold.checkpointVersion)
    func everyVersionIsFoldedOnFrom(version: UInt32) throws {
        let content = Array(try Data(contentsOf: Self.file(version)))
        var buffer = ByteBuffer(capacity: 4096, limit: 1 << 20)
        content.withUnsafeBytes { buffer.append(ByteView($0)) }
        // Rules of scoring may have changed since; the states must be readable all the same.
        var fold = try PartitionFold(
            deserializing: buffer.view,
            model: Scenes.model,
            keepingOldSums: true
        )
        let (found, visitors) = (fold.offset, fold.visitorCount)
        #expect(found == UInt64(Self.records) && visitors == 3)
        var random = RandomRecords(seed: 22)
        random.offset = found
        let next = random.record(span: 1_000, orderFree: true)
        let effect = next.withSlice { header, slice in fold.apply(header, slice) }
        let reached = fold.offset
        #expect(effect != nil && reached == UInt64(Self.records) + 1)
    }
}
