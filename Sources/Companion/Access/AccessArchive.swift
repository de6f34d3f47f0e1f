import Foundation
import Settings

/// Credentials and the audit log in PostgreSQL.
struct AccessArchive: Sendable {
    /// A credential that is to be made.
    struct Draft: Sendable {
        let name: String
        let scopes: Set<Scope>
        let sites: Set<String>?
        /// Nil stands for never.
        let lifetimeSeconds: Int?
        var parent: String?
        /// Who makes it: the public part of a credential, or `owner`.
        let maker: Grant
    }

    /// What is stored of a credential that may be used.
    struct Found: Sendable {
        let digest: [UInt8]
        let grant: Grant
        /// Whether its last use is to be noted again.
        let isUseDue: Bool
    }

    /// One thread that may write, so that a slow question of somebody keeps nobody from being let in.
    let writers: ArchiveReaders

    func find(_ token: AccessToken) async throws -> Found? {
        let idle = "\(Limits.sessionIdleSeconds)"
        let query = ArchiveQuery(AccessStatements.find, [token.id, token.kind.rawValue, idle])
        return try await writers.ask([query])[0].first.flatMap { Self.found($0, token) }
    }

    func noteUse(_ id: String) async throws {
        _ = try await writers.ask([ArchiveQuery(AccessStatements.touch, [id])])
    }

    /// Stores a new credential and notes who made it, both or neither. Returns when it expires.
    func make(_ token: AccessToken, _ draft: Draft) async throws -> Int64? {
        let rows = try await writers.ask(Self.making(token, draft))
        return rows[0].first?[0].flatMap(Int64.init)
    }

    static func making(_ token: AccessToken, _ draft: Draft) -> [ArchiveQuery] {
        let parameters: [String?] = [
            token.id, token.kind.rawValue, draft.name,
            token.digest.map { String(format: "%02x", $0) }.joined(),
            lines(draft.scopes.map(\.rawValue)), draft.sites.map { lines($0) },
            draft.lifetimeSeconds.map { "\($0)" }, draft.parent, draft.maker.id,
        ]
        let action = token.kind == .token ? "token-created" : "signed-in"
        return [
            ArchiveQuery(AccessStatements.make, parameters),
            change(draft.maker, action, token.id),
        ]
    }

    /// Whether there was such a credential that was not revoked yet.
    func revoke(_ id: String, _ kind: AccessToken.Kind, by grant: Grant) async throws -> Bool {
        try await !writers.ask([Self.revocation(id, kind, grant)])[0].isEmpty
    }

    static func revocation(_ id: String, _ kind: AccessToken.Kind, _ grant: Grant) -> ArchiveQuery {
        let action = kind == .token ? "token-revoked" : "signed-out"
        return ArchiveQuery(
            AccessStatements.revoke,
            [id, kind.rawValue, grant.id, grant.name, action]
        )
    }

    static func change(_ grant: Grant, _ action: String, _ subject: String?) -> ArchiveQuery {
        ArchiveQuery(AccessStatements.noteChange, [grant.id, grant.name, action, subject])
    }

    func list() async throws -> [TokenDocument] {
        try await writers.ask([ArchiveQuery(AccessStatements.list)])[0].compactMap(
            TokenDocument.init
        )
    }

    /// Rows of the log, newest first, behind `after`: microseconds and number of a row.
    func log(after: [Int64]?, limit: Int) async throws -> [ArchiveRow] {
        let parameters = [after.map { "\($0[0])" }, after.map { "\($0[1])" }, "\(limit)"]
        return try await writers.ask([ArchiveQuery(AccessStatements.audit, parameters)])[0]
    }

    func trim() async throws {
        let days = ["\(Limits.auditDays)"]
        _ = try await writers.ask([
            ArchiveQuery(AccessStatements.trimCredentials, days),
            ArchiveQuery(AccessStatements.trimAudit, days),
            ArchiveQuery(AccessStatements.trimReads, days),
        ])
    }

    // MARK: - Rows

    private static func lines(_ words: some Sequence<String>) -> String {
        words.sorted().joined(separator: "\n")
    }

    private static func found(_ row: ArchiveRow, _ token: AccessToken) -> Found? {
        guard row.count == 6, let digest = row[0].flatMap(bytes), let name = row[1],
            let scopes = row[2]
        else { return nil }
        let grant = Grant(
            id: token.id,
            name: name,
            scopes: TokenDocument.scopes(scopes),
            sites: row[3].map { Set(TokenDocument.words($0)) },
            expiresAt: row[4].flatMap(Int64.init),
            isSession: token.kind == .session
        )
        return Found(digest: digest, grant: grant, isUseDue: row[5] == "t")
    }

    /// Bytes as PostgreSQL writes them: `\x` and hexadecimal digits.
    private static func bytes(_ text: String) -> [UInt8]? {
        guard text.hasPrefix("\\x") else { return nil }
        let digits = Array(text.dropFirst(2).utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
    }
}

/// A token as it is listed; never with its secret.
public struct TokenDocument: Encodable, Sendable {
    /// The part that names it.
    public let id: String
    /// What its maker called it.
    public let name: String
    /// What it may do.
    public let scopes: [String]
    /// Where; nil stands for every site.
    public let sites: [String]?
    /// Epoch milliseconds.
    public let createdAt: Int64
    /// Nil stands for never.
    public let expiresAt: Int64?
    /// To the minute; nil when it was never used.
    public let usedAt: Int64?
    /// Nil while it is good.
    public let revokedAt: Int64?
    /// Who made it.
    public let createdBy: String

    enum CodingKeys: String, CodingKey {
        case id, name, scopes, sites
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case usedAt = "used_at"
        case revokedAt = "revoked_at"
        case createdBy = "created_by"
    }

    /// What is null says something here, so it is written.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(scopes, forKey: .scopes)
        try container.encode(sites, forKey: .sites)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encode(usedAt, forKey: .usedAt)
        try container.encode(revokedAt, forKey: .revokedAt)
        try container.encode(createdBy, forKey: .createdBy)
    }

    init?(_ row: ArchiveRow) {
        guard row.count == 9, let id = row[0], let name = row[1], let scopes = row[2],
            let createdAt = row[4].flatMap(Int64.init), let createdBy = row[8]
        else { return nil }
        (self.id, self.name, self.createdAt, self.createdBy) = (id, name, createdAt, createdBy)
        self.scopes = Self.words(scopes)
        sites = row[3].map(Self.words)
        expiresAt = row[5].flatMap(Int64.init)
        usedAt = row[6].flatMap(Int64.init)
        revokedAt = row[7].flatMap(Int64.init)
    }

    static func words(_ lines: String) -> [String] { lines.split(separator: "\n").map(String.init) }

    static func scopes(_ lines: String) -> Set<Scope> {
        Set(words(lines).compactMap(Scope.init(rawValue:)))
    }
}
