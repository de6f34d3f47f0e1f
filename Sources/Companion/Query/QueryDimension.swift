/// What figures can be broken down by and restricted to.
struct QueryDimension: Sendable {
    let name: String
    let title: String
    /// The expression over a base's row `s`, for the bases that have it.
    let expressions: [QueryBase: StaticString]
    /// What has to be looked up for it.
    let joins: [QueryBase: QueryJoin]

    private init(
        _ name: String,
        _ title: String,
        _ expressions: [QueryBase: StaticString],
        joins: [QueryBase: QueryJoin] = [:]
    ) {
        (self.name, self.title) = (name, title)
        (self.expressions, self.joins) = (expressions, joins)
    }

    /// Read from how the session of the row began; of a share, from the touch that earned it.
    private static func session(
        _ name: String,
        _ title: String,
        _ expression: StaticString,
        _ share: StaticString
    ) -> QueryDimension {
        let bases: [QueryBase] = [.events, .people, .sessions, .arrivals, .conversions]
        var expressions = Dictionary(uniqueKeysWithValues: bases.map { ($0, expression) })
        expressions[.attribution] = share
        let joins = Dictionary(uniqueKeysWithValues: bases.map { ($0, QueryJoin.touch) })
        return QueryDimension(name, title, expressions, joins: joins)
    }

    static let named = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    /// Those by which each of these bases can be broken down.
    static func fitting(_ bases: Set<QueryBase>) -> [QueryDimension] {
        all.filter { dimension in bases.allSatisfy { dimension.expressions[$0] != nil } }
    }

    static let all: [QueryDimension] = [
        QueryDimension("event.type", "Type of event", [.events: "s.type"]),
        QueryDimension("event.name", "Name of event", [.events: "s.name"]),
        QueryDimension("event.page", "Page", [.events: page]),
        session("session.channel", "Channel", "coalesce(t.channel, 'unassigned')", "s.channel"),
        session("session.source", "Source", "t.source", "s.source"),
        session("session.medium", "Medium", "t.medium", "s.medium"),
        session("session.campaign", "Campaign", "t.campaign", "s.campaign"),
        QueryDimension(
            "session.landing_page",
            "Landing page",
            [.sessions: "l.landing_page", .arrivals: "l.landing_page"],
            joins: [.sessions: .landing, .arrivals: .landing]
        ),
        QueryDimension("session.device", "Device", [.events: "s.context->>'dv'"]),
        QueryDimension("session.browser", "Browser", [.events: "s.context->>'br'"]),
        QueryDimension("session.os", "Operating system", [.events: "s.context->>'os'"]),
        QueryDimension("session.country", "Country", [.events: "s.context->>'co'"]),
        QueryDimension(
            "session.end_band",
            "Band at the end of the session",
            [.sessions: "e.band"],
            joins: [.sessions: .ending]
        ),
        QueryDimension("visitor.band", "Band", [.readiness: "s.band"]),
        QueryDimension(
            "visitor.profile",
            "Profile",
            [.readiness: "s.profile", .sessions: "e.profile"],
            joins: [.sessions: .ending]
        ),
        QueryDimension(
            "conversion.name",
            "Conversion",
            [.conversions: "s.name", .attribution: "s.name"]
        ),
        QueryDimension(
            currency,
            "Currency",
            [.conversions: "s.currency", .attribution: "s.currency"]
        ),
        QueryDimension("delivery.destination", "Destination", [.deliveries: "s.destination"]),
        QueryDimension("delivery.state", "State", [.deliveries: "s.state"]),
        QueryDimension("delivery.reason", "Reason", [.deliveries: "s.reason"]),
        QueryDimension("intake.reason", "Reason", [.intake: "s.reason"]),
        QueryDimension("intake.format", "Format", [.intake: "s.format"]),
    ]

    /// Each of its values has its own minor units.
    static let currency = "conversion.currency"

    /// Address of a page view without host, query and fragment, over its row `s`.
    static let page: StaticString = """
        nullif(regexp_replace(s.properties->>'u', '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), '')
        """
}
