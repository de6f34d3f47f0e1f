import Foundation
import Telemetry

/// Something that a visitor did, or that came of it.
struct TimelineDocument: Encodable, Sendable {
    /// The kind of event, else `score`, `conversion` or `delivery`.
    let kind: String
    /// When it happened, epoch milliseconds.
    let at: Int64
    /// Which browser of the person it is about.
    let visitor: String
    let session: String?
    /// What is known of it; what people typed is not among that.
    let detail: JSONValue

    /// A row of `TimelineReader`'s question; nil when it is not one.
    init?(_ row: ArchiveRow) {
        guard row.count == 7, let kind = row[1], let at = row[3].flatMap(Int64.init),
            let visitor = row[4], let text = row[6],
            let detail = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        else { return nil }
        (self.kind, self.at, self.visitor, session) = (kind, at / 1_000, visitor, row[5])
        self.detail = detail
    }
}

/// Where something stands in a timeline, which goes by when things were received, and within what came
/// at once by when they happened: the newest first.
struct TimelinePosition: Equatable, Sendable {
    /// When it was received, and when it happened, in microseconds since 1970.
    let received: Int64
    let happened: Int64
    let kind: String
    let key: String

    init?(_ row: ArchiveRow) {
        guard row.count == 7, let received = row[0].flatMap(Int64.init), let kind = row[1],
            let key = row[2], let happened = row[3].flatMap(Int64.init)
        else { return nil }
        (self.received, self.happened) = (received, happened)
        (self.kind, self.key) = (kind, key)
    }

    /// Opaque to clients.
    var cursor: String { Data("1.\(received).\(happened).\(kind).\(key)".utf8).base64URL }

    init?(cursor: String) {
        guard cursor.utf8.count <= 512, let data = Data(base64URL: cursor),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        let parts = text.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "1", let received = Int64(parts[1]),
            let happened = Int64(parts[2]), (0...Self.latest).contains(received),
            (0...Self.latest).contains(happened), !text.unicodeScalars.contains("\0")
        else { return nil }
        (self.received, self.happened) = (received, happened)
        (kind, key) = (String(parts[3]), String(parts[4]))
    }

    /// The end of the year 9999.
    private static let latest: Int64 = 253_402_300_799_999_999
}

/// Reads what visitors did from PostgreSQL.
struct TimelineReader: Sendable {
    let archive: ArchiveReaders

    /// One page of a visitor and of the other browsers of its person, and the cursor of the next; nil
    /// at the end.
    func page(
        _ visitor: String,
        site: String,
        limit: Int,
        after: TimelinePosition?
    ) async throws -> Page<TimelineDocument> {
        // One more than asked for tells whether there is a next page.
        let parameters: [String?] = [
            site, visitor, after.map { "\($0.received)" }, after.map { "\($0.happened)" },
            after?.kind, after?.key, "\(limit + 1)",
        ]
        let rows = try await archive.ask([ArchiveQuery(Self.page, parameters)])[0]
        let shown = rows.prefix(limit)
        let last = rows.count > limit ? shown.last.flatMap { TimelinePosition($0) } : nil
        return Page(items: shown.compactMap(TimelineDocument.init), nextCursor: last?.cursor)
    }

    /// Page summaries are left out: they are measurements, not deeds. A custom event that became a
    /// conversion is told as that.
    private static let page: StaticString = """
        WITH member AS MATERIALIZED (
            SELECT $2::text AS id UNION SELECT visitor_id FROM heliograph.members_of($1, $2)),
        event AS (
            SELECT e.*, coalesce(e.window_id || '-' || e.n, e.message_id, '') AS id
            FROM heliograph.event e
            WHERE e.site = $1 AND e.visitor_id IN (SELECT id FROM member) AND e.type <> 'ps'),
        deed (at, kind, key, happened, visitor_id, session_id, detail) AS (
            SELECT received_at, CASE type WHEN 'pv' THEN 'page_view' WHEN 'ck' THEN 'click'
                    WHEN 'fm' THEN 'form' WHEN 'nv' THEN 'navigation' WHEN 'id' THEN 'identify'
                    WHEN 'cs' THEN 'consent' ELSE 'custom' END,
                id, occurred_at, visitor_id, session_id,
                CASE type WHEN 'pv' THEN jsonb_build_object(
                    'page', regexp_replace(properties->>'u', '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'),
                    'title', properties->>'ti')
                WHEN 'ck' THEN jsonb_build_object('label', properties->>'a')
                WHEN 'fm' THEN jsonb_build_object('form', properties->>'f',
                    'step', (ARRAY['start', 'progress', 'submit', 'left'])[
                        CASE WHEN properties->>'ph' IN ('1', '2', '3', '4')
                            THEN (properties->>'ph')::int END])
                WHEN 'nv' THEN jsonb_build_object('movement', CASE properties->>'ty'
                    WHEN 'b' THEN 'back' WHEN 'f' THEN 'forward' WHEN 'u' THEN 'u_turn'
                    WHEN 'l' THEN 'loop' END)
                WHEN 'cs' THEN jsonb_build_object('consent', consent)
                WHEN 'cu' THEN jsonb_build_object('name', name)
                ELSE '{}'::jsonb END
            FROM event
            WHERE type <> 'cu' OR NOT EXISTS (SELECT FROM heliograph.conversion c
                WHERE c.site = $1 AND c.conversion_id = event.id)
            UNION ALL
            SELECT at, 'score', partition || '-' || journal_offset, at, visitor_id, NULL,
                jsonb_build_object('score', score, 'band', band, 'reason', reason,
                    'profile', profile, 'profile_before', profile_before, 'cause', terms->0)
            FROM heliograph.score_history
            WHERE site = $1 AND visitor_id IN (SELECT id FROM member)
            UNION ALL
            SELECT received_at, 'conversion', conversion_id, occurred_at, visitor_id, session_id,
                jsonb_build_object('name', name, 'value', value, 'currency', currency,
                    'id', conversion_id)
            FROM heliograph.conversion
            WHERE site = $1 AND visitor_id IN (SELECT id FROM member)
            UNION ALL
            SELECT d.created_at, 'delivery', d.delivery_id::text,
                coalesce(d.settled_at, d.created_at), d.visitor_id, NULL,
                jsonb_build_object('destination', d.destination, 'state', d.state,
                    'id', d.conversion_id, 'reason', d.reason)
            FROM heliograph.conversion c JOIN heliograph.delivery d USING (site, conversion_id)
            WHERE site = $1 AND c.visitor_id IN (SELECT id FROM member))
        SELECT (extract(epoch FROM at) * 1000000)::bigint, kind, key,
            (extract(epoch FROM happened) * 1000000)::bigint, visitor_id, session_id,
            jsonb_strip_nulls(detail)::text
        FROM deed
        WHERE $3::bigint IS NULL OR (at, happened, kind, key)
            < ('epoch'::timestamptz + $3::bigint * interval '1 microsecond',
                'epoch'::timestamptz + $4::bigint * interval '1 microsecond', $5::text, $6::text)
        ORDER BY at DESC, happened DESC, kind DESC, key DESC LIMIT $7::bigint
        """
}
