import Companion
import Loop
import Records
import Scoring
import Storage
import Synchronization
import Telemetry
import Units

/// Writes folds into Redis by the engine's own way: whole hashes, then the positions that they stand at.
struct LiveRestore {
    private static let lookEveryMilliseconds: UInt64 = 20
    private static let silenceMillisecondsMaximum: Int64 = 30_000

    let redisURL: String
    let keyPrefix: String
    /// What conversions have taught.
    var learned = LearnedBook()

    /// Writes every visitor with a score. Returns how many writes that took.
    func write(_ folds: FoldSet, onProgress: @escaping (Int) -> Void) throws -> Int {
        guard let address = Storage.RedisAddress(url: redisURL) else {
            throw CommandError("redis.url is neither unix:///path nor redis://host:port")
        }
        let problem = ProblemBox()
        let metrics = Metrics()
        let counters = metrics.makeBlock(thread: "hg-rebuild")
        let loop = EventLoop()
        let live = LiveUpdates(
            folds: folds,
            desk: IdentityDesk(workers: 1),
            route: RedisRoute(address),
            keyPrefix: keyPrefix,
            loop: loop,
            counters: counters,
            metrics: metrics,
            time: .real,
            index: 1,
            onProblem: { problem.note($0) }
        )
        live.learned = learned
        let settled = runUntilSettled(live, loop, counters, onProgress)
        live.close()
        loop.close()
        guard settled, try isComplete(folds) else {
            throw CommandError("Redis did not take everything: \(problem.text)")
        }
        return Int(counters.count(.redisVisitors))
    }

    /// False when Redis has been silent for too long.
    private func runUntilSettled(
        _ live: LiveUpdates,
        _ loop: EventLoop,
        _ counters: CounterBlock,
        _ onProgress: @escaping (Int) -> Void
    ) -> Bool {
        var (written, movedAt) = (-1, Pause.monotonicMilliseconds())
        var isSettled = false
        let timer = loop.every(milliseconds: Self.lookEveryMilliseconds) {
            live.tick()
            let now = Pause.monotonicMilliseconds()
            let count = Int(counters.count(.redisVisitors))
            onProgress(count)
            if count != written { (written, movedAt) = (count, now) }
            isSettled = counters.value(.redisConnected) == 1 && live.isSettled
            if isSettled || now - movedAt > Self.silenceMillisecondsMaximum { loop.stop() }
        }
        loop.run()
        timer.close()
        return isSettled
    }

    private func isComplete(_ folds: FoldSet) throws -> Bool {
        let scan = try LiveModelScan(url: redisURL, keyPrefix: keyPrefix)
        return try scan.positions(count: Partition.count) == folds.offsets
    }
}

/// The last problem that a store's connection spoke of.
private final class ProblemBox: Sendable {
    private let last = Mutex("it does not answer")

    func note(_ text: String) { last.withLock { $0 = text } }

    var text: String { last.withLock { $0 } }
}
