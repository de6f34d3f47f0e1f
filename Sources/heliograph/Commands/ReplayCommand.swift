import ArgumentParser
import Foundation
import Glibc
import Storage
import Telemetry

/// `heliograph replay --rejected`, `heliograph replay --scoring FILE --into NAME`
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send refused events again after a fix, or score the past by another file.",
        discussion: """
            --rejected: refused events are kept with their bytes. Those that decode are sent to the \
            running engine as they came, with the time they came first. What is taken is marked and \
            never sent again; what is refused again stays, with its new reason. Personal data was \
            masked when the event was kept, and stays masked.

            --scoring FILE --into NAME: everything that journal and PostgreSQL still hold is folded \
            by the rules of FILE, and the scores are written to Redis beside the live ones, under \
            keys that begin with shadow:NAME:. Nothing that is live changes. --remove takes them \
            away again.
            """
    )

    /// Rows read from PostgreSQL at a time.
    private static let pageRows = 100
    /// How often a busy engine is asked again for one event.
    private static let triesMaximum = 20

    @Flag(help: "Replay what was refused.")
    var rejected = false

    @Option(help: "Score the past by this scoring file.")
    var scoring: String?

    @Option(help: "Where to put these scores: a name of a-z, 0-9 and -.")
    var into: String?

    @Flag(help: "Take the scores under --into away.")
    var remove = false

    @Option(help: "Configuration file, for --scoring.")
    var config: String?

    @Option(help: "Only events of this site.")
    var site: String?

    @Option(help: "Only events that were refused for this reason, such as key-unknown.")
    var reason: String?

    @Option(help: "Only events since this moment, such as 2026-03-14 or 2026-03-14T09:30:00Z.")
    var since: String?

    @Option(help: "Data folder of the running engine.")
    var data = "var"

    @Flag(help: "Say what would be sent, and send nothing.")
    var dryRun = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard rejected != (scoring != nil || remove) else {
            throw ValidationError("say what to replay: --rejected, or --scoring FILE --into NAME")
        }
        if !rejected, into.map(ShadowReplay.isName) != true {
            throw ValidationError("--into takes a name of a-z, 0-9 and -, 32 letters at most")
        }
        if let since, RFC3339.epochMilliseconds(since) == nil {
            throw ValidationError("--since takes 2026-03-14 or 2026-03-14T09:30:00Z, not \(since)")
        }
    }

    func run() throws {
        if let into { return try shadow(into) }
        do {
            let tally = try replay()
            Console.line(json ? tally.json : tally.text)
            if tally.refused > 0 { throw ExitCode(2) }
        } catch let error as CommandError {
            Console.fail(error.description, status: 1)
        } catch let error as ArchiveError {
            Console.fail("PostgreSQL cannot be asked: \(error)", status: 1)
        }
    }

    private func shadow(_ name: String) throws {
        do {
            let stores = try DataStores(data: data, config: config)
            defer { stores.close() }
            let replay = ShadowReplay(stores: stores, name: name, isSilent: json)
            if remove {
                let count = try replay.remove()
                return Console.line("\(count) keys of shadow:\(name): removed")
            }
            let report = try replay.run(scoring ?? "")
            Console.line(json ? report.json : report.text)
        } catch {
            Console.fail("the past could not be scored: \(error)", status: 1)
        }
    }

    private var filter: RejectedFilter {
        var filter = RejectedFilter()
        (filter.site, filter.reason) = (site, reason)
        filter.since = since.flatMap(RFC3339.epochMilliseconds)
        return filter
    }

    private func replay() throws -> ReplayTally {
        let addresses = try RunningEngine.addresses(data)
        let archive = try RejectedArchive(conninfo: addresses.postgres)
        let client = dryRun ? nil : try client(addresses)
        var tally = ReplayTally(isDryRun: dryRun)
        var last: RejectedRow?
        while true {
            let rows = try archive.rows(filter, after: last, limit: Self.pageRows)
            for row in rows {
                guard let client else {
                    tally.note(row, "would be sent")
                    continue
                }
                let outcome = try send(row, client)
                try archive.mark(row, outcome: outcome)
                tally.note(row, outcome)
            }
            if rows.isEmpty { return tally }
            last = rows.last
            if !json { Console.progress("\(tally.count) events") }
        }
    }

    /// Sends one row until the engine has decided about it.
    private func send(_ row: RejectedRow, _ client: ReplayClient) throws -> String {
        for _ in 0..<Self.triesMaximum {
            let answer = try client.send(row)
            guard answer.isBusy else { return answer.outcome }
            sleep(UInt32(clamping: min(max(answer.retryAfterSeconds, 1), 10)))
        }
        throw CommandError(
            "the engine is too busy; what is left is sent by the next replay"
        )
    }

    private func client(_ addresses: Addresses) throws(CommandError) -> ReplayClient {
        guard let token = ReplayToken.read(from: data) else {
            throw CommandError(
                "\(ReplayToken.path(data)) cannot be read: run as the engine's user"
            )
        }
        return try ReplayClient(ingest: addresses.ingest, token: token)
    }
}

/// What a replay did, by the reason of the refusal and by what became of the events now.
struct ReplayTally {
    let isDryRun: Bool
    private(set) var count = 0
    private(set) var refused = 0
    private var outcomes: [String: [String: Int]] = [:]

    init(isDryRun: Bool) { self.isDryRun = isDryRun }

    mutating func note(_ row: RejectedRow, _ outcome: String) {
        count += 1
        if !isDryRun, outcome != "accepted" { refused += 1 }
        outcomes[row.reason, default: [:]][outcome, default: 0] += 1
    }

    private struct Document: Encodable {
        let replayed: Int
        let refused: Int
        let dryRun: Bool
        let reasons: [String: [String: Int]]

        enum CodingKeys: String, CodingKey {
            case replayed, refused, reasons
            case dryRun = "dry_run"
        }
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let document = Document(
            replayed: count,
            refused: refused,
            dryRun: isDryRun,
            reasons: outcomes
        )
        return String(decoding: (try? encoder.encode(document)) ?? Data(), as: UTF8.self)
    }

    var text: String {
        if count == 0 { return "nothing is waiting to be replayed" }
        let lines = outcomes.sorted { $0.key < $1.key }.map { reason, results in
            let parts = results.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            return "  \(reason): \(parts.joined(separator: ", "))"
        }
        return "\(count) refused events\n" + lines.joined(separator: "\n")
    }
}

extension Console {
    /// Tells how far a long command is; not part of its result.
    static func progress(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
