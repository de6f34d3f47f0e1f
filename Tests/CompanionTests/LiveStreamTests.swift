// Goal: score changes reach every reader, a reader that comes back misses nothing or is told so, and
// a reader that does not read harms nobody. Method: raw sockets against a running companion.
import Foundation
import Settings
import Telemetry
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct LiveStreamTests {
    @Test func changesReachAllReadersThroughOneSubscription() throws {
        let companion = try RunningCompanion()
        let first = try companion.stream()
        let second = try companion.stream()
        #expect(first.read(until: "event: hello") != nil)
        #expect(second.read(until: "event: hello") != nil)
        try companion.awaitSubscribers(1)
        try companion.redis.publish("v1", score: 12.5, updated: 99)
        for reader in [first, second] {
            let text = try #require(reader.read(until: "}\n\n"))
            _ = try #require(reader.read(until: "event: score\n"))
            #expect(reader.read(until: "\"visitor\":\"v1\"") != nil)
            #expect(text.contains("content-type: text/event-stream") || text.contains("text/event"))
        }
        try companion.awaitSubscribers(1)
    }

    @Test func whoComesBackGetsWhatItMissed() throws {
        let companion = try RunningCompanion()
        let watcher = try companion.stream()
        #expect(watcher.read(until: "event: hello") != nil)
        try companion.awaitSubscribers(1)
        for visitor in ["a", "b", "c"] {
            try companion.redis.publish(visitor, score: 1, updated: 1)
            #expect(watcher.read(until: "\"visitor\":\"\(visitor)\"") != nil)
        }
        let seen = try #require(watcher.read(until: "\"c\""))
        let lines = seen.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }
        let identifier = try #require(lines.first).dropFirst(4)
        let returned = try companion.stream(headers: "Last-Event-ID: \(identifier)\r\n")
        let missed = try #require(returned.read(until: "\"visitor\":\"c\""))
        #expect(missed.contains("\"visitor\":\"b\"") && !missed.contains("\"visitor\":\"a\""))
        #expect(!missed.contains("event: gap"))
    }

    @Test(arguments: ["other-1", "nonsense", "-", "x-99999999999999999999"])
    func whoComesFromAnEarlierStartIsTold(identifier: String) throws {
        let companion = try RunningCompanion()
        let reader = try companion.stream(headers: "Last-Event-ID: \(identifier)\r\n")
        #expect(reader.read(until: "event: gap") != nil)
    }

    @Test func redisComingBackIsAGapAndThenGoesOn() throws {
        let companion = try RunningCompanion()
        let reader = try companion.stream()
        #expect(reader.read(until: "event: hello") != nil)
        try companion.awaitSubscribers(1)
        companion.redis.stop()
        #expect(reader.read(until: "redis_reconnect") != nil)
        try companion.redis.start()
        try companion.awaitSubscribers(1)
        try companion.redis.publish("later", score: 1, updated: 1)
        #expect(reader.read(until: "\"visitor\":\"later\"") != nil)
    }

    @Test func slowReaderIsCutAndOthersGoOn() throws {
        let companion = try RunningCompanion()
        let slow = try companion.stream(receiveBufferBytes: 2_048)
        let fast = try companion.stream()
        #expect(fast.read(until: "event: hello") != nil)
        try companion.awaitSubscribers(1)
        let hub = companion.server.hubForTests
        while hub.readerCounts.open < 2 { usleep(1_000) }
        let long = String(repeating: "x", count: 40_000)
        let message = try #require(
            ScoreChange(
                Array(
                    "{\"visitor\":\"\(long)\",\"score\":1,\"band\":\"b\",\"profile\":\"p\",\"updated\":1}"
                        .utf8
                )
            )
        )
        var rounds = 0
        while hub.readerCounts.slow == 0 && rounds < 100_000 {
            hub.publish(site: 0, [message])
            rounds += 1
            // The reader that reads is given the time to do so.
            #expect(fast.read(until: "\"updated\":1") != nil)
            fast.forget()
        }
        #expect(hub.readerCounts.slow == 1 && hub.readerCounts.open == 1)
        #expect(companion.metrics.total(.companionSlowReaders) == 1)
        #expect(companion.metrics.total(.companionStreams) == 2)
        #expect(slow.readToEnd())
        try companion.redis.publish("after", score: 1, updated: 2)
        #expect(fast.read(until: "\"visitor\":\"after\"") != nil)
    }

    @Test func stoppingEndsOpenStreams() throws {
        let companion = try RunningCompanion()
        let reader = try companion.stream()
        #expect(reader.read(until: "event: hello") != nil)
        companion.server.stop(deadlineMilliseconds: 20_000)
        #expect(reader.read(until: "event: bye") != nil)
        #expect(companion.server.port == nil)
        // Refused, or taken by nobody who answers.
        #expect((try? companion.get("/healthz").status) ?? 0 == 0)
    }

    @Test func readerThatLeavesIsForgotten() throws {
        let companion = try RunningCompanion()
        let hub = companion.server.hubForTests
        do {
            let reader = try companion.stream()
            #expect(reader.read(until: "event: hello") != nil)
            #expect(hub.readerCounts.open == 1)
        }
        while hub.readerCounts.open != 0 { usleep(1_000) }
        #expect(hub.readerCounts.slow == 0)
    }

    @Test func streamsAreBounded() {
        let hub = LiveHub(siteCount: 1, epoch: "e") {}
        let subscriptions = (0..<Limits.companionStreamsMaximum).map { _ in
            hub.subscribe(site: 0, after: nil) {}
        }
        #expect(subscriptions.allSatisfy { $0 != nil })
        #expect(hub.subscribe(site: 0, after: nil) {} == nil)
        hub.unsubscribe(subscriptions[0]?.identifier ?? 0, site: 0)
        #expect(hub.subscribe(site: 0, after: nil) {} != nil)
    }
}

@Suite struct LiveMessageTests {
    @Test(arguments: [
        "", "{}", "null", "[1]", "{\"visitor\":1}", "\u{1}",
        "{\"visitor\":\"a\",\"score\":\"x\",\"band\":\"b\",\"profile\":\"p\",\"updated\":1}",
    ])
    func whatIsNoMessageIsIgnored(text: String) { #expect(ScoreChange(Array(text.utf8)) == nil) }

    @Test func lineBreaksCannotReachTheStream() throws {
        let text =
            "{\n\"visitor\":\"a\\n\\nevent: x\",\"score\":1,\n\"band\":\"b\",\"profile\":\"p\","
            + "\"updated\":5,\"more\":true}"
        let change = try #require(ScoreChange(Array(text.utf8)))
        #expect(!change.data.contains("\n") && !change.data.contains("\r"))
        #expect(!change.data.contains("more") && change.updated == 5)
    }

    @Test func onlyTheNewestOfAVisitorIsTold() {
        var pending = PendingChanges(maximum: 2)
        func message(_ visitor: String, _ updated: Int) -> [UInt8] {
            Array(
                "{\"visitor\":\"\(visitor)\",\"score\":1,\"band\":\"b\",\"profile\":\"p\",\"updated\":\(updated)}"
                    .utf8
            )
        }
        pending.add(message("a", 1))
        pending.add(message("b", 2))
        pending.add(message("a", 3))
        pending.add(message("c", 4))
        #expect(pending.take(1).map(\.updated) == [3])
        #expect(pending.take(9).map(\.updated) == [2] && pending.isEmpty)
    }

    @Test func newestVisitorsAreBoundedAndOrdered() {
        var recent = RecentVisitors()
        for number in 0..<10_000 { recent.note("v\(number)", at: Int64(number)) }
        recent.note("v9999", at: 5)
        #expect(recent.newest(2) == ["v9999", "v9998"])
        #expect(recent.newest(.max).count <= Limits.companionRecentMaximum * 2)
    }
}
