import Foundation
import HTTPTypes
import Hummingbird
import Settings

/// Endpoints about sites, their newest visitors and what goes on now.
struct ApiRoutes: Sendable {
    let reader: VisitorReader
    let minuteReader: MinuteReader
    let sites: [Site]
    let counters: CompanionCounters

    static let visitors = Endpoint(
        .get,
        "/visitors",
        .scope(.readVisitors),
        "The visitors that were seen last, newest first, with their scores of now."
    ).taking(.site, .limit).answering(Schemas.list("visitors", of: Schemas.visitor))

    static let minutes = Endpoint(
        .get,
        "/sites/{site}/live/minutes",
        .scope(.readStats),
        "The last minutes in numbers, the oldest first, and what they add up to."
    ).taking(
        .init(
            name: "last",
            about: "How many minutes.",
            schema: [
                "type": "integer", "minimum": 1,
                "maximum": .integer(Int64(Limits.companionMinutesMaximum)),
            ]
        )
    ).answering(Schemas.open("site", "as_of", "minutes", "totals"))

    static let live = Endpoint(
        .get,
        "/live",
        .scope(.readLive),
        "Changes of scores as they happen, as server-sent events; Last-Event-ID resumes."
    ).taking(.site).answering(["type": "string"], type: "text/event-stream")

    static let allSites = Endpoint(
        .get,
        "/sites",
        .anyCaller,
        "The sites that the caller sees."
    ).answering(Schemas.list("sites", of: Schemas.open("name", "time_zone", "currency")))

    static let health = Endpoint(.get, "/health", .open, "Whether the companion answers.")
        .answering(Schemas.open("ok"))

    func add(to api: ApiRouter) {
        api.add(Self.health) { _ in try JSONBody.response(["ok": true]) }
        api.add(Self.allSites) { call in try all(call) }
        api.add(Self.visitors) { call in try await visitors(call) }
        api.add(Self.minutes) { call in try await minutes(call) }
        api.add(Self.live) { call in try live(call) }
    }

    private struct Visitors: Encodable {
        let visitors: [VisitorDocument]
    }

    private func visitors(_ call: Call) async throws -> Response {
        let (site, limit) = (try call.site(), try call.limit())
        return try JSONBody.response(
            Visitors(visitors: try await reader.newest(site: site, limit: limit))
        )
    }

    private func minutes(_ call: Call) async throws -> Response {
        let site = try call.siteOfPath()
        let last = try call.parameters.count(
            "last",
            of: call.request,
            maximum: Limits.companionMinutesMaximum,
            standard: Limits.companionMinutesDefault
        )
        return try JSONBody.response(await minuteReader.minutes(site: site, last: last))
    }

    private func live(_ call: Call) throws -> Response {
        let site = try call.site()
        if call.request.method == .head { return Response(status: .ok) }
        let stream = LiveStream(
            hub: reader.hub,
            site: site,
            siteName: call.siteName(site),
            time: reader.time,
            counters: counters,
            isStillLetIn: call.isStillLetIn
        )
        return try stream.response(to: call.request, channel: call.context.channel)
    }

    private struct SiteDocument: Encodable {
        let name: String
        let timeZone: String
        let currency: String

        enum CodingKeys: String, CodingKey {
            case name, currency
            case timeZone = "time_zone"
        }
    }

    private func all(_ call: Call) throws -> Response {
        let grant = try call.caller()
        let seen = sites.filter { grant.reaches($0.name) }
        return try JSONBody.response([
            "sites": seen.map {
                SiteDocument(name: $0.name, timeZone: $0.timeZone, currency: $0.currency)
            }
        ])
    }

    /// Printable ASCII without space and braces: braces end the part of a key that Redis Cluster
    /// hashes, and the id is put between them.
    static func isVisitor(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x7b && $0 != 0x7d }
    }
}
