import Records
import Settings
import Synchronization
import Units

/// Reads visitors from Redis and scores them as of now.
struct VisitorReader: Sendable {
    let redis: RedisReaders
    let hub: LiveHub
    let keys: LiveKeys
    let scorer: StateScorer
    let time: TimeSource

    /// One visitor; nil when Redis knows none of this id.
    func visitor(_ visitor: String, site: Int) async throws -> VisitorDocument? {
        hub.showInterest(site: site, now: time.epochMilliseconds())
        return try await visitors([visitor], site: site).first
    }

    /// The packed sums that a visitor's score is read from, those of the person where it is part of
    /// one; nil when Redis knows none.
    func state(_ visitor: String, site: Int) async throws -> [UInt8]? {
        let key = keys.visitor(visitor, site: site)
        let reply = try await redis.ask([["HMGET", key, "joined", "state"]])
        for case .bytes(let state) in reply.first?.elements ?? [] { return state }
        return nil
    }

    /// The visitors of a site that were seen last, newest first.
    func newest(site: Int, limit: Int) async throws -> [VisitorDocument] {
        hub.showInterest(site: site, now: time.epochMilliseconds())
        let (isSeeded, isListening) = hub.recentState(site: site)
        if !isSeeded {
            try await fillRecent(site: site)
            if isListening { hub.markSeeded(site: site) }
        }
        return try await visitors(hub.newest(site: site, limit: limit), site: site)
    }

    /// Reads the hashes in one pipeline. A visitor that has gone is left out.
    private func visitors(_ visitors: [String], site: Int) async throws -> [VisitorDocument] {
        if visitors.isEmpty { return [] }
        let commands = visitors.map { ["HGETALL", keys.visitor($0, site: site)] }
        let replies = try await redis.ask(commands)
        let now = time.epochMilliseconds()
        return zip(visitors, replies).compactMap { visitor, reply in
            VisitorDocument(
                visitor: visitor,
                site: keys.sites[site],
                hash: reply.pairs,
                now: now,
                scorer: scorer
            )
        }
    }

    /// Notes when each member of `hot` was seen: the live channel tells only what happens from now.
    private func fillRecent(site: Int) async throws {
        let last = Limits.hotVisitorsMaximum - 1
        let reply = try await redis.ask([["ZREVRANGE", keys.hot(site: site), "0", "\(last)"]])
        var members = (reply.first?.elements ?? []).compactMap(\.text)[...]
        while !members.isEmpty {
            let batch = members.prefix(Limits.companionPipelineMaximum)
            members = members.dropFirst(batch.count)
            let commands = batch.map { ["HGET", keys.visitor($0, site: site), "seen"] }
            for (visitor, seen) in zip(batch, try await redis.ask(commands)) {
                guard let milliseconds = seen.text.flatMap(Int64.init) else { continue }
                hub.note(site: site, visitor: visitor, at: milliseconds)
            }
        }
    }
}

/// Names of the keys of the live model, a public contract.
struct LiveKeys: Sendable {
    let prefix: String
    let sites: [String]

    /// `hg:<site>:v:{<visitor>}`
    func visitor(_ visitor: String, site: Int) -> String {
        "\(prefix)hg:\(sites[site]):v:{\(visitor)}"
    }

    /// `hg:pos:<partition>`
    func position(_ partition: UInt8) -> String { "\(prefix)hg:pos:\(partition)" }

    /// `hg:<site>:hot`
    func hot(site: Int) -> String { "\(prefix)hg:\(sites[site]):hot" }

    /// `hg:<site>:agg:<minutes since 1970>`
    func minute(_ minute: Int64, site: Int) -> String {
        "\(prefix)hg:\(sites[site]):agg:\(minute)"
    }

    /// `hg:<site>:live`
    func live(site: Int) -> String { "\(prefix)hg:\(sites[site]):live" }
}
