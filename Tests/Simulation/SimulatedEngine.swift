import Admission
import Bytes
import Delivery
import Foundation
import Journal
import Loop
import Records
import Rings
import Scoring
import Settings
import Synchronization
import Telemetry
import TestSupport
import Units

@testable import Storage
@testable import heliograph

/// What outlives the engine's process.
final class SimulatedWorld {
    let disk: SimulatedDisk
    let faults = FaultPlan(lasts: true)
    let clock = SimulatedClock(epochMilliseconds: 1_790_000_000_000)
    let redis = SimulatedRedis()
    let postgres = SimulatedPostgres()
    let workers: Int
    let limits: JournalLimits
    var dice: Dice
    /// What befell, told when one seed runs alone.
    private var events: [String] = []
    private let isTelling = ProcessInfo.processInfo.environment["HELIOGRAPH_SEED"] != nil

    func note(_ text: @autoclosure () -> String) { if isTelling { events.append(text()) } }

    var story: String { events.map { "\n    " + $0 }.joined() }

    init(seed: UInt64, dice: Dice, diskLies: Bool = false) {
        self.dice = dice
        workers = 1 + Int(seed % 3)
        disk = SimulatedDisk(seed: seed, faults: faults, lies: diskLies)
        var limits = smallLimits(segmentBytes: 24 << 10)
        limits.groupBytesMaximum = 12 << 10
        self.limits = limits
    }

    static let model: ScoringModel = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        guard let file = try? ScoringFile.load(path: root.path + "/config/scoring.yaml") else {
            preconditionFailure("config/scoring.yaml cannot be read")
        }
        return ScoringModel(file)
    }()

    var time: TimeSource { .simulated(clock) }

    var reader: @Sendable () -> JournalReader {
        let (disk, limits) = (disk, limits)
        return { JournalReader(disk: .simulated(disk), directory: "/j", limits: limits) }
    }

    var checkpoints: PartitionCheckpoints {
        PartitionCheckpoints(disk: .simulated(disk), directory: "/c")
    }
}

/// Something that a stage says once, on whatever thread it runs.
private final class Flag: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .relaxed) }
    func raise() { raised.store(true, ordering: .relaxed) }
}

/// What the stages of one process share.
private struct Shared {
    let world: SimulatedWorld
    let metrics = Metrics()
    let progress = JournalProgress()
    let board = PartitionBoard()
    let desk: IdentityDesk
    let archiveStop = StopSignal(waker: Waker())
    let learning: LearnBoard
    let checkpointThread: CheckpointThread

    init(_ world: SimulatedWorld) {
        self.world = world
        learning = LearnBoard(
            LearnedFiles(disk: .simulated(world.disk), directory: "/c"),
            ModelTimeline(SimulatedWorld.model),
            workers: world.workers
        )
        desk = IdentityDesk(workers: world.workers)
        checkpointThread = CheckpointThread(
            world.checkpoints,
            archived: board,
            learning: learning,
            metrics: metrics,
            onProblem: { _ in }
        )
    }
}

/// One worker, the rings before and behind it, and its connection to Redis.
private final class SimulatedLine {
    /// Small, so that readers fall behind.
    static let ringBytes = 4 << 10

    let worker: Worker
    let stop = StopSignal(waker: Waker())
    let pipe: SimulatedPipe
    let sender: Owned<RecordSender>
    let source: ArchiveSource
    /// Whether the past has been folded.
    var isServing = false
    private let loop = EventLoop()

    init(_ index: Int, _ shared: Shared) {
        let world = shared.world
        let inward = ByteRing.make(capacity: Self.ringBytes)
        let outward = ByteRing.make(capacity: Self.ringBytes)
        let feed = RecordFeed(waker: stop.waker)
        let archiveFeed = RecordFeed(waker: shared.archiveStop.waker)
        pipe = SimulatedPipe(world.redis)
        sender = Owned(RecordSender(ring: inward.producer, feed: feed))
        source = ArchiveSource(
            ArchiveSource.Surroundings(
                worker: index,
                workers: world.workers,
                models: ModelTimeline(SimulatedWorld.model),
                checkpoints: world.checkpoints,
                openReader: world.reader,
                conversions: { ConversionFinder([.demo]) }
            ),
            ring: outward.consumer,
            feed: archiveFeed
        )
        worker = Worker(
            Self.surroundings(index, shared, stop, feed, pipe),
            loop: loop,
            ring: inward.consumer,
            archive: RecordSender(ring: outward.producer, feed: archiveFeed)
        )
    }

    private static func surroundings(
        _ index: Int,
        _ shared: Shared,
        _ stop: StopSignal,
        _ feed: RecordFeed,
        _ pipe: SimulatedPipe
    ) -> Worker.Surroundings {
        let world = shared.world
        nonisolated(unsafe) let pipe = pipe
        return Worker.Surroundings(
            index: index,
            workers: world.workers,
            models: ModelTimeline(SimulatedWorld.model),
            learning: shared.learning,
            desk: shared.desk,
            redis: RedisRoute { _ in pipe },
            keyPrefix: "",
            checkpoints: world.checkpoints,
            checkpointThread: shared.checkpointThread,
            checkpointSeconds: 5,
            progress: shared.progress,
            openReader: world.reader,
            stop: stop,
            feed: feed,
            warm: WarmVisitors(),
            metrics: shared.metrics,
            time: world.time,
            onProblem: { _ in }
        )
    }

    deinit {
        pipe.close()
        loop.close()
    }

    /// The past first; then now a look at the ring, now a tick.
    func turn(ticks: Bool) {
        guard isServing else {
            isServing = worker.recoverOnce()
            if isServing { worker.begin() }
            return
        }
        if ticks { worker.tick() } else { worker.work() }
    }
}

/// The engine's own stages from the journal on, without threads and sockets: each turn of each stage
/// happens when the simulation says so. Put together as `Pipeline` puts them together.
final class SimulatedEngine {
    private let world: SimulatedWorld
    private let shared: Shared
    private let journal: JournalThread
    private let archiveThread: ArchiveThread
    private let lines: [SimulatedLine]
    private let toJournal: Owned<RingProducer>
    private let answers: Owned<RingConsumer>
    private let failure: Flag
    private var archiveHasEnded = false

    /// Starts; throws when the disk or PostgreSQL does not let it.
    init(_ world: SimulatedWorld) throws {
        let shared = Shared(world)
        let archive = Self.archive(shared)
        try archive.connect()
        var writer = try JournalWriter(
            directory: "/j",
            disk: .simulated(world.disk),
            limits: world.limits,
            time: world.time
        )
        try shared.checkpointThread.learn()
        writer.number(above: archive, shared.checkpointThread)
        for index in 0..<Partition.count {
            let partition = Partition(UInt8(index))
            shared.board[partition] = archive.stored(partition)
        }
        shared.progress.publish(writer.committedSequence)
        try shared.learning.begin(committed: writer.committedSequence)
        let inward = ByteRing.make(capacity: 4 * SimulatedLine.ringBytes)
        let outward = ByteRing.make(capacity: 4 * SimulatedLine.ringBytes)
        (toJournal, answers) = (Owned(inward.producer), Owned(outward.consumer))
        lines = (0..<world.workers).map { SimulatedLine($0, shared) }
        archiveThread = Self.archiveThread(archive, lines.map(\.source), shared)
        let link = JournalThread.ListenerLink(
            fromListener: Owned(inward.consumer),
            toListener: Owned(outward.producer),
            waker: Waker()
        )
        let failure = Flag()
        journal = JournalThread(
            writer: writer,
            listeners: [link],
            workers: lines.map(\.sender),
            progress: shared.progress,
            retention: RetentionBoards(
                archived: shared.board,
                checkpoints: shared.checkpointThread
            ),
            stop: StopSignal(waker: Waker()),
            metrics: shared.metrics,
            time: world.time,
            onFailure: { _ in failure.raise() },
            onProblem: { _ in }
        )
        (self.world, self.shared, self.failure) = (world, shared, failure)
    }

    private static func archive(_ shared: Shared) -> ArchiveWriter {
        let (world, stop) = (shared.world, shared.archiveStop)
        return ArchiveWriter(
            connecting: { () throws(PostgresFailure) in try SimulatedSession(world.postgres) },
            pausing: { milliseconds in
                world.clock.advance(milliseconds: Int64(milliseconds))
                // An outage ends, or the process does, while the archive waits.
                if world.dice.chance(0.1) { world.postgres.isUp = true }
                if world.dice.chance(0.02) { stop.request(deadlineNanoseconds: 0) }
            }
        )
    }

    private static func archiveThread(
        _ archive: ArchiveWriter,
        _ sources: [ArchiveSource],
        _ shared: Shared
    ) -> ArchiveThread {
        nonisolated(unsafe) let world = shared.world
        return ArchiveThread(
            archive: archive,
            sources: sources,
            board: shared.board,
            rejectedDays: 36_500,
            stop: shared.archiveStop,
            metrics: shared.metrics,
            time: shared.world.time,
            onProblem: { world.note($0) }
        )
    }

    /// The journal's disk has failed, or the archive was told to end.
    var isDead: Bool { archiveHasEnded || failure.isRaised }

    /// The connections to Redis.
    var pipes: [SimulatedPipe] { lines.map(\.pipe) }

    /// Sequence of the last record that is durable.
    var committedSequence: UInt64 { shared.progress.committedSequence }

    /// Records that a ring had no room for.
    var ringFallbacks: Int { Int(shared.metrics.total(.ringFallbacks)) }

    // MARK: - What a listener does

    /// False when the ring is full.
    func offer(_ batch: SentBatch, on connection: UInt64) -> Bool {
        push(.slice, batch.payload, batch.partition, connection)
    }

    /// Something was refused, and is kept for the operator.
    func reject(_ payload: [UInt8]) { _ = push(.rejection, payload, Partition(7), 0) }

    private func push(
        _ kind: ListenerMessage,
        _ payload: [UInt8],
        _ partition: Partition,
        _ connection: UInt64
    ) -> Bool {
        payload.withUnsafeBytes { bytes in
            toJournal.value.push(
                kind: kind.rawValue,
                first: connection,
                second: UInt64(bitPattern: world.clock.epochMilliseconds),
                third: UInt64(partition.index),
                body: ByteView(bytes)
            )
        }
    }

    /// Hands over the answers that have come: connection, and whether the batch is durable.
    func takeAnswers(_ body: (UInt64, Bool) -> Void) {
        _ = answers.value.drain(limit: .max) { frame in
            body(frame.first, frame.kind == JournalAnswer.durable.rawValue)
        }
    }

    // MARK: - Turns

    func turnJournal() { _ = journal.turn() }

    func turnUpkeep() { journal.keepUp() }

    func turnWorker(_ index: Int, ticks: Bool) { lines[index].turn(ticks: ticks) }

    func turnArchive() {
        if archiveThread.turn() == .ended { archiveHasEnded = true }
    }

    func turnCheckpoints() { _ = shared.checkpointThread.turn() }

    /// Asks the workers to write their last checkpoints, which they do at a tick once all is done.
    func stopWorkers() {
        for line in lines {
            line.stop.request()
            line.turn(ticks: true)
        }
        turnCheckpoints()
    }
}
