import Foundation
import Settings
import Units

/// Reads what the rules look at, and keeps what somebody has done with the cards.
struct AttentionReader: Sendable {
    let archive: ArchiveReaders
    let writers: ArchiveReaders
    let visitors: VisitorReader
    /// The sites' destinations whose platform has a browser's id, by site and name.
    let pixels: [String: [String: BrowserPixel]]
    let freshness: QueryFreshness
    let time: TimeSource

    /// Facts, what was put away, and the sources that did not answer.
    struct Reading {
        var facts: AttentionFacts
        var putOff: [String: AttentionPutOff] = [:]
        var missing: [String] = []
    }

    /// Throws only when no source answers: what the others say is worth showing.
    func read(site: Int, named name: String) async throws -> Reading {
        var reading = Reading(facts: AttentionFacts(now: time.epochMilliseconds()))
        var failure: (any Error)?
        do { try await readArchive(name, &reading) } catch {
            (failure, reading.missing) = (error, ["deliveries", "refused events", "conversions"])
        }
        do { try await readVisitors(site, &reading.facts) } catch {
            if let failure { throw failure }
            reading.missing.append("visitors")
        }
        return reading
    }

    private func readVisitors(_ site: Int, _ facts: inout AttentionFacts) async throws {
        let newest = try await visitors.newest(site: site, limit: Limits.companionVisitorsMaximum)
        let from = facts.now - AttentionRule.hereMilliseconds
        let hot = newest.filter { $0.band == "hot" && $0.seen >= from }
        facts.hotVisitors = Int64(hot.count)
        facts.hottestScore = hot.map(\.score).max() ?? 0
    }

    private func readArchive(_ site: String, _ reading: inout Reading) async throws {
        let answers = try await archive.ask([
            freshness.question, ArchiveQuery("SET LOCAL enable_seqscan = on"),
            ArchiveQuery(AttentionStatements.destinations, [site]),
            ArchiveQuery(AttentionStatements.identified, [site]),
            ArchiveQuery(AttentionStatements.hours, [site]),
            ArchiveQuery(AttentionStatements.commonest, [site]),
            ArchiveQuery(AttentionStatements.weeks, [site]),
            ArchiveQuery(AttentionStatements.putOff, [site]),
        ])
        reading.facts.destinations = answers[2].compactMap(Self.destination)
        for index in reading.facts.destinations.indices {
            let name = reading.facts.destinations[index].name
            reading.facts.destinations[index].identified =
                pixels[site]?[name].flatMap { Self.identified(answers[3], name, $0) }
        }
        Self.take(hours: answers[4], into: &reading.facts)
        reading.facts.commonestRefusal = answers[5].first.flatMap { row in
            row[0].flatMap { reason in Self.whole(row[1]).map { (reason, $0) } }
        }
        for row in answers[6] {
            let week = AttentionFacts.Week(
                sessions: Self.whole(row[1]) ?? 0,
                converting: Self.whole(row[2]) ?? 0
            )
            if row[0] == "0" {
                reading.facts.thisWeek = week
            } else {
                reading.facts.weekBefore = week
            }
        }
        for row in answers[7] {
            guard let id = row[0], let state = row[1] else { continue }
            reading.putOff[id] = AttentionPutOff(
                state: state,
                until: Self.whole(row[2]),
                affected: Self.whole(row[3]) ?? 0
            )
        }
        let upTo = try await freshness.asOf(answers[0], archive)
        reading.facts.storedUpTo = upTo.map { Int64($0.timeIntervalSince1970 * 1_000) }
    }

    // MARK: - Rows

    private static func whole(_ text: String?) -> Int64? { text.flatMap { Int64($0) } }

    private static func destination(_ row: ArchiveRow) -> AttentionFacts.Destination? {
        guard row.count == 9, let name = row[0] else { return nil }
        return AttentionFacts.Destination(
            name: name,
            state: row[1] ?? "open",
            reason: row[2],
            since: whole(row[3]),
            waiting: whole(row[4]) ?? 0,
            oldestSeconds: whole(row[5]) ?? 0,
            dead: whole(row[6]) ?? 0,
            settled: whole(row[7]) ?? 0,
            doubtful: whole(row[8]) ?? 0
        )
    }

    private static func identified(_ rows: [ArchiveRow], _ name: String, _ pixel: BrowserPixel)
        -> (told: Int64, withID: Int64)?
    {
        func count(_ key: String) -> Int64? {
            rows.first { $0[0] == name && $0[1] == key }.flatMap { whole($0[2]) }
        }
        return count("all").map { ($0, count(pixel == .meta ? "fbp" : "client_id") ?? 0) }
    }

    private static func take(hours rows: [ArchiveRow], into facts: inout AttentionFacts) {
        for row in rows {
            guard let ago = row[0].flatMap({ Int($0) }) else { continue }
            facts.hours[ago] = AttentionFacts.Hour(
                accepted: whole(row[1]) ?? 0,
                refused: whole(row[2]) ?? 0
            )
            facts.lastReceived = max(facts.lastReceived ?? 0, whole(row[3]) ?? 0)
        }
        if facts.lastReceived == 0 { facts.lastReceived = nil }
    }

    // MARK: - Put away

    /// Notes what somebody does with a card, and who it was, both or neither.
    func put(
        _ card: AttentionCard,
        _ act: AttentionAct,
        seconds: Int64?,
        reason: String?,
        site: String,
        by grant: Grant
    ) async throws -> Int64? {
        let parameters: [String?] = [
            site, card.id, act.state, seconds.map { "\($0)" }, "\(card.affected)", reason,
            grant.id,
        ]
        let rows = try await writers.ask([
            ArchiveQuery(AttentionStatements.put, parameters),
            AccessArchive.change(grant, "attention-\(act.state)", "\(site)/\(card.id)"),
        ])
        return Self.whole(rows[0].first?[0])
    }

    /// Shows a card again; false when it was not put away.
    func takeBack(_ id: String, site: String, by grant: Grant) async throws -> Bool {
        let parameters: [String?] = [site, id, grant.id, grant.name, "\(site)/\(id)"]
        let query = ArchiveQuery(AttentionStatements.takeBack, parameters)
        return try await !writers.ask([query])[0].isEmpty
    }
}

/// What is asked of PostgreSQL about what needs attention. Literals only; values travel as parameters.
enum AttentionStatements {
    static let destinations: StaticString = """
        SELECT coalesce(s.destination, d.destination), s.state, coalesce(s.reason, s.code),
            (extract(epoch FROM s.since) * 1000)::bigint, d.waiting, d.oldest, d.dead, d.settled,
            d.doubtful
        FROM (SELECT * FROM heliograph.destination_state WHERE site = $1) AS s
        FULL JOIN (
            SELECT destination, count(*) FILTER (WHERE state IN ('pending', 'retry')) AS waiting,
                extract(epoch FROM now() - min(created_at)
                    FILTER (WHERE state IN ('pending', 'retry')))::bigint AS oldest,
                count(*) FILTER (WHERE state = 'dead' AND settled_at > now() - interval '1 hour')
                    AS dead,
                count(*) FILTER (WHERE state IN ('dead', 'delivered')
                    AND settled_at > now() - interval '1 hour') AS settled,
                count(*) FILTER (WHERE state = 'in_doubt'
                    AND settled_at > now() - interval '1 day') AS doubtful
            FROM heliograph.delivery WHERE site = $1 GROUP BY destination) AS d
            ON d.destination = s.destination
        ORDER BY 1
        """

    static let identified: StaticString = """
        SELECT destination, key, sum(conversions) FROM heliograph.match_key
        WHERE site = $1 AND day > current_date - 7 AND key IN ('all', 'fbp', 'client_id')
        GROUP BY destination, key
        """

    /// Hours of the last week by how many hours ago they ended.
    static let hours: StaticString = """
        SELECT ago, sum(accepted), sum(refused), max(newest) FROM (
            SELECT floor(extract(epoch FROM now() - received_at) / 3600)::int AS ago,
                count(*) AS accepted, 0 AS refused,
                (extract(epoch FROM max(received_at)) * 1000)::bigint AS newest
            FROM heliograph.event
            WHERE site = $1 AND received_at > now() - interval '7 days' AND received_at <= now()
            GROUP BY 1
            UNION ALL
            SELECT floor(extract(epoch FROM now() - received_at) / 3600)::int, 0, count(*), NULL
            FROM heliograph.rejected_event
            WHERE site = $1 AND received_at > now() - interval '7 days' AND received_at <= now()
            GROUP BY 1) AS hours
        GROUP BY ago ORDER BY ago
        """

    static let commonest: StaticString = """
        SELECT reason, count(*) FROM heliograph.rejected_event
        WHERE site = $1 AND received_at > now() - interval '1 hour'
        GROUP BY reason ORDER BY 2 DESC, 1 LIMIT 1
        """

    static let weeks: StaticString = """
        SELECT (s.started_at <= now() - interval '7 days')::int, count(*),
            count(*) FILTER (WHERE EXISTS (
                SELECT FROM heliograph.conversion AS c
                WHERE c.site = s.site AND c.visitor_id = s.visitor_id
                    AND c.session_id = s.session_id AND NOT c.bot))
        FROM heliograph.session AS s
        WHERE s.site = $1 AND NOT s.bot AND s.page_views > 0
            AND s.started_at > now() - interval '14 days'
        GROUP BY 1
        """

    static let putOff: StaticString = """
        SELECT card_id, state, (extract(epoch FROM until) * 1000)::bigint, affected
        FROM heliograph.attention WHERE site = $1 AND coalesce(until > now() - interval '1 day', true)
        """

    static let put: StaticString = """
        INSERT INTO heliograph.attention (site, card_id, state, until, affected, reason, actor)
        VALUES ($1, $2, $3, now() + $4::bigint * interval '1 second', $5::bigint, $6, $7)
        ON CONFLICT (site, card_id) DO UPDATE SET state = excluded.state, at = now(),
            until = excluded.until, affected = excluded.affected, reason = excluded.reason,
            actor = excluded.actor
        RETURNING (extract(epoch FROM until) * 1000)::bigint
        """

    static let takeBack: StaticString = """
        WITH gone AS (DELETE FROM heliograph.attention WHERE site = $1 AND card_id = $2
            RETURNING card_id)
        INSERT INTO heliograph.audit (actor, actor_name, action, subject)
        SELECT $3, $4, 'attention-taken-back', $5 FROM gone RETURNING subject
        """
}
