import Foundation
import Logging
import Loop
import Settings
import Synchronization
import Telemetry
import Units

/// Makes files of many rows, one after the other, and keeps them for a day. Each has a `.json` twin that
/// says what is in it, so that files outlive the process. Any task may ask.
final class ExportDesk: Sendable {
    private struct Table {
        var exports: [String: ExportDocument] = [:]
        var isStopping = false
    }

    private let folder: String
    /// Threads of its own: a long export must keep nobody's question waiting.
    private let archive: ArchiveReaders
    private let time: TimeSource
    private let log: Logger
    private let table = Mutex(Table())

    init(folder: String, _ postgres: Secret, time: TimeSource, log: Logger) {
        (self.folder, self.time, self.log) = (folder, time, log)
        archive = ArchiveReaders(postgres)
    }

    /// Takes up the files of an earlier process and starts the threads, which end after `stop`.
    func start() -> [EngineThread] {
        open()
        return archive.start()
    }

    /// What is being made is called off; the threads end within seconds.
    func stop() {
        table.withLock { $0.isStopping = true }
        archive.stop()
    }

    /// What an earlier process had not ended is taken away.
    private func open() {
        let files = FileManager.default
        try? files.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
        let ids = Set(names.map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0 })
        for id in ids where id.hasPrefix(ExportDocument.idPrefix) {
            guard let data = files.contents(atPath: "\(folder)/\(id).json"),
                let export = try? JSONDecoder().decode(ExportDocument.self, from: data),
                export.id == id, export.state == .ready
            else {
                remove(id)
                continue
            }
            table.withLock { $0.exports[id] = export }
        }
        trim()
    }

    // MARK: - Asking

    func find(_ id: String) -> ExportDocument? { table.withLock { $0.exports[id] } }

    /// The exports of the sites that `isSeen` says, newest first.
    func list(_ isSeen: (String) -> Bool) -> [ExportDocument] {
        table.withLock { Array($0.exports.values) }.filter { isSeen($0.site) }
            .sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }
    }

    func path(_ export: ExportDocument) -> String { "\(folder)/\(export.id)" }

    /// Whether somebody was erased since the file was begun: then nobody gets it any more.
    func isOvertaken(_ export: ExportDocument) async throws -> Bool {
        let since = RFC3339.text(epochMilliseconds: export.createdAt)
        let query = ArchiveQuery(ExportStatements.changedSince, [export.site, since])
        return try await !archive.ask([query])[0].isEmpty
    }

    func remove(_ id: String) {
        table.withLock { $0.exports[id] = nil }
        for name in [id, "\(id).json"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Takes away what is too old and, where PostgreSQL answers, what holds somebody who was erased: nobody
    /// would get it, and it must not stay on the disk either.
    func sweep() async throws {
        trim()
        for export in list({ _ in true }) where export.state == .ready {
            if try await isOvertaken(export) { remove(export.id) }
        }
    }

    private func trim() {
        let now = time.epochMilliseconds()
        let old = table.withLock { $0.exports.values.filter { $0.expiresAt <= now } }
        for export in old where export.state.isOver { remove(export.id) }
    }

    // MARK: - Making

    /// Begins an export; throws when too many are kept or wait.
    func begin(_ export: ExportDocument) throws {
        trim()
        let isTaken = table.withLock { table in
            let waiting = table.exports.values.count { !$0.state.isOver }
            guard waiting < Limits.exportsWaitingMaximum,
                table.exports.count < Limits.exportsKeptMaximum, !table.isStopping
            else { return false }
            table.exports[export.id] = export
            return true
        }
        if !isTaken { throw ApiProblem.tooManyExports }
        Task { await make(export) }
    }

    private func make(_ export: ExportDocument) async {
        var done = export
        do {
            let query = ArchiveQuery(
                export.kind.statement,
                [export.site, export.from, export.to, export.filter]
            )
            done = try await archive.walk(query, isWanted: { [self] in isWanted(export) }) {
                [self] next throws(ArchiveFailure) in
                var work = ExportWork(export) { self.note($0) }
                return try work.run(path(export), next)
            }
        } catch {
            (done.state, done.reason) = (.failed, "\(error)")
            log.warning("an export failed", metadata: ["error": "\(error)"])
        }
        settle(done)
    }

    private func settle(_ export: ExportDocument) {
        let isWanted = table.withLock { $0.exports[export.id] != nil }
        guard isWanted, export.state == .ready else {
            remove(export.id)
            // That it failed is to be read for as long as the file would have been.
            if isWanted { table.withLock { $0.exports[export.id] = export } }
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        if let twin = try? encoder.encode(export) {
            let made = FileManager.default.createFile(
                atPath: "\(folder)/\(export.id).json",
                contents: twin,
                attributes: [.posixPermissions: 0o600]
            )
            if !made { log.warning("an export's description could not be kept") }
        }
        table.withLock { $0.exports[export.id] = export }
    }

    private func isWanted(_ export: ExportDocument) -> Bool {
        table.withLock { !$0.isStopping && $0.exports[export.id] != nil }
    }

    /// Notes how far it is; false when it is not wanted any more.
    private func note(_ export: ExportDocument) -> Bool {
        table.withLock { table in
            guard !table.isStopping, table.exports[export.id] != nil else { return false }
            table.exports[export.id] = export
            return true
        }
    }
}
