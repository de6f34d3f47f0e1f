import Journal
import Records
import Scoring
import Settings
import Synchronization
import Telemetry
import Units

/// A cold file to be written on the checkpoint thread.
struct ColdJob: Sendable {
    enum Task: Sendable {
        /// States that are to leave memory.
        case leave(ColdBatch)
        /// Files to become one, the newest first, without what changed last before the time and
        /// without visitors that were erased.
        case merge([ColdFile], expiry: Int64, erased: Set<Hash128>)
    }

    let partition: Partition
    let serial: UInt64
    let task: Task
    let mailbox: ColdMailbox

    /// Tells the worker; nil when the file could not be written.
    func reply(_ file: ColdFile?, damagedBlocks: Int) {
        let done = ColdDone(partition: partition, file: file, damagedBlocks: damagedBlocks)
        mailbox.post(done)
    }
}

/// What became of a `ColdJob`.
struct ColdDone: Sendable {
    let partition: Partition
    let file: ColdFile?
    let damagedBlocks: Int
}

/// What the checkpoint thread has done for a worker, until the worker looks.
final class ColdMailbox: Sendable {
    private let done = Mutex<[ColdDone]>([])

    func post(_ item: ColdDone) { done.withLock { $0.append(item) } }

    func take() -> [ColdDone] {
        done.withLock { done in
            defer { done = [] }
            return done
        }
    }
}

/// Keeps a worker's visitors within their memory: those unseen for longest go to cold files.
///
/// First a file with their states is written and made durable, on the checkpoint thread; only then,
/// and only who has not changed meanwhile, leaves memory; so at every moment a state is in memory or
/// in a file of the list that the next checkpoint writes. One file of a partition is under way at a
/// time. Owned by the worker's thread.
final class ColdMover {
    private enum Flight {
        case leaving([PartitionFold.Leaver], pastSerial: UInt64)
        case merging(Int, erased: Set<Hash128>, pastSerial: UInt64)

        var pastSerial: UInt64 {
            switch self {
            case .leaving(_, let serial), .merging(_, _, let serial): return serial
            }
        }
    }

    /// Files under way at a time.
    private static let flightsMaximum = 64
    /// Visitors whose states wait to be written.
    private static let leavingMaximum = 65_536
    /// Visitors whose states are written out between two looks at the sockets.
    private static let leaversPerTick = 4_096
    private static let retryMilliseconds: Int64 = 1_000

    private let folds: FoldSet
    private let checkpointThread: CheckpointThread
    private let registry: ColdRegistry
    private let visitorsMaximum: Int
    private let mailbox = ColdMailbox()
    private let time: TimeSource
    private var flights: [Int: Flight] = [:]
    private var leaving = 0
    /// After a file could not be written, monotonic milliseconds.
    private var retryAt: Int64 = 0

    /// Whether a visitor must stay, since somebody knows it by its place in memory.
    var isHeld: (Partition, Int32) -> Bool = { _, _ in false }

    init(
        folds: FoldSet,
        checkpointThread: CheckpointThread,
        visitorsMaximum: Int,
        time: TimeSource
    ) {
        self.folds = folds
        self.checkpointThread = checkpointThread
        self.visitorsMaximum = visitorsMaximum
        self.time = time
        registry = checkpointThread.coldFiles
    }

    /// Serial of the last cold file that the partition's fold has taken up or moved past: checkpoints
    /// made now need none up to it but those on the fold's list.
    func pastSerial(_ partition: Partition) -> UInt64 {
        flights[Int(partition.index)]?.pastSerial ?? registry.lastSerial(partition)
    }

    /// Every tick of the worker.
    func tick() {
        for item in mailbox.take() { take(item) }
        let now = time.monotonicNanoseconds() / 1_000_000
        guard now >= retryAt else { return }
        beginMerges()
        beginLeaving()
    }

    // MARK: - Begin

    private func beginLeaving() {
        var excess = folds.visitorCount - leaving - visitorsMaximum
        var allowance = Self.leaversPerTick
        while excess > 0, allowance > 0, leaving < Self.leavingMaximum,
            flights.count < Self.flightsMaximum,
            let partition = folds.largest(where: { flights[Int($0.index)] == nil })
        {
            let count = beginLeaving(partition)
            if count == 0 { return }
            excess -= count
            allowance -= count
        }
    }

    private func beginLeaving(_ partition: Partition) -> Int {
        var batch = ColdBatch()
        let leavers = folds.leavers(of: partition, into: &batch) { [self] index in
            isHeld(partition, index)
        }
        if leavers.isEmpty { return 0 }
        leaving += leavers.count
        submit(partition, .leave(batch)) { .leaving(leavers, pastSerial: $0) }
        return leavers.count
    }

    private func beginMerges() {
        for partition in folds.partitions where flights[Int(partition.index)] == nil {
            guard flights.count < Self.flightsMaximum else { return }
            let shelf = folds.shelf(partition)
            guard let run = run(shelf) else { continue }
            let expiry = time.epochMilliseconds() - ColdState.keptMilliseconds
            let erased = shelf.erased
            let files = Array(shelf.files.prefix(run))
            submit(partition, .merge(files, expiry: expiry, erased: erased)) {
                .merging(run, erased: erased, pastSerial: $0)
            }
        }
    }

    /// How many of the newest files are to become one; all of them where somebody was erased.
    private func run(_ shelf: ColdShelf) -> Int? {
        if shelf.erased.isEmpty { return shelf.mergeRun }
        if shelf.mayHoldErased { return shelf.files.count }
        shelf.forget(erased: shelf.erased)
        return shelf.mergeRun
    }

    private func submit(
        _ partition: Partition,
        _ task: ColdJob.Task,
        _ flight: (UInt64) -> Flight
    ) {
        let past = registry.lastSerial(partition)
        flights[Int(partition.index)] = flight(past)
        checkpointThread.submit(
            ColdJob(
                partition: partition,
                serial: registry.takeSerial(partition),
                task: task,
                mailbox: mailbox
            )
        )
    }

    // MARK: - End

    private func take(_ item: ColdDone) {
        guard let flight = flights.removeValue(forKey: Int(item.partition.index)) else {
            invariantFailed("a cold file that nobody asked for", #fileID, #line)
        }
        let shelf = folds.shelf(item.partition)
        shelf.noteLoss(item.damagedBlocks)
        if case .leaving(let leavers, _) = flight { leaving -= leavers.count }
        guard let file = item.file else {
            retryAt = time.monotonicNanoseconds() / 1_000_000 + Self.retryMilliseconds
            return
        }
        switch flight {
        case .merging(let count, let erased, _):
            shelf.replace(count, with: file)
            // Only of all files together nothing older can come to light.
            if shelf.files.count <= 1 { shelf.forget(erased: erased) }
        case .leaving(let leavers, _):
            folds.release(leavers, of: item.partition, to: file) { [self] index in
                isHeld(item.partition, index)
            }
        }
    }
}
