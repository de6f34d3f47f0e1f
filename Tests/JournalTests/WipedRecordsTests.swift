// Goal: a record that was wiped is gone for good, and nothing else of the journal is: not its
// neighbours, not a position, not the audit's verdict; also when the power fails at any system call.
// Method: some of many records wiped on a simulated disk that drops, tears and reorders, every system
// call of the wipe failing in turn; then recovery, a reading of everything, and the wipe once more.
import Bytes
import Loop
import Records
import Testing

@testable import Journal

struct WipedRecordsTests {
    private static let records = 60

    /// A journal of several segments; every third record is of the window `gone`.
    private func fill(_ disk: JournalDisk) throws -> [Seen] {
        var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
        for index in 0..<Self.records {
            let window = index % 3 == 0 ? "gone" : "stays\(index)"
            try withSlice(
                window: window,
                numbers: [UInt32(index + 1)],
                filler: String(repeating: window, count: 100)
            ) { _ = try writer.appendRolling(Partition(UInt8(index % 4)), $0) }
            if index % 5 == 4 { try writer.commit() }
        }
        try writer.commit()
        try writer.saveDeduplication()
        return try readAll(disk, "/j", smallLimits()).records
    }

    private func isGone(_ record: JournalRecord) -> Bool {
        Slice(record.payload)?.window.equals("gone") ?? false
    }

    private func wipe(_ disk: JournalDisk) -> JournalWipe {
        JournalWipe(disk: disk, directory: "/j", limits: smallLimits())
    }

    /// Whether every record is as it was, or, if it was to go, wiped; and how many are.
    private func check(_ disk: JournalDisk, _ before: [Seen]) throws -> (sound: Bool, wiped: Int) {
        let found = try readAll(disk, "/j", smallLimits())
        guard found.damage.count == 0, found.records.count == before.count else {
            return (false, 0)
        }
        var wiped = 0
        for (old, new) in zip(before, found.records) {
            let isSame = old == new
            let isZero =
                new.payload.allSatisfy { $0 == 0 } && new.payload.count == old.payload.count
                && new.sequence == old.sequence && new.offset == old.offset
            if isZero { wiped += 1 }
            guard isSame || isZero && old.sequence % 3 == 1 else { return (false, wiped) }
        }
        return (true, wiped)
    }

    @Test func theyAreZerosAndTheOthersAreAsTheyWere() throws {
        let simulated = SimulatedDisk(seed: 1)
        let disk = JournalDisk.simulated(simulated)
        let before = try fill(disk)
        let report = try wipe(disk).wipe(upTo: .max, where: isGone)
        #expect(report.records == Self.records / 3)
        #expect(try check(disk, before) == (true, Self.records / 3))
        #expect(try wipe(disk).wipe(upTo: .max, where: isGone).records == 0)
        for name in try disk.names(in: "/j") where name.hasSuffix(".hgj") {
            let content = simulated.content("/j/\(name)") ?? []
            #expect(String(decoding: content, as: UTF8.self).contains("gonegone") == false)
        }
        // The writer goes on where it was.
        let writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
        #expect(writer.lastSequence == UInt64(Self.records))
        #expect(writer.recovery.damage.count == 0)
    }

    @Test func onlyRecordsUpToTheBoundGo() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 2))
        let before = try fill(disk)
        #expect(try wipe(disk).wipe(upTo: 30, where: isGone).records == 10)
        #expect(try check(disk, before) == (true, 10))
    }

    @Test func powerFailingAtAnySystemCallLeavesEachWholeOrWiped() throws {
        var call = 1
        var isOver = false
        while !isOver {
            let faults = FaultPlan()
            let simulated = SimulatedDisk(seed: UInt64(call), faults: faults)
            let disk = JournalDisk.simulated(simulated)
            let before = try fill(disk)
            simulated.settle()
            faults.arm(after: call)
            isOver = (try? wipe(disk).wipe(upTo: .max, where: isGone)) != nil
            simulated.crash()
            faults.lift()
            try wipe(disk).finish()
            #expect(try check(disk, before).sound, "call \(call)")
            _ = try wipe(disk).wipe(upTo: .max, where: isGone)
            simulated.crash()
            #expect(try check(disk, before) == (true, Self.records / 3), "call \(call)")
            call += 1
        }
        #expect(call > 20)
    }
}
