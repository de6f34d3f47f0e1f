import ArgumentParser
import Telemetry

/// `heliograph score backtest`
struct ScoreBacktestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "Tell, day by day of the past, how well two scoring files foretold conversions.",
        discussion: """
            All of the past that journal and rows hold is folded once and scored by both files, as if \
            either had been live. Told for each day are the sessions that reached the landmark and \
            what became of them, and over all of it what `hot` was worth: how many who were hot \
            converted, how many conversions came from somebody hot, and how long before.
            """
    )

    @OptionGroup var arguments: ContestArguments

    func run() throws {
        do {
            let report = BacktestReport(try arguments.contest())
            Console.line(arguments.json ? report.jsonText : report.text)
        } catch {
            Console.fail("the past cannot be tested: \(error)", status: 1)
        }
    }
}

/// What `score backtest` tells.
struct BacktestReport: Encodable {
    /// One day of sessions.
    struct Day: Encodable {
        let day: String
        let live: ContestFigures
        let other: ContestFigures
    }

    /// What being hot was worth.
    struct Hot: Encodable {
        let visitors: Int
        let converted: Int
        /// Conversions of visitors that were hot before.
        let conversionsForeseen: Int
        let leadMedianSeconds: Double?

        init(_ record: ModelContest.HotRecord, foreseen: Int) {
            (visitors, converted) = (record.visitors, record.converted)
            conversionsForeseen = foreseen
            let leads = record.leadMilliseconds.sorted()
            leadMedianSeconds = leads.isEmpty ? nil : Double(leads[leads.count / 2]) / 1_000
        }
    }

    private let liveModel: String
    private let otherModel: String
    private let foldedFrom: String
    private let records: Int
    private let conversions: Int
    private let days: [Day]
    private let live: ContestFigures
    private let other: ContestFigures
    private let hotLive: Hot
    private let hotOther: Hot

    init(_ result: ContestResult) {
        let contest = result.contest
        (liveModel, otherModel, foldedFrom) = (result.live, result.other, result.foldedFrom)
        (records, conversions) = (contest.records, contest.conversionCount)
        let closed = contest.closed
        (live, other) = result.figures(of: closed)
        let byDay = Dictionary(grouping: closed) { $0.time / 86_400_000 }
        days = byDay.sorted { $0.key < $1.key }.map { day, examples in
            let figures = result.figures(of: examples)
            let text = RFC3339.text(epochMilliseconds: day * 86_400_000)
            return Day(day: String(text.prefix(10)), live: figures.live, other: figures.other)
        }
        hotLive = Hot(contest.hot.live, foreseen: contest.hotBefore.live)
        hotOther = Hot(contest.hot.other, foreseen: contest.hotBefore.other)
    }

    var text: String {
        var lines = [
            "live \(liveModel) against \(otherModel): \(ProgressBar.grouped(records)) records, "
                + "\(ProgressBar.grouped(conversions)) conversions, from \(foldedFrom)", "",
            "  day         sessions  converted   AUC live     other  Brier live     other",
        ]
        lines += days.map { row($0.day, $0.live, $0.other) }
        lines += [row("all       ", live, other), ""]
        lines += [hot("live", hotLive), hot("other", hotOther)]
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ live: ContestFigures, _ other: ContestFigures) -> String {
        let counts =
            Figure.padded("\(live.examples)", 10) + Figure.padded("\(live.conversions)", 11)
        let figures = [(live.auc, 11), (other.auc, 10), (live.brier, 12), (other.brier, 10)]
        let texts = figures.map { value, width in
            Figure.padded(value.map { Figure.fixed($0, 4) } ?? "–", width)
        }
        return "  \(name)\(counts)\(texts.joined())"
    }

    private func hot(_ name: String, _ hot: Hot) -> String {
        let lead = hot.leadMedianSeconds.map { ", \(Figure.fixed($0, 0)) s before (median)" } ?? ""
        return "  hot by \(name): \(hot.visitors) times, \(hot.converted) of them converted; "
            + "\(hot.conversionsForeseen) of \(conversions) conversions came from somebody hot\(lead)"
    }
}
