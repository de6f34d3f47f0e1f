import HTTPTypes
import Hummingbird
import NIOCore
import Settings
import Telemetry
import Units

/// Server-sent events of one reader: hello, what it missed, then messages as they come.
struct LiveStream: Sendable {
    let hub: LiveHub
    let site: Int
    let siteName: String
    let time: TimeSource
    let counters: CompanionCounters
    /// Asked with every heartbeat, so that a revoked token's stream ends.
    let isStillLetIn: @Sendable () async -> Bool

    /// Answers a request for the stream, or refuses when all streams are taken.
    func response(to request: Request, channel: any Channel) throws -> Response {
        let counters = counters
        let subscription = hub.subscribe(site: site, after: lastSeen(by: request)) {
            counters.add(.companionSlowReaders)
            // A reader that does not read also never lets a pending write end; closing does.
            channel.close(promise: nil)
        }
        guard let subscription else { throw ApiProblem.tooManyStreams }
        counters.add(.companionStreams)
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                defer { hub.unsubscribe(subscription.identifier, site: site) }
                try await request.body.consumeWithInboundCloseHandler { _ in
                    try await send(subscription, to: &writer)
                } onInboundClosed: {
                    hub.unsubscribe(subscription.identifier, site: site)
                }
                try await writer.finish(nil)
            }
        )
    }

    private var headers: HTTPFields {
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
        ]
        // Proxies that buffer would turn a live page into a late one.
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return headers
    }

    private func send(
        _ subscription: LiveHub.Subscription,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try await writer.write(ByteBuffer(string: hello(subscription)))
        let end = time.monotonicNanoseconds() + Int64(Limits.companionStreamSeconds) * 1_000_000_000
        for await message in subscription.messages {
            if message.event == LiveHub.heartbeat, await !isStillLetIn() { break }
            try await writer.write(ByteBuffer(string: text(message)))
            if time.monotonicNanoseconds() > end { break }
        }
        // Readers come back by themselves, spread out so that they do not come all at once.
        let pause = Int.random(in: 1_000...5_000)
        try await writer.write(ByteBuffer(string: "retry: \(pause)\nevent: bye\ndata: {}\n\n"))
    }

    private func hello(_ subscription: LiveHub.Subscription) -> String {
        let now = time.epochMilliseconds()
        var text = "retry: 2000\nevent: hello\n"
        text += "data: {\"site\":\"\(siteName)\",\"time\":\(now),\"epoch\":\"\(hub.epoch)\"}\n\n"
        guard let missed = subscription.missed else {
            return text + "event: gap\ndata: {\"reason\":\"too_long_away\"}\n\n"
        }
        return missed.reduce(text) { $0 + self.text($1) }
    }

    private func text(_ message: LiveMessage) -> String {
        if message.event == LiveHub.heartbeat { return ":\n\n" }
        return "id: \(hub.epoch)-\(message.sequence)\nevent: \(message.event)\n"
            + "data: \(message.data)\n\n"
    }

    /// The sequence number a returning reader has seen last. Of another start it is one that can be
    /// told nothing about, which `UInt64.max` stands for.
    private func lastSeen(by request: Request) -> UInt64? {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name] else {
            return nil
        }
        let parts = text.split(separator: "-")
        guard parts.count == 2, parts[0] == hub.epoch, let sequence = UInt64(parts[1]),
            sequence < .max
        else { return LiveHub.unknownSequence }
        return sequence
    }
}
