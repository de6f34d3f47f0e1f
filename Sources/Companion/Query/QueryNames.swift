/// What rows a metric counts, and by which of their times.
enum QueryBase: String, CaseIterable, Sendable {
    case events, sessions, conversions, readiness, deliveries, intake

    /// The table.
    var table: StaticString {
        switch self {
        case .events: "heliograph.event"
        case .sessions: "heliograph.session"
        case .conversions: "heliograph.conversion"
        case .readiness: "heliograph.score_history"
        case .deliveries: "heliograph.delivery"
        case .intake: "heliograph.rejected_event"
        }
    }

    /// The column by which a row belongs to a range and to a bucket.
    var time: StaticString {
        switch self {
        case .events, .conversions: "s.occurred_at"
        case .sessions: "s.started_at"
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
        case .conversions, .readiness: " AND NOT s.bot"
        case .deliveries, .intake: ""
        }
    }
}

/// A figure that can be asked for. Names and definitions are a public contract.
struct QueryMetric: Sendable {
    /// How a figure comes about.
    enum Source: Sendable {
        /// An aggregate over the base's rows, called `r`.
        case rows(QueryBase, StaticString)
        /// One metric by another, both of the same group and range; null where there is nothing to
        /// divide by.
        case ratio(String, String)
    }

    /// What a figure is.
    enum Unit: String, Sendable {
        case integer, number, ratio, money, milliseconds
    }

    let name: String
    let title: String
    let about: String
    let unit: Unit
    let source: Source

    private init(
        _ name: String,
        _ title: String,
        _ unit: Unit,
        _ source: Source,
        _ about: String
    ) {
        (self.name, self.title, self.unit) = (name, title, unit)
        (self.source, self.about) = (source, about)
    }

    /// The bases whose rows it needs.
    var bases: Set<QueryBase> {
        switch source {
        case .rows(let base, _): return [base]
        case .ratio(let upper, let lower):
            return (Self.named[upper]?.bases ?? []).union(Self.named[lower]?.bases ?? [])
        }
    }

    static let named = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    static let all: [QueryMetric] = [
        QueryMetric(
            "visitors",
            "Visitors",
            .integer,
            .rows(.events, "count(DISTINCT r.visitor_id) FILTER (WHERE r.type = 'pv')"),
            "Distinct visitors with a page view."
        ),
        QueryMetric(
            "page_views",
            "Page views",
            .integer,
            .rows(.events, "count(*) FILTER (WHERE r.type = 'pv')"),
            "Page views, by the time of the event."
        ),
        QueryMetric(
            "events",
            "Events",
            .integer,
            .rows(.events, "count(*)"),
            "Events of every type, by the time of the event."
        ),
        QueryMetric(
            "sessions",
            "Sessions",
            .integer,
            .rows(.sessions, "count(*)"),
            "Sessions with a page view, by the time they began."
        ),
        QueryMetric(
            "views_per_session",
            "Page views per session",
            .number,
            .rows(.sessions, "avg(r.page_views)"),
            "Mean number of page views of a session."
        ),
        QueryMetric(
            "single_page_rate",
            "Single-page sessions",
            .ratio,
            .rows(.sessions, "avg((r.page_views = 1)::int)"),
            "Share of sessions with one page view only."
        ),
        QueryMetric(
            "active_time_avg",
            "Active time",
            .milliseconds,
            .rows(.sessions, "avg(r.active_milliseconds)"),
            "Mean active time of a session: visible, in focus and in use."
        ),
        QueryMetric(
            "peak_readiness_avg",
            "Peak readiness",
            .number,
            .rows(.sessions, "avg(r.score_maximum)"),
            "Mean of the highest score of each session."
        ),
        QueryMetric(
            "hot_visitors",
            "Hot visitors",
            .integer,
            .rows(.readiness, "count(DISTINCT r.visitor_id) FILTER (WHERE r.band = 'hot')"),
            "Distinct visitors whose history has a point in the band hot within the range."
        ),
        QueryMetric(
            "warm_visitors",
            "Warm visitors",
            .integer,
            .rows(.readiness, "count(DISTINCT r.visitor_id) FILTER (WHERE r.band = 'warm')"),
            "Distinct visitors whose history has a point in the band warm within the range."
        ),
        QueryMetric(
            "profile_changes",
            "Changes of profile",
            .integer,
            .rows(.readiness, "count(r.profile_before)"),
            "Points of history at which a profile changed."
        ),
        QueryMetric(
            "conversions",
            "Conversions",
            .integer,
            .rows(.conversions, "count(*)"),
            "Conversions of every name, each once."
        ),
        QueryMetric(
            "converting_visitors",
            "Converting visitors",
            .integer,
            .rows(.conversions, "count(DISTINCT r.visitor_id)"),
            "Distinct visitors with a conversion."
        ),
        QueryMetric(
            "conversion_rate",
            "Conversion rate",
            .ratio,
            .ratio("converting_visitors", "visitors"),
            "Converting visitors by visitors."
        ),
        QueryMetric(
            "orders",
            "Orders",
            .integer,
            .rows(.conversions, "count(*) FILTER (WHERE r.name = 'purchase')"),
            "Purchases."
        ),
        QueryMetric(
            "revenue",
            "Revenue",
            .money,
            .rows(
                .conversions,
                """
                CASE WHEN count(DISTINCT r.currency) FILTER (WHERE r.name = 'purchase') <= 1
                THEN coalesce(sum(r.value) FILTER (WHERE r.name = 'purchase'), 0) END
                """
            ),
            "Sum of the values of purchases, in their currency; null where there are several."
        ),
        QueryMetric(
            "aov",
            "Average order value",
            .money,
            .ratio("revenue", "orders"),
            "Revenue by orders."
        ),
        QueryMetric(
            "revenue_per_visitor",
            "Revenue per visitor",
            .money,
            .ratio("revenue", "visitors"),
            "Revenue by visitors."
        ),
        QueryMetric(
            "deliveries",
            "Deliveries",
            .integer,
            .rows(.deliveries, "count(*)"),
            "Conversions for destinations, by the time they were put on their way."
        ),
        QueryMetric(
            "delivered",
            "Delivered",
            .integer,
            .rows(.deliveries, "count(*) FILTER (WHERE r.state = 'delivered')"),
            "Deliveries that the destination took."
        ),
        QueryMetric(
            "pending",
            "Pending",
            .integer,
            .rows(
                .deliveries,
                "count(*) FILTER (WHERE r.state IN ('pending', 'retry', 'sending'))"
            ),
            "Deliveries that are still to be made."
        ),
        QueryMetric(
            "dead",
            "Refused",
            .integer,
            .rows(.deliveries, "count(*) FILTER (WHERE r.state = 'dead')"),
            "Deliveries that the destination refused for good."
        ),
        QueryMetric(
            "in_doubt",
            "In doubt",
            .integer,
            .rows(.deliveries, "count(*) FILTER (WHERE r.state = 'in_doubt')"),
            "Deliveries of which nobody can say whether they arrived."
        ),
        QueryMetric(
            "rejected",
            "Refused events",
            .integer,
            .rows(.intake, "count(*)"),
            "Events and batches that were refused, by the time they were received."
        ),
    ]
}

/// What figures can be broken down by and restricted to.
struct QueryDimension: Sendable {
    let name: String
    let title: String
    /// The expression over a base's row `s`, for the bases that have it.
    let expressions: [QueryBase: StaticString]
    /// Whether it needs the touch `t` that the session began with.
    var needsTouch = false

    private init(_ name: String, _ title: String, _ expressions: [QueryBase: StaticString]) {
        (self.name, self.title, self.expressions) = (name, title, expressions)
    }

    /// Read from how the session of the row began.
    private static func session(
        _ name: String,
        _ title: String,
        _ expression: StaticString
    ) -> QueryDimension {
        var dimension = QueryDimension(
            name,
            title,
            [.events: expression, .sessions: expression, .conversions: expression]
        )
        dimension.needsTouch = true
        return dimension
    }

    static let named = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    static let all: [QueryDimension] = [
        QueryDimension("event.type", "Type of event", [.events: "s.type"]),
        QueryDimension("event.name", "Name of event", [.events: "s.name"]),
        QueryDimension(
            "event.page",
            "Page",
            [
                .events: """
                nullif(regexp_replace(s.properties->>'u', '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), '')
                """
            ]
        ),
        session("session.channel", "Channel", "coalesce(t.channel, 'unassigned')"),
        session("session.source", "Source", "t.source"),
        session("session.medium", "Medium", "t.medium"),
        session("session.campaign", "Campaign", "t.campaign"),
        QueryDimension("session.device", "Device", [.events: "s.context->>'dv'"]),
        QueryDimension("session.browser", "Browser", [.events: "s.context->>'br'"]),
        QueryDimension("session.os", "Operating system", [.events: "s.context->>'os'"]),
        QueryDimension("session.country", "Country", [.events: "s.context->>'co'"]),
        QueryDimension("visitor.band", "Band", [.readiness: "s.band"]),
        QueryDimension("visitor.profile", "Profile", [.readiness: "s.profile"]),
        QueryDimension("conversion.name", "Conversion", [.conversions: "s.name"]),
        QueryDimension("conversion.currency", "Currency", [.conversions: "s.currency"]),
        QueryDimension("delivery.destination", "Destination", [.deliveries: "s.destination"]),
        QueryDimension("delivery.state", "State", [.deliveries: "s.state"]),
        QueryDimension("delivery.reason", "Reason", [.deliveries: "s.reason"]),
        QueryDimension("intake.reason", "Reason", [.intake: "s.reason"]),
        QueryDimension("intake.format", "Format", [.intake: "s.format"]),
    ]
}
