import Foundation
import Hummingbird
import Settings

/// The routes that tell where an event is, and what was refused.
struct EventRoutes: Sendable {
    let tracer: EventTracer
    let rejected: RejectedReader

    static let trace = Endpoint(
        .get,
        "/events/{id}/trace",
        .scope(.readQuality),
        "Where an event is: received, journaled, scored, stored, delivered, or why not."
    ).taking(.site)

    static let refused = Endpoint(
        .get,
        "/rejected",
        .scope(.readQuality),
        "What was refused, newest first. Without a site, of every site, for callers that see all."
    ).taking(
        .site,
        .limit,
        .cursor,
        .init(name: "reason", about: "A code such as key-unknown.")
    ).answering(Schemas.page(of: Schemas.open("id", "received_at", "reason", "place")))

    static let oneRefused = Endpoint(
        .get,
        "/rejected/{id}",
        .scope(.readQuality),
        "Something that was refused, with its bytes as they were kept."
    ).answering(Schemas.open("id", "received_at", "reason", "place"))

    func add(to api: ApiRouter) {
        api.add(Self.trace) { call in try await trace(call) }
        api.add(Self.refused) { call in try await list(call) }
        api.add(Self.oneRefused) { call in try await one(call) }
    }

    private func trace(_ call: Call) async throws -> Response {
        let (site, id) = (call.siteName(try call.site()), call.path("id"))
        guard let name = EventName(site: site, id: id) else {
            throw ApiProblem.invalidParameter(
                "id",
                "must be 1 to \(EventName.bytesMaximum) visible characters: <window>-<number> or "
                    + "the sender's message id"
            )
        }
        return try JSONBody.response(await tracer.trace(name))
    }

    private func list(_ call: Call) async throws -> Response {
        var question = RejectedReader.Question(limit: try call.limit())
        // Without a site, everything: what came under an unknown key belongs to none.
        if try call.text("site") != nil || call.caller().sites != nil {
            question.site = call.siteName(try call.site())
        }
        question.reason = try call.text("reason")
        if let reason = question.reason, !Self.isCode(reason) {
            throw ApiProblem.invalidParameter("reason", "must be a code such as key-unknown")
        }
        if let cursor = try call.text("cursor") {
            question.after = RejectedPosition(cursor: cursor)
            if question.after == nil { throw ApiProblem.invalidCursor }
        }
        let (items, next) = try await rejected.page(question)
        return try JSONBody.response(Page(items: items, nextCursor: next))
    }

    private func one(_ call: Call) async throws -> Response {
        let id = call.path("id")
        guard let (partition, offset) = RejectedPosition.parts(of: id) else {
            throw ApiProblem.invalidParameter("id", "must be <partition>-<offset>, as in the list")
        }
        let grant = try call.caller()
        guard let document = try await rejected.one(partition: partition, offset: offset),
            document.site.map({ grant.reaches($0) }) ?? (grant.sites == nil)
        else {
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
