import ArgumentParser

/// `heliograph score`
struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Look into scores: what they rest on, and what they are worth.",
        subcommands: [ScoreLearnCommand.self]
    )
}
