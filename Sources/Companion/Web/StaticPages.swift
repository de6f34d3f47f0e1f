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

    /// Reads `live/` (served at `/` and `/assets/`), `welcome/` (served at `/welcome`) and `demo/` (served
    /// at `/demo/`) in `folder`.
    /// `{{ingest}}` in HTML becomes `ingest`.
    init(folder: String, ingest: String) {
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
        pages["/"]?.isPrivate = true
        self.pages = pages
    }

    private static func path(of file: String, _ folder: String, under path: String) -> String {
        if file != "index.html" { return path + file }
        return switch folder {
        case "live": "/"
        case "welcome": SignIn.path
        default: path
        }
    }

    private static func files(in folder: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return all.filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func page(_ path: String, _ ingest: String, _ policy: String) -> Page? {
        let kind = path.split(separator: ".").last.map(String.init) ?? ""
        guard let contentType = contentTypes[kind],
            var data = FileManager.default.contents(atPath: path),
            data.count <= Limits.staticFileBytesMaximum
        else { return nil }
        if kind == "html" {
            let text = String(decoding: data, as: UTF8.self)
            data = Data(text.replacingOccurrences(of: "{{ingest}}", with: ingest).utf8)
        }
        return Page(
            contentType: contentType,
            entityTag: entityTag(of: data),
            policy: policy,
            body: ByteBuffer(bytes: data)
        )
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

    /// Adds a route for each page.
    func add(to router: Router<CompanionContext>, _ gate: Gate) {
        for (path, page) in pages {
            router.get(RouterPath(path)) { request, context in
                if page.isPrivate, await gate.visitor(request, context.address) == nil {
                    return SignIn.redirect(from: request)
                }
                return page.response(to: request)
            }
        }
    }
}

extension StaticPages.Page {
    /// The page, or 304 when the browser has this very version.
    func response(to request: Request) -> Response {
        var headers: HTTPFields = [
            .eTag: entityTag, .cacheControl: "no-cache", .contentSecurityPolicy: policy,
        ]
        let known = request.headers[values: .ifNoneMatch].joined(separator: ",")
        if known.contains(entityTag) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
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
