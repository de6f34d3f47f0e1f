import Foundation
import HTTPTypes
import Hummingbird
import Settings

/// The routes under `/api/v1`, and the checks of what they are asked.
struct ApiRoutes: Sendable {
    let reader: VisitorReader
    let sites: [String]
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
        api.get("/visitors/{id}") { request, context in
            try await visitor(request, context.parameters.get("id") ?? "")
        }
        api.get("/live") { request, context in
            try await live(request, context)
        }
    }

    private struct Visitors: Encodable {
        let visitors: [VisitorDocument]
    }

    private func visitors(_ request: Request) async throws -> Response {
        let site = try site(of: request)
        let limit = try limit(of: request)
        return JSONBody.response(
            Visitors(visitors: try await reader.newest(site: site, limit: limit))
        )
    }

    private func visitor(_ request: Request, _ parameter: String) async throws -> Response {
        let site = try site(of: request)
        let visitor = parameter.removingPercentEncoding ?? ""
        guard Self.isVisitor(visitor) else {
            throw ApiProblem.invalidParameter("id", "must be 1 to 63 printable characters")
        }
        guard let document = try await reader.visitor(visitor, site: site) else {
            throw ApiProblem.notFound("No visitor \(visitor) on site \(sites[site]).")
        }
        return JSONBody.response(document)
    }

    private func live(_ request: Request, _ context: CompanionContext) async throws -> Response {
        let site = try site(of: request)
        if request.method == .head { return Response(status: .ok) }
        let stream = LiveStream(
            hub: reader.hub,
            site: site,
            siteName: sites[site],
            time: reader.time,
            counters: counters
        )
        return try stream.response(to: request, channel: context.channel)
    }

    // MARK: - Parameters

    private func site(of request: Request) throws -> Int {
        guard let name = try parameter("site", of: request) else {
            if sites.count == 1 { return 0 }
            throw ApiProblem.invalidParameter("site", "is missing; name one of your sites")
        }
        guard let site = sites.firstIndex(of: name) else {
            throw ApiProblem.notFound("There is no such site. Is it in config/heliograph.yaml?")
        }
        return site
    }

    private func limit(of request: Request) throws -> Int {
        guard let text = try parameter("limit", of: request) else {
            return Limits.companionVisitorsDefault
        }
        guard text.utf8.count <= 4, let limit = Int(text),
            (1...Limits.companionVisitorsMaximum).contains(limit)
        else {
            throw ApiProblem.invalidParameter(
                "limit",
                "must be 1 to \(Limits.companionVisitorsMaximum)"
            )
        }
        return limit
    }

    /// A query parameter; given twice it is refused, because readers disagree on which one counts.
    private func parameter(_ name: String, of request: Request) throws -> String? {
        let values = request.uri.queryParameters.filter { $0.key == name }.map(\.value)
        if values.count > 1 { throw ApiProblem.invalidParameter(name, "is given twice") }
        return values.first.map(String.init)
    }

    /// Printable ASCII without space and braces: braces end the part of a key that Redis Cluster
    /// hashes, and the id is put between them.
    static func isVisitor(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x7b && $0 != 0x7d }
    }
}
