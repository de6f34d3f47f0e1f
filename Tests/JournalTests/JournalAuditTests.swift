// Goal: an audit names every place that is damaged, tells gaps from damage, and calls nothing damaged
// that a writer is only about to complete.
// Method: journals on a simulated disk, altered byte by byte; the writer's own bytes appended in halves
// between two looks.

import Bytes
import Loop
import Records
import Testing

@testable import Journal

@Suite struct JournalAuditTests {
    let limits = smallLimits()

    /// A journal of several segments on `disk`.
    private func fill(_ disk: SimulatedDisk, windows: Range<Int> = 0..<300) throws {
        var writer = try JournalWriter(directory: "/j", disk: .simulated(disk), limits: limits)
        try writer.appendAll(windows: windows, filler: String(repeating: "y", count: 90))
    }

    private func audit(
        _ disk: SimulatedDisk,
        wait: @escaping () -> Void = {}
    ) throws -> [SegmentReport] {
        var audit = try JournalAudit(
            disk: .simulated(disk),
            directory: "/j",
            limits: limits,
            wait: wait
        )
        var reports: [SegmentReport] = []
        while let report = try audit.next() { reports.append(report) }
        return reports
    }

    @Test func aWholeJournalIsCleanAndCounted() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk)
        let reports = try audit(disk)
        #expect(reports.count > 2)
        #expect(reports.allSatisfy { $0.isClean })
        #expect(reports.reduce(0) { $0 + $1.records } == 300)
        #expect(reports.first?.sequences?.lowerBound == 1)
        #expect(reports.last?.sequences?.upperBound == 300)
    }

    @Test func everyFlippedByteOfARecordIsNamedAtItsRecord() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk, windows: 0..<60)
        let path = "/j/0000000001.hgj"
        let original = try #require(disk.content(path))
        let end = try #require(try audit(disk).first).end
        for place in stride(from: SegmentHeader.size, to: end, by: isLong ? 1 : 29) {
            var content = original
            content[place] ^= 0x10
            disk.replace(path, content: content)
            let report = try #require(try audit(disk).first)
            let isNamed = report.damage.contains { $0.from <= place && place < $0.to }
            if !isNamed { Issue.record("flip at \(place): \(report.damage)") }
        }
    }

    @Test func recordsThatAreGoneAreAGapWithTheirNumbers() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk, windows: 0..<60)
        let path = "/j/0000000001.hgj"
        var content = try #require(disk.content(path))
        let found = try readAll(.simulated(disk), "/j", limits).records
        let length = RecordHeader.recordLength(payloadLength: found[0].payload.count)
        // The second record becomes zeros, header and all.
        for place in SegmentHeader.size + length..<SegmentHeader.size + 2 * length {
            content[place] = 0
        }
        disk.replace(path, content: content)
        let report = try #require(try audit(disk).first)
        #expect(report.damage.map(\.reason) == [.recordHeader])
        let gap = try #require(report.gaps.first)
        #expect(gap.partition == nil && gap.expected == 2 && gap.found == 3)
        #expect(gap.byte == SegmentHeader.size + 2 * length)
    }

    @Test func aMissingSegmentAndItsRecordsAreNamed() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk)
        try JournalDisk.simulated(disk).remove("/j/0000000002.hgj")
        let reports = try audit(disk)
        #expect(reports.map(\.number).contains(2) == false)
        let third = try #require(reports.first { $0.number == 3 })
        #expect(third.damage.first?.reason == .missingSegment)
        #expect(third.gaps.contains { $0.partition == nil })
    }

    @Test func aGroupOnItsWayToTheDiskIsNoDamage() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk, windows: 0..<20)
        let path = "/j/0000000001.hgj"
        let whole = try #require(disk.content(path))
        let end = try #require(try audit(disk).first).end
        // Half of the last record, then all of it at the second look.
        var half = whole
        for place in end - 40..<end { half[place] = 0 }
        disk.replace(path, content: half)
        let arriving = try #require(
            try audit(disk) { disk.replace(path, content: whole) }.last
        )
        #expect(arriving.isClean && arriving.records == 20)
        disk.replace(path, content: half)
        let torn = try #require(try audit(disk).last)
        #expect(torn.damage.map(\.reason) == [.payload])
    }

    @Test func aSecondLookIsNotNeededWhereNothingIsWrong() throws {
        let disk = SimulatedDisk(seed: 3)
        try fill(disk)
        var looks = 0
        _ = try audit(disk) { looks += 1 }
        #expect(looks == 0)
    }

    @Test func checkpointFilesAreWholeOrDamaged() throws {
        let disk = SimulatedDisk(seed: 3)
        let files = CheckpointFiles(disk: .simulated(disk), directory: "/c", name: "p001")
        var content = ByteBuffer(capacity: 64)
        content.append(text: "state")
        try files.save(sequence: 5, content: content.view)
        try files.save(sequence: 9, content: content.view)
        let path = "/c/p001-00000000000000000009.hgc"
        var bytes = try #require(disk.content(path))
        bytes[34] ^= 1
        disk.replace(path, content: bytes)
        var newest = ByteBuffer(capacity: 64)
        let found = try files.inventory(newest: &newest)
        #expect(found.whole == [5] && found.damaged == [9])
        #expect(newest.view.text == "state")
    }
}
