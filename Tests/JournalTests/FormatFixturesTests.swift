// Goal: files that an earlier release wrote can be read by this one, and files of a later one are
// refused with a text that says what to do.
// Method: one folder of files for each version of the formats, committed with the release that wrote
// them first; `HELIOGRAPH_WRITE_FIXTURES=1 swift test --filter FormatFixturesTests` makes those of
// this version where there are none yet.

import Bytes
import Foundation
import Loop
import Records
import Testing
import Units

@testable import Journal

@Suite struct FormatFixturesTests {
    private static let records = 60
    /// Every version whose files are kept; the last is the one that is written.
    private static let versions = ["v1"]

    private static func folder(_ version: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + version
    }

    /// The record with this number, as every version holds it: of windows and of message ids.
    private func withRecord<Result>(
        _ number: Int,
        _ body: (ByteView) throws -> Result
    ) rethrows -> Result {
        try withSlice(
            window: "window-\(number % 7)",
            numbers: [UInt32(2 * number + 1), UInt32(2 * number + 2)],
            filler: String(repeating: "f", count: number * 3),
            body
        )
    }

    private func append(_ writer: inout JournalWriter, _ number: Int) throws -> Appended {
        let partition = Partition(UInt8(number % 5))
        return try withRecord(number) { payload in
            try writer.appendRolling(partition, payload, at: Int64(number) * 1000)
        }
    }

    /// The journal in a folder that may be written to.
    private func copied(_ version: String) throws -> TemporaryDirectory {
        let directory = TemporaryDirectory()
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder(version))
        for name in files {
            try FileManager.default.copyItem(
                atPath: Self.folder(version) + "/" + name,
                toPath: directory.path + "/" + name
            )
        }
        return directory
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["HELIOGRAPH_WRITE_FIXTURES"] == "1"))
    func writeThoseOfThisVersion() throws {
        let folder = Self.folder(try #require(Self.versions.last))
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        var writer = try JournalWriter(
            directory: folder,
            limits: smallLimits(),
            time: .simulated(SimulatedClock(epochMilliseconds: 1_790_000_000_000))
        )
        for number in 0..<Self.records {
            _ = try append(&writer, number)
            try writer.commit()
            if number == Self.records / 2 { try writer.saveDeduplication() }
        }
        try FileManager.default.removeItem(atPath: folder + "/lock")
    }

    @Test(arguments: versions)
    func everyVersionIsReadWhole(version: String) throws {
        let found = try readAll(.real, Self.folder(version), smallLimits())
        #expect(found.damage.count == 0)
        #expect(found.records.count == Self.records)
        for (number, record) in found.records.enumerated() {
            let payload = withRecord(number) { Array($0.buffer) }
            #expect(record.payload == payload && record.sequence == UInt64(number + 1))
        }
    }

    @Test(arguments: versions)
    func everyVersionIsContinuedAndItsRepeatsAreKnown(version: String) throws {
        let directory = try copied(version)
        var writer = try JournalWriter(directory: directory.path, limits: smallLimits())
        // Half of them are known from the checkpoint, the rest from the records after it.
        #expect(writer.recovery.damage.count == 0)
        #expect(writer.recovery.records < Self.records)
        for number in 0..<Self.records {
            #expect(try append(&writer, number).duplicates == 0b11)
        }
        #expect(try append(&writer, Self.records).duplicates == 0)
        try writer.commit()
        #expect(writer.committedSequence == UInt64(2 * Self.records + 1))
    }

    @Test func aLaterJournalIsRefusedWithWhatToDo() throws {
        let directory = try copied(try #require(Self.versions.last))
        let path = directory.path + "/0000000002.hgj"
        var content = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        content[4] = UInt8(SegmentHeader.version + 1)
        let end = SegmentHeader.size - 4
        let checksum = content[0..<end].withUnsafeBytes { ByteView($0).crc32c() }
        withUnsafeBytes(of: checksum.littleEndian) {
            content.replaceSubrange(end..<end + 4, with: $0)
        }
        try Data(content).write(to: URL(fileURLWithPath: path))
        let error = JournalError.unsupportedVersion(SegmentHeader.version + 1)
        #expect(throws: error) {
            _ = try JournalWriter(directory: directory.path, limits: smallLimits())
        }
        #expect(error.description.contains("start the release that wrote it"))
    }

    @Test func aLaterDeduplicationStateIsRefusedRatherThanForgotten() throws {
        let directory = try copied(try #require(Self.versions.last))
        let files = CheckpointFiles(disk: .real, directory: directory.path, name: "dedup")
        var content = ByteBuffer(capacity: 64)
        content.append(littleEndian: UInt32(99))
        for _ in 0..<8 { content.append(littleEndian: UInt64(0)) }
        try files.save(sequence: UInt64(Self.records), content: content.view)
        #expect(throws: JournalError.unsupportedVersion(99)) {
            _ = try JournalWriter(directory: directory.path, limits: smallLimits())
        }
    }
}
