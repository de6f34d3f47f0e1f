import Foundation
import Hummingbird
import Settings

/// The routes that tell where an event is, and what was refused.
struct EventRoutes: Sendable {
    let tracer: EventTracer
    let rejected: RejectedReader
    let parameters: RequestParameters

    func add(to router: Router<CompanionContext>) {
        let api = router.group("/api/v1")
        api.get("/events/{id}/trace") { request, context in
            try await trace(request, context.parameters.get("id") ?? "")
        }
        api.get("/rejected") { request, _ in try await list(request) }
        api.get("/rejected/{id}") { _, context in
            try await one(context.parameters.get("id") ?? "")
        }
    }

    private func trace(_ request: Request, _ parameter: String) async throws -> Response {
        let site = parameters.sites[try parameters.site(of: request)]
        let id = parameter.removingPercentEncoding ?? ""
        guard let name = EventName(site: site, id: id) else {
            throw ApiProblem.invalidParameter(
                "id",
                "must be 1 to \(EventName.bytesMaximum) visible characters: <window>-<number> or "
                    + "the sender's message id"
            )
        }
        return try JSONBody.response(await tracer.trace(name))
    }

    private struct Page: Encodable {
        let items: [RejectedDocument]
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

    private func list(_ request: Request) async throws -> Response {
        var question = RejectedReader.Question(limit: try parameters.limit(of: request))
        // Without a site, everything: what came under an unknown key belongs to none.
        if try parameters.text("site", of: request) != nil {
            question.site = parameters.sites[try parameters.site(of: request)]
        }
        question.reason = try parameters.text("reason", of: request)
        if let reason = question.reason, !Self.isCode(reason) {
            throw ApiProblem.invalidParameter("reason", "must be a code such as key-unknown")
        }
        if let cursor = try parameters.text("cursor", of: request) {
            question.after = RejectedPosition(cursor: cursor)
            if question.after == nil { throw ApiProblem.invalidCursor }
        }
        let (items, next) = try await rejected.page(question)
        return try JSONBody.response(Page(items: items, nextCursor: next))
    }

    private func one(_ id: String) async throws -> Response {
        guard let (partition, offset) = RejectedPosition.parts(of: id) else {
            throw ApiProblem.invalidParameter("id", "must be <partition>-<offset>, as in the list")
        }
        guard let document = try await rejected.one(partition: partition, offset: offset) else {
            throw ApiProblem.notFound("Nothing that was refused and is still kept is called \(id).")
        }
        return try JSONBody.response(document)
    }

    private static func isCode(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == 45
            }
    }
}
