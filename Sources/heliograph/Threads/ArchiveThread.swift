import Bytes
import Journal
import Loop
import Records
import Rings
import Scoring
import Settings
import Storage
import Telemetry
import Units

/// Stores events, sessions and score history in PostgreSQL, each record's effects exactly once.
///
/// The usual way is a ring from each worker. When PostgreSQL was away and a ring has overflowed, or
/// after a restart, the effects that are missing are worked out again from a checkpoint at or before
/// PostgreSQL's positions and the journal, without the workers noticing. Owned by one thread, because
/// libpq blocks.
final class ArchiveThread {
    private let archive: ArchiveWriter
    private let sources: [ArchiveSource]
    private let board: PartitionBoard
    private let stop: StopSignal
    private let counters: CounterBlock
    private let commits: LatencyHistogram
    private let time: TimeSource
    private let onProblem: @Sendable (String) -> Void
    /// When the first record of the batch was added, monotonic milliseconds; nil while it is empty.
    private var batchBegunAt: Int64?
    private var retention = RetentionClock()
    private let rejectedDays: Int
    private let eventDays: Int
    /// When the database's positions are looked at next, monotonic milliseconds.
    private var probeAt: Int64 = 0

    /// How soon it is noticed that the database went back, also where nothing is written.
    private static let probeEveryMilliseconds: Int64 = 10_000

    init(
        archive: ArchiveWriter,
        sources: [ArchiveSource],
        board: PartitionBoard,
        rejectedDays: Int,
        eventDays: Int = Limits.eventDaysMaximum,
        stop: StopSignal,
        metrics: Metrics,
        time: TimeSource,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.archive = archive
        self.sources = sources
        self.board = board
        self.stop = stop
        self.time = time
        self.onProblem = onProblem
        self.eventDays = eventDays
        self.rejectedDays = rejectedDays
        counters = metrics.makeBlock(thread: "hg-archive")
        commits = metrics.makeHistogram(.postgresCommit, thread: "hg-archive")
    }

    /// Works until it is asked to stop and everything is stored, or there is no time left for it.
    func run() {
        publish()
        while true {
            switch turn() {
            case .moved: continue
            case .ended: return
            case .idle:
                stop.waker.prepareToSleep()
                stop.waker.sleep(timeoutMilliseconds: waitMilliseconds)
            }
        }
    }

    /// What one turn did.
    enum Turn {
        case moved, idle, ended
    }

    /// Takes what the workers have sent, and commits when that is due.
    func turn() -> Turn {
        var moved = false
        for source in sources where pump(source) { moved = true }
        if !archive.isBatchEmpty, batchBegunAt == nil { batchBegunAt = now }
        if isDue(moved) { guard commit() else { return .ended } }
        if stop.isOverdue(at: time) {
            leaveTheRest()
            return .ended
        }
        if !stop.isRequested {
            tidyUp()
            if probe() { return .moved }
        }
        if moved { return .moved }
        let isDone = stop.isRequested && archive.isBatchEmpty && sources.allSatisfy(\.isDone)
        return isDone ? .ended : .idle
    }

    private func pump(_ source: ArchiveSource) -> Bool {
        source.pump(into: archive, makeRoom: commit, onProblem: onProblem)
    }

    private var now: Int64 { time.monotonicNanoseconds() / 1_000_000 }

    private func isDue(_ moved: Bool) -> Bool {
        guard let begun = batchBegunAt, !archive.isBatchEmpty else { return false }
        return stop.isRequested || archive.batchEvents >= Limits.archiveRowsMaximum / 2
            || now - begun >= Int64(Limits.archiveDelayMilliseconds)
            || sources.contains(where: \.hasFullBatch)
    }

    private var waitMilliseconds: Int32 {
        guard let begun = batchBegunAt else { return 500 }
        return Int32(max(1, Int64(Limits.archiveDelayMilliseconds) - (now - begun)))
    }

    /// False when the thread must end: it was asked to, and PostgreSQL is away.
    private func commit() -> Bool {
        let begun = time.monotonicNanoseconds()
        do {
            let report = try archive.commit { !stop.isOverdue(at: time) }
            commits.record(nanoseconds: time.monotonicNanoseconds() - begun)
            count(report)
            batchBegunAt = nil
            for source in sources { source.hasFullBatch = false }
            publish()
            return true
        } catch {
            return recover(from: error)
        }
    }

    private func count(_ report: CommitReport) {
        counters.add(.postgresTransactions)
        counters.add(.postgresEventRows, report.events)
        if report.conversions > 0 { counters.add(.conversions, report.conversions) }
        counters.add(.postgresReconnects, report.retries)
        for row in report.refused {
            counters.add(.rowRefused)
            onProblem("PostgreSQL refused a row of \(row.source): \(row.reason)")
        }
    }

    private func recover(from error: ArchiveError) -> Bool {
        switch error {
        case .positionMoved:
            startAgain(error)
            return true
        case .stopped, .unavailable:
            onProblem("PostgreSQL is away while the engine stops; the journal keeps what it lacks")
            return false
        }
    }

    private func startAgain(_ error: ArchiveError) {
        counters.add(.postgresMoved)
        onProblem("PostgreSQL's positions moved (\(error)): working out again what it lacks")
        _ = try? archive.abandonBatch()
        batchBegunAt = nil
        for source in sources { source.restart() }
    }

    /// A database that was brought back from a copy is noticed between two batches. True when it was.
    private func probe() -> Bool {
        guard archive.isBatchEmpty, now >= probeAt else { return false }
        probeAt = now + Self.probeEveryMilliseconds
        do {
            try archive.probePositions()
            return false
        } catch {
            // One that is away is met again by the next commit or the next look.
            guard case .positionMoved = error else { return false }
            startAgain(error)
            return true
        }
    }

    private func tidyUp() {
        guard archive.isBatchEmpty, let today = retention.due(at: time) else { return }
        do {
            let dropped = try archive.dropRejected(before: today - Int32(rejectedDays))
            if dropped > 0 { counters.add(.rejectedDaysDropped, dropped) }
            _ = try archive.dropEvents(before: today - Int32(eventDays))
        } catch {
            onProblem("days of old could not be dropped, trying again in an hour: \(error)")
        }
    }

    private func leaveTheRest() {
        if archive.isBatchEmpty, sources.allSatisfy(\.isDone) { return }
        onProblem("no time left to store everything; the journal keeps what PostgreSQL lacks")
    }

    private func publish() {
        for index in 0..<Partition.count {
            let partition = Partition(UInt8(index))
            board[partition] = archive.stored(partition)
        }
        counters.set(.postgresLagRecords, sources.reduce(0) { $0 + $1.lag })
    }
}
