import ArgumentParser
import Foundation
import Glibc
import Journal
import Settings
import Storage
import Telemetry
import Units

/// `heliograph backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a running engine's journal, states, rows and settings to a new folder.",
        discussion: """
            The engine goes on taking beacons. Everything acknowledged before the command began is in \
            the backup, and what is in it is one consistent state: `heliograph restore` starts from \
            there, and what clients send again is counted once. Redis is not copied; it is worked out \
            again. The folder holds visitors' data and, marked in manifest.json, secrets: it is made \
            for its owner only; keep it so.
            """
    )

    @Option(help: "Folder to make; it must not exist yet, or be empty.")
    var to: String

    @Option(help: "Data folder of the running engine.")
    var data = "var"

    @Option(help: "The engine's configuration file. Without it config/heliograph.yaml is taken.")
    var config: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        // What the tools of PostgreSQL write is for nobody else either.
        umask(0o077)
        do {
            var backup = try Backup(data: data, to: to, config: config, isSilent: json)
            try backup.run()
            Console.line(json ? backup.summary.jsonText : backup.text)
        } catch let error as CommandError {
            Console.fail(error.description, status: 1)
        } catch let error as JournalError {
            Console.fail("the journal cannot be read: \(error)", status: 1)
        } catch let error as SettingsError {
            Console.fail("\(error)", status: 78)
        }
    }
}

/// One backup on its way.
struct Backup {
    private let settings: HeliographSettings
    private let configFile: String
    private let addresses: Addresses
    private let target: String
    private var source: BackupSource
    private var manifest = BackupManifest()
    private var bar: ProgressBar
    private let isSilent: Bool
    private let begun = Pause.monotonicMilliseconds()

    init(data: String, to target: String, config: String?, isSilent: Bool) throws {
        settings = try HeliographSettings.load(path: config)
        configFile = config ?? HeliographSettings.defaultPath
        addresses = try RunningEngine.addresses(data)
        self.target = Files.absolute(target)
        source = BackupSource(data: Files.absolute(data))
        bar = ProgressBar(isSilent: isSilent)
        self.isSilent = isSilent
        manifest.startedAt = Self.now
        // Every segment, and for a moment every state, is held open.
        _ = OpenFiles.raiseLimit()
        manifest.postgresIsPrivate = settings.postgres.url == nil
        try makeTarget()
    }

    private static var now: String {
        RFC3339.text(epochMilliseconds: TimeSource.real.epochMilliseconds())
    }

    private func makeTarget() throws(CommandError) {
        if mkdir(target, 0o700) != 0 && errno != EEXIST { throw .last("cannot make \(target)") }
        let names = Files.names(in: target).filter { $0 != "." && $0 != ".." }
        guard names.isEmpty, chmod(target, 0o700) == 0 else {
            throw CommandError(
                "\(target) is not empty\n  Name a folder of its own for each backup."
            )
        }
        for folder in [
            BackupManifest.journal, BackupManifest.checkpoints, BackupManifest.settings,
        ] {
            try BackupFiles.makeDirectory("\(target)/\(folder)")
        }
    }

    /// The order is what makes the copy consistent; `BackupSource` says why.
    mutating func run() throws {
        try source.holdSegments()
        try copyStates()
        try copyOwnFiles()
        try dumpRows()
        try copySegments()
        try finish()
    }

    // MARK: - Steps

    private mutating func copyStates() throws {
        let pairs = [
            (source.journal, BackupManifest.journal),
            (source.checkpoints, BackupManifest.checkpoints),
        ]
        for (directory, name) in pairs {
            try source.forEachState(in: directory) { file in
                try copy(file, to: "\(name)/\(file.name)")
            }
        }
    }

    /// The key that renames ids, the daily counts, and what the settings are made of.
    private mutating func copyOwnFiles() throws {
        let hasPasswords = settings.redis.url != nil || settings.postgres.url != nil
        try copyIfThere(source.data, BackupManifest.pseudonymKey, isSecret: true)
        try copyIfThere(source.data, BackupManifest.erasureKey, isSecret: true)
        try copyIfThere(source.data, ErasureList.fileName, isSecret: false)
        try copyIfThere(source.data, BackupManifest.quotas, isSecret: false)
        try copyIfThere(source.data, BackupManifest.models, isSecret: false)
        var texts = [(configFile, hasPasswords), (settings.scoringFile, false)]
        if let words = settings.enrichment.wordsFile { texts.append((words, false)) }
        for (path, isSecret) in texts {
            let (folder, name) = Self.split(path)
            try copyIfThere(folder, name, to: BackupManifest.settings + "/" + name, isSecret)
        }
        for certificate in settings.ingest.edge.tls?.certificates ?? [] {
            manifest.notIncluded += [certificate.certificate, certificate.key]
        }
        if let file = settings.enrichment.geoFile { manifest.notIncluded.append(file) }
    }

    private mutating func copyIfThere(_ folder: String, _ name: String, isSecret: Bool) throws {
        try copyIfThere(folder, name, to: name, isSecret)
    }

    private mutating func copyIfThere(
        _ folder: String,
        _ name: String,
        to path: String,
        _ isSecret: Bool
    ) throws {
        guard let file = try HeldFile("\(folder)/\(name)", name: name) else { return }
        try copy(file, to: path, isSecret: isSecret)
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private mutating func dumpRows() throws {
        if !isSilent { Console.note("PostgreSQL: dumping the schema heliograph") }
        let path = "\(target)/\(BackupManifest.dump)"
        try BackupDatabase(conninfo: addresses.postgres).dump(to: path)
        guard let dump = try BackupFiles.digest(of: path, progress: { _ in }) else {
            throw CommandError("pg_dump left no file")
        }
        note(BackupManifest.dump, dump, isSecret: false)
    }

    private mutating func copySegments() throws {
        let end = try source.end()
        manifest.cutAt = Self.now
        guard let end else { return }
        manifest.lastSequence = end.sequence
        try source.holdSegments()
        let files = source.segments(upTo: end.report.fileName)
        bar.begin("copying segments", unit: "bytes", total: end.report.fileBytes * files.count)
        var done = 0
        for file in files {
            let isLast = file.name == end.report.fileName
            let copied = try BackupFiles.copy(
                file,
                to: "\(target)/\(BackupManifest.journal)/\(file.name)",
                end: isLast ? end.report.end : .max,
                size: isLast ? end.report.fileBytes : nil
            ) { count in
                done += count
                bar.update(done)
            }
            note("\(BackupManifest.journal)/\(file.name)", copied, isSecret: false)
        }
        bar.end(done)
    }

    private mutating func finish() throws {
        manifest.finishedAt = Self.now
        for folder in [
            BackupManifest.journal, BackupManifest.checkpoints, BackupManifest.settings,
        ] {
            try BackupFiles.synchronize("\(target)/\(folder)")
        }
        try manifest.write(to: target)
        try BackupFiles.synchronize(target)
    }

    private mutating func copy(_ file: HeldFile, to path: String, isSecret: Bool = false) throws {
        note(path, try BackupFiles.copy(file, to: "\(target)/\(path)"), isSecret: isSecret)
    }

    private mutating func note(
        _ path: String,
        _ copied: (bytes: Int, digest: String),
        isSecret: Bool
    ) {
        manifest.files.append(
            BackupManifest.File(
                path: path,
                bytes: copied.bytes,
                sha256: copied.digest,
                secret: isSecret
            )
        )
    }

    // MARK: - Result

    struct Summary: Encodable {
        let folder: String
        let files, bytes: Int
        let lastSequence: UInt64
        let startedAt, cutAt: String
        let milliseconds: Int64
        let secrets, notIncluded: [String]
    }

    var summary: Summary {
        Summary(
            folder: target,
            files: manifest.files.count,
            bytes: manifest.bytes,
            lastSequence: manifest.lastSequence,
            startedAt: manifest.startedAt,
            cutAt: manifest.cutAt,
            milliseconds: Pause.monotonicMilliseconds() - begun,
            secrets: manifest.files.filter(\.secret).map(\.path),
            notIncluded: manifest.notIncluded
        )
    }

    var text: String {
        let summary = summary
        var lines = [
            """
            \(target): \(summary.files) files, \(JournalText.size(summary.bytes)), \
            \(summary.milliseconds) ms
              up to sequence \(summary.lastSequence), \(summary.cutAt)
              secret: \(summary.secrets.joined(separator: ", "))
              restore with: heliograph restore --from \(target)
            """
        ]
        for path in summary.notIncluded { lines.append("  not in it, keep it yourself: \(path)") }
        return lines.joined(separator: "\n")
    }
}
