import ArgumentParser
import Foundation

/// What each stage of the engine costs by itself, beside a reference loop in the same run.
@main
struct Micro: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heliograph-micro",
        abstract: "Nanoseconds and instructions of single stages, as ratios to a reference loop.",
        discussion: """
            Every round runs the reference loop and each stage once, in turns, and takes the \
            processor time of this thread alone. The ratio of a round is the stage's time over the \
            reference's; medians and ranges of the rounds are printed as JSON. bench/micro holds \
            the ratios against the thresholds of this toolchain.

            Takes about a second for each round.
            """
    )

    @Option(help: "Rounds; the median counts.")
    var rounds = 9

    @Option(help: "Batches that each stage gets in a round.")
    var batches = 2_000

    @Option(help: "The scoring file.")
    var scoring = "config/scoring.yaml"

    func validate() throws {
        guard (1...1_000).contains(rounds), (16...20_000).contains(batches) else {
            throw ValidationError("--rounds is from 1 to 1000, --batches from 16 to 20000")
        }
    }

    func run() throws {
        let stages = try Stages.all(batches: batches, scoring: scoring)
        defer { stages.forEach { $0.end() } }
        let meter = Meter()
        var readings = [[Reading]](repeating: [], count: stages.count)
        for round in 0...rounds {
            for (index, stage) in stages.enumerated() {
                let reading = try stage.measure(meter)
                // The first round warms caches and tables up.
                if round > 0 { readings[index].append(reading) }
            }
        }
        let data = try MicroReport(stages, readings).json()
        FileHandle.standardOutput.write(data + Data("\n".utf8))
    }
}
