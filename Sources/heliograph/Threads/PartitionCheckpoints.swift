import Bytes
import Journal
import Loop
import Records
import Rings
import Settings
import Synchronization
import Telemetry
import Units

/// Checkpoints of all partitions in one folder, `p000` to `p255`.
struct PartitionCheckpoints: Sendable {
    private let files: [CheckpointFiles]

    init(disk: JournalDisk, directory: String) {
        files = (0..<Partition.count).map { index in
            let digits = String(index)
            let name = "p" + String(repeating: "0", count: 3 - digits.count) + digits
            return CheckpointFiles(
                disk: disk,
                directory: directory,
                name: name,
                generations: Limits.checkpointGenerations
            )
        }
    }

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
    }

    private struct Queue {
        var jobs: [Job] = []
        var isStopping = false
    }

    private let checkpoints: PartitionCheckpoints
    private let archived: PartitionBoard
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
        metrics: Metrics,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.checkpoints = checkpoints
        self.archived = archived
        self.onProblem = onProblem
        stop = StopSignal(waker: Waker())
        counters = metrics.makeBlock(thread: "hg-checkpoint")
        writes = metrics.makeHistogram(.checkpointWrite, thread: "hg-checkpoint")
    }

    /// Finds out which checkpoints there are. To be called once, before any thread runs.
    func learn() throws(SystemCallError) {
        for index in 0..<Partition.count { try learn(Partition(UInt8(index))) }
    }

    private func learn(_ partition: Partition) throws(SystemCallError) {
        let offsets = try checkpoints.offsets(partition)
        kept.withLock { $0[Int(partition.index)] = offsets }
    }

    /// Offset of the partition's newest checkpoint; 0 without one.
    func newest(_ partition: Partition) -> UInt64 {
        kept.withLock { $0[Int(partition.index)].last ?? 0 }
    }

    /// From where PostgreSQL, standing at `archived`, would be brought up to date: the journal is needed
    /// from there on. An older checkpoint of a partition that nobody visits any more keeps nothing.
    func needed(_ partition: Partition, archived: UInt64) -> UInt64 {
        kept.withLock { $0[Int(partition.index)].last { $0 <= archived } ?? 0 }
    }

    /// Queues a checkpoint. Called by workers.
    func submit(_ partition: Partition, offset: UInt64, content: ByteView) {
        let job = Job(partition: partition, offset: offset, content: [UInt8](content.buffer))
        queue.withLock { $0.jobs.append(job) }
        stop.waker.forceWake()
    }

    /// How many checkpoints wait to be written: a worker makes no new ones while there are many.
    var backlog: Int { queue.withLock { $0.jobs.count } }

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
        let jobs = queue.withLock { queue in
            defer { queue.jobs.removeAll() }
            return queue.jobs
        }
        for job in jobs { write(job) }
        return !jobs.isEmpty
    }

    private func write(_ job: Job) {
        let begun = TimeSource.real.monotonicNanoseconds()
        do {
            var content = ByteBuffer(capacity: job.content.count)
            job.content.withUnsafeBytes { content.append(ByteView($0)) }
            try checkpoints.save(
                job.partition,
                offset: job.offset,
                content: content.view,
                archived: archived[job.partition]
            )
            try learn(job.partition)
        } catch {
            // The journal still has everything; only recovery gets longer.
            return onProblem("a checkpoint could not be written: \(error)")
        }
        counters.add(.checkpoints)
        counters.add(.checkpointBytes, job.content.count)
        writes.record(nanoseconds: TimeSource.real.monotonicNanoseconds() - begun)
    }
}
