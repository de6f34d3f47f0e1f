// Goal: whichever system call fails, the journal neither crashes nor acknowledges what it does not
// hold; and it works again on the next start.
// Method: SQLite's. Run a scenario once to count its system calls, then once for each of them with
// that call failing, alone and together with all after it; then power fails, and the journal is read.

import Bytes
import Glibc
import Loop
import Records
import Testing

@testable import Journal

@Suite struct EveryFaultTests {
    /// 300 events in groups over several segments, a restart, a checkpoint and retention between.
    private func scenario(_ disk: JournalDisk, _ directory: String) -> [Seen] {
        var acknowledged: [Seen] = []
        for life in 0..<3 {
            do {
                try work(disk, directory, life, &acknowledged)
            } catch {
                continue
            }
        }
        return acknowledged
    }

    private func work(
        _ disk: JournalDisk,
        _ directory: String,
        _ life: Int,
        _ acknowledged: inout [Seen]
    ) throws {
        let limits = smallLimits()
        var writer = try JournalWriter(directory: directory, disk: disk, limits: limits)
        for group in 0..<10 {
            var pending: [Seen] = []
            for index in 0..<10 {
                try withSlice(window: "w\(life)-\(group)-\(index)", numbers: [1], filler: filler) {
                    if writer.bytesPending + $0.count + 72 > limits.groupBytesMaximum { return }
                    guard let appended = try append(&writer, $0) else { return }
                    pending.append(
                        Seen(
                            sequence: appended.sequence,
                            offset: appended.position.offset,
                            partition: 1,
                            duplicates: 0,
                            payload: Array($0.buffer)
                        )
                    )
                }
            }
            try writer.commit()
            acknowledged += pending
        }
        try writer.saveDeduplication()
        let nothing = JournalRetention(
            takenOffsets: [UInt64](repeating: 0, count: 256),
            safetyMilliseconds: 0
        )
        _ = try writer.retain(nothing)
    }

    private let filler = String(repeating: "f", count: 300)

    /// Nil when the segment is full, so that no record of an earlier group is committed by stealth.
    private func append(
        _ writer: inout JournalWriter,
        _ payload: ByteView
    ) throws(JournalError) -> Appended? {
        do throws(JournalError) {
            return try writer.append(partition: Partition(1), receivedAt: 1, payload: payload)
        } catch {
            if error == .groupFull { return nil }
            throw error
        }
    }

    private func expectHeld(
        _ acknowledged: [Seen],
        _ disk: JournalDisk,
        _ path: String,
        _ call: Int
    )
        throws
    {
        var writer = try JournalWriter(directory: path, disk: disk, limits: smallLimits())
        try writer.appendAll(windows: 9000..<9003)
        let found = try readAll(disk, path, smallLimits()).records
        let held = Dictionary(found.map { ($0.sequence, $0) }) { first, _ in first }
        if held.count != found.count { Issue.record("call \(call): a sequence used twice") }
        for record in acknowledged where held[record.sequence] != record {
            Issue.record("call \(call): record \(record.sequence) was acknowledged and is not held")
        }
    }

    @Test(arguments: [false, true])
    func onASimulatedDiskThatThenLosesPower(lasts: Bool) throws {
        let counting = FaultPlan()
        _ = scenario(.simulated(SimulatedDisk(seed: 1, faults: counting)), "/j")
        #expect(counting.calls > 100)
        for call in 1...counting.calls {
            let faults = FaultPlan(failing: call, code: EIO, lasts: lasts)
            let disk = SimulatedDisk(seed: UInt64(call), faults: faults)
            let acknowledged = scenario(.simulated(disk), "/j")
            faults.lift()
            disk.crash()
            try expectHeld(acknowledged, .simulated(disk), "/j", call)
        }
    }

    @Test(arguments: [EIO, ENOSPC])
    func onRealFiles(code: Int32) throws {
        let counting = FaultPlan()
        let first = TemporaryDirectory()
        _ = scenario(.real(SystemCall(faults: counting)), first.path)
        let step = isLong ? 1 : 3
        for call in stride(from: 1, through: counting.calls, by: step) {
            let directory = TemporaryDirectory()
            let faults = FaultPlan(failing: call, code: code)
            let acknowledged = scenario(.real(SystemCall(faults: faults)), directory.path)
            try expectHeld(acknowledged, .real, directory.path, call)
        }
    }

    @Test func interruptedCallsAndShortWritesAreContinued() throws {
        let directory = TemporaryDirectory()
        let faults = FaultPlan(writeBytesMaximum: 100)
        var writer = try JournalWriter(
            directory: directory.path,
            disk: .real(SystemCall(faults: faults)),
            limits: smallLimits()
        )
        try writer.appendAll(windows: 0..<20, filler: filler, commitEvery: 5)
        #expect(try readAll(.real, directory.path, smallLimits()).records.count == 20)
        for call in 1...60 {
            let fresh = TemporaryDirectory()
            let interrupting = FaultPlan(failing: call, code: EINTR)
            var writer = try JournalWriter(
                directory: fresh.path,
                disk: .real(SystemCall(faults: interrupting)),
                limits: smallLimits()
            )
            try writer.appendAll(windows: 0..<20)
        }
    }

    @Test func aFailedCommitIsFinal() throws {
        let faults = FaultPlan()
        let disk = SimulatedDisk(seed: 1, faults: faults)
        var writer = try JournalWriter(
            directory: "/j",
            disk: .simulated(disk),
            limits: smallLimits()
        )
        try writer.appendAll(windows: 0..<2)
        try withSlice(window: "late", numbers: [1]) {
            _ = try writer.append(partition: Partition(1), receivedAt: 1, payload: $0)
        }
        faults.arm(failing: .fdatasync)
        #expect(throws: JournalError.failed(SystemCallError(.fdatasync, code: EIO))) {
            try writer.commit()
        }
        faults.lift()
        let calls = faults.calls
        #expect(throws: JournalError.stopped) { try writer.commit() }
        #expect(throws: JournalError.stopped) { try writer.appendAll(windows: 5..<6) }
        #expect(faults.calls == calls, "a failed synchronisation was tried again")
    }
}
