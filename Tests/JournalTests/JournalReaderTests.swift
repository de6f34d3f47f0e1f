// Goal: readers see committed records only, all of them, once, wherever they start and whatever the
// writer does meanwhile; retention removes only what nobody needs.
// Method: a reader in another thread; every start; retention against random positions.

import Bytes
import Foundation
import Loop
import Records
import Synchronization
import Testing
import Units

@testable import Journal

@Suite struct JournalReaderTests {
    private final class Published: Sendable {
        let committed = Atomic<UInt64>(0)
        let read = Mutex<(sequences: [UInt64], damage: Int, problem: String)>(([], 0, ""))
    }

    @Test func aReaderKeepsUpWithAWriter() throws {
        let directory = TemporaryDirectory()
        let limits = smallLimits()
        let published = Published()
        let path = directory.path
        let total: UInt64 = 20_000
        var writer = try JournalWriter(directory: path, limits: limits)
        let thread = Thread {
            do {
                var reader = JournalReader(disk: .real, directory: path, limits: limits)
                while reader.lastSequence < total {
                    let bound = published.committed.load(ordering: .acquiring)
                    if bound == 0 { continue }
                    var found: [UInt64] = []
                    _ = try reader.read(upTo: bound, recordsMaximum: 777) { record in
                        found.append(record.header.sequence)
                    }
                    published.read.withLock { $0.sequences += found }
                }
                published.read.withLock { $0.damage = reader.damage.count }
            } catch {
                published.read.withLock { $0.problem = "\(error)" }
            }
        }
        thread.start()
        for index in 0..<Int(total) {
            try withSlice(window: "w\(index % 100)", numbers: [UInt32(index / 100 + 1)]) {
                _ = try writer.appendRolling(Partition(UInt8(index & 255)), $0)
            }
            if index % 10 == 9 { try writer.commit() }
            published.committed.store(writer.committedSequence, ordering: .releasing)
        }
        while !thread.isFinished { usleep(1000) }
        let read = published.read.withLock { $0 }
        #expect(read.problem == "" && read.damage == 0)
        #expect(read.sequences == Array(1...total))
    }

    @Test func readingStartsAnywhereAndStopsAtTheBound() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        let limits = smallLimits()
        var writer = try JournalWriter(directory: "/j", disk: disk, limits: limits)
        try writer.appendAll(windows: 0..<600)
        let all = try readAll(disk, "/j", limits).records
        for first in stride(from: 1, through: 600, by: 37) as StrideThrough<UInt64> {
            let found = try readAll(disk, "/j", limits, from: .sequence(first), upTo: 590)
            #expect(found.records == all.filter { $0.sequence >= first && $0.sequence <= 590 })
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<50 {
            let wanted = (0..<256).map { _ in random.next() % 5 }
            let found = try readAll(disk, "/j", limits, from: .offsets(wanted))
            #expect(found.records == all.filter { $0.offset >= wanted[Int($0.partition)] })
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func retentionNeverRemovesWhatSomebodyNeeds(seed: UInt64) throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: seed))
        let clock = SimulatedClock(epochMilliseconds: 1_000_000)
        let limits = smallLimits()
        var random = SplitMix64(seed: seed)
        var writer = try JournalWriter(
            directory: "/j",
            disk: disk,
            limits: limits,
            time: .simulated(clock)
        )
        var taken = [UInt64](repeating: 0, count: 256)
        var removed = 0
        for round in 0..<20 {
            try writer.appendAll(windows: round * 100..<round * 100 + 100)
            clock.advance(milliseconds: 1000)
            for index in taken.indices
            where taken[index] + 1 < writer.nextOffset(Partition(UInt8(index))) {
                taken[index] +=
                    random.next() % (writer.nextOffset(Partition(UInt8(index))) - taken[index])
            }
            if random.next() % 3 == 0 { try writer.saveDeduplication() }
            let before = try readAll(disk, "/j", limits).records
            removed += try writer.retain(
                JournalRetention(takenOffsets: taken, safetyMilliseconds: 2000)
            )
            let after = try readAll(disk, "/j", limits)
            let needed = before.filter { $0.offset > taken[Int($0.partition)] }
            #expect(needed.allSatisfy(after.records.contains))
            #expect(after.damage.count == 0)
            let resumed = try readAll(disk, "/j", limits, from: .offsets(taken.map { $0 + 1 }))
            #expect(resumed.records == needed)
        }
        _ = removed
    }

    @Test func retentionRemovesWhatAllHaveTaken() throws {
        let simulated = SimulatedDisk(seed: 1)
        let clock = SimulatedClock(epochMilliseconds: 1_000_000)
        var writer = try JournalWriter(
            directory: "/j",
            disk: .simulated(simulated),
            limits: smallLimits(),
            time: .simulated(clock)
        )
        try writer.appendAll(windows: 0..<500)
        let used = writer.gauges.diskBytesUsed
        let everything = JournalRetention(
            takenOffsets: (0..<256).map { writer.nextOffset(Partition(UInt8($0))) - 1 },
            safetyMilliseconds: 1000
        )
        clock.advance(milliseconds: 2000)
        let early = try writer.retain(everything)
        #expect(early == 0, "removed without a deduplication checkpoint")
        try writer.saveDeduplication()
        let removed = try writer.retain(everything)
        #expect(removed == Int(writer.segment) - 1)
        #expect(writer.gauges.diskBytesUsed < used / 4)
        #expect(throws: JournalError.positionGone) {
            _ = try readAll(.simulated(simulated), "/j", smallLimits(), from: .sequence(1))
        }
    }

    @Test func aFullDiskRefusesBeforeAcceptingAndRecovers() throws {
        let clock = SimulatedClock(epochMilliseconds: 1_000_000)
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1, capacityBytes: 100 << 10))
        var writer = try JournalWriter(
            directory: "/j",
            disk: disk,
            limits: smallLimits(),
            time: .simulated(clock)
        )
        #expect(throws: JournalError.full) { try writer.appendAll(windows: 0..<2000) }
        try writer.commit()
        let accepted = writer.committedSequence
        #expect(writer.gauges.isFull)
        #expect(try readAll(disk, "/j", smallLimits()).records.count == Int(accepted))
        try writer.saveDeduplication()
        clock.advance(milliseconds: 300)
        let taken = (0..<256).map { writer.nextOffset(Partition(UInt8($0))) - 1 }
        _ = try writer.retain(JournalRetention(takenOffsets: taken, safetyMilliseconds: 0))
        try writer.appendAll(windows: 5000..<5010)
        #expect(writer.committedSequence == accepted + 10)
        #expect(!writer.gauges.isFull)
    }
}
