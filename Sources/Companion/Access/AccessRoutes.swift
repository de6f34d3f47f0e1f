import Foundation
import HTTPTypes
import Hummingbird
import Settings
import Telemetry
import Units

/// Endpoints about who may do what: sessions of browsers, tokens, and who did what.
struct AccessRoutes: Sendable {
    let gate: Gate
    let archive: AccessArchive
    let time: TimeSource

    static let signIn = Endpoint(
        .post,
        "/session",
        .open,
        "Opens a browser's session with a token, or with the code that the engine printed."
    ).takingBody([
        "type": "object", "required": ["token"], "additionalProperties": false,
        "properties": ["token": ["type": "string"]],
    ]).answering(Schemas.open("id", "scopes"))

    static let signOut = Endpoint(.delete, "/session", .anyCaller, "Ends the caller's session.")
        .answering(Schemas.open("ended"))

    static let me = Endpoint(
        .get,
        "/me",
        .anyCaller,
        "What the caller may do; for a session also what changes must send as X-HG-CSRF."
    ).answering(Schemas.open("id", "name", "scopes", "sites", "expires_at"))

    static let tokens = Endpoint(.get, "/tokens", .scope(.admin), "Tokens, newest first.")
        .answering(Schemas.list("tokens", of: Schemas.open("id", "name", "scopes", "sites")))

    static let makeToken = Endpoint(
        .post,
        "/tokens",
        .scope(.admin),
        "Makes a token that can do no more than the caller. Its secret is shown once."
    ).takingBody([
        "type": "object", "required": ["name", "scopes"], "additionalProperties": false,
        "properties": [
            "name": ["type": "string", "minLength": 1, "maxLength": 64],
            "scopes": [
                "type": "array", "minItems": 1,
                "items": ["type": "string", "enum": .words(Scope.words)],
            ],
            "sites": ["type": ["array", "null"], "items": ["type": "string"]],
            "expires_days": ["type": ["integer", "null"], "minimum": 1, "maximum": 3650],
            "never_expires": ["type": "boolean"],
        ],
    ]).answering(Schemas.open("id", "token"), status: .created)

    static let revokeToken = Endpoint(
        .delete,
        "/tokens/{id}",
        .scope(.admin),
        "Revokes a token, and the sessions that it opened."
    ).answering(Schemas.open("revoked"))

    static let log = Endpoint(
        .get,
        "/audit",
        .scope(.admin),
        "Who read which person's data and who changed what, newest first."
    ).taking(.limit, .cursor).answering(
        Schemas.page(of: Schemas.open("at", "actor", "action"))
    )

    func add(to api: ApiRouter) {
        api.add(Self.signIn) { call in try await signIn(call) }
        api.add(Self.signOut) { call in try await signOut(call) }
        api.add(Self.me) { call in
            try JSONBody.response(
                CallerDocument(try call.caller(), gate.session(of: call.request))
            )
        }
        api.add(Self.tokens) { call in
            try checkReach(call)
            return try JSONBody.response(["tokens": await archive.list()])
        }
        api.add(Self.makeToken) { call in try await makeToken(call) }
        api.add(Self.revokeToken) { call in try await revoke(call) }
        api.add(Self.log) { call in try await log(call) }
    }

    // MARK: - Sessions

    private func signIn(_ call: Call) async throws -> Response {
        try checkPage(call.request)
        var fields = try FieldReader(await RequestParameters.body(of: call.request))
        guard let text = try fields.text("token") else {
            throw ApiProblem.invalidField("/token", "is missing")
        }
        try fields.end()
        let grant = try await gate.signIn(
            text.trimmingCharacters(in: .whitespacesAndNewlines),
            call.context.address
        )
        let session = AccessToken(.session)
        let draft = AccessArchive.Draft(
            name: grant.name,
            scopes: grant.scopes,
            sites: grant.sites,
            lifetimeSeconds: Limits.sessionSeconds,
            parent: grant.id == Grant.ownerID ? nil : grant.id,
            maker: grant
        )
        let expiresAt = try await archive.make(session, draft)
        let opened = Grant(
            id: session.id,
            name: grant.name,
            scopes: grant.scopes,
            sites: grant.sites,
            expiresAt: expiresAt,
            isSession: true
        )
        var response = try JSONBody.response(CallerDocument(opened, session))
        response.headers[.setCookie] = session.secret.expose {
            SessionCookie.header($0, call.request)
        }
        return response
    }

    /// Another site's page must not sign a browser in either.
    private func checkPage(_ request: Request) throws {
        guard let name = HTTPField.Name("Sec-Fetch-Site"), let from = request.headers[name] else {
            return
        }
        if from != "same-origin" && from != "none" { throw ApiProblem.changeNotAsked }
    }

    private func signOut(_ call: Call) async throws -> Response {
        guard let session = gate.session(of: call.request) else { throw ApiProblem.unauthenticated }
        let isEnded = try await archive.revoke(session.id, .session, by: try call.caller())
        gate.forget(session.id, .session)
        var response = try JSONBody.response(["ended": isEnded])
        response.headers[.setCookie] = SessionCookie.header("", call.request)
        return response
    }

    // MARK: - Tokens

    /// Tokens and the log are of every site.
    private func checkReach(_ call: Call) throws {
        if try call.caller().sites != nil { throw ApiProblem.everySiteNeeded }
    }

    private func makeToken(_ call: Call) async throws -> Response {
        let order = try TokenOrder(await RequestParameters.body(of: call.request))
        let grant = try call.caller()
        if let unknown = order.sites?.first(where: { !call.parameters.sites.contains($0) }) {
            throw ApiProblem.invalidField("/sites", "names \(unknown), which is no site")
        }
        guard grant.covers(scopes: order.scopes, sites: order.sites) else {
            throw ApiProblem.moreThanOwn
        }
        let token = AccessToken(.token)
        let expiresAt = try await archive.make(
            token,
            AccessArchive.Draft(
                name: order.name,
                scopes: order.scopes,
                sites: order.sites,
                lifetimeSeconds: order.lifetimeSeconds,
                maker: grant
            )
        )
        var response = try JSONBody.response(
            MadeToken(id: token.id, token: token.secret.expose { $0 }, expires_at: expiresAt)
        )
        response.status = .created
        return response
    }

    private func revoke(_ call: Call) async throws -> Response {
        try checkReach(call)
        let id = call.path("id")
        guard try await archive.revoke(id, .token, by: try call.caller()) else {
            throw ApiProblem.notFound("No token that is good is called so.")
        }
        gate.forget(id, .token)
        return try JSONBody.response(["revoked": true])
    }

    private func log(_ call: Call) async throws -> Response {
        try checkReach(call)
        let after = try call.text("cursor").map { text in
            let parts = text.split(separator: "-").compactMap { Int64($0) }
            guard parts.count == 2 else { throw ApiProblem.invalidCursor }
            return parts
        }
        let limit = try call.limit()
        let rows = try await archive.log(after: after, limit: limit + 1)
        let items = rows.prefix(limit).compactMap(AuditDocument.init)
        let next = rows.count > limit ? items.last.map { "\($0.micros)-\($0.number)" } : nil
        return try JSONBody.response(Page(items: items, nextCursor: next))
    }

    private struct MadeToken: Encodable {
        let id: String
        let token: String
        let expires_at: Int64?
    }
}

/// A token as a client orders it.
struct TokenOrder {
    let name: String
    let scopes: Set<Scope>
    let sites: Set<String>?
    let lifetimeSeconds: Int?

    init(_ body: JSONValue) throws {
        var fields = try FieldReader(body)
        guard let name = try fields.text("name"), Self.isName(name) else {
            throw ApiProblem.invalidField("/name", "must be a line of 1 to 64 characters")
        }
        self.name = name
        let words = try fields.words("scopes") ?? []
        let unknown = words.first { Scope.named($0) == nil }
        guard unknown == nil, !words.isEmpty else {
            throw ApiProblem.field("invalid-field", "/scopes", "must name scopes", Scope.words)
        }
        scopes = words.reduce(into: []) { $0.formUnion(Scope.named($1) ?? []) }
        sites = try fields.words("sites").map { Set($0) }
        let days = try fields.whole("expires_days")
        let isForever = try fields.truth("never_expires") ?? false
        try fields.end()
        guard days.map({ (1...3_650).contains($0) && !isForever }) ?? true else {
            throw ApiProblem.invalidField(
                "/expires_days",
                "must be 1 to 3650, or never_expires true"
            )
        }
        lifetimeSeconds = isForever ? nil : Int(days ?? Int64(Limits.tokenDays)) * 86_400
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.count) && !text.contains { $0.isNewline }
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    }
}

/// What a caller is told of itself.
private struct CallerDocument: Encodable {
    let id: String
    let name: String
    let kind: String
    let scopes: [String]
    /// Nil stands for every site.
    let sites: [String]?
    let expiresAt: Int64?
    /// What a session's changes must send along.
    let change: String?

    enum CodingKeys: String, CodingKey {
        case id, name, kind, scopes, sites
        case expiresAt = "expires_at"
        case change = "csrf"
    }

    init(_ grant: Grant, _ session: AccessToken?) {
        (id, name) = (grant.id, grant.name)
        kind = grant.isSession ? "session" : grant.id == Grant.ownerID ? "owner" : "token"
        scopes = grant.scopes.map(\.rawValue).sorted()
        sites = grant.sites?.sorted()
        expiresAt = grant.expiresAt
        change = grant.isSession ? session.map(Gate.changeToken) : nil
    }

    /// What is null says something here, so it is written.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(scopes, forKey: .scopes)
        try container.encode(sites, forKey: .sites)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encodeIfPresent(change, forKey: .change)
    }
}

/// A line of the audit log.
struct AuditDocument: Encodable {
    let micros: Int64
    let number: Int64
    let actor: String
    let actorName: String
    let action: String
    let site: String?
    let visitor: String?
    let subject: String?

    enum CodingKeys: String, CodingKey {
        case actor, action, site, visitor, subject
        case actorName = "actor_name"
        case at
    }

    init?(_ row: ArchiveRow) {
        guard row.count == 8, let micros = row[0].flatMap(Int64.init),
            let number = row[1].flatMap(Int64.init), let actor = row[2], let name = row[3],
            let action = row[4]
        else { return nil }
        (self.micros, self.number, self.actor) = (micros, number, actor)
        (actorName, self.action) = (name, action)
        (site, visitor, subject) = (row[5], row[6], row[7])
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(micros / 1_000, forKey: .at)
        try container.encode(actor, forKey: .actor)
        try container.encode(actorName, forKey: .actorName)
        try container.encode(action, forKey: .action)
        try container.encodeIfPresent(site, forKey: .site)
        try container.encodeIfPresent(visitor, forKey: .visitor)
        try container.encodeIfPresent(subject, forKey: .subject)
    }
}
