import Foundation
import Journal
import Loop
import Scoring
import Settings
import Storage
import Units

/// The journal and the stores of a data folder, as a command needs them: those of the engine that runs
/// there, or, with the engine stopped, servers started for as long as the command lasts.
final class DataStores {
    let settings: HeliographSettings
    let data: String
    /// Whether an engine works on the folder now.
    let isEngineRunning: Bool
    let redisURL: String
    let conninfo: String
    /// Keeps an engine from starting meanwhile.
    private let folder: DataFolder?
    private let stores: PrivateStores?

    init(data: String, config: String?) throws(CommandError) {
        do { settings = try HeliographSettings.load(path: config) } catch {
            throw CommandError("\(error)")
        }
        self.data = Files.absolute(data)
        guard FileManager.default.fileExists(atPath: self.data + "/journal") else {
            throw CommandError(
                """
                there is no journal in the data folder \(data)
                  Name the folder of the engine with --data.
                """
            )
        }
        if RestoreMark.isSet(in: self.data) {
            throw CommandError("a restore into \(data) did not end: restore the backup again")
        }
        folder = try? DataFolder(self.data)
        isEngineRunning = folder == nil
        if isEngineRunning {
            let addresses = try RunningEngine.addresses(self.data)
            (redisURL, conninfo, stores) = (addresses.redis, addresses.postgres, nil)
            return
        }
        let servers = PrivateStores(
            dataDirectory: self.data,
            wantsRedis: settings.redis.url == nil,
            wantsPostgres: settings.postgres.url == nil
        )
        stores = servers
        (redisURL, conninfo) = try Self.start(servers, settings)
    }

    private static func start(
        _ stores: PrivateStores,
        _ settings: HeliographSettings
    ) throws(CommandError) -> (String, String) {
        do {
            let (redis, conninfo) = try stores.start()
            return (
                redis ?? settings.redis.url?.expose { $0 } ?? "",
                conninfo ?? settings.postgres.url?.expose { $0 } ?? ""
            )
        } catch {
            throw CommandError(error.description)
        }
    }

    /// Stops the servers that were started for the command.
    func close() { stores?.stop(deadlineMilliseconds: 10_000) }

    // MARK: - Files

    func openReader() -> JournalReader {
        JournalReader(disk: .real, directory: data + "/journal", limits: settings.journalLimits)
    }

    var checkpoints: PartitionCheckpoints {
        PartitionCheckpoints(disk: .real, directory: data + "/checkpoints")
    }

    /// What conversions have taught.
    var learned: LearnedFiles {
        LearnedFiles(disk: .real, directory: data + "/checkpoints")
    }

    /// Which model scored what, and scores now.
    func models() throws(CommandError) -> ModelTimeline {
        do {
            let text = try SettingsText.read(settings.scoringFile)
            let file = try ScoringFile.parse(text, file: settings.scoringFile)
            return ModelTimeline.stored(
                in: data,
                ScoringModel(file),
                text,
                isInForce: isEngineRunning
            )
        } catch {
            throw CommandError("\(error)")
        }
    }

    func loadScoring(_ path: String? = nil) throws(CommandError) -> ScoringFile {
        do { return try ScoringFile.load(path: path ?? settings.scoringFile) } catch {
            throw CommandError("\(error)")
        }
    }
}
