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
import Storage
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

@testable import heliograph

/// A reader whose ring overflowed takes what it lacks from the journal's files: everything, once, and
/// without reading the files again for each record that follows.
@Suite struct ReadersThatFellBehindTests {
    @Test func aWorkerReadsTheFilesOnceForAGapAndGoesOnWithItsRing() throws {
        let journal = try TestJournal(records: 600)
        let line = try journal.workerLine()
        journal.send(to: line, pushed: 101...600)
        let archived = line.archiveFeed
        let thread = line.start()
        waitUntil { archived.lastSequence == 600 }
        line.stop.request()
        thread.join()
        #expect(archived.lastSequence == 600)
        // One reader to recover with, one for the gap.
        #expect(journal.readersOpened.value == 2)
    }

    @Test func aWorkerWaitsForFilesThatCannotBeRead() throws {
        let journal = try TestJournal(records: 40)
        let line = try journal.workerLine()
        journal.send(to: line, pushed: 21...40)
        let files = journal.directory + "/away"
        try FileManager.default.moveItem(atPath: journal.files, toPath: files)
        let thread = line.start()
        waitUntil { journal.problems.value > 0 }
        #expect(line.archiveFeed.lastSequence == 0)
        try FileManager.default.moveItem(atPath: files, toPath: journal.files)
        waitUntil { line.archiveFeed.lastSequence == 40 }
        line.stop.request()
        thread.join()
        #expect(line.archiveFeed.lastSequence == 40)
    }

    @Test func aFullBatchThatIsForgottenStopsNobody() throws {
        let journal = try TestJournal(records: 50)
        let (source, archive) = journal.source()
        source.hasFullBatch = true
        source.restart()
        let moved = source.pump(into: archive, makeRoom: { false }, onProblem: { _ in })
        #expect(moved)
        #expect(archive.batchEvents == 50)
        #expect(source.isDone)
    }

    @Test func whatADatabaseLostWhileRoomWasMadeIsNotPassedOver() throws {
        let journal = try TestJournal(records: 450, eventBytes: 100_000)
        let (source, archive) = journal.source()
        let calls = Count()
        // The database went back: its writer forgets the batch and everything is worked out again.
        let makeRoom = {
            calls.add()
            _ = try? archive.abandonBatch()
            source.restart()
            return calls.value == 1
        }
        _ = source.pump(into: archive, makeRoom: makeRoom, onProblem: { _ in })
        #expect(calls.value == 1)
        // Nothing is in the batch that does not come next.
        #expect(archive.reached(journal.partition) == UInt64(archive.batchEvents))
        _ = source.pump(into: archive, makeRoom: makeRoom, onProblem: { _ in })
        #expect(archive.reached(journal.partition) == UInt64(archive.batchEvents))
    }
}

/// A number that several threads count up.
final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() { count.withLock { $0 += 1 } }
}

private func waitUntil(_ isSo: () -> Bool) {
    for _ in 0..<3_000 where !isSo() { usleep(10_000) }
}

/// A journal on disk with records of one visitor, and what readers of it need.
private final class TestJournal {
    let directory: String
    let partition: Partition
    let readersOpened = Count()
    let problems = Count()
    private let model: ScoringModel
    private let records: Int
    private let payloads: [[UInt8]]

    var files: String { directory + "/journal" }

    init(records: Int, eventBytes: Int = 10) throws {
        directory = NSTemporaryDirectory() + "heliograph-program-" + UUID().uuidString
        self.records = records
        partition = withView("visitor-1") { Partition(visitor: $0) }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        model = ScoringModel(try ScoringFile.load(path: root.path + "/config/scoring.yaml"))
        payloads = (1...records).map { number in
            var record = TestRecord()
            let filler = String(repeating: "x", count: eventBytes)
            record.events = [
                TestEvent(
                    .custom,
                    at: record.receivedAt,
                    #"{"p":"\#(filler)"}"#,
                    name: "test",
                    number: UInt32(number)
                )
            ]
            return record.payload()
        }
        try write()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func write() throws {
        try FileManager.default.createDirectory(
            atPath: directory + "/checkpoints",
            withIntermediateDirectories: true
        )
        var writer = try JournalWriter(directory: files)
        for payload in payloads {
            try payload.withUnsafeBytes { bytes in
                _ = try writer.append(
                    partition: partition,
                    receivedAt: TestRecord().receivedAt,
                    payload: ByteView(bytes)
                )
            }
            try writer.commit()
        }
    }

    private var openReader: @Sendable () -> JournalReader {
        let (files, opened) = (files, readersOpened)
        return {
            opened.add()
            return JournalReader(disk: .real, directory: files, limits: JournalLimits())
        }
    }

    private var checkpoints: PartitionCheckpoints {
        PartitionCheckpoints(disk: .real, directory: directory + "/checkpoints")
    }

    /// The archive's end of a worker that sent everything before the archive was there.
    func source() -> (ArchiveSource, ArchiveWriter) {
        let feed = RecordFeed(waker: Waker())
        feed.publish(UInt64(records))
        let ring = ByteRing.make(capacity: 1 << 16)
        let source = ArchiveSource(
            ArchiveSource.Surroundings(
                worker: 0,
                workers: 1,
                models: ModelTimeline(model),
                checkpoints: checkpoints,
                openReader: openReader,
                conversions: { ConversionFinder([.demo]) }
            ),
            ring: ring.consumer,
            feed: feed
        )
        return (source, ArchiveWriter(conninfo: "host=/nowhere"))
    }

    // MARK: - A worker

    func workerLine() throws -> WorkerLine {
        let address = Storage.RedisAddress(url: "unix:///nowhere/redis.sock")
        let redis = try #require(address)
        let stop = StopSignal(waker: Waker())
        let metrics = Metrics()
        let problems = problems
        let learning = LearnBoard(
            LearnedFiles(disk: .real, directory: "/nowhere"),
            ModelTimeline(model),
            workers: 1
        )
        let around = Worker.Surroundings(
            index: 0,
            workers: 1,
            models: ModelTimeline(model),
            learning: learning,
            desk: IdentityDesk(workers: 1),
            redis: RedisRoute(redis),
            keyPrefix: "",
            checkpoints: checkpoints,
            checkpointThread: CheckpointThread(
                checkpoints,
                archived: PartitionBoard(),
                learning: learning,
                metrics: metrics,
                onProblem: { _ in }
            ),
            checkpointSeconds: 60,
            progress: JournalProgress(),
            openReader: openReader,
            stop: stop,
            feed: RecordFeed(waker: stop.waker),
            warm: WarmVisitors(),
            metrics: metrics,
            time: .real,
            onProblem: { if $0.contains("journal") { problems.add() } }
        )
        return WorkerLine(around)
    }

    /// Pushes some of the records and says that all of them were meant.
    func send(to line: WorkerLine, pushed: ClosedRange<UInt64>) {
        var ring = line.toWorker.take()
        var previous: UInt64 = 0
        var reader = JournalReader(disk: .real, directory: files, limits: JournalLimits())
        _ = try? reader.read(upTo: pushed.upperBound) { record in
            let sequence = record.header.sequence
            if pushed.contains(sequence) {
                let isPushed = ring.push(
                    kind: RecordMessage.record.rawValue,
                    first: sequence,
                    second: previous,
                    third: 0,
                    body: record.raw
                )
                #expect(isPushed)
            }
            previous = sequence
            line.around.feed.publish(sequence)
        }
        #expect(previous == pushed.upperBound)
    }
}

/// A worker and the rings before and behind it.
private final class WorkerLine {
    let around: Worker.Surroundings
    let toWorker: Handoff<RingProducer>
    let archiveFeed = RecordFeed(waker: Waker())
    private let fromJournal: Handoff<RingConsumer>
    private let toArchive: Handoff<RecordSender>

    var stop: StopSignal { around.stop }

    init(_ around: Worker.Surroundings) {
        self.around = around
        let inward = ByteRing.make(capacity: 1 << 20)
        toWorker = Handoff(inward.producer)
        fromJournal = Handoff(inward.consumer)
        let outward = ByteRing.make(capacity: 1 << 16)
        toArchive = Handoff(RecordSender(ring: outward.producer, feed: archiveFeed))
    }

    func start() -> EngineThread {
        let (around, fromJournal, toArchive) = (around, fromJournal, toArchive)
        return EngineThread.start(name: "test-worker") {
            Worker(
                around,
                loop: EventLoop(),
                ring: fromJournal.take(),
                archive: toArchive.take()
            ).run()
        }
    }
}
