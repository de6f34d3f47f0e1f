import ArgumentParser

/// Where the engine is that a command is about.
struct EnginePlace: ParsableArguments {
    @Option(help: "Data folder of the engine.")
    var data = "var"

    @Option(help: "Configuration file; config/heliograph.yaml when none is named.")
    var config: String?
}
