import ArgumentParser
import Companion
import Foundation
import Settings
import Telemetry

/// `heliograph token …`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look after the tokens that open the companion's API.",
        discussion: """
            A token goes into the header `Authorization: Bearer hgt_...`. Only its digest is kept, so it \
            is shown once. A running engine takes a change up within two seconds.
            """,
        subcommands: [CreateCommand.self, ListCommand.self, RevokeCommand.self]
    )

    /// `heliograph token create`
    struct CreateCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a token and show it, once.",
            discussion: """
                Scopes: \(Scope.words.joined(separator: ", ")). `read` is every scope that reads; viewer, \
                analyst, operator and owner are roles.
                """
        )

        @OptionGroup var place: EnginePlace

        @Option(help: "What it is for, in a few words.")
        var name: String

        @Option(help: "What it may do; may be repeated.")
        var scope: [String] = ["read"]

        @Option(help: "A site it may see; may be repeated. Without one, every site.")
        var site: [String] = []

        @Option(help: "Days that it is good.")
        var expiresDays = Limits.tokenDays

        @Flag(help: "It is good until it is revoked.")
        var neverExpires = false

        @Flag(help: "Print JSON.")
        var json = false

        private struct Made: Encodable {
            let id: String
            let token: String
            let scopes: [String]
        }

        func run() throws {
            let scopes = try wantedScopes()
            guard (1...3_650).contains(expiresDays) else {
                Console.fail("--expires-days takes 1 to 3650", status: 64)
            }
            try withDesk(place) { desk, settings in
                if let unknown = site.first(where: { name in
                    !settings.sites.contains { $0.name == name }
                }) {
                    throw CommandError("there is no site \(unknown) in the configuration")
                }
                let (id, token) = try desk.make(
                    name: name,
                    scopes: scopes,
                    sites: site.isEmpty ? nil : Set(site),
                    days: neverExpires ? nil : expiresDays
                )
                let made = Made(
                    id: id,
                    token: token.expose { $0 },
                    scopes: scopes.map(\.rawValue).sorted()
                )
                if json { return Console.line(made.jsonText) }
                Console.note("token \(id) for \(made.scopes.joined(separator: ", ")), shown once:")
                Console.line(made.token)
            }
        }

        private func wantedScopes() throws -> Set<Scope> {
            try scope.reduce(into: []) { scopes, word in
                guard let named = Scope.named(word) else {
                    let known = Scope.words.joined(separator: ", ")
                    throw ValidationError("there is no scope \(word); known are \(known)")
                }
                scopes.formUnion(named)
            }
        }
    }

    /// `heliograph token list`
    struct ListCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the tokens, newest first; never their secrets."
        )

        @OptionGroup var place: EnginePlace

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            try withDesk(place) { desk, _ in
                let tokens = try desk.list()
                if json { return Console.line(tokens.jsonText) }
                tokens.forEach { Console.line(Self.line($0)) }
            }
        }

        private static func line(_ token: TokenDocument) -> String {
            let state = token.revokedAt.map { "revoked \(moment($0))" }
            let end = token.expiresAt.map { "expires \(moment($0))" } ?? "never expires"
            let used = token.usedAt.map { "used \(moment($0))" } ?? "never used"
            return "\(token.id)  \(token.name)\n  \(token.scopes.joined(separator: ", ")) on "
                + "\(token.sites?.joined(separator: ", ") ?? "every site"); \(state ?? end); \(used)"
        }

        private static func moment(_ milliseconds: Int64) -> String {
            RFC3339.text(epochMilliseconds: milliseconds)
        }
    }

    /// `heliograph token revoke`
    struct RevokeCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Make a token, and the sessions that it opened, worthless."
        )

        @OptionGroup var place: EnginePlace

        @Argument(help: "The token's id, as `token list` shows it.")
        var id: String

        func run() throws {
            try withDesk(place) { desk, _ in
                guard try desk.revoke(id) else {
                    throw CommandError("no token that is good is called \(id)")
                }
                Console.line(
                    "token \(id) is revoked; a running engine refuses it within two seconds"
                )
            }
        }
    }
}

/// Hands over a desk at the engine's PostgreSQL, which is started where no engine runs.
private func withDesk(
    _ place: EnginePlace,
    _ body: (inout TokenDesk, HeliographSettings) throws -> Void
) throws {
    do {
        let stores = try DataStores(data: place.data, config: place.config)
        defer { stores.close() }
        var desk = TokenDesk(Secret(stores.conninfo))
        try body(&desk, stores.settings)
    } catch {
        Console.fail("\(error)", status: 1)
    }
}
