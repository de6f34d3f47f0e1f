import ArgumentParser
import Companion
import Foundation
import Scoring
import Storage
import Telemetry

/// `heliograph score explain`
struct ScoreExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell why a visitor's score is what it is: every term, and what was measured.",
        discussion: """
            The terms are worked out from the sums in Redis as of now, or --at a later moment, by the \
            code that scores. For a moment that has passed the visitor's records are folded anew from \
            the journal, or from PostgreSQL's rows. Several visitors are scored as if they were one.
            """
    )

    @Argument(help: "Id of the visitor; of several, to score them as one.")
    var visitors: [String]

    @Option(help: "Name of the site; may be left out when there is only one.")
    var site: String?

    @Option(help: "The moment, such as 2026-03-14T09:30:00Z; now without it.")
    var at: String?

    @OptionGroup var place: EnginePlace

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        if let at, RFC3339.epochMilliseconds(at) == nil {
            throw ValidationError("--at takes 2026-03-14 or 2026-03-14T09:30:00Z, not \(at)")
        }
    }

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let document = try explain(stores)
            Console.line(json ? document.jsonText : ExplanationText(document).text)
        } catch {
            Console.fail("the score cannot be explained: \(error)", status: 1)
        }
    }

    private func explain(_ stores: DataStores) throws -> ExplanationDocument {
        let site = try siteName(stores)
        let models = try stores.models()
        let model = models.latest
        let finder = StateFinder(stores: stores, models: models, isSilent: json)
        let moment = at.flatMap(RFC3339.epochMilliseconds)
        let isOne = visitors.count == 1
        let states = try visitors.map {
            try finder.state(site: site, visitor: $0, at: moment, asPerson: isOne)
        }
        guard let first = states.first else { throw CommandError("no visitor is named") }
        let state = states.dropFirst().reduce(first) { $0.merged(with: $1, model) }
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        return ExplanationDocument(
            site: site,
            visitor: visitors.joined(separator: " "),
            state: state,
            at: moment ?? max(now, state.updatedAt),
            model
        )
    }

    private func siteName(_ stores: DataStores) throws(CommandError) -> String {
        let names = stores.settings.sites.map(\.name)
        if let site {
            guard names.contains(site) else { throw CommandError("there is no site \(site)") }
            return site
        }
        guard let only = names.first, names.count == 1 else {
            throw CommandError("name the site with --site: \(names.joined(separator: ", "))")
        }
        return only
    }
}

/// An explanation as an operator reads it.
struct ExplanationText {
    private let document: ExplanationDocument

    init(_ document: ExplanationDocument) { self.document = document }

    var text: String {
        (head + terms + sum + profile + silence + next).joined(separator: "\n")
    }

    private var head: [String] {
        [
            "\(document.visitor) on \(document.site): \(Self.fixed(document.score, 1)), "
                + "\(document.band)",
            "  at \(RFC3339.text(epochMilliseconds: document.asOf)), model \(document.model)", "",
            "  log-odds  score without it",
            "  \(Self.signed(document.base))                nobody known",
        ]
    }

    private var terms: [String] {
        document.contributions.map { part in
            let without = Self.padded(Self.fixed(part.scoreWithout, 1), 8)
            let words = "\(part.label): \(part.sentence)"
            return "  \(Self.signed(part.logOdds))    \(without)    \(words)"
        }
    }

    private var sum: [String] {
        [
            "  " + Self.signed(document.sum) + "              sum; 100 / (1 + e^-sum) = "
                + Self.fixed(document.score, 1)
        ]
    }

    private var profile: [String] {
        let likely = document.probabilities.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let chances = likely.prefix(3).map { "\($0.key) \(Self.fixed($0.value, 2))" }
        let parts = document.profileTerms.map {
            "  \(Self.signed($0.logOdds))    \($0.name)"
        }
        let head =
            "  profile \(document.profile), confidence \(Self.fixed(document.confidence, 2)); "
            + chances.joined(separator: ", ")
        guard let first = likely.first, !parts.isEmpty else { return ["", head] }
        return ["", head, "  what speaks for and against \(first.key):"] + parts
    }

    private var silence: [String] {
        if document.notMeasured.isEmpty { return [] }
        return ["", "  not measured:"]
            + document.notMeasured.map { "    \($0.signal): \($0.reason)" }
    }

    private var next: [String] {
        document.next.isEmpty
            ? []
            : ["", "  if nothing happens:"] + document.next.map { "    \($0.band) from \($0.at)" }
    }

    private static func fixed(_ number: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", number)
    }

    private static func signed(_ number: Double) -> String {
        padded(String(format: "%+.4f", number), 8)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}
