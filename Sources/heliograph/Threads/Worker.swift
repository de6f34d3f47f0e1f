import Admission
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
        let models: ModelTimeline
        let learning: LearnBoard
        let desk: IdentityDesk
        let redis: RedisRoute
        let keyPrefix: String
        let checkpoints: PartitionCheckpoints
        let checkpointThread: CheckpointThread
        let checkpointSeconds: Int
        /// Visitors of this worker that may be in memory before some leave.
        var visitorsMaximum = Int.max
        let progress: JournalProgress
        let openReader: @Sendable () -> JournalReader
        let stop: StopSignal
        let feed: RecordFeed
        let warm: WarmVisitors
        let metrics: Metrics
        let time: TimeSource
        let onProblem: @Sendable (String) -> Void
    }

    /// Records folded between two looks at the sockets, so that Redis is never kept waiting long.
    private static let recordsPerRound = 256
    /// Records read from the journal between two looks at the sockets.
    private static let recordsPerStep = 4_096
    /// A reader that was not needed for so long is closed.
    private static let readerIdleMilliseconds: Int64 = 1_000
    /// How long to wait before a journal that could not be read is tried again.
    private static let rereadMilliseconds: Int64 = 1_000

    private let around: Surroundings
    private let loop: EventLoop
    private let folds: FoldSet
    private var ring: RingConsumer
    private var archive: RecordSender
    /// The ways to the listeners, by their numbers.
    private let scores: [Owned<ScoreSender>]
    private let counters: CounterBlock
    private let freshness: LatencyHistogram
    private var live: LiveUpdates!
    private let mover: ColdMover
    private let learning: LearnLine
    /// Sequence of the last record of this worker's partitions that is folded.
    private var folded: UInt64 = 0
    /// Reads what the ring had no room for; kept while that goes on, so that it need not seek again.
    private var reader: Owned<JournalReader>?
    private var readerUsedAt: Int64 = 0
    /// When the journal is tried again after it could not be read, monotonic milliseconds.
    private var rereadAt: Int64?
    private var schedule: CheckpointSchedule
    /// Partitions in which somebody was erased since their last checkpoint.
    private var checkpointsWanted = PartitionSet()
    /// Sequence of the last record that the archive was woken for.
    private var archiveWokenAt: UInt64 = 0
    private var sizes: FoldSizes
    /// Records read in recovery.
    private var recovered = 0
    /// When visitors may leave again after that failed in recovery, monotonic milliseconds.
    private var trimAt: Int64 = 0
    private var effectBytes = ByteBuffer(capacity: 512, limit: 1024)

    init(
        _ around: Surroundings,
        loop: EventLoop,
        ring: consuming RingConsumer,
        archive: consuming RecordSender,
        scores: [Owned<ScoreSender>] = []
    ) {
        self.around = around
        self.loop = loop
        self.ring = ring
        self.archive = archive
        self.scores = scores
        folds = FoldSet(models: around.models, worker: around.index, of: around.workers)
        learning = LearnLine(folds, around.learning, worker: around.index)
        let name = "hg-worker-\(around.index)"
        counters = around.metrics.makeBlock(thread: name)
        sizes = FoldSizes(counters, desk: around.index == 0 ? around.desk : nil)
        freshness = around.metrics.makeHistogram(.freshness, thread: name)
        mover = ColdMover(
            folds: folds,
            checkpointThread: around.checkpointThread,
            visitorsMaximum: around.visitorsMaximum,
            time: around.time
        )
        schedule = CheckpointSchedule(
            partitions: folds.partitions,
            everyMilliseconds: around.checkpointSeconds * 1000,
            nowMilliseconds: around.time.monotonicNanoseconds() / 1_000_000
        )
    }

    // MARK: - Life

    /// Recovers, then serves until it is asked to stop and has taken everything.
    func run() {
        guard recover() else { return loop.close() }
        begin()
        let watch = loop.watch(readable: around.stop.waker.descriptor) { [unowned self] in
            around.stop.waker.acknowledge()
            around.stop.waker.stayAwake()
            work()
        }
        let timer = loop.every(milliseconds: 100) { [unowned self] in tick() }
        work()
        loop.run()
        watch.close()
        timer.close()
        live.close()
        loop.close()
    }

    /// Turns to Redis, once the past is folded.
    func begin() {
        live = LiveUpdates(
            folds: folds,
            desk: around.desk,
            route: around.redis,
            keyPrefix: around.keyPrefix,
            loop: loop,
            counters: counters,
            metrics: around.metrics,
            time: around.time,
            index: around.index,
            onProblem: around.onProblem
        )
        live.learned = learning.book
        folds.stopWaitingForDisk()
        mover.isHeld = { [unowned self] partition, index in live.isQueued(partition, index) }
    }

    /// Loads the newest checkpoints and folds what the journal holds beyond them. A disk that cannot
    /// be read now is tried again: scores without their past would be written over good ones. False
    /// when the engine stops meanwhile.
    private func recover() -> Bool {
        while !recoverOnce() {
            if around.stop.isRequested { return false }
            around.stop.waker.sleep(timeoutMilliseconds: Int32(Self.rereadMilliseconds))
        }
        return true
    }

    /// One attempt at it; false when the files cannot be read now.
    func recoverOnce() -> Bool {
        let bound = around.progress.committedSequence
        guard readJournal(upTo: bound) else { return false }
        folded = bound
        archive.previous = bound
        archive.feed.publish(bound)
        return true
    }

    // MARK: - Folding

    /// Takes what there is, a round at a time, and goes to sleep when there is nothing.
    func work() {
        if isHeldForModel() { return live.flush() }
        let count = ring.drainWhile(limit: Self.recordsPerRound) { take($0) }
        if count == 0, folded < around.feed.lastSequence { catchUp() }
        live.flush()
        // Asleep to senders, too: the tick comes back when it is time to read again.
        if rereadAt != nil { return }
        if count > 0 || folded < around.feed.lastSequence {
            return around.stop.waker.forceWake()
        }
        around.stop.waker.prepareToSleep()
        if !ring.isEmpty() {
            around.stop.waker.stayAwake()
            around.stop.waker.forceWake()
        }
    }

    /// Whether nothing may be folded until every worker has stopped for another model. The tick comes
    /// back.
    private func isHeldForModel() -> Bool {
        if around.stop.isRequested { around.models.abandon() }
        do throws(FileProblem) {
            if try around.models.holds(worker: around.index, next: { folds.nextOffsets }) {
                return true
            }
        } catch {
            around.onProblem("the model stays: it could not be noted: \(error)")
        }
        guard folds.modelChanges != around.models.changes else { return false }
        folds.refreshModels()
        live.renew()
        return false
    }

    /// Folds a record from the ring, after those before it that the ring had no room for. False when
    /// these cannot be read now: the record stays in the ring.
    private func take(_ frame: Frame) -> Bool {
        if frame.first <= folded { return true }
        if rereadAt != nil { return false }
        if frame.second > folded {
            catchUp()
            guard frame.second <= folded else { return false }
            // The files held this one, too: folded again it would pass for a repeat, and take back
            // what the archive is told about the record before the next.
            if frame.first <= folded { return true }
        }
        let ticket = ScoreTicket(word: frame.third)
        fold(frame.body, sequence: frame.first, effects: true, ticket)
        return folded >= frame.first
    }

    /// Tells who waits for it what score a record made. Nothing is told of automated browsers where
    /// the site masks them.
    private func tell(_ ticket: ScoreTicket, _ header: RecordHeader, _ effect: FoldEffect?) {
        guard ticket.isAny, scores.indices.contains(ticket.listener) else { return }
        var reply = ScoreReply.nothing
        if let effect, effect.score == .updated,
            !folds.fold(header.partition).value.isAutomated(effect.visitorIndex)
        {
            reply = .reading(live.reading(header.partition, effect, learning.book))
        }
        scores[ticket.listener].value.tell(reply, ticket.number)
    }

    /// Folds a record. When it waits for a state that cannot be read now, `folded` stays where it is and
    /// the record is to be brought again.
    private func fold(
        _ record: ByteView,
        sequence: UInt64,
        effects: Bool,
        _ ticket: ScoreTicket = ScoreTicket(word: 0)
    ) {
        guard let header = RecordHeader(record) else {
            invariantFailed("a record of the journal cannot be read", #fileID, #line)
        }
        guard header.kind == .slice else {
            if header.kind == .parting {
                return part(header, record, sequence: sequence, effects: effects)
            }
            if header.kind == .erasure { erase(header, record) }
            return pass(header, record, sequence: sequence, effects: effects)
        }
        guard
            let slice = Slice(record[RecordHeader.size..<RecordHeader.size + header.payloadLength])
        else { invariantFailed("a slice of the journal cannot be read", #fileID, #line) }
        let effect = folds.apply(header, slice)
        if folds.isStuck { return waitForState() }
        folded = sequence
        counters.add(.recordsFolded)
        // What recovery folded, too: or the journal would keep it for a partition that falls silent.
        schedule.touch(header.partition)
        guard effects else { return }
        tell(ticket, header, effect)
        if let effect {
            count(effect)
            if effect.score == .updated, effect.history.reading.band != .cold {
                around.warm.note(visitor: slice.visitor)
            }
            live.note(header, effect)
        } else {
            live.pass(header)
        }
        passOn(record, sequence, effect)
    }

    /// Nothing of the visitor may stay, in checkpoints neither: the next is not waited for.
    private func erase(_ header: RecordHeader, _ record: ByteView) {
        let payload = record[RecordHeader.size..<RecordHeader.size + header.payloadLength]
        guard let erasure = Erasure(payload) else { return }
        folds.erase(header, erasure)
        learning.erase(erasure)
        live?.forget(site: erasure.site, visitor: erasure.visitor)
        checkpointsWanted.insert(header.partition)
    }

    /// A visitor is no longer read as part of a person, or is again.
    private func part(
        _ header: RecordHeader,
        _ record: ByteView,
        sequence: UInt64,
        effects: Bool
    ) {
        let payload = record[RecordHeader.size..<RecordHeader.size + header.payloadLength]
        guard let order = Erasure(payload) else {
            return pass(header, record, sequence: sequence, effects: effects)
        }
        let effect = folds.part(header, order)
        if folds.isStuck { return waitForState() }
        folded = sequence
        schedule.touch(header.partition)
        guard effects else { return }
        if let effect { live.note(header, effect) } else { live.pass(header) }
        passOn(record, sequence, effect)
    }

    /// What was refused is no visitor's: positions move over it, and the archive gets it.
    private func pass(
        _ header: RecordHeader,
        _ record: ByteView,
        sequence: UInt64,
        effects: Bool
    ) {
        folded = sequence
        folds.pass(header)
        schedule.touch(header.partition)
        guard effects else { return }
        live.pass(header)
        passOn(record, sequence, nil)
    }

    private func count(_ effect: FoldEffect) {
        counters.add(.eventsFolded, Int(effect.eventsFolded))
        guard effect.keepsHistory else { return }
        if effect.history.reason == .band { counters.add(.bandChanges) }
        if effect.history.changesProfile { counters.add(.profileChanges) }
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

    /// The ring has overflowed: reads what it lacks from the journal's files, a step at a time, so that
    /// Redis is listened to in between.
    private func catchUp() {
        guard rereadAt == nil else { return }
        let bound = around.feed.lastSequence
        do {
            let reader = try openedReader()
            let progress = try reader.value.read(
                upTo: bound,
                recordsMaximum: Self.recordsPerStep
            ) { record in take(record, effects: true) }
            if progress.isCaughtUp, rereadAt == nil { folded = max(folded, bound) }
        } catch {
            // What could not be read is not passed over, or acknowledged events would never count.
            around.onProblem("the journal could not be read: \(error)")
            readLater()
        }
    }

    private func waitForState() {
        around.onProblem("the state of an idle visitor could not be read; trying again")
        readLater()
    }

    private func readLater() {
        reader = nil
        rereadAt = nowMilliseconds + Self.rereadMilliseconds
    }

    private func openedReader() throws -> Owned<JournalReader> {
        readerUsedAt = nowMilliseconds
        if let reader { return reader }
        let opened = Owned(around.openReader())
        try opened.value.seek(.sequence(folded + 1))
        reader = opened
        return opened
    }

    /// Folds a record from the journal, unless the ring has brought it.
    private func take(_ record: JournalRecord, effects: Bool) {
        let header = record.header
        guard header.sequence > folded || !effects, folds.owns(header.partition), rereadAt == nil
        else { return }
        if record.isErased {
            return pass(header, record.raw, sequence: header.sequence, effects: effects)
        }
        fold(record.raw, sequence: header.sequence, effects: effects)
        if !effects { trim() }
    }

    /// Recovery, too, keeps visitors within their memory.
    private func trim() {
        recovered += 1
        guard recovered % Self.recordsPerStep == 0, nowMilliseconds >= trimAt else { return }
        do throws(ColdError) {
            let place = ColdPlace(around.checkpoints, around.checkpointThread.coldFiles)
            try folds.trim(
                to: around.visitorsMaximum,
                place,
                now: around.time.epochMilliseconds()
            )
        } catch {
            trimAt = nowMilliseconds + Self.rereadMilliseconds
            around.onProblem("states of idle visitors could not be written: \(error)")
        }
    }

    /// Folds what lies behind the checkpoints. False when the files cannot be read now.
    private func readJournal(upTo bound: UInt64) -> Bool {
        do {
            var reader = around.openReader()
            let newest = [UInt64](repeating: .max, count: Partition.count)
            if try !reader.begin(folds, around.checkpoints, atOrBefore: newest) {
                around.onProblem("checkpoints are older than the journal: scores begin with it")
            }
            _ = try reader.read(upTo: bound) { take($0, effects: false) }
            return true
        } catch {
            around.onProblem("the journal could not be read: \(error)")
            return false
        }
    }

    // MARK: - Time

    private var nowMilliseconds: Int64 { around.time.monotonicNanoseconds() / 1_000_000 }

    func tick() {
        let now = nowMilliseconds
        if let rereadAt, now >= rereadAt {
            self.rereadAt = nil
            work()
        }
        if around.models.isChanging || folds.modelChanges != around.models.changes { work() }
        if now - readerUsedAt > Self.readerIdleMilliseconds { reader = nil }
        while let partition = schedule.next(
            nowMilliseconds: now,
            backlog: around.checkpointThread.backlog
        ) {
            checkpoint(partition)
        }
        checkpointsWanted.drain { checkpoint($0) }
        mover.tick()
        learn()
        live.tick()
        // Rows may wait for a tick; waking the archive for each would cost more than it gains.
        if archive.previous != archiveWokenAt {
            archiveWokenAt = archive.previous
            archive.feed.waker.wake()
        }
        counters.set(.ringDepthBytes, ring.depth())
        sizes.tell(folds, now: now)
        if around.stop.isRequested { stopWhenDone() }
    }

    /// Hands in examples, and takes up what was learned.
    private func learn() {
        // In this order: a feed knows what was routed before.
        let routed = around.progress.routedSequence
        let isCaughtUp = ring.isEmpty() && folded >= around.feed.lastSequence
        if learning.pass(isCaughtUp ? max(folded, routed) : folded) {
            around.checkpointThread.wake()
        }
        if learning.refresh() { live.learned = learning.book }
    }

    private func checkpoint(_ partition: Partition) {
        let fold = folds.fold(partition)
        var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 30)
        folds.serialize(partition, into: &buffer)
        around.checkpointThread.submit(
            partition,
            offset: fold.value.offset,
            content: buffer.view,
            pastSerial: mover.pastSerial(partition)
        )
    }

    /// Everything is folded and in Redis, or Redis is away: writes last checkpoints and ends. When there
    /// is no time left it ends as it is; the next start takes up from the journal.
    private func stopWhenDone() {
        if around.stop.isOverdue(at: around.time) { return loop.stop() }
        guard ring.isEmpty(), folded >= around.feed.lastSequence else { return work() }
        guard live.isSettled else { return }
        for partition in schedule.dirtyPartitions { checkpoint(partition) }
        loop.stop()
    }
}
