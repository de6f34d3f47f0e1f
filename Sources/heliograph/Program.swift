import ArgumentParser

/// The program: roles and operator's commands as subcommands.
@main
struct Heliograph: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heliograph",
        abstract: "Tracking ingest and scoring engine: beacons in, readiness scores out.",
        discussion: """
            `heliograph up` runs everything on this machine, with a private Redis and PostgreSQL \
            under ./var unless the configuration names servers of your own.
            """,
        version: "0.1.0",
        subcommands: [
            UpCommand.self, ConfigCommand.self, SiteCommand.self, TokenCommand.self,
            EnrichCommand.self,
            DestinationCommand.self,
            PrivacyCommand.self,
            ReplayCommand.self, VerifyCommand.self, RebuildCommand.self, ScoreCommand.self,
            JournalCommand.self, BackupCommand.self, RestoreCommand.self,
            ForwardCommand.self, DeliveryCommand.self,
            DemoCommand.self, IdentityCommand.self, EraseCommand.self, RestrictCommand.self,
            ExportCommand.self,
            RetentionCommand.self,
        ],
        defaultSubcommand: nil
    )
}
