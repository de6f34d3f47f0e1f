import ArgumentParser
import Bytes
import Companion
import Foundation
import Records
import Scoring
import Settings

/// `heliograph score means`
struct ScoreMeansCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "means",
        abstract: "Measure what is usual for a site's visitors, and write it into a scoring file.",
        discussion: """
            Profiles are told by how far a visitor stands from the usual value of each signal. Told \
            are the means over the visitors in Redis, each as of its last record, beside the values \
            of the scoring file. --write puts a copy of the file with these means at a new path; \
            everything else in it stays, comments too. It is another model: hold it against the live \
            one with `score compare --with`, then put it in place. Nothing changes by itself.
            """
    )

    @Option(help: "Name of the site; all of them without it.")
    var site: String?

    @Option(help: "Visitors that a signal must have been measured of for its mean to count.")
    var minimum = 100

    @Option(help: "Where to write a scoring file with these means; must not be there yet.")
    var write: String?

    @OptionGroup var place: EnginePlace

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let means = try measure(stores)
            if let write { try save(means, stores, to: write) }
            Console.line(json ? means.jsonText : means.text)
        } catch {
            Console.fail("the means cannot be measured: \(error)", status: 1)
        }
    }

    private func measure(_ stores: DataStores) throws -> SiteMeans {
        if let site, !stores.settings.sites.contains(where: { $0.name == site }) {
            throw CommandError("there is no site \(site)")
        }
        let file = try stores.loadScoring()
        let model = ScoringModel(file)
        var means = SiteMeans(site: site ?? "all sites", file: file, minimum: minimum)
        let scan = try LiveModelScan(
            url: stores.redisURL,
            keyPrefix: stores.settings.redis.keyPrefix
        )
        try scan.visitors { entry in
            guard site == nil || entry.site == site,
                let state = entry.state.withUnsafeBytes({ PackedState(ByteView($0)) })
            else { return }
            means.take(state.explanation(at: state.updatedAt, model))
        }
        return means
    }

    private func save(_ means: SiteMeans, _ stores: DataStores, to path: String) throws {
        guard access(path, F_OK) != 0 else { throw CommandError("\(path) is there already") }
        let text = means.rewritten(try SettingsText.read(stores.settings.scoringFile))
        let written = try ScoringFile.parse(text, file: path)
        guard means.agrees(with: written) else {
            throw CommandError(
                "profiles.signals is not written with a line for each signal; set the means by hand"
            )
        }
        try Files.write(text, to: path, mode: 0o644)
    }
}

/// What is usual for visitors: the mean of each signal over those of whom it was measured.
struct SiteMeans: Encodable {
    /// One signal's mean.
    struct Mean: Encodable {
        let signal: String
        let usual: Double
        var visitors = 0
        var mean = 0.0
        /// What a file with these means holds: the mean, or what was usual where too few were measured.
        var next = 0.0
    }

    private let site: String
    private let minimum: Int
    private(set) var visitors = 0
    private(set) var signals: [Mean]

    init(site: String, file: ScoringFile, minimum: Int) {
        (self.site, self.minimum) = (site, minimum)
        signals = zip(Signal.allCases, file.profiles.signals).map { signal, row in
            Mean(signal: signal.name, usual: row.usual, next: row.usual)
        }
    }

    /// Takes one visitor in.
    mutating func take(_ explanation: Explanation) {
        visitors += 1
        for part in explanation.parts where part.isMeasured {
            let index = Int(part.signal.rawValue)
            signals[index].visitors += 1
            let apart = part.value - signals[index].mean
            signals[index].mean += apart / Double(signals[index].visitors)
            if signals[index].visitors >= minimum {
                signals[index].next = (signals[index].mean * 10_000).rounded() / 10_000
            }
        }
    }

    /// The text of a scoring file with these means in the rows of `profiles.signals`.
    func rewritten(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let trimmed = line.drop { $0 == " " }
            for mean in signals where trimmed.hasPrefix("\(mean.signal): [") {
                guard let comma = trimmed.firstIndex(of: ",") else { break }
                let indent = line.prefix(line.count - trimmed.count)
                return "\(indent)\(mean.signal): [\(mean.next)\(trimmed[comma...])"
            }
            return String(line)
        }
        return lines.joined(separator: "\n")
    }

    func agrees(with file: ScoringFile) -> Bool {
        zip(signals, file.profiles.signals).allSatisfy { $0.next == $1.usual }
    }

    var text: String {
        let head = [
            "\(site): \(ProgressBar.grouped(visitors)) visitors",
            "  signal                    usual     mean  visitors",
        ]
        let rows = signals.map { mean in
            let name = mean.signal + String(repeating: " ", count: 22 - mean.signal.utf8.count)
            let found = mean.visitors > 0 ? Figure.fixed(mean.mean, 4) : "–"
            let note = mean.visitors < minimum ? "  too few, stays" : ""
            return "  \(name)\(Figure.padded(Figure.fixed(mean.usual, 4), 9))"
                + "\(Figure.padded(found, 9))\(Figure.padded("\(mean.visitors)", 10))\(note)"
        }
        return (head + rows).joined(separator: "\n")
    }
}
