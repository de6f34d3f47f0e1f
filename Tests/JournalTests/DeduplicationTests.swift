// Goal: deduplication says exactly what a set of all (window, number) pairs would say, within its
// bounds, and says nothing wrong at them.
// Method: random orders and retries against a Set; the bounds met on purpose.

import Bytes
import Loop
import Records
import Testing
import Units

@testable import Journal

@Suite struct DeduplicationTests {
    private func judge(
        _ deduplicator: inout Deduplicator,
        _ window: String,
        _ numbers: [UInt32],
        at time: Int64 = 0
    ) throws -> UInt64 {
        try withSlice(window: window, numbers: numbers) { payload in
            let slice = try #require(Slice(payload))
            return try deduplicator.judge(slice, at: time)
        }
    }

    private func expectVerdict(
        _ deduplicator: inout Deduplicator,
        _ window: String,
        _ numbers: [UInt32],
        at time: Int64 = 0,
        is expected: UInt64
    ) throws {
        let verdict = try judge(&deduplicator, window, numbers, at: time)
        #expect(verdict == expected, "window \(window), numbers \(numbers)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithASetForRandomOrdersAndRetries(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        var model: Set<[UInt64]> = []
        for _ in 0..<2000 {
            let window = random.next() % 20
            let count = 1 + Int(random.next() % 12)
            let numbers = (0..<count).map { _ in UInt32(1 + random.next() % 400) }
            var expected: UInt64 = 0
            for (index, number) in numbers.enumerated()
            where !model.insert([window, UInt64(number)]).inserted {
                expected |= 1 << UInt64(index)
            }
            let verdict = try judge(&deduplicator, "w\(window)", numbers)
            if verdict != expected { Issue.record("seed \(seed): \(verdict) is not \(expected)") }
        }
    }

    @Test func theStateSurvivesItsCheckpoint() throws {
        var random = SplitMix64(seed: 4)
        var first = Deduplicator(limits: DeduplicationLimits())
        var sent: [(String, [UInt32])] = []
        for _ in 0..<3000 {
            let numbers = (0..<5).map { _ in UInt32(1 + random.next() % 1000) }
            sent.append(("w\(random.next() % 50)", numbers))
            _ = try judge(&first, sent[sent.count - 1].0, numbers)
        }
        var bytes = ByteBuffer(capacity: 4096, limit: 64 << 20)
        first.write(to: &bytes)
        var second = Deduplicator(limits: DeduplicationLimits())
        let isRead = second.read(bytes.view)
        #expect(isRead)
        for (window, numbers) in sent {
            try expectVerdict(&second, window, numbers, is: 0b11111)
        }
        for window in 0..<60 {
            let numbers = (0..<40).map { _ in UInt32(1 + random.next() % 1200) }
            let verdicts = (
                try judge(&first, "w\(window)", numbers), try judge(&second, "w\(window)", numbers)
            )
            #expect(verdicts.0 == verdicts.1)
        }
    }

    @Test func aScatteredWindowIsRefusedWholeAndOthersAreNot() throws {
        var limits = DeduplicationLimits()
        limits.runsPerWindowMaximum = 64
        var deduplicator = Deduplicator(limits: limits)
        for step in 0..<64 { _ = try judge(&deduplicator, "w", [UInt32(10 + 2 * step)]) }
        #expect(throws: JournalError.windowTooScattered) {
            _ = try judge(&deduplicator, "w", [1000, 2000])
        }
        try expectVerdict(&deduplicator, "w", [11, 13, 1000], is: 0)
        try expectVerdict(&deduplicator, "w", [11, 13, 1000], is: 0b111)
        try expectVerdict(&deduplicator, "v", [1000], is: 0)
    }

    @Test func theOldestWindowsMakeRoom() throws {
        var limits = DeduplicationLimits()
        limits.memoryBytesMaximum = 64 << 10
        var deduplicator = Deduplicator(limits: limits)
        let room = limits.windowsMaximum
        for window in 0..<3 * room {
            try expectVerdict(&deduplicator, "w\(window)", [5, 1], at: Int64(window), is: 0)
        }
        #expect(deduplicator.table.count == room)
        #expect(deduplicator.table.evicted == 2 * room)
        #expect(deduplicator.table.oldestSeenAt == Int64(2 * room))
        for window in 2 * room..<3 * room {
            try expectVerdict(&deduplicator, "w\(window)", [1, 5, 2], is: 0b011)
        }
        try expectVerdict(&deduplicator, "w0", [1], is: 0)
    }

    @Test func theMemoryForRunsIsBoundedToo() throws {
        var limits = DeduplicationLimits()
        limits.memoryBytesMaximum = 64 << 10
        var deduplicator = Deduplicator(limits: limits)
        for window in 0..<100 {
            for part in 0..<4 {
                let numbers = (0..<60).map { UInt32(10 + 2 * ($0 + 60 * part)) }
                _ = try judge(&deduplicator, "w\(window)", numbers)
            }
        }
        #expect(deduplicator.table.evicted > 80)
        #expect(deduplicator.table.count > 1)
        try expectVerdict(&deduplicator, "w99", [10, 12, 488], is: 0b111)
    }

    @Test func extremeNumbersAreJudgedLikeOthers() throws {
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        try expectVerdict(&deduplicator, "w", [.max, .max - 1, .max, 1, 0, 0], is: 0b000100)
        try expectVerdict(&deduplicator, "w", [.max, .max - 1, .max - 2], is: 0b011)
    }
}
