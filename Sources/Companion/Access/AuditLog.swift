import Logging
import Settings
import Synchronization
import Units

/// Notes who read which person's data: into PostgreSQL, a few times a second, at most one row a minute
/// for the same reader, person and kind. While PostgreSQL is away rows wait here; when too many do,
/// nobody is shown a person any more.
final class AuditLog: Sendable {
    private struct Read: Hashable {
        let actor: String
        let name: String
        let site: String
        let visitor: String
        let what: String
    }

    private struct State {
        /// Rows that are not stored yet, oldest first.
        var waiting: [(at: Int64, read: Read)] = []
        /// What has been noted in this minute.
        var noted: Set<Read> = []
        var minute: Int64 = 0
    }

    private let writers: ArchiveReaders
    private let time: TimeSource
    private let log: Logger
    private let state = Mutex(State())

    init(_ writers: ArchiveReaders, time: TimeSource, log: Logger) {
        (self.writers, self.time, self.log) = (writers, time, log)
    }

    /// Notes a read before it is answered; refuses it when it could not be noted.
    func note(_ grant: Grant, site: String, visitor: String, what: String) throws {
        let now = time.epochMilliseconds()
        let read = Read(
            actor: grant.id,
            name: grant.name,
            site: site,
            visitor: visitor,
            what: what
        )
        let isNoted = state.withLock { state in
            if state.minute != now / 60_000 { (state.minute, state.noted) = (now / 60_000, []) }
            if state.noted.contains(read) { return true }
            if state.waiting.count >= Limits.auditWaitingMaximum { return false }
            state.noted.insert(read)
            state.waiting.append((now, read))
            return true
        }
        if !isNoted { throw ApiProblem.auditFull }
    }

    /// Stores what waits. Called by one task.
    func flush() async {
        let batch = state.withLock { Array($0.waiting.prefix(Limits.auditBatchMaximum)) }
        if batch.isEmpty { return }
        do {
            _ = try await writers.ask([Self.query(batch)])
            state.withLock { $0.waiting.removeFirst(batch.count) }
        } catch ArchiveFailure.refused(let code) {
            // What PostgreSQL will never take must not keep the rest waiting.
            log.error("reads of persons could not be noted", metadata: ["sqlstate": "\(code)"])
            state.withLock { $0.waiting.removeFirst(batch.count) }
        } catch {
            log.debug("reads of persons wait for PostgreSQL")
        }
    }

    private static func query(_ batch: [(at: Int64, read: Read)]) -> ArchiveQuery {
        func lines(_ values: [String]) -> String { values.joined(separator: "\n") }
        return ArchiveQuery(
            AccessStatements.noteReads,
            [
                lines(batch.map { "\($0.at)" }), lines(batch.map(\.read.actor)),
                lines(batch.map(\.read.name)), lines(batch.map(\.read.site)),
                lines(batch.map(\.read.visitor)), lines(batch.map(\.read.what)),
            ]
        )
    }
}
