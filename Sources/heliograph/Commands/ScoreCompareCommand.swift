import ArgumentParser
import Foundation
import Loop
import Records
import Scoring
import Storage
import Units

/// What `score compare` and `score backtest` are asked.
struct ContestArguments: ParsableArguments {
    @Option(help: "The other scoring file.")
    var with: String

    @Option(help: "Events of a session after which both are asked what will happen.")
    var landmark = 5

    @Option(help: "Hours from there within which a conversion counts.")
    var horizonHours = 24

    @OptionGroup var place: EnginePlace

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(landmark), (1...24 * 90).contains(horizonHours) else {
            throw ValidationError("--landmark is 1 to 10000, --horizon-hours 1 to 2160")
        }
    }

    /// Folds all of the past by both files.
    func contest() throws -> ContestResult {
        let running = try RunningContest(self)
        defer { running.close() }
        return running.result
    }
}

/// Two files over the same records: all of the past, and then whatever comes.
final class RunningContest {
    /// Whether an engine works on the folder, so that anything can come.
    var isEngineRunning: Bool { stores.isEngineRunning }

    private let stores: DataStores
    private let fold: OfflineFold
    private let contest: ModelContest
    private let names: (live: String, other: String)

    /// Folds the past.
    init(_ arguments: ContestArguments) throws {
        stores = try DataStores(data: arguments.place.data, config: arguments.place.config)
        let file = try stores.loadScoring()
        let (live, other) = (
            ScoringModel(file), ScoringModel(try stores.loadScoring(arguments.with))
        )
        names = (live.name, other.name)
        let progress = Owned(ProgressBar(isSilent: arguments.json))
        let rows = try EventRows(conninfo: stores.conninfo)
        fold = try OfflineFold(
            stores,
            rows,
            models: ModelTimeline(live),
            mayUseCheckpoints: false
        ) {
            progress.value.update($0)
        }
        fold.beside = FoldSet(model: other, worker: 0, of: 1)
        contest = ModelContest(
            ModelContest.Rules(
                landmarkEvents: arguments.landmark,
                horizonMilliseconds: Int64(arguments.horizonHours) * 3_600_000
            ),
            conversions: file.conversions
        )
        progress.value.begin("folding twice", unit: "records", total: fold.estimatedRecords)
        try fold.run(upTo: try lastDurable() ?? .max) { [contest] step in
            if let effect = step.beside { contest.take(step, other: effect) }
        }
        progress.value.end(fold.report.records)
    }

    /// Folds what has come since.
    func follow() throws {
        guard let bound = try lastDurable() else { return }
        try fold.follow(upTo: bound) { [contest] step in
            if let effect = step.beside { contest.take(step, other: effect) }
        }
    }

    /// Number of the last record that a running engine has on the disk.
    private func lastDurable() throws -> UInt64? {
        guard stores.isEngineRunning else { return nil }
        let addresses = try RunningEngine.addresses(stores.data)
        return try RunningEngine.metric("heliograph_journal_sequence", addresses)
            .map(UInt64.init)
    }

    var result: ContestResult {
        ContestResult(
            contest: contest,
            live: names.live,
            other: names.other,
            foldedFrom: fold.origin.rawValue,
            missing: fold.report.recordsMissing
        )
    }

    func close() { stores.close() }
}

/// Both files' scores of all of the past.
struct ContestResult {
    let contest: ModelContest
    let live: String
    let other: String
    let foldedFrom: String
    /// Records that neither rows nor the journal hold any more.
    let missing: UInt64

    /// What either foretold of the examples.
    func figures(
        of examples: [ModelContest.Example]
    ) -> (live: ContestFigures, other: ContestFigures) {
        (
            ContestFigures(examples.map { ($0.live, $0.hasConverted) }),
            ContestFigures(examples.map { ($0.other, $0.hasConverted) })
        )
    }
}

/// `heliograph score compare`
struct ScoreCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Hold another scoring file against the live one, over everything that happened.",
        discussion: """
            All of the past that journal and rows hold is folded once and scored by both files. Told \
            are how well either foretells conversions (at a fixed landmark of each session, never at \
            its end), how bands and profiles change, and how far the scores of today's visitors lie \
            apart. Nothing that is live changes; the engine may run.

            With --follow the other file goes on scoring what a running engine takes, in this process \
            and behind the engine's own work, and the report is told anew every --every seconds \
            until Ctrl-C: a file can be watched for weeks before it is made the live one. It takes \
            about as much memory as the engine has for its visitors, twice, and 100 bytes for \
            each session.
            """
    )

    @OptionGroup var arguments: ContestArguments

    @Flag(help: "Go on with what comes, and tell anew.")
    var follow = false

    @Option(help: "Seconds between two reports with --follow.")
    var every = 60

    func validate() throws {
        guard (1...86_400).contains(every) else {
            throw ValidationError("--every is 1 to 86400 seconds")
        }
    }

    func run() throws {
        do {
            let contest = try RunningContest(arguments)
            defer { contest.close() }
            tell(contest.result)
            guard follow else { return }
            guard contest.isEngineRunning else {
                throw CommandError("there is nothing to follow: no engine runs on the data folder")
            }
            EngineThread.yieldToOthers()
            while true {
                for _ in 0..<every {
                    Thread.sleep(forTimeInterval: 1)
                    try contest.follow()
                }
                tell(contest.result)
            }
        } catch {
            Console.fail("the files cannot be compared: \(error)", status: 1)
        }
    }

    private func tell(_ result: ContestResult) {
        let report = ComparisonReport(result)
        Console.line(arguments.json ? report.jsonText : report.text)
    }
}

/// What `score compare` tells.
struct ComparisonReport: Encodable {
    private let liveModel: String
    private let otherModel: String
    private let foldedFrom: String
    private let recordsMissing: UInt64
    private let records: Int
    private let visitors: Int
    private let conversions: Int
    private let live: ContestFigures
    private let other: ContestFigures
    /// Visitors by live and other band, such as `cold to warm`.
    private var bands: [String: Int] = [:]
    private var profilesChanged = 0
    /// Visitors by how many points the other scores them higher, in steps of 5.
    private var differences: [Int: Int] = [:]
    private var differenceMean = 0.0
    private var differenceMaximum = 0.0

    init(_ result: ContestResult) {
        let contest = result.contest
        (liveModel, otherModel) = (result.live, result.other)
        (foldedFrom, recordsMissing) = (result.foldedFrom, result.missing)
        (records, visitors) = (contest.records, contest.standings.count)
        conversions = contest.conversionCount
        (live, other) = result.figures(of: contest.closed)
        // In one order: sums of the same numbers are to be the same in every process.
        for (_, standing) in contest.standings.sorted(by: { $0.key < $1.key }) { take(standing) }
        if visitors > 0 { differenceMean /= Double(visitors) }
    }

    private mutating func take(_ standing: ModelContest.Standing) {
        let names = "\(standing.bands.live.name) to \(standing.bands.other.name)"
        bands[names, default: 0] += 1
        if standing.profiles.live != standing.profiles.other { profilesChanged += 1 }
        let apart = standing.scores.other - standing.scores.live
        differences[Int((apart / 5).rounded()) * 5, default: 0] += 1
        differenceMean += abs(apart)
        differenceMaximum = max(differenceMaximum, abs(apart))
    }

    var text: String {
        (head + figures + calibration + matrix + histogram).joined(separator: "\n")
    }

    private var head: [String] {
        var lines = [
            "live \(liveModel) against \(otherModel): \(ProgressBar.grouped(records)) records, "
                + "\(ProgressBar.grouped(visitors)) visitors, from \(foldedFrom)"
        ]
        if recordsMissing > 0 {
            lines.append("  \(recordsMissing) records are in neither rows nor journal any more")
        }
        return lines
    }

    private var figures: [String] {
        [
            "  \(live.examples) sessions reached the landmark and their time has run out; "
                + "\(live.conversions) of them converted", "",
            "                             live     other",
            Figure.line("AUC", live.auc, other.auc),
            Figure.line("lift of the top tenth", live.lift, other.lift),
            Figure.line("Brier score", live.brier, other.brier),
            Figure.line("calibration error", live.calibrationError, other.calibrationError),
        ]
    }

    private var calibration: [String] {
        let edges = Set((live.bins + other.bins).map(\.from)).sorted()
        guard !edges.isEmpty else { return [] }
        let lines = edges.map { edge in
            "  \(Figure.fixed(edge * 100, 0))–\(Figure.fixed(edge * 100 + 10, 0)) %: "
                + "live \(Self.bin(live, edge)); other \(Self.bin(other, edge))"
        }
        return ["", "  calibration, by score:"] + lines
    }

    private static func bin(_ figures: ContestFigures, _ edge: Double) -> String {
        guard let bin = figures.bins.first(where: { $0.from == edge }) else { return "none" }
        return "\(bin.count) sessions, foretold \(Figure.fixed(bin.predicted, 3)), "
            + "came \(Figure.fixed(bin.observed, 3))"
    }

    private var matrix: [String] {
        let names = Band.allCases.map(\.name)
        let rows = names.map { from in
            let counts = names.map { Figure.padded("\(bands["\(from) to \($0)"] ?? 0)", 9) }
            return "    \(Figure.padded(from, 6))\(counts.joined())"
        }
        let columns = names.map { Figure.padded($0, 9) }.joined()
        return ["", "  visitors by band, live down, other across:", "          \(columns)"] + rows
            + ["  \(profilesChanged) visitors have another profile"]
    }

    private var histogram: [String] {
        let most = max(1, differences.values.max() ?? 1)
        let lines = differences.sorted { $0.key < $1.key }.map { step, count in
            let bar = String(repeating: "█", count: max(1, count * 30 / most))
            let sign = step > 0 ? "+" : ""
            return "    \(Figure.padded("\(sign)\(step)", 4))  \(bar) \(count)"
        }
        let mean = Figure.fixed(differenceMean, 1)
        let most10 = Figure.fixed(differenceMaximum, 1)
        return ["", "  other minus live, in points: \(mean) apart on average, \(most10) at most"]
            + lines
    }
}

/// Numbers in a table.
enum Figure {
    static func fixed(_ number: Double, _ places: Int) -> String {
        let unit = (0..<places).reduce(1.0) { product, _ in product * 10 }
        let scaled = (abs(number) * unit).rounded()
        let whole = Int64(scaled / unit)
        let sign = number < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        let rest = String(Int64(scaled) - whole * Int64(unit))
        return "\(sign)\(whole)." + String(repeating: "0", count: places - rest.count) + rest
    }

    static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// A line of a table with two columns.
    static func line(_ name: String, _ live: Double?, _ other: Double?) -> String {
        let left = live.map { fixed($0, 4) } ?? "–"
        let right = other.map { fixed($0, 4) } ?? "–"
        let title = name + String(repeating: " ", count: max(0, 23 - name.count))
        return "  \(title)\(padded(left, 8))  \(padded(right, 8))"
    }
}
