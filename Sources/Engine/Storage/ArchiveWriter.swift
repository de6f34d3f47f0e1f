import Glibc
public import Records
import Units

/// A partition whose position in a store is not where this writer left it.
public struct MovedPosition: Hashable, Sendable {
    /// The partition.
    public let partition: Partition
    /// Where this writer had left it.
    public let expected: UInt64
    /// Where the store says it is.
    public let found: UInt64
}

/// Why the archive could not be written.
public enum ArchiveError: Error, Equatable {
    /// Someone else wrote, or the database went back: stop, ask for positions, refold.
    case positionMoved([MovedPosition])
    /// The caller asked to stop while the database was away. The batch is kept.
    case stopped
    /// PostgreSQL cannot be reached or refuses to serve. No password is in the text.
    case unavailable(String)
}

/// What one commit did.
public struct CommitReport: Equatable, Sendable {
    /// Event rows written.
    public var events = 0
    /// History rows written.
    public var historyPoints = 0
    /// Session rows touched.
    public var sessions = 0
    /// Conversions found.
    public var conversions = 0
    /// Rows of rejected events written.
    public var rejected = 0
    /// Rows that PostgreSQL refused; they are in `heliograph.refused_row`, the rest was written.
    public var refused: [RefusedRow] = []
    /// Transactions that had to be tried again.
    public var retries = 0
}

/// A row that PostgreSQL refused.
public struct RefusedRow: Equatable, Sendable {
    /// The table it was meant for.
    public let source: String
    /// SQLSTATE, such as `22P02`.
    public let reason: String
    /// What PostgreSQL said.
    public let message: String
}

/// Writes events, sessions and score history to PostgreSQL together with the positions they stand at.
///
/// Invariants: one transaction carries rows and positions, and moves a position only from where this
/// writer left it, so a batch is stored exactly once whatever is retried, and a second writer is
/// fenced. Blocking; owned by one thread, which the pipeline gives it.
public final class ArchiveWriter {
    /// What `add` did with a record.
    public enum Addition: Equatable, Sendable {
        /// It is in the batch.
        case added
        /// The database has it already.
        case alreadyStored
        /// The batch is full: commit first, then add it again.
        case full
    }

    /// Makes a connection.
    private let connecting: () throws(PostgresFailure) -> any PostgresSession
    /// Waits so many milliseconds.
    private let pausing: (UInt64) -> Void
    private let onProblem: (String) -> Void
    var connection: (any PostgresSession)?
    var batch = ArchiveBatch()
    var parameters = PostgresParameters()
    /// Where this writer left each partition; what the next transaction expects.
    private(set) var taken = [UInt64](repeating: 0, count: Partition.count)
    var knownDays: Set<Int32> = []
    /// Set once a COMMIT of the present batch was sent and its answer lost.
    private var isCommitUncertain = false
    /// Set once a row of the present batch was refused: from then on it is written with savepoints.
    private var isSuspicious = false
    private var backoff = Backoff()
    /// Random numbers for the waits between attempts.
    private let jitter: () -> UInt64

    /// A writer that is not connected yet. `onConnected` is told the server's process for each
    /// connection, `onProblem` hears of retries; both on the calling thread.
    public init(
        conninfo: String,
        onConnected: @escaping (Int32) -> Void = { _ in },
        onProblem: @escaping (String) -> Void = { _ in }
    ) {
        connecting = { () throws(PostgresFailure) in
            let opened = try PostgresConnection(conninfo: conninfo)
            onConnected(opened.serverProcess)
            return opened
        }
        pausing = { milliseconds in _ = usleep(UInt32(milliseconds * 1_000)) }
        jitter = { UInt64.random(in: 0 ... .max) }
        self.onProblem = onProblem
    }

    /// A writer whose connections and whose waiting are somebody else's, such as a simulation's.
    init(
        connecting: @escaping () throws(PostgresFailure) -> any PostgresSession,
        pausing: @escaping (UInt64) -> Void
    ) {
        self.connecting = connecting
        self.pausing = pausing
        jitter = { 0 }
        onProblem = { _ in }
    }

    // MARK: Connecting

    /// Connects, brings the schema up to date and takes the positions found as its own.
    @discardableResult
    public func connect() throws(ArchiveError) -> [UInt64] {
        do {
            let opened = try open()
            try PostgresSchema.migrate(opened)
            taken = try readPositions(opened)
            connection = opened
            knownDays.removeAll()
            return taken
        } catch {
            connection = nil
            throw .unavailable(error.message)
        }
    }

    private func open() throws(PostgresFailure) -> any PostgresSession {
        let opened = try connecting()
        try opened.run("SET client_min_messages = error; SET timezone = 'UTC'")
        return opened
    }

    /// Reads the positions of all partitions from the database; index is the partition.
    public func positions() throws(ArchiveError) -> [UInt64] {
        do {
            return try readPositions(try connected())
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// Forgets the batch and takes the positions found in the database as its own: after
    /// `positionMoved`, before the caller refolds.
    public func abandonBatch() throws(ArchiveError) -> [UInt64] {
        clearBatch()
        taken = try positions()
        return taken
    }

    /// Looks whether the database is still where this writer left it, which it is not when it was
    /// brought back from a copy. Throws `positionMoved` then. Only while the batch is empty.
    public func probePositions() throws(ArchiveError) {
        invariant(batch.isEmpty, "positions were probed with a batch under way")
        let found = try positions()
        let moved = found.indices.filter { found[$0] != taken[$0] }
        if moved.isEmpty { return }
        throw .positionMoved(
            moved.map { index in
                MovedPosition(
                    partition: Partition(UInt8(index)),
                    expected: taken[index],
                    found: found[index]
                )
            }
        )
    }

    private func connected() throws(PostgresFailure) -> any PostgresSession {
        if let connection, connection.isAlive { return connection }
        connection = nil
        knownDays.removeAll()
        let opened = try open()
        connection = opened
        return opened
    }

    private func readPositions(
        _ connection: any PostgresSession
    ) throws(PostgresFailure) -> [UInt64] {
        try connection.run(ArchiveStatements.restorePositions)
        return try connection.readPositions()
    }

    // MARK: Filling a batch

    /// Adds what one record brought about. Events that the header marks as repeats get no row.
    public func add(
        header: RecordHeader,
        slice: Slice,
        change: SessionChange,
        history: HistoryGain?,
        gains: RecordGains? = nil
    ) -> Addition {
        if header.offset <= reached(header.partition) { return .alreadyStored }
        guard batch.hasRoom(header, slice) else { return .full }
        batch.add(header, slice, change, history, gains)
        return .added
    }

    /// Adds that a visitor took back every consent, of which no event tells.
    public func add(header: RecordHeader, withdrawal slice: Slice) -> Addition {
        if header.offset <= reached(header.partition) { return .alreadyStored }
        guard batch.hasRoom(header, slice) else { return .full }
        batch.addWithdrawal(header, slice)
        return .added
    }

    /// Adds what was refused, which is no visitor's.
    public func add(header: RecordHeader, rejection: Rejection) -> Addition {
        if header.offset <= reached(header.partition) { return .alreadyStored }
        guard batch.hasRoomForRejection(header) else { return .full }
        batch.add(header, rejection)
        return .added
    }

    /// Drops the days of rejected events before `day`, counted from 1970-01-01. Returns how many went.
    public func dropRejected(before day: Int32) throws(ArchiveError) -> Int {
        try drop(.rejected, before: day)
    }

    /// Drops the days of events before `day`, counted from 1970-01-01. Returns how many went.
    public func dropEvents(before day: Int32) throws(ArchiveError) -> Int {
        try drop(.event, before: day)
    }

    private func drop(_ parent: DayTable.Parent, before day: Int32) throws(ArchiveError) -> Int {
        do {
            let dropped = try PostgresSchema.drop(parent, before: day, try connected())
            // A record that comes late for such a day needs its table again.
            if dropped > 0 { knownDays.removeAll() }
            return dropped
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// Moves a partition past a record that stores nothing.
    public func advance(to position: Position) {
        if position.offset > reached(position.partition) { batch.advance(position) }
    }

    /// Where the partition stands once the present batch is committed.
    public func reached(_ partition: Partition) -> UInt64 {
        batch.target(partition) ?? taken[Int(partition.index)]
    }

    /// Where the partition stands in the database, as far as this writer knows.
    public func stored(_ partition: Partition) -> UInt64 { taken[Int(partition.index)] }

    /// Bytes of rows in the batch.
    public var batchBytes: Int { batch.bytes }

    /// Event rows in the batch.
    public var batchEvents: Int { batch.eventCount }

    /// Whether there is nothing to commit.
    public var isBatchEmpty: Bool { batch.isEmpty }

    private func clearBatch() {
        batch.reset()
        isCommitUncertain = false
        isSuspicious = false
    }

    // MARK: Committing

    /// Writes the batch in one transaction, trying again while the database is away and `keepGoing`
    /// says so. On return the batch is empty and stored exactly once.
    public func commit(while keepGoing: () -> Bool = { true }) throws(ArchiveError) -> CommitReport
    {
        var report = CommitReport()
        while !batch.isEmpty {
            do {
                try attempt(&report)
                take()
            } catch {
                try settle(error, &report, keepGoing)
            }
        }
        return report
    }

    enum CommitFailure: Error {
        case database(PostgresFailure)
        case mismatch
    }

    private func attempt(_ report: inout CommitReport) throws(CommitFailure) {
        do {
            let connection = try connected()
            if isCommitUncertain, try isBatchStored(connection) { return }
            for rows in batch.days { try prepare(day: rows.day, connection) }
            for rows in batch.rejectedDays { try prepare(day: rows.day, connection) }
            try connection.run("BEGIN")
            if try movePositions(connection) != batch.moved.count { throw CommitFailure.mismatch }
            report.refused.removeAll()
            try writeRows(connection, carefully: isSuspicious, &report)
            try cancelDeliveries(connection)
            try finish(connection)
            count(&report)
        } catch let failure as PostgresFailure {
            throw .database(failure)
        } catch {
            throw .mismatch
        }
    }

    private func prepare(
        day: Int32,
        _ connection: any PostgresSession
    ) throws(PostgresFailure) {
        if knownDays.contains(day) { return }
        try PostgresSchema.createDay(day, connection)
        knownDays.insert(day)
    }

    /// An answer that is lost after COMMIT was sent leaves open whether it happened.
    private func finish(_ connection: any PostgresSession) throws(PostgresFailure) {
        do {
            try connection.run("COMMIT")
        } catch {
            if error.isConnectionLost { isCommitUncertain = true }
            throw error
        }
    }

    private func count(_ report: inout CommitReport) {
        let refusedEvents = report.refused.filter { $0.source.contains(".event_") }.count
        report.events += batch.eventCount - refusedEvents
        report.historyPoints += batch.historyCount
        report.sessions += batch.sessions.count
        report.rejected += batch.rejectedCount
    }

    private func take() {
        for partition in batch.moved {
            taken[Int(partition.index)] = batch.target(partition) ?? 0
        }
        clearBatch()
        backoff.succeeded()
    }

    private func isBatchStored(_ connection: any PostgresSession) throws(PostgresFailure) -> Bool {
        let found = try readPositions(connection)
        return batch.moved.allSatisfy { found[Int($0.index)] == batch.target($0) }
    }

    private func movePositions(_ connection: any PostgresSession) throws(PostgresFailure) -> Int {
        parameters.reset()
        parameters.addPositions(batch, expected: taken)
        return try connection.run(ArchiveStatements.movePositions, parameters).changed
    }

    private func settle(
        _ failure: CommitFailure,
        _ report: inout CommitReport,
        _ keepGoing: () -> Bool
    ) throws(ArchiveError) {
        try? connection?.run("ROLLBACK")
        switch failure {
        case .mismatch: try settleMismatch(keepGoing)
        case .database(let failure) where failure.isDataFault && !isSuspicious:
            isSuspicious = true
        case .database(let failure):
            knownDays.removeAll()
            if failure.isConnectionLost { connection = nil }
            onProblem("archive: \(failure.code) \(failure.message)")
            try waitBeforeRetry(keepGoing)
        }
        report.retries += 1
    }

    /// A lost COMMIT may finish while it is being repeated; then the positions are the batch's own.
    private func settleMismatch(_ keepGoing: () -> Bool) throws(ArchiveError) {
        let found: [UInt64]
        do {
            found = try readPositions(try connected())
        } catch {
            // Gone before it could be asked: the next attempt meets the mismatch again.
            onProblem("archive: \(error.code) \(error.message)")
            return try waitBeforeRetry(keepGoing)
        }
        let isStored = batch.moved.allSatisfy { found[Int($0.index)] == batch.target($0) }
        if isCommitUncertain && isStored {
            take()
            return
        }
        throw .positionMoved(
            batch.moved.compactMap { partition in
                let index = Int(partition.index)
                guard found[index] != taken[index] else { return nil }
                return MovedPosition(
                    partition: partition,
                    expected: taken[index],
                    found: found[index]
                )
            }
        )
    }

    private func waitBeforeRetry(_ keepGoing: () -> Bool) throws(ArchiveError) {
        var left = backoff.next(random: jitter())
        repeat {
            guard keepGoing() else { throw .stopped }
            let step = min(left, 50)
            pausing(step)
            left -= step
        } while left > 0
    }
}
