// Goal: what was committed is found again, in order, with its verdicts; restarts begin new segments.
// Method: write with a small segment size, reopen, compare.

import Bytes
import Loop
import Records
import Testing
import Units

@testable import Journal

@Suite struct JournalRecoveryTests {
    @Test func committedRecordsComeBackInOrder() throws {
        let directory = TemporaryDirectory()
        let limits = smallLimits()
        var writer = try JournalWriter(directory: directory.path, limits: limits)
        try writer.appendAll(windows: 0..<500, commitEvery: 3)
        let found = try readAll(.real, directory.path, limits)
        #expect(found.damage.count == 0)
        #expect(found.records.map(\.sequence) == Array(1...500))
        #expect(found.records.filter { $0.partition == 7 }.map(\.offset) == [1, 2])
        #expect(writer.segment > 3)
    }

    @Test func everyRestartBeginsANewSegmentAndContinuesTheNumbers() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        let limits = smallLimits()
        for round in 0..<5 {
            var writer = try JournalWriter(directory: "/j", disk: disk, limits: limits)
            #expect(writer.lastSequence == UInt64(round * 10))
            let before = writer.segment
            try writer.appendAll(windows: round * 10..<round * 10 + 10)
            #expect(writer.segment == before + 1)
        }
        let found = try readAll(disk, "/j", limits)
        #expect(found.records.map(\.sequence) == Array(1...50))
        #expect(found.damage.count == 0)
    }

    @Test func repeatsAreJudgedAcrossRestartsWithAndWithoutCheckpoint() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        for round in 0..<4 {
            var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
            let appended = try withSlice(window: "same", numbers: [1, 2, UInt32(10 + round)]) {
                try writer.append(partition: Partition(3), receivedAt: 5, payload: $0)
            }
            try writer.commit()
            #expect(appended.duplicates == (round == 0 ? 0 : 0b011))
            if round == 1 { try writer.saveDeduplication() }
        }
        let found = try readAll(disk, "/j", smallLimits())
        #expect(found.records.map(\.duplicates) == [0, 3, 3, 3])
    }

    @Test func aCheckpointSparesReadingWhatIsBeforeIt() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        let limits = smallLimits()
        do {
            var writer = try JournalWriter(directory: "/j", disk: disk, limits: limits)
            try writer.appendAll(windows: 0..<300)
            try writer.saveDeduplication()
            try writer.appendAll(windows: 300..<310)
        }
        let writer = try JournalWriter(directory: "/j", disk: disk, limits: limits)
        #expect(writer.recovery.records == 10)
        #expect(writer.lastSequence == 310)
        #expect(writer.nextOffset(Partition(1)) == 3)
    }

    @Test func anUncommittedGroupIsNotInTheJournal() throws {
        let disk = SimulatedDisk(seed: 1)
        var writer = try JournalWriter(
            directory: "/j",
            disk: .simulated(disk),
            limits: smallLimits()
        )
        try writer.appendAll(windows: 0..<5)
        try withSlice(window: "late", numbers: [1]) {
            _ = try writer.append(partition: Partition(1), receivedAt: 1, payload: $0)
        }
        #expect(writer.bytesPending > 0)
        #expect(writer.committedSequence == 5)
        #expect(try readAll(.simulated(disk), "/j", smallLimits()).records.count == 5)
    }

    @Test func theGroupCanBeRoutedAfterItsCommit() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
        for index in 0..<3 {
            try withSlice(window: "w\(index)", numbers: [1, 1]) {
                _ = try writer.append(partition: Partition(9), receivedAt: 1, payload: $0)
            }
        }
        try writer.commit()
        var routed: [Seen] = []
        var ends: [Int] = []
        writer.forEachInGroup {
            routed.append(Seen($0))
            ends.append($0.endByte)
        }
        #expect(routed == (try readAll(disk, "/j", smallLimits()).records))
        #expect(routed.map(\.duplicates) == [2, 2, 2])
        #expect(ends.last == writer.gauges.segmentBytesUsed)
    }

    @Test func aSecondWriterIsRefused() throws {
        let directory = TemporaryDirectory()
        let first = try JournalWriter(directory: directory.path, limits: smallLimits())
        #expect(throws: JournalError.locked) {
            _ = try JournalWriter(directory: directory.path, limits: smallLimits())
        }
        _ = first.lastSequence
    }

    @Test func aNewerVersionIsRefused() throws {
        let disk = SimulatedDisk(seed: 1)
        do {
            var writer = try JournalWriter(
                directory: "/j",
                disk: .simulated(disk),
                limits: smallLimits()
            )
            try writer.appendAll(windows: 0..<2)
        }
        var content = try #require(disk.content("/j/0000000001.hgj"))
        content[4] = 9
        let checksum = content[0..<4092].withUnsafeBytes { ByteView($0).crc32c() }
        withUnsafeBytes(of: checksum.littleEndian) {
            content.replaceSubrange(4092..<4096, with: $0)
        }
        disk.replace("/j/0000000001.hgj", content: content)
        #expect(throws: JournalError.unsupportedVersion(9)) {
            _ = try JournalWriter(directory: "/j", disk: .simulated(disk), limits: smallLimits())
        }
    }

    @Test func offsetsAndSequencesAreNeverUsedTwiceOnceRaised() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        do {
            var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
            writer.raise(Partition(4), above: 99)
            writer.raiseSequence(above: 1000)
            try withSlice(window: "w", numbers: [1]) {
                let appended = try writer.append(
                    partition: Partition(4),
                    receivedAt: 1,
                    payload: $0
                )
                #expect(appended.position.offset == 100)
                #expect(appended.sequence == 1001)
            }
            try writer.commit()
        }
        let writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
        #expect(writer.nextOffset(Partition(4)) == 101)
        #expect(writer.lastSequence == 1001)
    }

    @Test func aRecordThatIsTooLargeOrNoSliceIsRefusedAndHarmsNothing() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
        let huge = String(repeating: "y", count: 5000)
        #expect(throws: JournalError.recordTooLarge) {
            try withSlice(window: "w", numbers: [1], filler: huge) {
                _ = try writer.append(partition: Partition(0), receivedAt: 1, payload: $0)
            }
        }
        #expect(throws: JournalError.malformedPayload) {
            _ = try writer.append(
                partition: Partition(0),
                receivedAt: 1,
                payload: ByteView("nonsense")
            )
        }
        try writer.appendAll(windows: 0..<3)
        #expect(try readAll(disk, "/j", smallLimits()).records.map(\.sequence) == [1, 2, 3])
    }
}
