import ArgumentParser
import Glibc
import Journal
import Loop
import Settings
import Storage

/// `heliograph restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring a backup into an empty data folder.",
        discussion: """
            Checks every file against the manifest first, and overwrites nothing: the data folder must \
            hold no journal, and PostgreSQL no schema `heliograph`. Then start the engine with \
            `heliograph up`: it works out what Redis and PostgreSQL lack. Settings are left alone; \
            those of the backup lie in its folder settings.
            """
    )

    @Option(help: "Folder that `heliograph backup` made.")
    var from: String

    @Option(help: "Data folder of the engine to be.")
    var data = "var"

    @Option(help: "The engine's configuration file. Without it config/heliograph.yaml is taken.")
    var config: String?

    @Option(
        help: """
            The erasure list of the lost installation (erasures.hge), when it is newer than the backup: \
            whoever was erased since is erased again at the first start, before anybody is served.
            """
    )
    var erasures: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        do {
            var restore = try Restore(from: from, data: data, config: config, isSilent: json)
            restore.erasures = try erasures.map { try ErasureList.read(at: $0) } ?? []
            try restore.run()
            Console.line(json ? restore.summary.jsonText : restore.text)
        } catch let error as CommandError {
            Console.fail(error.description, status: 1)
        } catch let error as StartError {
            Console.fail(error.description, status: 1)
        } catch let error as StoreStartError {
            Console.fail(error.description, status: 1)
        } catch let error as ArchiveError {
            Console.fail("PostgreSQL cannot be asked: \(error)", status: 1)
        } catch let error as JournalError {
            Console.fail("the restored journal cannot be read: \(error)", status: 1)
        } catch let error as SettingsError {
            Console.fail("\(error)", status: 78)
        }
    }
}

/// One restore on its way.
struct Restore {
    private let settings: HeliographSettings
    private let manifest: BackupManifest
    private let source: String
    private let data: String
    private var bar: ProgressBar
    private let isSilent: Bool
    private let begun = Pause.monotonicMilliseconds()
    private var records = 0
    /// Entries of a list that was kept beside the backup.
    var erasures: [ErasureList.Entry] = []

    init(from source: String, data: String, config: String?, isSilent: Bool) throws {
        settings = try HeliographSettings.load(path: config)
        self.source = Files.absolute(source)
        self.data = Files.absolute(data)
        manifest = try BackupManifest.read(from: self.source)
        bar = ProgressBar(isSilent: isSilent)
        self.isSilent = isSilent
    }

    mutating func run() throws {
        try manifest.verify(in: source, &bar)
        try refuseToOverwrite()
        let folder = try DataFolder(data, forRestore: true)
        try RestoreMark.set(in: data)
        try restoreRowsAndCheck()
        try BackupFiles.synchronize(data)
        RestoreMark.remove(from: data)
        withExtendedLifetime(folder) {}
    }

    /// A folder that holds anything of an engine is not touched. One that an interrupted restore left
    /// behind is told apart, but not touched either: it may be somebody's only copy.
    private func refuseToOverwrite() throws(CommandError) {
        let held =
            ["journal", "checkpoints"].flatMap { Files.names(in: "\(data)/\($0)") }
            .contains { $0.hasSuffix(".hgj") || $0.hasSuffix(".hgc") || $0.hasSuffix(".hgk") }
        let hasKey = access("\(data)/\(BackupManifest.pseudonymKey)", F_OK) == 0
        guard held || hasKey else { return }
        throw CommandError(
            """
            \(data) holds an engine's data\(RestoreMark.isSet(in: data) ? ", half restored" : "")
              Move it away, or name another folder with --data. Nothing was changed.
            """
        )
    }

    private mutating func restoreRowsAndCheck() throws {
        if let url = settings.postgres.url {
            try url.expose { try restoreAll($0) }
            return
        }
        let stores = PrivateStores(dataDirectory: data, wantsRedis: false)
        let (_, conninfo) = try stores.start()
        defer { stores.stop() }
        try restoreAll(conninfo ?? "")
    }

    private mutating func restoreAll(_ conninfo: String) throws {
        guard try PostgresService.positions(conninfo: conninfo) == nil else {
            throw CommandError(
                """
                PostgreSQL has a schema heliograph already
                  Rename or drop it when you are sure that it is not needed. A private server of root \
                keeps its data under \(PostgresServer.systemFolder). Nothing was changed.
                """
            )
        }
        if !isSilent { Console.note("PostgreSQL: restoring the schema heliograph") }
        try BackupDatabase(conninfo: conninfo).restore(from: "\(source)/\(BackupManifest.dump)")
        try copyFiles()
        try renewErasures()
        try check(try PostgresService.positions(conninfo: conninfo) ?? [])
    }

    /// Everything but rows and settings, to where the engine looks for it.
    private mutating func copyFiles() throws {
        let files = manifest.files.filter {
            $0.path != BackupManifest.dump && !$0.path.hasPrefix(BackupManifest.settings + "/")
        }
        bar.begin("copying", unit: "bytes", total: files.reduce(0) { $0 + $1.bytes })
        var done = 0
        for file in files {
            guard let held = try HeldFile("\(source)/\(file.path)", name: file.path) else {
                throw CommandError("\(file.path) has vanished from the backup")
            }
            let copied = try BackupFiles.copy(held, to: "\(data)/\(file.path)") { count in
                done += count
                bar.update(done)
            }
            guard copied == (file.bytes, file.sha256) else {
                throw CommandError("\(file.path) changed while it was copied")
            }
        }
        for folder in [BackupManifest.journal, BackupManifest.checkpoints] {
            try BackupFiles.synchronize("\(data)/\(folder)")
        }
        bar.end(done)
    }

    /// The backup's list with what was added to it since; the first start holds all that was restored
    /// against it.
    private func renewErasures() throws {
        let list = try ErasureList(data: data)
        let known = Set(list.entries.map { [$0.ruling.rawValue] + $0.digest })
        try list.append(erasures.filter { !known.contains([$0.ruling.rawValue] + $0.digest) })
        if !list.entries.isEmpty { try RightsFolder(data: data).wantSweep() }
    }

    /// Looks whether rows and journal belong together: no row may be of a record that is not there.
    private mutating func check(_ positions: [UInt64]) throws {
        var audit = try JournalAudit(disk: .real, directory: data + "/journal") {}
        var damage = 0
        while let report = try audit.next() {
            records += report.records
            damage += report.findingCount
        }
        if damage > 0 { Console.note("the journal came with \(damage) damaged places") }
        let next = audit.nextOffsets
        let ahead = positions.indices.filter { positions[$0] >= max(next[$0], 1) }
        guard ahead.isEmpty || damage > 0 || audit.segments == 0 else {
            throw CommandError(
                """
                the backup's rows are ahead of its journal in \(ahead.count) partitions
                  The engine must not start on this; use another backup.
                """
            )
        }
    }

    // MARK: - Result

    struct Summary: Encodable {
        let folder, backup: String
        let files, bytes, records: Int
        let lastSequence: UInt64
        let cutAt: String
        let milliseconds: Int64
    }

    var summary: Summary {
        Summary(
            folder: data,
            backup: source,
            files: manifest.files.count,
            bytes: manifest.bytes,
            records: records,
            lastSequence: manifest.lastSequence,
            cutAt: manifest.cutAt,
            milliseconds: Pause.monotonicMilliseconds() - begun
        )
    }

    var text: String {
        var lines = [
            """
            \(data) stands where the engine stood at \(manifest.cutAt): \(records) records up to \
            sequence \(manifest.lastSequence), \(Pause.monotonicMilliseconds() - begun) ms
              start it with: heliograph up --data \(data)
              settings of then, for comparison: \(source)/\(BackupManifest.settings)
            """
        ]
        if settings.redis.url != nil {
            lines.append(
                """
                  redis.url is a server of yours, and has taken records that are not in the backup: \
                run `heliograph rebuild --data \(data)` before the start
                """
            )
        }
        for path in manifest.notIncluded { lines.append("  not in the backup: \(path)") }
        return lines.joined(separator: "\n")
    }
}

/// A file that says that a restore is under way, or was cut short: no engine starts on such a folder.
enum RestoreMark {
    private static let fileName = "/restore-unfinished"

    static func isSet(in data: String) -> Bool { access(data + fileName, F_OK) == 0 }

    static func set(in data: String) throws(CommandError) {
        unlink(data + fileName)
        try BackupFiles.write("A restore into this folder has not ended.\n", to: data + fileName)
        try BackupFiles.synchronize(data)
    }

    static func remove(from data: String) {
        unlink(data + fileName)
        try? BackupFiles.synchronize(data)
    }
}
