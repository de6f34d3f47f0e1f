import Foundation
import Hummingbird
import Scoring
import Settings
import Telemetry
import Units

/// The routes that tell why a visitor's score is what it is, and how it came there.
struct WhyRoutes: Sendable {
    let reader: VisitorReader
    let history: HistoryReader
    let parameters: RequestParameters

    func add(to router: Router<CompanionContext>) {
        let visitor = router.group("/api/v1/visitors/{id}")
        visitor.get { request, context in try await visit(request, context) }
        visitor.get("/explain") { request, context in try await explain(request, context) }
        visitor.get("/history") { request, context in try await past(request, context) }
    }

    private func visit(_ request: Request, _ context: CompanionContext) async throws -> Response {
        let (site, visitor) = try subject(request, context)
        guard var document = try await reader.visitor(visitor, site: site) else {
            throw unknown(visitor, site)
        }
        document.trend = await trend(of: document, site)
        document.identity = try? await history.person(visitor, site: parameters.sites[site])
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
            site: parameters.sites[site],
            state: state,
            now: document.asOf
        )
    }

    private func explain(_ request: Request, _ context: CompanionContext) async throws -> Response {
        let (site, visitor) = try subject(request, context)
        guard let state = try await packed(visitor, site) else { throw unknown(visitor, site) }
        return try JSONBody.response(
            ExplanationDocument(
                site: parameters.sites[site],
                visitor: visitor,
                state: state,
                at: try moment(request, state),
                history.reading.model
            )
        )
    }

    private struct Past: Encodable {
        let history: [HistoryDocument]
    }

    private func past(_ request: Request, _ context: CompanionContext) async throws -> Response {
        let (site, visitor) = try subject(request, context)
        let points = try await history.history(
            visitor,
            site: parameters.sites[site],
            limit: try parameters.limit(of: request)
        )
        return try JSONBody.response(Past(history: points))
    }

    // MARK: - What is asked

    private func subject(
        _ request: Request,
        _ context: CompanionContext
    ) throws -> (site: Int, visitor: String) {
        let site = try parameters.site(of: request)
        let visitor = (context.parameters.get("id") ?? "").removingPercentEncoding ?? ""
        guard ApiRoutes.isVisitor(visitor) else {
            throw ApiProblem.invalidParameter("id", "must be 1 to 63 printable characters")
        }
        return (site, visitor)
    }

    private func packed(_ visitor: String, _ site: Int) async throws -> PackedState? {
        try await reader.state(visitor, site: site).flatMap { history.reading.unpacked($0) }
    }

    private func unknown(_ visitor: String, _ site: Int) -> ApiProblem {
        .notFound("No visitor \(visitor) on site \(parameters.sites[site]).")
    }

    /// `at`, or now. What Redis holds says nothing about moments before its last record.
    private func moment(_ request: Request, _ state: PackedState) throws -> Int64 {
        guard let text = try parameters.text("at", of: request) else {
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
