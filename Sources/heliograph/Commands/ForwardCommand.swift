import ArgumentParser
import Glibc
import Logging
import Settings
import Telemetry

/// `heliograph forward`: the outbox's work alone.
struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Tell destinations of conversions, beside or apart from a running engine.",
        discussion: """
            `heliograph up` forwards by itself. More forwarders may work on the same outbox, on this \
            machine or on others; those that share a data folder share its log of what was sent, which \
            keeps anything from being sent twice when the database is set back. Takes the database \
            from the settings, else from the engine that runs on the data folder. Ctrl-C lets requests \
            on their way have their answers.
            """
    )

    @OptionGroup var place: EnginePlace

    func run() throws {
        CoreDumps.forbid()
        EngineSignals.block()
        do {
            let settings = try HeliographSettings.load(path: place.config)
            let log = LineLog.logger(
                "heliograph",
                format: settings.log.format,
                level: settings.log.level
            )
            let forwarding = Forwarding(
                directory: Files.absolute(place.data),
                conninfo: try conninfo(settings),
                metrics: Metrics(),
                log: log
            )
            try forwarding.look(at: settings.sites)
            forwarding.warnWhenIdle()
            Console.note("forwarding; Ctrl-C stops")
            work(forwarding, log)
        } catch let error as StartError {
            Console.fail(error.description, status: 1)
        } catch {
            Console.fail("\(error)", status: 78)
        }
    }

    private func conninfo(_ settings: HeliographSettings) throws -> Secret {
        if let url = settings.postgres.url { return url }
        return Secret(try RunningEngine.addresses(place.data).postgres)
    }

    private func work(_ forwarding: Forwarding, _ log: Logger) {
        let path = place.config ?? HeliographSettings.defaultPath
        var stamp = FileStamp(path)
        while true {
            let request = EngineSignals.wait(milliseconds: 1_000)
            if request == .stop { break }
            let seen = FileStamp(path)
            guard request == .reload || seen != stamp else { continue }
            stamp = seen
            do {
                try forwarding.look(at: HeliographSettings.load(path: place.config).sites)
                log.info("settings reloaded")
            } catch {
                log.error("the settings have mistakes; nothing has changed: \(error)")
            }
        }
        EngineSignals.endAtOnceNextTime()
        forwarding.beginStop()
        forwarding.join()
    }
}
