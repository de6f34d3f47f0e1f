import ArgumentParser

/// `heliograph demo …`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Fill a demonstration.",
        subcommands: [DemoSeedCommand.self]
    )
}
