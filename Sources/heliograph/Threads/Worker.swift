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

/// A worker: folds the records of its partitions, keeps Redis up to date, and passes effects on to the
/// archive. Owned, with everything in it, by one thread and its loop.
final class Worker {
    /// What a worker shares with the rest of the engine.
    struct Surroundings {
        let index: Int
        let workers: Int
        let model: ScoringModel
        let redis: Storage.RedisAddress
        let keyPrefix: String
        let checkpoints: PartitionCheckpoints
        let checkpointThread: CheckpointThread
        let checkpointSeconds: Int
        let progress: JournalProgress
        let openReader: @Sendable () -> JournalReader
        let stop: StopSignal
        let feed: RecordFeed
        let metrics: Metrics
        let time: TimeSource
        let onProblem: @Sendable (String) -> Void
    }

    /// Records folded between two looks at the sockets, so that Redis is never kept waiting long.
    private static let recordsPerRound = 256

    private let around: Surroundings
    private let loop: EventLoop
    private let folds: FoldSet
    private var ring: RingConsumer
    private var archive: RecordSender
    private let counters: CounterBlock
    private let freshness: LatencyHistogram
    private var live: LiveUpdates!
    /// Sequence of the last record of this worker's partitions that is folded.
    private var folded: UInt64 = 0
    private var reader: JournalReader?
    private var schedule: CheckpointSchedule
    private var effectBytes = ByteBuffer(capacity: 512, limit: 1024)

    init(
        _ around: Surroundings,
        loop: EventLoop,
        ring: consuming RingConsumer,
        archive: consuming RecordSender
    ) {
        self.around = around
        self.loop = loop
        self.ring = ring
        self.archive = archive
        folds = FoldSet(model: around.model, worker: around.index, of: around.workers)
        let name = "hg-worker-\(around.index)"
        counters = around.metrics.makeBlock(thread: name)
        freshness = around.metrics.makeHistogram(.freshness, thread: name)
        schedule = CheckpointSchedule(
            partitions: folds.partitions,
            everyMilliseconds: around.checkpointSeconds * 1000,
            nowMilliseconds: around.time.monotonicNanoseconds() / 1_000_000
        )
    }

    // MARK: - Life

    /// Recovers, then serves until it is asked to stop and has taken everything.
    func run() {
        recover()
        live = LiveUpdates(
            folds: folds,
            address: around.redis,
            keyPrefix: around.keyPrefix,
            loop: loop,
            counters: counters,
            metrics: around.metrics,
            time: around.time,
            index: around.index,
            onProblem: around.onProblem
        )
        let watch = loop.watch(readable: around.stop.waker.descriptor) { [unowned self] in
            around.stop.waker.acknowledge()
            around.stop.waker.stayAwake()
            work()
        }
        let timer = loop.every(milliseconds: 50) { [unowned self] in tick() }
        work()
        loop.run()
        watch.close()
        timer.close()
        live.close()
        loop.close()
    }

    /// Loads the newest checkpoints and folds what the journal holds beyond them.
    private func recover() {
        do {
            try folds.load(
                around.checkpoints,
                atOrBefore: Array(repeating: UInt64.max, count: Partition.count)
            )
        } catch {
            around.onProblem("checkpoints could not be read, folding from the journal: \(error)")
        }
        let bound = around.progress.committedSequence
        readJournal(upTo: bound, effects: false)
        folded = bound
        archive.previous = bound
        archive.feed.publish(bound)
        counters.set(.visitorsTracked, folds.size.visitors)
    }

    // MARK: - Folding

    /// Takes what there is, a round at a time, and goes to sleep when there is nothing.
    private func work() {
        let count = ring.drainWhile(limit: Self.recordsPerRound) { take($0) }
        if count == 0, folded < around.feed.lastSequence { catchUp() }
        live.flush()
        if count > 0 || folded < around.feed.lastSequence {
            return around.stop.waker.forceWake()
        }
        around.stop.waker.prepareToSleep()
        if !ring.isEmpty() {
            around.stop.waker.stayAwake()
            around.stop.waker.forceWake()
        }
    }

    /// Folds a record from the ring. False when records before it are missing in the ring.
    private func take(_ frame: Frame) -> Bool {
        if frame.first <= folded { return true }
        guard frame.second <= folded else {
            catchUp(to: frame.second)
            return frame.second <= folded
        }
        fold(frame.body, sequence: frame.first, effects: true)
        return true
    }

    private func fold(_ record: ByteView, sequence: UInt64, effects: Bool) {
        guard let header = RecordHeader(record),
            let slice = Slice(record[RecordHeader.size..<RecordHeader.size + header.payloadLength])
        else { invariantFailed("a record of the journal cannot be read", #fileID, #line) }
        folded = sequence
        let effect = folds.apply(header, slice)
        counters.add(.recordsFolded)
        guard effects else { return }
        if let effect {
            counters.add(.eventsFolded, Int(effect.eventsFolded))
            live.note(header, effect)
        }
        passOn(record, sequence, effect)
        schedule.touch(header.partition)
    }

    private func passOn(_ record: ByteView, _ sequence: UInt64, _ effect: FoldEffect?) {
        guard let effect else {
            return archive.send(sequence, record, onFallback: counters)
        }
        withUnsafeBytes(of: effect) { bytes in
            archive.send(sequence, record, trailer: ByteView(bytes), onFallback: counters)
        }
    }

    // MARK: - Falling behind

    /// The ring has overflowed: reads what it lacks from the journal's files.
    private func catchUp(to bound: UInt64? = nil) {
        let bound = bound ?? around.feed.lastSequence
        readJournal(upTo: bound, effects: true)
        folded = max(folded, bound)
    }

    private func readJournal(upTo bound: UInt64, effects: Bool) {
        do {
            var reader = around.openReader()
            if effects {
                try reader.seek(.sequence(folded + 1))
            } else if try !reader.seek(toStartOf: folds) {
                around.onProblem("checkpoints are older than the journal: scores begin with it")
            }
            _ = try reader.read(upTo: bound) { record in
                guard !record.isErased, folds.owns(record.header.partition) else { return }
                fold(record.raw, sequence: record.header.sequence, effects: effects)
            }
        } catch {
            around.onProblem("the journal could not be read: \(error)")
        }
    }

    // MARK: - Time

    private func tick() {
        let now = around.time.monotonicNanoseconds() / 1_000_000
        while let partition = schedule.next(
            nowMilliseconds: now,
            backlog: around.checkpointThread.backlog
        ) {
            checkpoint(partition)
        }
        live.tick()
        archive.feed.waker.wake()
        counters.set(.ringDepthBytes, ring.depth())
        if around.stop.isRequested { stopWhenDone() }
    }

    private func checkpoint(_ partition: Partition) {
        let fold = folds.fold(partition)
        var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 30)
        fold.value.serialize(into: &buffer)
        around.checkpointThread.submit(
            partition,
            offset: fold.value.offset,
            content: buffer.view
        )
    }

    /// Everything is folded and in Redis, or Redis is away: writes last checkpoints and ends.
    private func stopWhenDone() {
        guard ring.isEmpty(), folded >= around.feed.lastSequence else { return work() }
        guard live.isSettled else { return }
        for partition in schedule.dirtyPartitions { checkpoint(partition) }
        loop.stop()
    }
}
