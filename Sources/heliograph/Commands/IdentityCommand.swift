import ArgumentParser
import Foundation
import Storage

/// `heliograph identity`
struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity",
        abstract: "Show which browsers are read as one person, and part them.",
        discussion: """
            Browsers become one person when the same user is identified on them, with consent. Each \
            keeps sums of its own, so parting gives back what would be read of it alone, exactly.
            """,
        subcommands: [List.self, Unlink.self, Relink.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show the persons of a site and their browsers."
        )

        @OptionGroup var place: EnginePlace

        @Argument(help: "Name of the site.")
        var site: String

        @Flag(help: "Print JSON.")
        var json = false

        private struct Row: Encodable {
            let identity, visitor, since, cause: String
        }

        func run() throws {
            do {
                let stores = try DataStores(data: place.data, config: place.config)
                defer { stores.close() }
                let rows = try RightsArchive(conninfo: stores.conninfo).members(site: site).map {
                    Row(identity: $0[0], visitor: $0[1], since: $0[2], cause: $0[3])
                }
                let lines = rows.map { "\($0.identity)  \($0.since)  \($0.cause)  \($0.visitor)" }
                Console.line(json ? rows.jsonText : lines.joined(separator: "\n"))
            } catch {
                Console.fail("persons cannot be listed: \(error)", status: 1)
            }
        }
    }

    struct Unlink: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unlink",
            abstract: "Read a browser on its own again.",
            discussion: """
                It stays apart, also when the same user is identified on it once more, until \
                `identity relink` or another user.
                """
        )

        @OptionGroup var parting: PartingArguments

        func run() throws { try parting.run(.part, done: "it is read on its own") }
    }

    struct Relink: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "relink",
            abstract: "Take an unlink back."
        )

        @OptionGroup var parting: PartingArguments

        func run() throws { try parting.run(.rejoin, done: "it is read as part of the person") }
    }
}

/// Which browser is parted from its person, or joined again.
struct PartingArguments: ParsableArguments {
    @OptionGroup var place: EnginePlace

    @Argument(help: "Name of the site.")
    var site: String

    @Argument(help: "Id of the visitor.")
    var visitor: String

    /// Hands the request to the engine and waits until the stores have it.
    func run(_ action: RightsRequest.Action, done: String) throws {
        do {
            let data = Files.absolute(place.data)
            let now = Moment.now
            let request = RightsRequest(
                id: "\(now)-\(String(UInt64.random(in: .min ... .max), radix: 16))",
                action: action,
                site: site,
                requestedAt: now,
                visitors: [visitor],
                users: [],
                hashes: []
            )
            let handed = try HandedRequest(request, data: data)
            Console.line("\(done); receipt: \(try handed.wait(data: data, isSilent: true))")
        } catch {
            Console.fail("the request is not carried out: \(error)", status: 1)
        }
    }
}
