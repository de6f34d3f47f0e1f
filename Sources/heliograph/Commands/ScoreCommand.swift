import ArgumentParser

/// `heliograph score …`: why scores are what they are, and what others would be.
struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Explain scores, and hold scoring files against each other.",
        subcommands: [
            ScoreExplainCommand.self, ScoreCompareCommand.self, ScoreBacktestCommand.self,
            ScoreMeansCommand.self, ScoreLearnCommand.self,
        ]
    )
}
