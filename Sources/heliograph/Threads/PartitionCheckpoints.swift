import Bytes
import Journal
import Loop
import Records
import Rings
import Settings
import Synchronization
import Telemetry
import Units

/// Checkpoints of all partitions in one folder, `p000` to `p255`, and the cold files beside them.
struct PartitionCheckpoints: Sendable {
    private static let scratchPrefix = "scratch-"

    private let disk: JournalDisk
    private let directory: String
    private let files: [CheckpointFiles]

    init(disk: JournalDisk, directory: String) {
        self.disk = disk
        self.directory = directory
        files = (0..<Partition.count).map { index in
            CheckpointFiles(
                disk: disk,
                directory: directory,
                name: Self.name(index),
                generations: Limits.checkpointGenerations
            )
        }
    }

    private static func name(_ index: Int) -> String {
        let digits = String(index)
        return "p" + String(repeating: "0", count: 3 - digits.count) + digits
    }

    // MARK: - Cold files

    /// The partition's cold files that checkpoints list.
    func cold(_ partition: Partition) -> ColdFiles {
        ColdFiles(disk: disk, directory: directory, name: Self.name(Int(partition.index)))
    }

    /// Files that no checkpoint will list, for a fold that ends before the process does.
    func scratch(_ partition: Partition) -> ColdFiles {
        ColdFiles(
            disk: disk,
            directory: directory,
            name: Self.scratchPrefix + Self.name(Int(partition.index))
        )
    }

    /// Removes what a fold left behind that could not end.
    func removeScratch() throws(SystemCallError) {
        for name in try disk.names(in: directory) where name.hasPrefix(Self.scratchPrefix) {
            try disk.remove("\(directory)/\(name)")
        }
    }

    /// Serials of the cold files there are, by partition.
    func coldSerials() throws(SystemCallError) -> [[UInt64]] {
        let names = try disk.names(in: directory).filter { $0.hasSuffix(ColdFiles.suffix) }
        guard !names.isEmpty else { return Array(repeating: [], count: Partition.count) }
        return (0..<Partition.count).map { cold(Partition(UInt8($0))).serials(among: names) }
    }

    /// Serials that a checkpoint lists. Of one that is damaged nothing is to be had, nor needed.
    func listed(_ partition: Partition, offset: UInt64) throws(SystemCallError) -> [UInt64] {
        var buffer = ByteBuffer(capacity: ColdList.bytesMaximum)
        try files[Int(partition.index)].head(
            offset,
            count: ColdList.bytesMaximum,
            into: &buffer
        )
        do throws(ColdError) {
            return try ColdList.read(buffer.view)?.list.serials ?? []
        } catch {
            return []
        }
    }

    // MARK: - Checkpoints

    func load(
        _ partition: Partition,
        atOrBefore bound: UInt64,
        into buffer: inout ByteBuffer
    ) throws(SystemCallError) -> UInt64? {
        try files[Int(partition.index)].load(atOrBefore: bound, into: &buffer)
    }

    /// Writes one, and removes those that nobody can need: older than the newest at or before what
    /// the archive has, and not among the latest.
    func save(
        _ partition: Partition,
        offset: UInt64,
        content: ByteView,
        archived: UInt64
    ) throws(SystemCallError) {
        try files[Int(partition.index)].save(
            sequence: offset,
            content: content,
            keepingFor: archived
        )
    }

    /// Reads every checkpoint of the partition; the content of the newest whole one is left in `newest`.
    func inventory(
        _ partition: Partition,
        newest: inout ByteBuffer
    ) throws(SystemCallError) -> CheckpointInventory {
        try files[Int(partition.index)].inventory(newest: &newest)
    }

    /// The offsets that the partition's checkpoints stand at, ascending.
    func offsets(_ partition: Partition) throws(SystemCallError) -> [UInt64] {
        try files[Int(partition.index)].sequences()
    }
}

/// One number per partition that one thread writes and others read.
final class PartitionBoard: Sendable {
    private let values = InlineArray<256, Atomic<UInt64>> { _ in Atomic(0) }

    subscript(partition: Partition) -> UInt64 {
        get { values[Int(partition.index)].load(ordering: .acquiring) }
        set { values[Int(partition.index)].store(newValue, ordering: .releasing) }
    }

    var all: [UInt64] {
        (0..<Partition.count).map { values[$0].load(ordering: .acquiring) }
    }
}

/// Writes checkpoints on a thread of its own, so that no worker waits for a disk.
final class CheckpointThread: Sendable {
    private struct Job: Sendable {
        let partition: Partition
        let offset: UInt64
        let content: [UInt8]
        /// Serial of the last cold file that the fold has taken up or moved past.
        let pastSerial: UInt64
    }

    private struct Queue {
        var jobs: [Job] = []
        var coldJobs: [ColdJob] = []
    }

    private let checkpoints: PartitionCheckpoints
    private let registry: ColdRegistry
    private let archived: PartitionBoard
    private let learning: LearnBoard
    /// Offsets of the checkpoints of each partition, ascending; written by this thread, and once at
    /// the start.
    private let kept = Mutex([[UInt64]](repeating: [], count: Partition.count))
    private let queue = Mutex(Queue())
    private let stop: StopSignal
    private let counters: CounterBlock
    private let writes: LatencyHistogram
    private let onProblem: @Sendable (String) -> Void

    init(
        _ checkpoints: PartitionCheckpoints,
        archived: PartitionBoard,
        learning: LearnBoard,
        metrics: Metrics,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.checkpoints = checkpoints
        self.learning = learning
        registry = ColdRegistry(checkpoints)
        self.archived = archived
        self.onProblem = onProblem
        stop = StopSignal(waker: Waker())
        counters = metrics.makeBlock(thread: "hg-checkpoint")
        writes = metrics.makeHistogram(.checkpointWrite, thread: "hg-checkpoint")
    }

    /// Finds out which checkpoints there are. To be called once, before any thread runs.
    func learn() throws(SystemCallError) {
        try registry.learn()
        for index in 0..<Partition.count {
            let partition = Partition(UInt8(index))
            try learn(partition)
            try collect(partition, upTo: registry.lastSerial(partition))
        }
    }

    private func learn(_ partition: Partition) throws(SystemCallError) {
        let offsets = try checkpoints.offsets(partition)
        try registry.note(partition, offsets: offsets)
        kept.withLock { $0[Int(partition.index)] = offsets }
    }

    /// Offset of the partition's newest checkpoint; 0 without one.
    func newest(_ partition: Partition) -> UInt64 {
        kept.withLock { $0[Int(partition.index)].last ?? 0 }
    }

    /// Offset of the partition's oldest checkpoint; 0 without one.
    func oldest(_ partition: Partition) -> UInt64 {
        kept.withLock { $0[Int(partition.index)].first ?? 0 }
    }

    /// From where PostgreSQL, standing at `archived`, would be brought up to date: the journal is needed
    /// from there on. An older checkpoint of a partition that nobody visits any more keeps nothing.
    func needed(_ partition: Partition, archived: UInt64) -> UInt64 {
        kept.withLock { $0[Int(partition.index)].last { $0 <= archived } ?? 0 }
    }

    /// Queues a checkpoint. Called by workers.
    func submit(
        _ partition: Partition,
        offset: UInt64,
        content: ByteView,
        pastSerial: UInt64
    ) {
        let job = Job(
            partition: partition,
            offset: offset,
            content: [UInt8](content.buffer),
            pastSerial: pastSerial
        )
        queue.withLock { $0.jobs.append(job) }
        stop.waker.forceWake()
    }

    /// Queues the writing of a cold file. Called by workers.
    func submit(_ job: ColdJob) {
        queue.withLock { $0.coldJobs.append(job) }
        stop.waker.forceWake()
    }

    /// Who knows which cold files there are.
    var coldFiles: ColdRegistry { registry }

    /// How many checkpoints wait to be written: a worker makes no new ones while there are many.
    var backlog: Int { queue.withLock { $0.jobs.count } }

    /// There may be something to learn from. Called by workers.
    func wake() { stop.waker.forceWake() }

    /// Asks the thread to write what is queued and end.
    func requestStop() { stop.request() }

    /// The thread's body.
    func run() {
        while true {
            if turn() { continue }
            if stop.isRequested { return }
            stop.waker.sleep(timeoutMilliseconds: -1)
        }
    }

    /// Writes what is queued. False when there is nothing.
    func turn() -> Bool {
        let taken = queue.withLock { queue in
            defer { queue = Queue() }
            return queue
        }
        for job in taken.coldJobs { write(job) }
        for job in taken.jobs { write(job) }
        takeLessons()
        return !taken.jobs.isEmpty || !taken.coldJobs.isEmpty
    }

    /// What waits to be learned from stays with the workers until that is on the disk.
    private func takeLessons() {
        do {
            try learning.turn()
        } catch {
            onProblem("what was learned could not be written: \(error)")
        }
    }

    private func write(_ job: Job) {
        let begun = TimeSource.real.monotonicNanoseconds()
        do {
            registry.forget(job.partition, offset: job.offset)
            var content = ByteBuffer(capacity: job.content.count)
            job.content.withUnsafeBytes { content.append(ByteView($0)) }
            try checkpoints.save(
                job.partition,
                offset: job.offset,
                content: content.view,
                archived: archived[job.partition]
            )
            try learn(job.partition)
            try collect(job.partition, upTo: job.pastSerial)
        } catch {
            // The journal still has everything; only recovery gets longer.
            return onProblem("a checkpoint could not be written: \(error)")
        }
        counters.add(.checkpoints)
        counters.add(.checkpointBytes, job.content.count)
        writes.record(nanoseconds: TimeSource.real.monotonicNanoseconds() - begun)
    }

    private func collect(
        _ partition: Partition,
        upTo serial: UInt64
    ) throws(SystemCallError) {
        counters.add(.coldFilesRemoved, try registry.collect(partition, upTo: serial))
    }

    // MARK: - Cold files

    private func write(_ job: ColdJob) {
        let files = checkpoints.cold(job.partition)
        do throws(ColdError) {
            switch job.task {
            case .leave(let batch):
                let file = try files.write(batch, serial: job.serial)
                job.reply(file, damagedBlocks: 0)
            case .merge(let merged, let expiry, let erased):
                let made = try files.merge(
                    merged,
                    serial: job.serial,
                    expiry: expiry,
                    erased: erased
                )
                job.reply(made.file, damagedBlocks: made.damagedBlocks)
            }
            counters.add(.coldFilesWritten)
        } catch {
            // The states stay where they are; the worker tries again after a while.
            onProblem("states of idle visitors could not be written: \(error)")
            job.reply(nil, damagedBlocks: 0)
        }
    }
}
