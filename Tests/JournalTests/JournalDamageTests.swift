// Goal: no damage on disk makes the journal crash or accept an altered record; everything before the
// damage is kept; and the damage is reported.
// Method: each single byte of a 64 KiB journal flipped, and each truncation of it; a stride through
// them unless HELIOGRAPH_LONG=1.

import Bytes
import Loop
import Records
import Testing

@testable import Journal

@Suite struct JournalDamageTests {
    static let path = "/j/0000000001.hgj"
    let limits = smallLimits(segmentBytes: 64 << 10)
    let original: [UInt8]
    let records: [Seen]
    /// Byte where each record ends.
    let ends: [Int]

    init() throws {
        let disk = SimulatedDisk(seed: 1)
        var writer = try JournalWriter(directory: "/j", disk: .simulated(disk), limits: limits)
        var ends: [Int] = []
        // Up to the last kilobytes, so that damage behind the last record is tried as well.
        for index in 0..<190 {
            let filler = String(repeating: "z", count: 100 + index % 7)
            try withSlice(window: "w\(index)", numbers: [1], filler: filler) {
                ends.append(
                    try writer.appendRolling(Partition(UInt8(index & 3)), $0).endByte
                )
            }
            try writer.commit()
        }
        original = try #require(disk.content(Self.path))
        records = try readAll(.simulated(disk), "/j", limits).records
        self.ends = ends
        #expect(original.count == 64 << 10 && records.count == 190)
    }

    private func recover(_ content: [UInt8]) throws -> (records: [Seen], damage: DamageLog) {
        let disk = SimulatedDisk(seed: 1)
        disk.replace(Self.path, content: content)
        return try readAll(.simulated(disk), "/j", limits)
    }

    @Test func everyFlippedByteIsFoundAndAltersNothing() throws {
        for place in stride(from: 0, to: original.count, by: isLong ? 1 : 13) {
            var content = original
            content[place] ^= 0xff
            let found = try recover(content)
            let intact = ends.firstIndex { $0 > place } ?? records.count
            let before = place < SegmentHeader.size ? records.count : intact
            if found.damage.count == 0 { Issue.record("flip at \(place) was not reported") }
            let hurt = found.records.filter { records[Int($0.sequence) - 1] != $0 }
            if !hurt.isEmpty { Issue.record("flip at \(place) altered a record") }
            if found.records.prefix(before) != records.prefix(before) {
                Issue.record("flip at \(place) lost a record before it")
            }
            if found.records.count < records.count - 1 {
                Issue.record("flip at \(place) lost more than its record")
            }
        }
    }

    @Test func everyTruncationKeepsWhatIsBeforeIt() throws {
        for length in stride(from: 0, to: original.count, by: isLong ? 1 : 13) {
            let found = try recover(Array(original[0..<length]))
            let whole = ends.count { $0 <= length }
            if found.records != Array(records.prefix(whole)) {
                Issue.record("truncation to \(length) kept \(found.records.count), not \(whole)")
            }
            if found.damage.count == 0 { Issue.record("truncation to \(length) was not reported") }
        }
    }

    @Test func aWriterOpensEveryDamagedJournalAndGoesOn() throws {
        for place in stride(from: 0, to: original.count, by: isLong ? 31 : 997) {
            var content = original
            content[place] ^= 0x40
            let disk = SimulatedDisk(seed: 1)
            disk.replace(Self.path, content: content)
            var writer = try JournalWriter(directory: "/j", disk: .simulated(disk), limits: limits)
            #expect(writer.recovery.damage.count > 0)
            let last = writer.lastSequence
            try writer.appendAll(windows: 1000..<1003)
            let found = try readAll(.simulated(disk), "/j", limits).records
            #expect(found.suffix(3).map(\.sequence) == [last + 1, last + 2, last + 3])
        }
    }

    @Test func cutAndMissingSegmentsAreReported() throws {
        let disk = SimulatedDisk(seed: 1)
        do {
            var writer = try JournalWriter(
                directory: "/j",
                disk: .simulated(disk),
                limits: smallLimits()
            )
            try writer.appendAll(windows: 0..<400)
        }
        let whole = try readAll(.simulated(disk), "/j", smallLimits()).records
        let second = try #require(disk.content("/j/0000000002.hgj"))
        let place = SegmentHeader.size + (whole[0].payload.count + 64 + 7) & ~7
        disk.replace("/j/0000000002.hgj", content: Array(second[0..<place]))
        let cut = try readAll(.simulated(disk), "/j", smallLimits())
        #expect(cut.damage.first.map(\.reason) == [.lostTail])
        #expect(cut.records.count < whole.count && cut.records.last == whole.last)
        try JournalDisk.simulated(disk).remove("/j/0000000002.hgj")
        let missing = try readAll(.simulated(disk), "/j", smallLimits())
        #expect(missing.damage.first.map(\.reason).contains(.missingSegment))
        #expect(missing.records.last == whole.last)
    }

    @Test func anErasedPayloadIsPassedOverWithoutDamage() throws {
        var content = original
        let start = ends[9]
        let header = try #require(
            content[start..<start + 64].withUnsafeBytes { RecordHeader(ByteView($0)) }
        )
        content[start + 43] |= 1
        let checksum = content[start..<start + 60].withUnsafeBytes { ByteView($0).crc32c() }
        withUnsafeBytes(of: checksum.littleEndian) {
            content.replaceSubrange(start + 60..<start + 64, with: $0)
        }
        let payload = start + 64..<start + 64 + header.payloadLength
        content.replaceSubrange(payload, with: repeatElement(0, count: payload.count))
        let disk = SimulatedDisk(seed: 1)
        disk.replace(Self.path, content: content)
        var reader = JournalReader(disk: .simulated(disk), directory: "/j", limits: limits)
        var erased: [UInt64] = []
        let progress = try reader.read(upTo: .max) { record in
            if record.isErased { erased.append(record.header.sequence) }
        }
        #expect(erased == [11] && progress.records == records.count && reader.damage.count == 0)
    }
}
