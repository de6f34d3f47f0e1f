import ArgumentParser
import Settings
import Storage
import Telemetry

/// `heliograph delivery …`
struct DeliveryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delivery",
        abstract: "Look after what destinations are to be told.",
        discussion: """
            States: pending, sending, retry, delivered, in_doubt (nobody knows whether it arrived), dead \
            (refused; see code and reason), expired, held (waits for a person: release or cancel), \
            cancelled.
            """,
        subcommands: [
            DeliveryListCommand.self, DeliveryReleaseCommand.self, DeliveryRetryCommand.self,
            DeliveryCancelCommand.self,
        ]
    )
}

/// Which deliveries a command is about.
struct DeliveryChoice: ParsableArguments {
    @OptionGroup var place: EnginePlace

    @Option(help: "Number of a delivery, from the list; may be repeated.")
    var id: [Int64] = []

    @Option(help: "Site.")
    var site = ""

    @Option(help: "Destination, by its name in the settings.")
    var destination = ""

    @Option(help: "The platform's code, such as 100/2804050.")
    var code = ""

    func filter(_ states: [String]) -> OutboxFilter {
        var filter = OutboxFilter()
        (filter.ids, filter.site, filter.destination) = (id, site, destination)
        (filter.code, filter.states) = (code, states)
        return filter
    }

    var isEmpty: Bool { id.isEmpty && site.isEmpty && destination.isEmpty && code.isEmpty }

    func open() -> OutboxDesk {
        do {
            let settings = try HeliographSettings.load(path: place.config)
            let url =
                try settings.postgres.url ?? Secret(RunningEngine.addresses(place.data).postgres)
            return try url.expose { try OutboxDesk(conninfo: $0) }
        } catch {
            Console.fail("\(error)", status: 69)
        }
    }
}

/// `heliograph delivery list`
struct DeliveryListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List deliveries, the oldest first."
    )

    @OptionGroup var choice: DeliveryChoice

    @Option(help: "State; may be repeated. Without one: held, dead and in_doubt.")
    var state: [String] = []

    @Option(help: "At most so many.")
    var limit = 100

    @Option(help: "Only those behind this number.")
    var after: Int64 = 0

    @Flag(help: "Print JSON.")
    var json = false

    private struct Row: Encodable {
        let id: Int64
        let site, destination, conversion, state, occurredAt, dueAt: String
        let code, reason, trace: String
        let attempts, doubts: Int
    }

    func run() throws {
        let states = state.isEmpty ? ["held", "dead", "in_doubt"] : state
        let lines: [OutboxLine]
        do {
            lines = try choice.open().lines(choice.filter(states), after: after, limit: limit)
        } catch {
            Console.fail("\(error)", status: 69)
        }
        if json { return Console.line(lines.map(Self.row).jsonText) }
        for line in lines {
            Console.line(
                "\(line.id)  \(line.state)  \(line.site) → \(line.destination)  \(line.conversionID)  "
                    + "\(line.occurredAt)  \(line.attempts) sent, \(line.doubts) in doubt  "
                    + [line.code, line.reason].filter { !$0.isEmpty }.joined(separator: ": ")
            )
        }
        if lines.isEmpty { Console.line("none") }
    }

    private static func row(_ line: OutboxLine) -> Row {
        Row(
            id: line.id,
            site: line.site,
            destination: line.destination,
            conversion: line.conversionID,
            state: line.state,
            occurredAt: line.occurredAt,
            dueAt: line.dueAt,
            code: line.code,
            reason: line.reason,
            trace: line.trace,
            attempts: line.attempts,
            doubts: line.doubts
        )
    }
}

/// A change that a person has to confirm, with what it would do said first.
private enum DeliveryChange {
    static func make(
        _ choice: DeliveryChoice,
        _ states: [String],
        isConfirmed: Bool,
        warning: String,
        _ body: (OutboxDesk, OutboxFilter) throws(ArchiveError) -> Int
    ) {
        let filter = choice.filter(states)
        let desk = choice.open()
        do throws(ArchiveError) {
            let counts = try desk.counts(filter)
            for count in counts {
                Console.line(
                    "\(count.site) → \(count.destination): \(count.rows) \(count.state), "
                        + "\(count.doubtful) of which may have arrived"
                )
            }
            if counts.isEmpty { return Console.line("none") }
            guard isConfirmed else {
                Console.line("\(warning)\nNothing has changed. Say --yes to do it.")
                return
            }
            Console.line("\(try body(desk, filter)) changed")
        } catch {
            Console.fail("\(error)", status: 69)
        }
    }
}

/// `heliograph delivery release`
struct DeliveryReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Send what was held after the database had been set back."
    )

    @OptionGroup var choice: DeliveryChoice

    @Flag(help: "Do it; without this flag the command says what it would do.")
    var yes = false

    func run() {
        DeliveryChange.make(
            choice,
            ["held"],
            isConfirmed: yes,
            warning:
                "Each was sent before, and whether it arrived is unproved: a second copy may count.",
            { desk, filter throws(ArchiveError) in try desk.sendAgain(filter) }
        )
    }
}

/// `heliograph delivery retry`
struct DeliveryRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send again what was refused, after the cause is mended, or what is in doubt."
    )

    @OptionGroup var choice: DeliveryChoice

    @Flag(help: "Those in doubt as well: a second copy may count.")
    var inDoubt = false

    @Flag(help: "Do it; without this flag the command says what it would do.")
    var yes = false

    func run() {
        DeliveryChange.make(
            choice,
            inDoubt ? ["dead", "in_doubt"] : ["dead"],
            isConfirmed: yes,
            warning: "They are judged again before they are sent: what is too old by then expires.",
            { desk, filter throws(ArchiveError) in try desk.sendAgain(filter) }
        )
    }
}

/// `heliograph delivery cancel`
struct DeliveryCancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End deliveries unsent."
    )

    @OptionGroup var choice: DeliveryChoice

    @Option(help: "State; may be repeated. Without one: held.")
    var state: [String] = []

    @Flag(help: "Do it; without this flag the command says what it would do.")
    var yes = false

    func run() {
        DeliveryChange.make(
            choice,
            state.isEmpty ? ["held"] : state,
            isConfirmed: yes,
            warning: "They will not be sent, and what was sealed for them is removed.",
            { desk, filter throws(ArchiveError) in try desk.cancel(filter) }
        )
    }
}
