import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Telemetry

/// What a request brings along: Hummingbird's part, and the connection it came on.
struct CompanionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, so that a live stream whose reader does not read can be cut.
    let channel: any Channel

    /// Where the request came from: the proxy's address behind one.
    var address: String { channel.remoteAddress?.ipAddress ?? "" }

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// The outermost layer: refuses what must not come in, turns every error into a problem document,
/// and puts the security headers on everything that goes out.
struct Guard: RouterMiddleware {
    typealias Context = CompanionContext

    let hosts: HostRule
    let counters: CompanionCounters
    let log: Logger

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        counters.add(.companionRequests)
        var response: Response
        do {
            try admit(request)
            response = try await next(request, context)
        } catch {
            let problem = ApiProblem.standing(for: error)
            let id = Self.requestID()
            if problem.status == 500 {
                log.error("request failed", metadata: ["error": "\(error)", "request": "\(id)"])
            }
            response = problem.response()
            if let name = HTTPField.Name("Request-Id") { response.headers[name] = id }
        }
        Self.secure(&response.headers)
        return response
    }

    /// What whoever was refused can name, and whoever runs the engine can find in the log.
    private static func requestID() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private func admit(_ request: Request) throws {
        if !hosts.allows(request.head.authority) { throw ApiProblem.wrongHost }
        // What else a path of the API takes, the API says.
        if request.uri.path.hasPrefix("/api/v1/") { return }
        if request.method != .get && request.method != .head {
            throw ApiProblem.methodNotAllowed("GET, HEAD")
        }
    }

    /// Pages bring a policy of their own; for everything else nothing may be loaded at all.
    private static func secure(_ headers: inout HTTPFields) {
        headers[.xContentTypeOptions] = "nosniff"
        headers[.crossOriginResourcePolicy] = "same-origin"
        if headers[.contentSecurityPolicy] == nil {
            headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        if let name = HTTPField.Name("Referrer-Policy") {
            headers[name] = "strict-origin-when-cross-origin"
        }
        if let name = HTTPField.Name("X-Frame-Options") { headers[name] = "DENY" }
    }
}

/// Which `Host` a request may name. Every other name is a web page that has pointed its own name at this
/// server (DNS rebinding); addresses written as numbers cannot be pointed anywhere, so where the server is
/// open to others they are all right.
struct HostRule: Sendable {
    /// Whether the server can be reached from this machine only.
    let isLoopback: Bool
    /// Names of this server, in lower case.
    let names: Set<String>

    init(address: String, names: [String] = []) {
        isLoopback = address.hasPrefix("127.") || address == "::1"
        self.names = Set(names.map { $0.lowercased() })
    }

    func allows(_ authority: String?) -> Bool {
        guard let authority else { return false }
        let host = Self.host(of: authority).lowercased()
        if names.contains(host) || host == "localhost" { return true }
        if isLoopback { return host == "[::1]" || Self.isLoopback(host) }
        return Self.isAddress(host)
    }

    /// Four numbers, or something in brackets.
    private static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func host(of authority: String) -> Substring {
        if let end = authority.lastIndex(of: "]") {
            // Behind the bracket only a port may follow: `[::1].evil.example` is a name.
            let rest = authority[authority.index(after: end)...]
            return rest.isEmpty || rest.first == ":" ? authority[...end] : authority[...]
        }
        return authority.prefix { $0 != ":" }
    }

    /// Four numbers, the first of them 127: a name such as `127.evil.example` is not one.
    private static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
