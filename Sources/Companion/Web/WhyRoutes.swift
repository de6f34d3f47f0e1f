import Foundation
import Hummingbird
import Scoring
import Settings
import Telemetry
import Units

/// The routes that tell why a visitor's score is what it is, how it came there, and what they did.
struct WhyRoutes: Sendable {
    let reader: VisitorReader
    let history: HistoryReader
    let timeline: TimelineReader
    let links: LinkReader

    static let visitor = Endpoint(
        .get,
        "/visitors/{id}",
        .scope(.readVisitors),
        "A visitor: score, band and profile of now, what they come from, and likely links."
    ).taking(.site).answering(Schemas.visitor).tellingOfPerson("visitor")

    static let explanation = Endpoint(
        .get,
        "/visitors/{id}/explain",
        .scope(.readVisitors),
        "Why the score is what it is, part by part."
    ).taking(
        .site,
        .init(
            name: "at",
            about: "A moment to come, such as 2026-03-14T09:30:00Z; now when absent.",
            schema: ["type": "string", "format": "date-time"]
        )
    ).tellingOfPerson("explanation")

    static let past = Endpoint(
        .get,
        "/visitors/{id}/history",
        .scope(.readVisitors),
        "The newest points of the visitor's score history, the oldest of them first."
    ).taking(.site, .limit).answering(
        Schemas.list("history", of: Schemas.open("at", "score", "band", "profile", "reason"))
    ).tellingOfPerson("history")

    static let deeds = Endpoint(
        .get,
        "/visitors/{id}/timeline",
        .scope(.readVisitors),
        "What the visitor did and what came of it, in the order in which it was received, newest first."
    ).taking(.site, .limit, .cursor).answering(
        Schemas.page(of: Schemas.open("kind", "at", "visitor", "detail"))
    ).tellingOfPerson("timeline")

    func add(to api: ApiRouter) {
        api.add(Self.visitor) { call in try await visit(call) }
        api.add(Self.explanation) { call in try await explain(call) }
        api.add(Self.past) { call in try await past(call) }
        api.add(Self.deeds) { call in try await deeds(call) }
    }

    private func visit(_ call: Call) async throws -> Response {
        let (site, visitor) = try subject(call)
        guard var document = try await reader.visitor(visitor, site: site) else {
            throw unknown(visitor, names[site])
        }
        document.trend = await trend(of: document, site)
        document.identity = try? await history.person(visitor, site: names[site])
        document.links = try? await links.links(of: visitor, site: names[site], now: document.asOf)
        return try JSONBody.response(document)
    }

    /// Nil while PostgreSQL is away: the score is worth showing without it.
    private func trend(
        of document: VisitorDocument,
        _ site: Int
    ) async -> [String: TrendDocument]? {
        guard let state = document.state.flatMap(history.reading.unpacked) else { return nil }
        return try? await history.trend(
            document.visitor,
            site: names[site],
            state: state,
            now: document.asOf
        )
    }

    private func explain(_ call: Call) async throws -> Response {
        let (site, visitor) = try subject(call)
        guard let state = try await packed(visitor, site) else {
            throw unknown(visitor, names[site])
        }
        return try JSONBody.response(
            ExplanationDocument(
                site: names[site],
                visitor: visitor,
                state: state,
                at: try moment(call, state),
                history.reading.model
            )
        )
    }

    private struct Past: Encodable {
        let history: [HistoryDocument]
    }

    private func past(_ call: Call) async throws -> Response {
        let (site, visitor) = try subject(call)
        let points = try await history.history(
            visitor,
            site: names[site],
            limit: try call.limit()
        )
        return try JSONBody.response(Past(history: points))
    }

    private func deeds(_ call: Call) async throws -> Response {
        let (site, visitor) = try subject(call)
        let after = try call.text("cursor").map { text in
            guard let position = TimelinePosition(cursor: text) else {
                throw ApiProblem.invalidCursor
            }
            return position
        }
        return try JSONBody.response(
            await timeline.page(
                visitor,
                site: names[site],
                limit: try call.limit(),
                after: after
            )
        )
    }

    // MARK: - What is asked

    private var names: [String] { reader.keys.sites }

    private func subject(_ call: Call) throws -> (site: Int, visitor: String) {
        let (site, visitor) = (try call.site(), call.path("id"))
        guard ApiRoutes.isVisitor(visitor) else {
            throw ApiProblem.invalidParameter("id", "must be 1 to 63 printable characters")
        }
        return (site, visitor)
    }

    private func packed(_ visitor: String, _ site: Int) async throws -> PackedState? {
        try await reader.state(visitor, site: site).flatMap { history.reading.unpacked($0) }
    }

    private func unknown(_ visitor: String, _ site: String) -> ApiProblem {
        .notFound("No visitor \(visitor) on site \(site).")
    }

    /// `at`, or now. What Redis holds says nothing about moments before its last record.
    private func moment(_ call: Call, _ state: PackedState) throws -> Int64 {
        guard let text = try call.text("at") else {
            return max(reader.time.epochMilliseconds(), state.updatedAt)
        }
        guard let at = RFC3339.epochMilliseconds(text) else {
            throw ApiProblem.invalidParameter("at", "must be a moment such as 2026-03-14T09:30:00Z")
        }
        guard at >= state.updatedAt else {
            throw ApiProblem.invalidParameter(
                "at",
                "lies before the visitor's last record; `heliograph score explain --at` folds the "
                    + "past anew, and /history has the points that were kept"
            )
        }
        return at
    }
}
