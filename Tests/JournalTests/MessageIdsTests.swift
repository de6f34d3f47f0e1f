// Goal: a message id takes effect once per site, whatever window, slice, restart or checkpoint lies
// between its sightings, until the budget makes it be forgotten; and a restart changes no verdict.
// Method: random repeats against a Set; a journal cut short and opened again beside one that never
// was; checkpoints of both versions.

import Bytes
import Loop
import Records
import Testing
import Units

@testable import Journal

/// A slice of a site whose events have the ids given, in the window given.
private func withMessages<Result>(
    site: String = "demo",
    window: String = "",
    _ ids: [String],
    _ body: (ByteView) throws -> Result
) rethrows -> Result {
    var writer = SliceWriter(limit: 1 << 20)
    var text = ByteBuffer(capacity: 4096)
    text.append(text: site)
    text.append(text: window)
    var head = SliceWriter.Head()
    head.site = text.view[0..<site.utf8.count]
    head.visitor = ByteView("visitor")
    head.window = text.view(from: site.utf8.count)
    writer.begin(head)
    for id in ids {
        var bytes = ByteBuffer(capacity: 4096)
        bytes.append(text: id)
        writer.beginEvent(
            number: 0,
            occurredAt: 1,
            kind: .custom,
            flags: [],
            page: 0,
            name: ByteView("test"),
            messageID: bytes.view
        )
        writer.buffer.append("{}")
        writer.endEvent()
    }
    precondition(writer.finish(eventCount: ids.count))
    return try body(writer.buffer.view)
}

@Suite struct MessageIdsTests {
    private func judge(
        _ deduplicator: inout Deduplicator,
        _ ids: [String],
        site: String = "demo",
        window: String = "",
        at time: Int64 = 0
    ) throws -> UInt64 {
        try withMessages(site: site, window: window, ids) { payload in
            let slice = try #require(Slice(payload))
            return try deduplicator.judge(slice, at: time)
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func agreesWithASetForRandomRepeats(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        var model: Set<String> = []
        for _ in 0..<1000 {
            let ids = (0..<1 + random.next() % 12).map { _ in "m\(random.next() % 4000)" }
            var expected: UInt64 = 0
            for (index, id) in ids.enumerated() where !model.insert(id).inserted {
                expected |= 1 << UInt64(index)
            }
            let verdict = try judge(&deduplicator, ids, window: "w\(random.next() % 3)")
            if verdict != expected { Issue.record("seed \(seed): \(verdict) is not \(expected)") }
        }
        #expect(deduplicator.messages.count == model.count)
        #expect(deduplicator.table.count == 0, "events with ids take no window")
    }

    @Test func theSameIdOfAnotherSiteIsAnotherEvent() throws {
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        #expect(try judge(&deduplicator, ["a", "b", "a"]) == 0b100)
        #expect(try judge(&deduplicator, ["a", "b"], site: "shop") == 0)
        // Lengths are part of the key: "demoa" + "b" is not "demo" + "ab".
        #expect(try judge(&deduplicator, ["b"], site: "demoa") == 0)
        #expect(try judge(&deduplicator, ["ab"]) == 0)
        #expect(try judge(&deduplicator, ["a"], site: "shop") == 1)
    }

    @Test func anIdIsNoWindow() throws {
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        #expect(try judge(&deduplicator, ["same"]) == 0)
        try withSlice(window: "same", numbers: [1, 1]) { payload in
            let slice = try #require(Slice(payload))
            let verdict = try deduplicator.judge(slice, at: 0)
            #expect(verdict == 0b10)
        }
        #expect(try judge(&deduplicator, ["same"]) == 1)
    }

    @Test func longIdsThatShareAFrontAreToldApart() throws {
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        let front = String(repeating: "x", count: 3000)
        #expect(try judge(&deduplicator, [front + "1", front + "2", front + "1"]) == 0b100)
    }

    @Test func theOldestIdsMakeRoomAndRepeatsDoNotRenewThem() throws {
        var limits = DeduplicationLimits()
        limits.messageBytesMaximum = 256 * 40
        var deduplicator = Deduplicator(limits: limits)
        #expect(limits.messagesMaximum == 256)
        for number in 0..<256 { _ = try judge(&deduplicator, ["m\(number)"], at: Int64(number)) }
        #expect(try judge(&deduplicator, ["m0"], at: 300) == 1)
        #expect(try judge(&deduplicator, ["m256"], at: 300) == 0)
        #expect(deduplicator.messages.count == 256)
        #expect(deduplicator.messages.evicted == 1)
        #expect(deduplicator.messages.oldestSeenAt == 1)
        #expect(try judge(&deduplicator, ["m0"], at: 301) == 0, "it came first, so it went first")
        for number in 257..<5000 { _ = try judge(&deduplicator, ["m\(number)"], at: 400) }
        for number in 4744..<5000 { #expect(try judge(&deduplicator, ["m\(number)"]) == 1) }
        #expect(deduplicator.messages.count == 256)
    }

    @Test func idsPastTheirTimeGiveTheirMemoryFirst() throws {
        var deduplicator = Deduplicator(limits: DeduplicationLimits())
        for number in 0..<1024 { _ = try judge(&deduplicator, ["m\(number)"], at: 0) }
        let nextDay = DeduplicationLimits().windowMilliseconds + 1
        #expect(try judge(&deduplicator, ["new"], at: nextDay) == 0)
        #expect(deduplicator.messages.count == 1024)
        #expect(deduplicator.messages.evicted == 1)
        #expect(try judge(&deduplicator, ["m0"], at: nextDay) == 0)
        #expect(try judge(&deduplicator, ["m5"], at: nextDay) == 1)
    }

    @Test func aCheckpointGivesBackEveryIdInItsOrder() throws {
        var limits = DeduplicationLimits()
        limits.messageBytesMaximum = 2048 * 40
        var first = Deduplicator(limits: limits)
        for number in 0..<3000 { _ = try judge(&first, ["m\(number)"], at: Int64(number)) }
        var bytes = ByteBuffer(capacity: 4096, limit: limits.checkpointBytesMaximum)
        first.write(to: &bytes)
        let isComplete = !bytes.overflowed
        #expect(isComplete)
        var second = Deduplicator(limits: limits)
        let isRead = second.read(bytes.view)
        #expect(isRead)
        for number in stride(from: 0, to: 6000, by: 7) {
            let id = ["m\(number)"]
            let verdicts = (try judge(&first, id, at: 5000), try judge(&second, id, at: 5000))
            #expect(verdicts.0 == verdicts.1, "m\(number)")
        }
        #expect(first.messages.oldestSeenAt == second.messages.oldestSeenAt)
    }

    @Test func aCheckpointFromBeforeMessageIdsIsStillRead() throws {
        var first = Deduplicator(limits: DeduplicationLimits())
        try withSlice(window: "w", numbers: [1, 2, 5]) { payload in
            let slice = try #require(Slice(payload))
            _ = try first.judge(slice, at: 7)
        }
        var bytes = ByteBuffer(capacity: 4096)
        first.write(to: &bytes)
        // The older form is the newer one with its own number and without the part about messages.
        bytes.overwrite(littleEndian: UInt32(1), at: 0)
        bytes.truncate(to: bytes.count - 4)
        var second = Deduplicator(limits: DeduplicationLimits())
        let isRead = second.read(bytes.view)
        #expect(isRead)
        try withSlice(window: "w", numbers: [1, 3, 5]) { payload in
            let slice = try #require(Slice(payload))
            let verdict = try second.judge(slice, at: 8)
            #expect(verdict == 0b101)
        }
        #expect(second.messages.count == 0)
        bytes.overwrite(littleEndian: UInt32(3), at: 0)
        var third = Deduplicator(limits: DeduplicationLimits())
        let isNewerRead = third.read(bytes.view)
        #expect(!isNewerRead)
    }

    @Test func aJournalThatIsOpenedAgainGivesTheVerdictsOfOneThatWasNot() throws {
        let (here, there) = (TemporaryDirectory(), TemporaryDirectory())
        var limits = smallLimits()
        limits.deduplication.messageBytesMaximum = 128 * 40
        var random = SplitMix64(seed: 11)
        var steady = try JournalWriter(directory: here.path, limits: limits)
        for life in 0..<6 {
            var reborn = try JournalWriter(directory: there.path, limits: limits)
            for step in 0..<80 {
                let ids = (0..<1 + random.next() % 4).map { _ in "m\(random.next() % 400)" }
                let time = Int64(life * 1000 + step)
                try withMessages(ids) { payload in
                    let partition = Partition(0)
                    let expected = try steady.appendRolling(partition, payload, at: time)
                    let found = try reborn.appendRolling(partition, payload, at: time)
                    #expect(found.duplicates == expected.duplicates, "life \(life), step \(step)")
                }
                // Half of the lives end with a checkpoint some way behind.
                if step == 40, life & 1 == 0 {
                    try reborn.commit()
                    try reborn.saveDeduplication()
                }
            }
            try reborn.commit()
            #expect(reborn.gauges.messages == steady.gauges.messages)
            #expect(reborn.gauges.messageOldestSeenAt == steady.gauges.messageOldestSeenAt)
        }
        #expect(steady.gauges.messagesEvicted > 100)
    }
}
