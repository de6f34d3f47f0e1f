import Foundation
import HTTPTypes
import Hummingbird
import Settings
import Synchronization
import Telemetry
import Units

/// Says who asks. A token comes in `Authorization: Bearer`, a browser's session in a cookie; what was
/// found once holds for a moment, so that a busy caller costs PostgreSQL little, and a revoked one is
/// out within `Limits.accessFreshMilliseconds`.
final class Gate: Sendable {
    private struct Known {
        let digest: [UInt8]
        let grant: Grant
        let checkedAt: Int64
    }

    private let archive: AccessArchive
    private let time: TimeSource
    private let owner: AccessToken?
    private let welcome: WelcomeCode
    private let known = Mutex<[String: Known]>([:])
    private let mistakes: TokenBuckets
    private let budgets: TokenBuckets

    /// A gate whose owner's token is `owner`; nil where nobody has one.
    init(archive: AccessArchive, owner: AccessToken?, time: TimeSource) {
        self.archive = archive
        self.owner = owner
        self.time = time
        welcome = WelcomeCode(time: time)
        mistakes = TokenBuckets(perMinute: Limits.accessMistakesPerMinute, time: time)
        budgets = TokenBuckets(
            perMinute: Limits.companionRequestsPerSecond * 60,
            burst: Limits.companionRequestsBurst,
            time: time
        )
    }

    /// A code that opens one session, soon and once.
    func makeWelcomeCode() -> String { welcome.make() }

    // MARK: - Who asks

    /// The caller, or a refusal. Beyond its rate a caller is told to wait.
    func admit(_ request: Request, _ address: String) async throws -> Grant {
        try refuseSecretsInAddress(request)
        guard let (token, isCookie) = try credential(of: request) else {
            throw ApiProblem.unauthenticated
        }
        let grant = try await grant(of: token, address)
        if isCookie { try checkOrigin(of: request, token) }
        if grant.id != Grant.ownerID, let wait = budgets.take(grant.id) {
            throw ApiProblem.rateLimited(wait)
        }
        return grant
    }

    /// The caller of a page, where nobody is refused; nil when no session is open.
    func visitor(_ request: Request, _ address: String) async -> Grant? {
        guard let (token, _) = try? credential(of: request) else { return nil }
        return try? await grant(of: token, address)
    }

    /// What `text` opens: a token, or the code that the engine printed.
    func signIn(_ text: String, _ address: String) async throws -> Grant {
        if let wait = mistakes.look(address) { throw ApiProblem.rateLimited(wait) }
        if welcome.isTaken(text) { return .owner }
        guard let token = AccessToken(text), token.kind == .token else {
            _ = mistakes.take(address)
            throw ApiProblem.unauthenticated
        }
        return try await grant(of: token, address)
    }

    /// The session that a request carries.
    func session(of request: Request) -> AccessToken? {
        Self.cookie(of: request).flatMap { AccessToken($0) }.flatMap {
            $0.kind == .session ? $0 : nil
        }
    }

    /// What pages must send along with a change, so that no other site's page can make one.
    static func changeToken(of session: AccessToken) -> String {
        let digest = session.secret.expose { AccessToken.sha256("change:" + $0) }
        return Data(digest.prefix(18)).base64URL
    }

    private func credential(of request: Request) throws -> (AccessToken, isCookie: Bool)? {
        if let header = request.headers[.authorization] {
            guard header.lowercased().hasPrefix("bearer "),
                let token = AccessToken(String(header.dropFirst(7))), token.kind == .token
            else { throw ApiProblem.unauthenticated }
            return (token, false)
        }
        return session(of: request).map { ($0, true) }
    }

    private static func cookie(of request: Request) -> String? {
        let pairs = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }
        for name in [SessionCookie.secureName, SessionCookie.plainName] {
            for pair in pairs {
                let text = pair.trimmingCharacters(in: .whitespaces)
                if text.hasPrefix(name + "=") { return String(text.dropFirst(name.count + 1)) }
            }
        }
        return nil
    }

    private func refuseSecretsInAddress(_ request: Request) throws {
        let names: Set<Substring> = ["token", "access_token", "api_key"]
        for (name, value) in request.uri.queryParameters
        where names.contains(name) || value.hasPrefix("hgt_") || value.hasPrefix("hgs_") {
            throw ApiProblem.tokenInURL
        }
    }

    /// A cookie comes along whoever's page asks; a change must be shown to be asked for by ours.
    private func checkOrigin(of request: Request, _ session: AccessToken) throws {
        if request.method == .get || request.method == .head { return }
        guard let name = HTTPField.Name("Sec-Fetch-Site"), let own = HTTPField.Name("X-HG-CSRF"),
            request.headers[name] == "same-origin",
            AccessToken.isSame(
                Array((request.headers[own] ?? "").utf8),
                Array(Self.changeToken(of: session).utf8)
            )
        else { throw ApiProblem.changeNotAsked }
    }

    // MARK: - What is known

    private func grant(of token: AccessToken, _ address: String) async throws -> Grant {
        let digest = token.digest
        if let owner, owner.id == token.id, AccessToken.isSame(owner.digest, digest) {
            return .owner
        }
        // Behind a proxy all have one address: who was let in is not shut out by others' mistakes.
        if !isKnown(token, digest), let wait = mistakes.look(address) {
            throw ApiProblem.rateLimited(wait)
        }
        guard let found = try await look(token), AccessToken.isSame(found.digest, digest) else {
            _ = mistakes.take(address)
            throw ApiProblem.unauthenticated
        }
        if let end = found.grant.expiresAt, end <= time.epochMilliseconds() {
            throw ApiProblem.unauthenticated
        }
        return found.grant
    }

    private func isKnown(_ token: AccessToken, _ digest: [UInt8]) -> Bool {
        let held = known.withLock { $0[token.kind.rawValue + token.id] }
        return held.map { AccessToken.isSame($0.digest, digest) } ?? false
    }

    private func look(_ token: AccessToken) async throws -> Known? {
        let now = time.epochMilliseconds()
        let held = known.withLock { $0[token.kind.rawValue + token.id] }
        if let held, now - held.checkedAt < Limits.accessFreshMilliseconds { return held }
        do {
            let found = try await archive.find(token)
            if found?.isUseDue == true { try await archive.noteUse(token.id) }
            let fresh = found.map { Known(digest: $0.digest, grant: $0.grant, checkedAt: now) }
            remember(token, fresh)
            return fresh
        } catch let failure as ArchiveFailure {
            // Scores are worth reading while PostgreSQL is away; for a while who was let in stays so.
            if let held, now - held.checkedAt < Limits.accessHeldMilliseconds { return held }
            throw failure
        }
    }

    private func remember(_ token: AccessToken, _ fresh: Known?) {
        known.withLock { known in
            if known.count >= Limits.accessKnownMaximum { known = [:] }
            known[token.kind.rawValue + token.id] = fresh
        }
    }

    /// Forgets what was known of a credential that has been revoked here.
    func forget(_ id: String, _ kind: AccessToken.Kind) {
        known.withLock { $0[kind.rawValue + id] = nil }
    }
}

/// The code that `up` prints: good for a quarter of an hour and for one browser. Any thread may ask.
final class WelcomeCode: Sendable {
    private let time: TimeSource
    private let code = Mutex<(digest: [UInt8], until: Int64)?>(nil)

    init(time: TimeSource) { self.time = time }

    func make() -> String {
        var random = SystemRandomNumberGenerator()
        let bits = (0..<18).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let text = Data(bits).base64URL
        let until = time.epochMilliseconds() + Limits.welcomeCodeMilliseconds
        code.withLock { $0 = (AccessToken.sha256(text), until) }
        return text
    }

    /// Whether it is the code; it is none any more then.
    func isTaken(_ text: String) -> Bool {
        let (digest, now) = (AccessToken.sha256(text), time.epochMilliseconds())
        return code.withLock { code in
            guard let held = code, held.until > now, AccessToken.isSame(held.digest, digest) else {
                return false
            }
            code = nil
            return true
        }
    }
}

/// The cookie of a browser's session.
enum SessionCookie {
    /// Over TLS, where a browser holds to it that no other host has set it.
    static let secureName = "__Host-hg"
    static let plainName = "hg"

    /// The value of `Set-Cookie`; an empty text ends the session. A proxy says whether there is TLS.
    static func header(_ text: String, _ request: Request) -> String {
        let name = HTTPField.Name("X-Forwarded-Proto")
        let isSecure = name.flatMap { request.headers[$0] } == "https"
        let age = text.isEmpty ? 0 : Limits.sessionSeconds
        return "\(isSecure ? secureName : plainName)=\(text); Path=/; Max-Age=\(age); HttpOnly; "
            + "SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}
