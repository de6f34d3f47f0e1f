import ArgumentParser
import Bytes
import Journal
import Records
import Scoring
import Settings
import Units

/// What a folded event costs: the records of a journal, as a load left it, are folded anew in memory,
/// round after round, beside reading alone, in processor time. The ratio is what may be compared between machines.
@main
struct FoldCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fold-cost",
        abstract: "Nanoseconds for each folded event, and bytes for each visitor."
    )

    @Option(help: "The data folder of an engine that has taken a load.")
    var data = "var"

    @Option(help: "The scoring file.")
    var scoring = "config/scoring.yaml"

    @Option(help: "How often everything is folded anew; the median counts.")
    var rounds = 5

    @Option(help: "Records to fold at most.")
    var records = 500_000

    func validate() throws {
        guard rounds > 0, records > 0 else {
            throw ValidationError("--rounds and --records must be above 0")
        }
    }

    func run() throws {
        let model = ScoringModel(try ScoringFile.load(path: scoring))
        let load = try RecordedLoad(journal: data + "/journal", most: records)
        guard load.count > 0 else { throw ValidationError("there are no records in \(data)") }
        var (reading, folding): ([Double], [Double]) = ([], [])
        var visitors = 0
        var visitorBytes = 0
        for _ in 0..<rounds {
            let read = load.read()
            let folded = load.fold(model)
            reading.append(Double(read.nanoseconds) / Double(read.events))
            folding.append(Double(folded.nanoseconds) / Double(folded.events))
            (visitors, visitorBytes) = (folded.visitors, folded.visitorBytes)
        }
        report("reading an event", reading)
        report("reading and folding an event", folding)
        print("ratio \(tenths(median(folding) / median(reading)))")
        print("\(visitors) visitors, \(visitorBytes / max(1, visitors)) bytes each")
    }

    private func report(_ title: String, _ figures: [Double]) {
        let range = "\(tenths(figures.min() ?? 0)) to \(tenths(figures.max() ?? 0))"
        print("\(title): \(tenths(median(figures))) ns (\(range), \(figures.count) rounds)")
    }

    private func median(_ figures: [Double]) -> Double { figures.sorted()[figures.count / 2] }

    private func tenths(_ figure: Double) -> Double { (figure * 10).rounded() / 10 }
}
