import Foundation
import HTTPTypes
import Hummingbird
import Settings
import Units

/// The pages: read once at start, then answered from memory, so that no request names a file.
struct StaticPages: Sendable {
    /// One file, ready to be sent.
    struct Page: Sendable {
        let contentType: String
        let entityTag: String
        let policy: String
        let body: ByteBuffer
        /// The same under gzip; nil where nobody made it.
        var compressed: ByteBuffer?
        var caching = "no-cache"
        /// Whether it is for people who have signed in.
        var isPrivate = false
    }

    /// The pages by the path they are asked for with.
    let pages: [String: Page]

    private static let contentTypes = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
        "jpg": "image/jpeg", "webp": "image/webp", "ico": "image/x-icon", "woff2": "font/woff2",
        "txt": "text/plain; charset=utf-8", "json": "application/json",
    ]

    /// Reads `live/` (served at `/live` and `/assets/`), `welcome/` (served at `/welcome`) and `demo/` (served
    /// at `/demo/`) in `folder`, and the built Hub in `hub`.
    /// `{{ingest}}` in HTML becomes `ingest`.
    init(folder: String, hub: String, ingest: String) {
        var pages: [String: Page] = [:]
        for (name, path) in [("live", "/assets/"), ("welcome", "/assets/"), ("demo", "/demo/")] {
            let policy = name == "demo" ? Self.demoPolicy(ingest) : Self.livePolicy
            for file in Self.files(in: "\(folder)/\(name)") {
                guard let page = Self.page("\(folder)/\(name)/\(file)", ingest, policy) else {
                    continue
                }
                pages[Self.path(of: file, name, under: path)] = page
            }
        }
        pages[Self.livePath]?.isPrivate = true
        self.pages = pages.merging(HubFiles.read(hub)) { page, _ in page }
    }

    /// Whether the Hub has been built.
    var hasHub: Bool { pages[HubFiles.path] != nil }

    private static let livePath = "/live"

    private static func path(of file: String, _ folder: String, under path: String) -> String {
        if file != "index.html" { return path + file }
        return switch folder {
        case "live": livePath
        case "welcome": SignIn.path
        default: path
        }
    }

    static func files(in folder: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return all.filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func page(_ path: String, _ ingest: String, _ policy: String) -> Page? {
        page(path, policy) { text in text.replacingOccurrences(of: "{{ingest}}", with: ingest) }
    }

    /// The file as a page, its HTML through `fill`; nil for one of a kind that is not served.
    static func page(
        _ path: String,
        _ policy: String,
        fill: (String) -> String = { $0 }
    ) -> Page? {
        let kind = path.split(separator: ".").last.map(String.init) ?? ""
        guard let contentType = contentTypes[kind], var data = contents(path) else { return nil }
        if kind == "html" { data = Data(fill(String(decoding: data, as: UTF8.self)).utf8) }
        return Page(
            contentType: contentType,
            entityTag: entityTag(of: data),
            policy: policy,
            body: ByteBuffer(bytes: data)
        )
    }

    static func contents(_ path: String) -> Data? {
        FileManager.default.contents(atPath: path).flatMap {
            $0.count <= Limits.staticFileBytesMaximum ? $0 : nil
        }
    }

    static func entityTag(of data: some ContiguousBytes) -> String {
        // The key is fixed: after a restart a browser's copy is still good.
        let key = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2f70_6167_6573)
        let hash = data.withUnsafeBytes { Hash128($0, key: key) }
        return "\"\(String(hash.low, radix: 36))\(String(hash.high, radix: 36))\""
    }

    /// The live page loads nothing from elsewhere and runs nothing inline.
    static let livePolicy = policy(scripts: "'self'", connections: "'self'")

    /// The demo shop is tracked by the real SDK, which comes from and reports to the ingest port.
    static func demoPolicy(_ ingest: String) -> String {
        policy(scripts: "'self' \(ingest)", connections: "'self' \(ingest)")
    }

    private static func policy(scripts: String, connections: String) -> String {
        [
            "default-src 'self'", "script-src \(scripts)", "connect-src \(connections)",
            "img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
            "frame-ancestors 'none'",
        ].joined(separator: "; ")
    }

    /// Adds a route for each page, and for the way in.
    func add(to router: Router<CompanionContext>, _ gate: Gate) {
        for (path, page) in pages {
            router.get(RouterPath(path)) { request, context in
                if page.isPrivate, await gate.visitor(request, context.address) == nil {
                    return SignIn.redirect(from: request)
                }
                // Names in the page are relative to its folder, and the router takes both ways of asking.
                if path.hasSuffix("/") && !request.uri.path.hasSuffix("/") {
                    return .redirect(to: path, type: .permanent)
                }
                return page.response(to: request)
            }
        }
        let front = hasHub ? HubFiles.path : Self.livePath
        router.get("/") { request, context in
            if await gate.visitor(request, context.address) == nil {
                return SignIn.redirect(from: request)
            }
            return .redirect(to: front, type: .normal)
        }
        if !hasHub {
            router.get(RouterPath(HubFiles.path)) { _, _ -> Response in throw ApiProblem.noHub }
        }
    }
}

extension StaticPages.Page {
    /// The page, or 304 when the browser has this very version.
    func response(to request: Request) -> Response {
        let small = compressed.flatMap {
            Self.takesGzip(request.headers[values: .acceptEncoding]) ? $0 : nil
        }
        // What differs by a byte has another tag.
        let tag = small == nil ? entityTag : "\(entityTag.dropLast())-gzip\""
        var headers: HTTPFields = [
            .eTag: tag, .cacheControl: caching, .contentSecurityPolicy: policy,
        ]
        if compressed != nil { headers[.vary] = "Accept-Encoding" }
        let known = request.headers[values: .ifNoneMatch].joined(separator: ",")
        if known.contains(tag) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = contentType
        if small != nil { headers[.contentEncoding] = "gzip" }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: small ?? body)
        )
    }

    /// Whether the client names gzip and does not forbid it by a weight of 0.
    static func takesGzip(_ fields: [String]) -> Bool {
        fields.joined(separator: ",").lowercased().split(separator: ",").contains { coding in
            let parts = coding.split(separator: ";").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard parts.first == "gzip" else { return false }
            let weight = parts.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return weight != 0
        }
    }
}

/// The page that people who have not signed in are led to.
enum SignIn {
    static let path = "/welcome"

    /// Comes back to where the request was going; what stood in its query is told nobody.
    static func redirect(from request: Request) -> Response {
        let way = request.uri.path.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        return Response(
            status: .seeOther,
            headers: [.location: "\(path)?next=\(way ?? "")", .cacheControl: "no-store"]
        )
    }
}

/// Where the pages are.
enum PagesFolder {
    /// The configured folder, else the one that was built beside the program, else the one in the
    /// source tree; nil when there is none.
    static func find(configured: String?) -> String? {
        if let configured { return isFolder(configured) ? configured : nil }
        return candidates().first(where: isFolder)
    }

    private static func candidates() -> [String] {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let beside = program.map { ($0 as NSString).deletingLastPathComponent } ?? "."
        return [
            "\(beside)/heliograph_Companion.resources/Pages",
            "\(beside)/../share/heliograph/pages", "Sources/Companion/Pages",
        ]
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
