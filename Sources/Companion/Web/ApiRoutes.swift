import Foundation
import HTTPTypes
import Hummingbird
import Settings

/// The routes under `/api/v1`, and the checks of what they are asked.
struct ApiRoutes: Sendable {
    let reader: VisitorReader
    let minuteReader: MinuteReader
    let parameters: RequestParameters
    let counters: CompanionCounters

    func add(to router: Router<CompanionContext>) {
        router.get("/healthz") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n"))
            )
        }
        let api = router.group("/api/v1")
        api.get("/visitors") { request, _ in try await visitors(request) }
        api.get("/sites/{site}/live/minutes") { request, context in
            try await minutes(request, context.parameters.get("site") ?? "")
        }
        api.get("/live") { request, context in
            try await live(request, context)
        }
    }

    private struct Visitors: Encodable {
        let visitors: [VisitorDocument]
    }

    private func visitors(_ request: Request) async throws -> Response {
        let site = try parameters.site(of: request)
        let limit = try parameters.limit(of: request)
        return try JSONBody.response(
            Visitors(visitors: try await reader.newest(site: site, limit: limit))
        )
    }

    private func minutes(_ request: Request, _ name: String) async throws -> Response {
        let site = try parameters.site(named: name.removingPercentEncoding ?? "")
        let last = try parameters.count(
            "last",
            of: request,
            maximum: Limits.companionMinutesMaximum,
            standard: Limits.companionMinutesDefault
        )
        return try JSONBody.response(await minuteReader.minutes(site: site, last: last))
    }

    private func live(_ request: Request, _ context: CompanionContext) async throws -> Response {
        let site = try parameters.site(of: request)
        if request.method == .head { return Response(status: .ok) }
        let stream = LiveStream(
            hub: reader.hub,
            site: site,
            siteName: parameters.sites[site],
            time: reader.time,
            counters: counters
        )
        return try stream.response(to: request, channel: context.channel)
    }

    /// Printable ASCII without space and braces: braces end the part of a key that Redis Cluster
    /// hashes, and the id is put between them.
    static func isVisitor(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x7b && $0 != 0x7d }
    }
}
