import Foundation
import Hummingbird

/// The routes that tell what destinations were told, and how they are.
struct DeliveryRoutes: Sendable {
    let reader: DeliveryReader
    let parameters: RequestParameters

    func add(to router: Router<CompanionContext>) {
        let api = router.group("/api/v1/sites/{site}")
        api.get("/deliveries") { request, context in
            try await list(request, try site(context))
        }
        api.get("/deliveries/health") { _, context in
            try JSONBody.response(
                Health(destinations: await reader.health(site: site(context)))
            )
        }
    }

    private struct Health: Encodable {
        let destinations: [DestinationHealthDocument]
    }

    private struct Page: Encodable {
        let items: [DeliveryDocument]
        let nextCursor: String?

        enum CodingKeys: String, CodingKey {
            case items
            case nextCursor = "next_cursor"
        }

        /// The cursor is there in any case: null says that this was the last page.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(items, forKey: .items)
            try container.encode(nextCursor, forKey: .nextCursor)
        }
    }

    private func site(_ context: CompanionContext) throws -> String {
        let name = context.parameters.get("site")?.removingPercentEncoding ?? ""
        return parameters.sites[try parameters.site(named: name)]
    }

    private static let states: Set<String> = [
        "pending", "sending", "delivered", "in_doubt", "retry", "dead", "expired", "held",
        "cancelled",
    ]

    private func list(_ request: Request, _ site: String) async throws -> Response {
        var question = DeliveryReader.Question(
            site: site,
            limit: try parameters.limit(of: request)
        )
        question.destination = try parameters.text("destination", of: request)
        question.state = try parameters.text("state", of: request)
        if let state = question.state, !Self.states.contains(state) {
            throw ApiProblem.invalidParameter("state", "must be a state such as dead")
        }
        if let cursor = try parameters.text("cursor", of: request) {
            question.before = Int64(cursor)
            guard let before = question.before, before > 0 else { throw ApiProblem.invalidCursor }
        }
        let (items, next) = try await reader.page(question)
        return try JSONBody.response(Page(items: items, nextCursor: next))
    }
}
