/// What can be had as a file. Names and columns are a public contract.
enum ExportKind: String, CaseIterable, Codable, Sendable {
    case visitors, events, conversions, deliveries, rejected

    /// The scope that the rows need beside `export`.
    var scope: Scope {
        switch self {
        case .visitors, .events, .conversions: .readVisitors
        case .deliveries: .readDeliveries
        case .rejected: .readQuality
        }
    }

    /// What rows may be narrowed by.
    var filter: String {
        switch self {
        case .visitors: "band"
        case .events: "type"
        case .conversions: "name"
        case .deliveries: "state"
        case .rejected: "reason"
        }
    }

    /// A column and what its texts are.
    struct Column: Sendable {
        enum Form: Sendable { case text, number, truth, document }

        let name: String
        let form: Form

        init(_ name: String, _ form: Form = .text) { (self.name, self.form) = (name, form) }
    }

    /// In the order of the statement's.
    var columns: [Column] {
        switch self {
        case .visitors:
            [
                Column("visitor"), Column("first_seen"), Column("last_seen"),
                Column("sessions", .number), Column("page_views", .number),
                Column("active_ms", .number), Column("peak_score", .number),
                Column("score", .number), Column("band"), Column("profile"),
                Column("conversions", .number), Column("channel"),
            ]
        case .events:
            [
                Column("event"), Column("occurred_at"), Column("received_at"), Column("type"),
                Column("name"), Column("visitor"), Column("session"), Column("user"),
                Column("url"), Column("bot", .truth), Column("properties", .document),
            ]
        case .conversions:
            [
                Column("conversion"), Column("name"), Column("occurred_at"), Column("visitor"),
                Column("session"), Column("user"), Column("value", .number), Column("currency"),
                Column("order"), Column("url"), Column("channel"), Column("source"),
                Column("campaign"), Column("bot", .truth),
            ]
        case .deliveries:
            [
                Column("delivery"), Column("destination"), Column("conversion"), Column("state"),
                Column("attempts", .number), Column("doubts", .number), Column("occurred_at"),
                Column("created_at"), Column("settled_at"), Column("code"), Column("reason"),
                Column("trace"), Column("remark"),
            ]
        case .rejected:
            [
                Column("id"), Column("received_at"), Column("reason"), Column("place"),
                Column("key"), Column("format"), Column("path"), Column("event"),
                Column("bytes", .number), Column("replayed_at"), Column("outcome"),
            ]
        }
    }

    /// `$1` the site, `$2` and `$3` the range, `$4` what it is narrowed to. Who has withdrawn the consent
    /// to measuring is left out; who was erased is not there.
    var statement: StaticString {
        switch self {
        case .visitors: ExportStatements.visitors
        case .events: ExportStatements.events
        case .conversions: ExportStatements.conversions
        case .deliveries: ExportStatements.deliveries
        case .rejected: ExportStatements.rejected
        }
    }
}

/// What is asked of PostgreSQL for exports. Literals only; values travel as parameters.
enum ExportStatements {
    static let visitors: StaticString = """
        DECLARE export_rows NO SCROLL CURSOR FOR
        SELECT v.visitor_id, to_char(v.first, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(v.last, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), v.sessions, v.page_views, v.active,
            round(v.peak::numeric, 1), round(h.score::numeric, 1), h.band, h.profile,
            (SELECT count(*) FROM heliograph.conversion AS c
                WHERE c.site = $1 AND c.visitor_id = v.visitor_id AND NOT c.bot
                    AND c.occurred_at >= $2::timestamptz AND c.occurred_at < $3::timestamptz),
            (SELECT t.channel FROM heliograph.touch AS t
                WHERE t.site = $1 AND t.visitor_id = v.visitor_id
                ORDER BY t.at, t.journal_offset LIMIT 1)
        FROM (SELECT s.visitor_id, min(s.started_at) AS first, max(s.ended_at) AS last,
                count(*) AS sessions, sum(s.page_views) AS page_views,
                sum(s.active_milliseconds) AS active, max(s.score_maximum) AS peak
            FROM heliograph.session AS s
            WHERE s.site = $1 AND NOT s.bot AND s.started_at >= $2::timestamptz
                AND s.started_at < $3::timestamptz
            GROUP BY s.visitor_id) AS v
        LEFT JOIN LATERAL (
            SELECT p.score, p.band, p.profile FROM heliograph.score_history AS p
            WHERE p.site = $1 AND p.visitor_id = v.visitor_id
            ORDER BY p.at DESC, p.journal_offset DESC LIMIT 1) AS h ON true
        WHERE ($4::text IS NULL OR h.band = $4)
            AND coalesce(heliograph.consent_since($1, v.visitor_id, '-infinity'), 1) & 1 <> 0
        ORDER BY v.visitor_id
        """

    static let events: StaticString = """
        DECLARE export_rows NO SCROLL CURSOR FOR
        SELECT coalesce(e.message_id, e.window_id || '-' || e.n),
            to_char(e.occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(e.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.name, e.visitor_id,
            e.session_id, e.user_id, e.properties->>'u', e.bot, e.properties
        FROM heliograph.event AS e
        WHERE e.site = $1 AND e.received_at >= $2::timestamptz AND e.received_at < $3::timestamptz
            AND ($4::text IS NULL OR e.type = $4)
            AND coalesce(heliograph.consent_since($1, e.visitor_id, '-infinity'), 1) & 1 <> 0
        """

    static let conversions: StaticString = """
        DECLARE export_rows NO SCROLL CURSOR FOR
        SELECT c.conversion_id, c.name, to_char(c.occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            c.visitor_id, c.session_id, c.user_id, c.value, c.currency, c.order_id, c.page_url,
            a.channel, a.source, a.campaign, c.bot
        FROM heliograph.conversion AS c LEFT JOIN LATERAL (
            SELECT t.channel, t.source, t.campaign FROM heliograph.attribution AS t
            WHERE t.site = c.site AND t.conversion_id = c.conversion_id
                AND t.model = 'last_non_direct' ORDER BY t.credit DESC LIMIT 1) AS a ON true
        WHERE c.site = $1 AND c.occurred_at >= $2::timestamptz AND c.occurred_at < $3::timestamptz
            AND ($4::text IS NULL OR c.name = $4)
            AND coalesce(heliograph.consent_since($1, c.visitor_id, '-infinity'), 1) & 1 <> 0
        ORDER BY c.occurred_at, c.conversion_id
        """

    static let deliveries: StaticString = """
        DECLARE export_rows NO SCROLL CURSOR FOR
        SELECT d.delivery_id::text, d.destination, d.conversion_id, d.state, d.attempts, d.doubts,
            to_char(d.occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(d.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(d.settled_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            d.code, d.reason, d.trace, d.remark
        FROM heliograph.delivery AS d
        WHERE d.site = $1 AND d.created_at >= $2::timestamptz AND d.created_at < $3::timestamptz
            AND ($4::text IS NULL OR d.state = $4)
        ORDER BY d.delivery_id
        """

    static let rejected: StaticString = """
        DECLARE export_rows NO SCROLL CURSOR FOR
        SELECT r.partition || '-' || r.journal_offset,
            to_char(r.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.reason, r.place, r.key,
            r.format, r.path, r.event_id, r.bytes_sent,
            to_char(r.replayed_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.outcome
        FROM heliograph.rejected_event AS r
        WHERE r.site = $1 AND r.received_at >= $2::timestamptz AND r.received_at < $3::timestamptz
            AND ($4::text IS NULL OR r.reason = $4)
        """

    /// Whether somebody of the site was erased, or restricted, after `$2`.
    static let changedSince: StaticString = """
        SELECT FROM heliograph.erasure WHERE site = $1 AND action IN ('erase', 'restrict')
            AND coalesce(completed_at, now()) >= $2::timestamptz LIMIT 1
        """
}
