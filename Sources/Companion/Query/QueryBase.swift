/// What rows a metric counts, and by which of their times.
enum QueryBase: String, CaseIterable, Sendable {
    case events, people, sessions, arrivals, conversions, attribution, readiness, deliveries, intake

    /// The table, or the statement that makes one. `$1` is the site, `$2` and `$3` bound the range.
    var table: StaticString {
        switch self {
        case .events: "heliograph.event"
        case .people: Self.viewsAndConversions
        case .sessions, .arrivals: "heliograph.session"
        case .conversions: "heliograph.conversion"
        case .attribution: Self.shares
        case .readiness: "heliograph.score_history"
        case .deliveries: "heliograph.delivery"
        case .intake: "heliograph.rejected_event"
        }
    }

    /// Page views and conversions side by side: who did both can be told apart from who did one.
    private static let viewsAndConversions: StaticString = """
        (SELECT v.site, v.visitor_id, v.session_id, v.occurred_at, true AS is_view
        FROM heliograph.event AS v
        WHERE v.type = 'pv' AND NOT v.bot AND v.received_at >= $2::timestamptz - interval '1 day'
            AND v.received_at < $3::timestamptz + interval '8 days'
        UNION ALL
        SELECT c.site, c.visitor_id, c.session_id, c.occurred_at, false
        FROM heliograph.conversion AS c WHERE NOT c.bot)
        """

    /// A conversion's shares, each with the touch that earned it.
    private static let shares: StaticString = """
        (SELECT a.site, c.occurred_at, c.name, c.value, c.currency, a.model, a.channel, a.source,
            a.medium, a.campaign, a.credit::numeric AS credit
        FROM heliograph.conversion AS c JOIN heliograph.attribution AS a USING (site, conversion_id)
        WHERE NOT c.bot)
        """

    /// The column by which a row belongs to a range and to a bucket.
    var time: StaticString {
        switch self {
        case .events, .people, .conversions, .attribution: "s.occurred_at"
        case .sessions, .arrivals: "s.started_at"
        case .readiness: "s.at"
        case .deliveries: "s.created_at"
        case .intake: "s.received_at"
        }
    }

    /// Which rows count at all. Events lie in tables by the day they were received on, at most a week
    /// after they happened; saying so spares reading the others.
    var condition: StaticString {
        switch self {
        case .events:
            """
             AND NOT s.bot AND s.received_at >= $2::timestamptz - interval '1 day'
             AND s.received_at < $3::timestamptz + interval '8 days'
            """
        case .sessions: " AND NOT s.bot AND s.page_views > 0"
        case .arrivals:
            """
             AND NOT s.bot AND s.page_views > 0 AND NOT EXISTS (
                SELECT FROM heliograph.session AS o
                WHERE o.site = s.site AND o.visitor_id = s.visitor_id AND NOT o.bot
                    AND o.page_views > 0
                    AND (o.started_at, o.session_id) < (s.started_at, s.session_id))
            """
        case .conversions, .readiness: " AND NOT s.bot"
        case .people, .attribution, .deliveries, .intake: ""
        }
    }

    /// Sums of money are of the rows' own currencies.
    var hasMoney: Bool { self == .conversions || self == .attribution }
}

/// What has to be looked up for each row of a base, because another table tells it.
enum QueryJoin: CaseIterable, Sendable {
    case touch, ending, conversion, bounce, landing

    /// Columns that it adds to a row.
    var columns: StaticString {
        switch self {
        case .touch: ""
        case .ending: ", e.score AS end_score, e.band AS end_band"
        case .conversion: ", o.converted"
        case .bounce: ", b.bounced"
        case .landing: ""
        }
    }

    var statement: StaticString {
        switch self {
        case .touch: Self.firstTouch
        case .ending: Self.lastPoint
        case .conversion: Self.anyConversion
        case .bounce: Self.nothingDone
        case .landing: Self.firstPage
        }
    }

    private static let firstTouch: StaticString = """
         LEFT JOIN LATERAL (
            SELECT first.channel, first.source, first.medium, first.campaign
            FROM heliograph.touch AS first
            WHERE first.site = s.site AND first.visitor_id = s.visitor_id
                AND first.session_id = s.session_id
            ORDER BY first.at, first.journal_offset LIMIT 1) AS t ON true
        """

    /// History tells when its events were received, a little after they happened.
    private static let lastPoint: StaticString = """
         LEFT JOIN LATERAL (
            SELECT h.score, h.band, h.profile FROM heliograph.score_history AS h
            WHERE h.site = s.site AND h.visitor_id = s.visitor_id
                AND h.at <= s.ended_at + interval '1 minute'
            ORDER BY h.at DESC, h.journal_offset DESC LIMIT 1) AS e ON true
        """

    private static let anyConversion: StaticString = """
         CROSS JOIN LATERAL (SELECT EXISTS (
            SELECT FROM heliograph.conversion AS c
            WHERE c.site = s.site AND c.visitor_id = s.visitor_id AND c.session_id = s.session_id
                AND NOT c.bot) AS converted) AS o
        """

    /// Only sessions that may have bounced by their own row are looked after.
    private static let nothingDone: StaticString = """
         CROSS JOIN LATERAL (SELECT CASE
            WHEN s.page_views > 1 OR s.active_milliseconds >= 10000 THEN false
            ELSE NOT EXISTS (
                SELECT FROM heliograph.conversion AS c
                WHERE c.site = s.site AND c.visitor_id = s.visitor_id
                    AND c.session_id = s.session_id AND NOT c.bot)
                AND (s.events = 1 OR NOT EXISTS (
                SELECT FROM heliograph.event AS a
                WHERE a.site = s.site AND a.visitor_id = s.visitor_id
                    AND a.session_id = s.session_id AND a.type IN ('ck', 'fm', 'id')
                    AND a.received_at >= s.started_at - interval '1 day'
                    AND a.received_at < s.ended_at + interval '8 days'))
            END AS bounced) AS b
        """

    /// The page of the session's first page view, written as `event.page` is.
    private static let firstPage: StaticString = """
         LEFT JOIN LATERAL (
            SELECT nullif(
                regexp_replace(p.properties->>'u', '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), '')
                AS landing_page
            FROM heliograph.event AS p
            WHERE p.site = s.site AND p.visitor_id = s.visitor_id AND p.session_id = s.session_id
                AND p.type = 'pv' AND NOT p.bot
                AND p.received_at >= s.started_at - interval '1 day'
                AND p.received_at < s.ended_at + interval '8 days'
            ORDER BY p.occurred_at, p.journal_offset, p.n LIMIT 1) AS l ON true
        """
}
