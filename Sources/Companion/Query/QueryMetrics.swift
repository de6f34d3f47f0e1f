/// What can be counted, group by group.
extension QueryMetric {
    static let ofVisitors: [QueryMetric] = [
        QueryMetric(
            "visitors",
            "Visitors",
            .integer,
            .rows(.events, "count(DISTINCT r.visitor_id) FILTER (WHERE r.type = 'pv')"),
            "Distinct visitors with a page view."
        ),
        QueryMetric(
            "new_visitors",
            "New visitors",
            .integer,
            .rows(.arrivals, "count(*)"),
            """
            Visitors whose first session with a page view began then, of the sessions that are \
            kept; broken down by how that session began.
            """
        ),
        QueryMetric(
            "returning_visitors",
            "Returning visitors",
            .integer,
            .difference("visitors", "new_visitors"),
            "Visitors less new visitors."
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
    ]

    static let ofSessions: [QueryMetric] = [
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
            "bounces",
            "Bounces",
            .integer,
            .rows(.sessions, "count(*) FILTER (WHERE r.bounced)"),
            joins: [.bounce],
            """
            Sessions with one page view, less than 10 s of active time, and no click worth noting, \
            no form begun, no sign-in and no conversion.
            """
        ),
        QueryMetric(
            "bounce_rate",
            "Bounce rate",
            .ratio,
            .ratio("bounces", "sessions"),
            "Bounces by sessions."
        ),
        QueryMetric(
            "engagement_rate",
            "Engagement rate",
            .ratio,
            .complement("bounce_rate"),
            "Share of sessions that did not bounce."
        ),
        QueryMetric(
            "active_time_avg",
            "Active time",
            .milliseconds,
            .rows(.sessions, "avg(r.active_milliseconds)"),
            "Mean active time of a session: visible, in focus and in use."
        ),
        QueryMetric(
            "active_time_p50",
            "Active time, median",
            .milliseconds,
            .rows(.sessions, "percentile_cont(0.5) WITHIN GROUP (ORDER BY r.active_milliseconds)"),
            "Median active time of a session."
        ),
        QueryMetric(
            "converting_sessions",
            "Converting sessions",
            .integer,
            .rows(.sessions, "count(*) FILTER (WHERE r.converted)"),
            joins: [.conversion],
            "Sessions with a page view and a conversion, by the time they began."
        ),
        QueryMetric(
            "session_conversion_rate",
            "Conversion rate of sessions",
            .ratio,
            .ratio("converting_sessions", "sessions"),
            "Converting sessions by sessions."
        ),
    ]

    static let ofReadiness: [QueryMetric] = [
        QueryMetric(
            "readiness_avg",
            "Readiness",
            .number,
            .rows(.sessions, "avg(r.end_score)"),
            joins: [.ending],
            """
            Mean score at the end of each session: the latest point of history then, which is no \
            more than five points from the score. Sessions without a score do not count.
            """
        ),
        QueryMetric(
            "readiness_p50",
            "Readiness, median",
            .number,
            .rows(.sessions, "percentile_cont(0.5) WITHIN GROUP (ORDER BY r.end_score)"),
            joins: [.ending],
            "Median score at the end of each session."
        ),
        QueryMetric(
            "readiness_p90",
            "Readiness, highest tenth",
            .number,
            .rows(.sessions, "percentile_cont(0.9) WITHIN GROUP (ORDER BY r.end_score)"),
            joins: [.ending],
            "What a tenth of the sessions reach at their end."
        ),
        QueryMetric(
            "cold_share",
            "Cold",
            .ratio,
            .rows(.sessions, "avg((r.end_band = 'cold')::int)"),
            joins: [.ending],
            "Share of sessions with a score that end in the band cold."
        ),
        QueryMetric(
            "warm_share",
            "Warm",
            .ratio,
            .rows(.sessions, "avg((r.end_band = 'warm')::int)"),
            joins: [.ending],
            "Share of sessions with a score that end in the band warm."
        ),
        QueryMetric(
            "hot_share",
            "Hot",
            .ratio,
            .rows(.sessions, "avg((r.end_band = 'hot')::int)"),
            joins: [.ending],
            "Share of sessions with a score that end in the band hot."
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
    ]

    static let ofConversions: [QueryMetric] = [
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
            """
            Distinct visitors with a conversion, also those without a page view, whose orders a \
            server sent.
            """
        ),
        QueryMetric(
            "conversion_rate",
            "Conversion rate",
            .ratio,
            .rows(
                .people,
                """
                (count(DISTINCT r.visitor_id) FILTER (WHERE r.is_view) + count(DISTINCT \
                r.visitor_id) FILTER (WHERE NOT r.is_view) - count(DISTINCT \
                r.visitor_id))::numeric / nullif(count(DISTINCT r.visitor_id) FILTER (WHERE \
                r.is_view), 0)
                """
            ),
            """
            Visitors with a page view and a conversion by visitors with a page view, both in the \
            same range, bucket and group. Conversions of visitors without a page view there are in \
            neither.
            """
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
            .rows(.conversions, "coalesce(sum(r.value) FILTER (WHERE r.name = 'purchase'), 0)"),
            """
            Sum of the values of purchases in minor units of their currency; null where there are \
            several, which totals.by_currency has.
            """
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
            "All revenue by visitors with a page view."
        ),
        QueryMetric(
            "attributed_conversions",
            "Attributed conversions",
            .number,
            .rows(.attribution, "coalesce(sum(r.credit), 0)"),
            """
            Shares of conversions that touches earned by attribution.model, by the time of the \
            conversion.
            """
        ),
        QueryMetric(
            "attributed_revenue",
            "Attributed revenue",
            .money,
            .rows(
                .attribution,
                "coalesce(sum(r.credit * r.value) FILTER (WHERE r.name = 'purchase'), 0)"
            ),
            """
            Shares of revenue that touches earned by attribution.model, by the time of the \
            purchase.
            """
        ),
    ]

    static let ofDeliveries: [QueryMetric] = [
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
