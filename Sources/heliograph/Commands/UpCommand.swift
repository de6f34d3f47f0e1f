import ArgumentParser
import Bytes
import Delivery
import Glibc
import Intake
import Logging
import Settings
import Telemetry

/// `heliograph up`: all roles in one process.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run everything: ingest, scoring, stores and the companion.",
        discussion: """
            Takes beacons at the ingest address and shows the Hub at the companion's. Where the \
            configuration names no Redis or PostgreSQL, private servers are started under the data \
            folder and stopped with the program. Ctrl-C finishes what was accepted and ends within \
            ten seconds; a second Ctrl-C ends at once, and the next start recovers from the journal.
            """
    )

    @Option(
        help: "Configuration file. Without it config/heliograph.yaml is taken, if there is one."
    )
    var config: String?

    @Option(help: "Folder for the journal, checkpoints and private stores.")
    var data = "var"

    @Flag(help: "Print the addresses as JSON once the engine is up.")
    var json = false

    func run() throws {
        CoreDumps.forbid()
        let settings: HeliographSettings
        do {
            settings = try HeliographSettings.load(path: config)
        } catch {
            Console.fail("\(error)", status: 78)
        }
        let log = LineLog.logger(
            "heliograph",
            format: settings.log.format,
            level: settings.log.level
        )
        do {
            let engine = try Engine(
                settings: settings,
                path: config,
                dataDirectory: data,
                log: log
            )
            try engine.start()
            Console.show(engine.addresses.printable(settings), json: json)
            if !json { Console.showWelcome(engine.welcomeAddress) }
            ServiceManager.tell("READY=1")
            let status = engine.runUntilStopped()
            if status != 0 { throw ExitCode(status) }
        } catch let error as StartError {
            Console.fail(error.description, status: 1)
        }
    }
}

/// `heliograph config …`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Look after the configuration.",
        subcommands: [CheckCommand.self]
    )

    /// `heliograph config check`
    struct CheckCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check the configuration and the scoring file; name every problem by line."
        )

        @Argument(help: "Configuration file. Without it config/heliograph.yaml is checked.")
        var file: String?

        func run() throws {
            do {
                let settings = try HeliographSettings.load(path: file)
                _ = try ScoringFile.load(path: settings.scoringFile)
                if let tls = settings.ingest.edge.tls {
                    try TLSContext(tls.certificates).warnings.forEach(Console.line)
                }
                let problems = Self.secretProblems(settings)
                if !problems.isEmpty {
                    Console.fail(problems.joined(separator: "\n"), status: 78)
                }
                Console.line("configuration and scoring file are fine")
            } catch {
                Console.fail("\(error)", status: 78)
            }
        }

        /// Destinations whose secrets are not where the settings say; they would stand still.
        private static func secretProblems(_ settings: HeliographSettings) -> [String] {
            settings.sites.flatMap { site in
                site.destinations.compactMap { destination in
                    do throws(SecretSource.Failure) {
                        _ = try Destinations.make(site, destination)
                        return nil
                    } catch {
                        return "site \(site.name), destination \(destination.name): \(error)"
                    }
                }
            }
        }
    }
}

/// What a person at a terminal sees. Standard output is for results, standard error for the rest.
enum Console {
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line on standard error.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Results that are bytes already.
    static func write(_ bytes: ByteView) { write(bytes.buffer, to: STDOUT_FILENO) }

    /// Says what went wrong and ends the process.
    static func fail(_ text: String, status: Int32) -> Never {
        write("heliograph: " + text + "\n", to: STDERR_FILENO)
        exit(status)
    }

    static func show(_ addresses: Addresses, json: Bool) {
        if json { return line(addresses.json) }
        line(
            """

            Heliograph is up.
              Hub          \(addresses.companion)/      (signed in by the address below)
              demo shop    \(addresses.companion)/demo/
              ingest       \(addresses.ingest)/v1/e      (snippet: \(addresses.ingest)/hg.js)
              metrics      \(addresses.ingest)/metrics
            Open the shop in one window and the Hub in another. Ctrl-C stops.
            """
        )
    }

    /// How the first browser gets in.
    static func showWelcome(_ address: String) {
        line(
            """
            Sign in within 15 minutes, with one browser:
              \(address)
            """
        )
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var copy = text
        copy.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, start + done, bytes.count - done)
            if count <= 0 { return }
            done += count
        }
    }
}
