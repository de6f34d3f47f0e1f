import Settings
public import Telemetry

/// Tokens as an operator's command looks after them, without a running companion. Blocking.
public struct TokenDesk: ~Copyable {
    /// Why a command could not be carried out, with what to do about it.
    public struct Failure: Error, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    private var connection: ThreadConnection
    /// Whoever may run the command may do everything.
    private let maker = Grant.owner

    /// A desk at the PostgreSQL of `conninfo`.
    public init(_ conninfo: Secret) { connection = ThreadConnection(conninfo, .writes) }

    /// Makes a token; returns its text, to be shown once. Nil for `sites` stands for all of them, nil for
    /// `days` for ever.
    public mutating func make(
        name: String,
        scopes: Set<Scope>,
        sites: Set<String>?,
        days: Int?
    ) throws(Failure) -> (id: String, token: Secret) {
        guard TokenOrder.isName(name) else {
            throw Failure(description: "a name is a line of 1 to 64 characters")
        }
        let token = AccessToken(.token)
        let draft = AccessArchive.Draft(
            name: name,
            scopes: scopes,
            sites: sites,
            lifetimeSeconds: days.map { $0 * 86_400 },
            maker: maker
        )
        _ = try ask(AccessArchive.making(token, draft))
        return (token.id, token.secret)
    }

    /// Revokes a token; false when there is none of this id that is good.
    public mutating func revoke(_ id: String) throws(Failure) -> Bool {
        try !ask([AccessArchive.revocation(id, .token, maker)])[0].isEmpty
    }

    /// All tokens, newest first.
    public mutating func list() throws(Failure) -> [TokenDocument] {
        try ask([ArchiveQuery(AccessStatements.list)])[0].compactMap(TokenDocument.init)
    }

    private mutating func ask(_ queries: [ArchiveQuery]) throws(Failure) -> [[ArchiveRow]] {
        do throws(ArchiveFailure) { return try connection.ask(queries) } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: ArchiveFailure) -> Failure {
        // 42P01 undefined_table, 3F000 invalid_schema_name.
        if error == .refused("42P01") || error == .refused("3F000") {
            return Failure(
                description: "the database has no table of tokens yet: start `heliograph up` once"
            )
        }
        return Failure(description: "PostgreSQL did not do it: \(error)")
    }
}
