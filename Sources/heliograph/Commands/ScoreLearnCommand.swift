import ArgumentParser
import Foundation
import Loop
import Records
import Scoring
import Settings
import Storage
import Telemetry
import Units

/// `heliograph score learn`
struct ScoreLearnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn",
        abstract: "Learn each site's conversion likelihood from its past; say what that is worth.",
        discussion: """
            The past is folded anew, beside a running engine or with it stopped. At fixed landmarks of \
            each session both the rule and what was learned until then foretell whether a conversion \
            follows; once it is known, the example teaches. Nothing is written but the result.
            """
    )

    @OptionGroup var place: EnginePlace

    @Option(help: "Scoring file; that of the configuration when none is named.")
    var scoring: String?

    @Option(help: "Write every example with its evidence and what was foretold, as CSV.")
    var examples: String?

    @Option(help: "Act as if it were this moment at the end, such as 2026-03-14T09:30:00Z.")
    var until: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        if let until, RFC3339.epochMilliseconds(until) == nil {
            throw ValidationError("--until takes 2026-03-14T09:30:00Z, not \(until)")
        }
    }

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let file = try stores.loadScoring(scoring)
            let lines = LearnLines()
            let book = try learn(stores, file, lines)
            if let examples { try lines.write(to: examples) }
            let report = LearnReport(book, file, lines)
            Console.line(json ? report.jsonText : report.text)
        } catch {
            Console.fail("nothing could be learned: \(error)", status: 1)
        }
    }

    private func learn(
        _ stores: DataStores,
        _ file: ScoringFile,
        _ lines: LearnLines
    ) throws -> LearnedBook {
        let model = ScoringModel(file)
        let progress = Owned(ProgressBar(isSilent: json))
        let rows = try EventRows(conninfo: stores.conninfo)
        let models = ModelTimeline(model)
        let fold = try OfflineFold(stores, rows, models: models, mayUseCheckpoints: false) {
            progress.value.update($0)
        }
        fold.folds.wantExamples(from: 0)
        var rehearsal = LearnRehearsal(model) { lines.take($0) }
        progress.value.begin("learning", unit: "records", total: fold.estimatedRecords)
        try fold.run { step in
            rehearsal.take(step.header, step.effect, &step.fold.value)
        }
        if let moment = until.flatMap(RFC3339.epochMilliseconds) {
            for partition in fold.folds.partitions {
                rehearsal.letTimePass(to: moment, &fold.folds.fold(partition).value)
            }
            rehearsal.finish()
        }
        progress.value.end(fold.report.records)
        return rehearsal.book
    }
}

/// Every example as a line of CSV, and what the foretellings were worth. One thread's.
final class LearnLines {
    private static let columns =
        ["site", "visitor", "session", "at", "landmark", "labelled_at", "converted", "rule"]
        + ["learned", "low", "high", "used"] + LearnFeatures.names

    private var text = LearnLines.columns.joined(separator: ",") + "\n"
    private(set) var measures: [String: Measures] = [:]

    /// Of the rule, of what was learned, and of which of both was believed at the time.
    struct Measures {
        private(set) var rule = LearnMeasures()
        private(set) var learned = LearnMeasures()
        private(set) var shown = LearnMeasures()

        mutating func take(_ told: RehearsedExample) {
            let (example, learnedSays) = (told.example, told.learned.probability)
            rule.take(example.rule, example.converted)
            learned.take(learnedSays, example.converted)
            shown.take(told.isLearnedUsed ? learnedSays : example.rule, example.converted)
        }
    }

    func take(_ told: RehearsedExample) {
        let (site, example) = (told.site.text, told.example)
        measures[site, default: Measures()].take(told)
        var fields = [site, told.visitor.text, told.session.text]
        fields += [example.at, Int64(example.landmark), example.labelledAt].map(String.init)
        fields.append(example.converted ? "1" : "0")
        let learned = told.learned
        fields += [example.rule, learned.probability, learned.low, learned.high].map { "\($0)" }
        fields.append(told.isLearnedUsed ? "1" : "0")
        fields += (0..<LearnFeatures.count).map { "\(example.features.values[$0])" }
        text += fields.joined(separator: ",") + "\n"
    }

    func write(to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
