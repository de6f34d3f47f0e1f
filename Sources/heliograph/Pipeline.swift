import Admission
import Bytes
import Companion
import Intake
import Journal
import Loop
import Privacy
import Records
import Rings
import Scoring
import Settings
import Storage
import Telemetry
import Units

/// The way of an event, in one place: every stage's thread, and the rings between them.
///
///     listener × n ──ring──▶ journal ──ring──▶ worker × m ──ring──▶ archive
///         ▲                     │                 │                    │
///         ├──────ring (acks)────┘               Redis              PostgreSQL
///         └──────ring (scores, for who asked)─────┘
///
/// A listener reads requests, decodes, admits, enriches and sanitises, and hands one visitor's slice
/// to the journal. The journal decides repeats, makes the slice durable, and only then lets the
/// listener answer; it routes the record to the worker that owns its partition. The worker folds it
/// and writes the score to Redis; the archive writes rows to PostgreSQL. Whoever falls behind its
/// ring reads the journal's files instead.
final class Pipeline {
    /// What the pipeline is built from.
    struct Parts {
        let settings: HeliographSettings
        let models: ModelTimeline
        let board: EdgeBoard
        let limiter: RateLimiter
        let assets: StaticAssets
        let redis: Storage.RedisAddress
        let archive: ArchiveWriter
        let journalDirectory: String
        let checkpointDirectory: String
        let limits: JournalLimits
        let disk: JournalDisk
        let metrics: Metrics
        let health: EngineHealth
        let time: TimeSource
        /// Connections of one listener.
        let connectionsMaximum: Int
        /// Who may say when a refused event came first.
        let replayGate: ReplayGate
        /// Whether answers tell where in the journal a batch lies, for tests that trace system calls.
        let tracesPositions: Bool
        let pseudonymSecret: [UInt8]
        let sealKeys: SealKeys
        /// What visitors without cookies are named under.
        let salts: CookielessSalts
        let rights: RightsParts
        let onProblem: @Sendable (String) -> Void
        let onDiskFailure: @Sendable (JournalError) -> Void
    }

    private let parts: Parts
    private let listenerCount: Int
    let workerCount: Int
    private let progress = JournalProgress()
    private let board = PartitionBoard()
    private let warm = WarmVisitors()
    private let meter: PersonalDataMeter
    private let clicks: LinkClicks
    private let checkpoints: PartitionCheckpoints
    private let learning: LearnBoard
    private let checkpointThread: CheckpointThread
    private let journalStop = StopSignal(waker: Waker())
    private let archiveStop = StopSignal(waker: Waker())
    private var listenerStops: [StopSignal] = []
    private var workerStops: [StopSignal] = []
    private lazy var desk = IdentityDesk(workerStops.map(\.waker), visitors: visitorsMaximum)
    private let eraserStop = StopSignal(waker: Waker())
    private var threads = Threads()

    /// The port that beacons come to; nil when there is none without TLS.
    private(set) var port: UInt16?
    /// The port with TLS; nil when there is none.
    private(set) var securePort: UInt16?

    private struct Threads {
        var listeners: [EngineThread] = []
        var journal: EngineThread?
        var workers: [EngineThread] = []
        var archive: EngineThread?
        var checkpoint: EngineThread?
        var eraser: EngineThread?
    }

    init(_ parts: Parts, cores: Int) {
        self.parts = parts
        meter = PersonalDataMeter(parts.metrics)
        clicks = LinkClicks(parts.metrics)
        listenerCount = parts.settings.loopCount(cores: cores)
        workerCount = parts.settings.workerCount(cores: cores)
        checkpoints = PartitionCheckpoints(
            disk: parts.disk,
            directory: parts.checkpointDirectory
        )
        learning = LearnBoard(
            LearnedFiles(disk: parts.disk, directory: parts.checkpointDirectory),
            parts.models,
            workers: workerCount
        )
        checkpointThread = CheckpointThread(
            checkpoints,
            archived: board,
            learning: learning,
            metrics: parts.metrics,
            onProblem: parts.onProblem
        )
        listenerStops = (0..<listenerCount).map { _ in StopSignal(waker: Waker()) }
        workerStops = (0..<workerCount).map { _ in StopSignal(waker: Waker()) }
    }

    // MARK: - Start: from the last stage to the first, so that nobody sends to nobody

    /// Starts every thread. Returns what the journal's recovery found.
    func start() throws -> RecoveryReport {
        let ports = try ListeningPorts(parts.settings.ingest, listeners: listenerCount)
        (port, securePort) = (ports.plain, ports.secure)
        try journalWipe.finish()
        var writer = try JournalWriter(
            directory: parts.journalDirectory,
            disk: parts.disk,
            limits: parts.limits,
            time: parts.time
        )
        let report = writer.recovery
        try checkpointThread.learn()
        writer.number(above: parts.archive, checkpointThread)
        for index in 0..<Partition.count {
            let partition = Partition(UInt8(index))
            board[partition] = parts.archive.stored(partition)
        }
        progress.publish(writer.committedSequence)
        try learning.begin(committed: writer.committedSequence)
        let scores = ScoreRings(workers: workerCount, wakers: listenerStops.map(\.waker))
        let toWorkers = startWorkersAndArchive(scores)
        let listeners = startListeners(ports.ofListeners, scores)
        startJournal(writer, listeners + [startEraser()], toWorkers)
        threads.checkpoint = EngineThread.start(name: "hg-checkpoint") { [checkpointThread] in
            EngineThread.yieldToOthers()
            checkpointThread.run()
        }
        parts.health.startAccepting()
        return report
    }

    private func startWorkersAndArchive(_ scores: ScoreRings) -> [Owned<RecordSender>] {
        var toWorkers: [Owned<RecordSender>] = []
        var sources: [ArchiveSource] = []
        for index in 0..<workerCount {
            let fromJournal = ByteRing.make(capacity: Limits.ringBytes)
            let toArchive = ByteRing.make(capacity: Limits.ringBytes * 4)
            let feed = RecordFeed(waker: workerStops[index].waker)
            let archiveFeed = RecordFeed(waker: archiveStop.waker)
            toWorkers.append(Owned(RecordSender(ring: fromJournal.producer, feed: feed)))
            sources.append(
                ArchiveSource(
                    archiveSurroundings(index),
                    ring: toArchive.consumer,
                    feed: archiveFeed
                )
            )
            let sender = RecordSender(ring: toArchive.producer, feed: archiveFeed)
            startWorker(index, feed, fromJournal.consumer, sender, scores.senders[index])
        }
        startArchive(sources)
        return toWorkers
    }

    private func startWorker(
        _ index: Int,
        _ feed: RecordFeed,
        _ ring: consuming RingConsumer,
        _ archive: consuming RecordSender,
        _ scores: [Owned<ScoreSender>]
    ) {
        let around = workerSurroundings(index, feed)
        let (ring, archive, scores) = (Handoff(ring), Handoff(archive), Handoff(scores))
        threads.workers.append(
            EngineThread.start(name: "hg-worker-\(index)") {
                Worker(
                    around,
                    loop: EventLoop(),
                    ring: ring.take(),
                    archive: archive.take(),
                    scores: scores.take()
                ).run()
            }
        )
    }

    private func startArchive(_ sources: [ArchiveSource]) {
        let thread = ArchiveThread(
            archive: parts.archive,
            sources: sources,
            board: board,
            rejectedDays: parts.settings.retention.rejectedDays,
            eventDays: parts.settings.retention.eventDays,
            stop: archiveStop,
            metrics: parts.metrics,
            time: parts.time,
            onProblem: parts.onProblem
        )
        let handoff = Handoff(thread)
        threads.archive = EngineThread.start(name: "hg-archive") {
            EngineThread.yieldToOthers()
            handoff.take().run()
        }
    }

    private func startListeners(
        _ ports: [[ListeningPort]],
        _ scores: ScoreRings
    ) -> [JournalThread.ListenerLink] {
        ports.enumerated().map { index, ports in
            let toJournal = ByteRing.make(capacity: Limits.listenerRingBytes)
            let answers = ByteRing.make(capacity: answerRingBytes)
            let fromWorkers = scores.receivers[index]
            startListener(index, ports, toJournal.producer, answers.consumer, fromWorkers)
            return JournalThread.ListenerLink(
                fromListener: Owned(toJournal.consumer),
                toListener: Owned(answers.producer),
                waker: listenerStops[index].waker
            )
        }
    }

    /// Room for an answer to everything that the ring to the journal and a group can hold, which may be
    /// more than there are connections: a client may send, leave, and make room for the next before
    /// its answer is there. A slice takes more than twice the 32 bytes of an answer.
    private var answerRingBytes: Int { Limits.listenerRingBytes }

    private func startListener(
        _ index: Int,
        _ ports: [ListeningPort],
        _ toJournal: consuming RingProducer,
        _ answers: consuming RingConsumer,
        _ scores: [Owned<RingConsumer>]
    ) {
        let around = listenerSurroundings(index)
        let stop = listenerStops[index]
        let time = parts.time
        let edge = parts.settings.ingest.edge
        let limits = ConnectionLimits(
            connectionsMaximum: parts.connectionsMaximum,
            heldBytesMaximum: edge.heldBytesMaximum
        )
        let (toJournal, answers) = (Handoff(toJournal), Handoff(answers))
        let scores = Handoff(scores)
        threads.listeners.append(
            EngineThread.start(name: "hg-listener-\(index)") {
                let loop = EventLoop()
                let listener = Listener(
                    around,
                    loop: loop,
                    limits: limits,
                    toJournal: toJournal.take(),
                    fromJournal: answers.take(),
                    fromWorkers: scores.take()
                )
                ListenerThread(
                    listener,
                    loop: loop,
                    ports: ports,
                    stop: stop,
                    time: time,
                    readinessLeadMilliseconds: edge.readinessLeadMilliseconds
                ).run()
            }
        )
    }

    private func startJournal(
        _ writer: consuming JournalWriter,
        _ listeners: [JournalThread.ListenerLink],
        _ workers: [Owned<RecordSender>]
    ) {
        let thread = JournalThread(
            writer: writer,
            listeners: listeners,
            workers: workers,
            progress: progress,
            suppressed: parts.rights.suppressed,
            retention: RetentionBoards(archived: board, checkpoints: checkpointThread),
            stop: journalStop,
            metrics: parts.metrics,
            time: parts.time,
            onFailure: parts.onDiskFailure,
            onProblem: parts.onProblem
        )
        let handoff = Handoff(thread)
        threads.journal = EngineThread.start(name: "hg-journal") { handoff.take().run() }
    }

    /// To the journal the eraser is one more listener, though of people's requests.
    private func startEraser() -> JournalThread.ListenerLink {
        let toJournal = ByteRing.make(capacity: Limits.eraserRingBytes)
        let answers = ByteRing.make(capacity: Limits.eraserRingBytes)
        let around = eraserSurroundings
        let (producer, consumer) = (Handoff(toJournal.producer), Handoff(answers.consumer))
        threads.eraser = EngineThread.start(name: "hg-eraser") {
            EngineThread.yieldToOthers()
            Eraser(around, toJournal: producer.take(), fromJournal: consumer.take()).run()
        }
        return JournalThread.ListenerLink(
            fromListener: Owned(toJournal.consumer),
            toListener: Owned(answers.producer),
            waker: eraserStop.waker
        )
    }

    // MARK: - What the stages share

    private var journalWipe: JournalWipe {
        JournalWipe(disk: parts.disk, directory: parts.journalDirectory, limits: parts.limits)
    }

    private var eraserSurroundings: Eraser.Surroundings {
        Eraser.Surroundings(
            rights: parts.rights,
            keyPrefix: parts.settings.redis.keyPrefix,
            checkpoints: checkpointThread,
            checkpointDirectory: parts.checkpointDirectory,
            archived: board,
            progress: progress,
            openReader: openReader,
            wipe: journalWipe,
            journalWaker: journalStop.waker,
            stop: eraserStop,
            time: parts.time,
            onProblem: parts.onProblem
        )
    }

    private func listenerSurroundings(_ index: Int) -> Listener.Surroundings {
        Listener.Surroundings(
            index: index,
            board: parts.board,
            limiter: parts.limiter,
            assets: parts.assets,
            metrics: parts.metrics,
            health: parts.health,
            time: parts.time,
            journalWaker: journalStop.waker,
            progress: progress,
            warm: warm,
            replayGate: parts.replayGate,
            tracesPositions: parts.tracesPositions,
            pseudonymSecret: parts.pseudonymSecret,
            sealKeys: parts.sealKeys,
            meter: meter,
            clicks: clicks,
            salts: parts.salts
        )
    }

    private func workerSurroundings(_ index: Int, _ feed: RecordFeed) -> Worker.Surroundings {
        Worker.Surroundings(
            index: index,
            workers: workerCount,
            models: parts.models,
            learning: learning,
            desk: desk,
            redis: RedisRoute(parts.redis),
            keyPrefix: parts.settings.redis.keyPrefix,
            checkpoints: checkpoints,
            checkpointThread: checkpointThread,
            checkpointSeconds: parts.settings.checkpointSeconds,
            visitorsMaximum: visitorsMaximum,
            progress: progress,
            openReader: openReader,
            stop: workerStops[index],
            feed: feed,
            warm: warm,
            metrics: parts.metrics,
            time: parts.time,
            onProblem: parts.onProblem
        )
    }

    private func archiveSurroundings(_ worker: Int) -> ArchiveSource.Surroundings {
        ArchiveSource.Surroundings(
            worker: worker,
            workers: workerCount,
            models: parts.models,
            checkpoints: checkpoints,
            visitorsMaximum: visitorsMaximum,
            time: parts.time,
            openReader: openReader,
            conversions: { [board = parts.board] in board.copy().edge.conversions }
        )
    }

    /// Of one worker, or of the archive refolding what that worker has folded.
    private var visitorsMaximum: Int {
        let bytes = parts.settings.memory.visitorsMebibytes << 20
        return bytes / 100 * Limits.visitorsPercent / PartitionFold.visitorBytes / workerCount
    }

    /// Finds events that PostgreSQL has not taken yet.
    var journalLookup: JournalLookup {
        JournalLookup(progress: progress, openReader: openReader, time: parts.time)
    }

    private var openReader: @Sendable () -> JournalReader {
        let (disk, directory, limits) = (parts.disk, parts.journalDirectory, parts.limits)
        return { JournalReader(disk: disk, directory: directory, limits: limits) }
    }

    // MARK: - Stop: from the first stage to the last, so that everything accepted arrives

    /// When each stage must have ended, milliseconds after the signal: together they leave time for
    /// stopping the private stores within `Limits.drainDeadlineMilliseconds`. What a stage has not
    /// done by then is safe in the journal.
    private enum Deadline {
        static let listeners: Int64 = 3_000
        static let journal: Int64 = 4_000
        static let workers: Int64 = 5_500
        static let archive: Int64 = 7_000
        static let checkpoints: Int64 = 7_500
        /// What a stage gets to notice that its time is over.
        static let grace: Int64 = 200
    }

    /// Finishes what was accepted and ends every thread. Returns after 8 s at the latest, also when a
    /// thread is held up by a store or a disk that does not answer; such a thread ends with the process.
    func stop() {
        parts.health.startStopping()
        let begun = parts.time.monotonicNanoseconds()
        let eraser = threads.eraser.map { [$0] } ?? []
        eraserStop.request()
        var isClean = finish(threads.listeners, listenerStops, begun, Deadline.listeners)
        let journal = threads.journal.map { [$0] } ?? []
        isClean = finish(journal, [journalStop], begun, Deadline.journal) && isClean
        isClean = finish(threads.workers, workerStops, begun, Deadline.workers) && isClean
        isClean = join(eraser, begun, Deadline.workers) && isClean
        let archive = threads.archive.map { [$0] } ?? []
        isClean = finish(archive, [archiveStop], begun, Deadline.archive) && isClean
        checkpointThread.requestStop()
        let checkpoint = threads.checkpoint.map { [$0] } ?? []
        isClean = join(checkpoint, begun, Deadline.checkpoints) && isClean
        if !isClean {
            parts.onProblem("a stage did not end in time; the journal keeps what it lacks")
        }
    }

    private func finish(
        _ threads: [EngineThread],
        _ stops: [StopSignal],
        _ begun: Int64,
        _ milliseconds: Int64
    ) -> Bool {
        for stop in stops { stop.request(deadlineNanoseconds: begun + milliseconds * 1_000_000) }
        return join(threads, begun, milliseconds)
    }

    private func join(_ threads: [EngineThread], _ begun: Int64, _ milliseconds: Int64) -> Bool {
        var isClean = true
        for thread in threads {
            let passed = (parts.time.monotonicNanoseconds() - begun) / 1_000_000
            let left = max(0, milliseconds - passed) + Deadline.grace
            isClean = thread.join(withinMilliseconds: left) && isClean
        }
        return isClean
    }
}
