import Foundation
import Hummingbird

/// The routes that tell what destinations were told, and how they are.
struct DeliveryRoutes: Sendable {
    let reader: DeliveryReader

    static let deliveries = Endpoint(
        .get,
        "/sites/{site}/deliveries",
        .scope(.readDeliveries),
        "Conversions on their way to destinations, newest first."
    ).taking(
        .limit,
        .cursor,
        .init(name: "destination", about: "A destination's name."),
        .init(
            name: "state",
            about: "A state.",
            schema: ["type": "string", "enum": .words(states.sorted())]
        )
    ).answering(
        Schemas.page(of: Schemas.open("id", "destination", "conversion", "state", "attempts"))
    )

    static let health = Endpoint(
        .get,
        "/sites/{site}/deliveries/health",
        .scope(.readDeliveries),
        "How each destination is doing."
    ).answering(Schemas.list("destinations", of: Schemas.open("destination", "state", "states")))

    func add(to api: ApiRouter) {
        api.add(Self.deliveries) { call in try await list(call) }
        api.add(Self.health) { call in
            let site = call.siteName(try call.siteOfPath())
            return try JSONBody.response(Health(destinations: await reader.health(site: site)))
        }
    }

    private struct Health: Encodable {
        let destinations: [DestinationHealthDocument]
    }

    private static let states: Set<String> = [
        "pending", "sending", "delivered", "in_doubt", "retry", "dead", "expired", "held",
        "cancelled",
    ]

    private func list(_ call: Call) async throws -> Response {
        var question = DeliveryReader.Question(
            site: call.siteName(try call.siteOfPath()),
            limit: try call.limit()
        )
        question.destination = try call.text("destination")
        question.state = try call.text("state")
        if let state = question.state, !Self.states.contains(state) {
            throw ApiProblem.invalidParameter("state", "must be a state such as dead")
        }
        if let cursor = try call.text("cursor") {
            question.before = Int64(cursor)
            guard let before = question.before, before > 0 else { throw ApiProblem.invalidCursor }
        }
        let (items, next) = try await reader.page(question)
        return try JSONBody.response(Page(items: items, nextCursor: next))
    }
}
