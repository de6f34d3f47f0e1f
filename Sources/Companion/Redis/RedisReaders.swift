import Dispatch
import Loop
import Settings
import Synchronization

/// A few threads, each with a connection of its own, that ask Redis for the companion's tasks, so
/// that no task of the cooperative pool ever blocks on a socket.
final class RedisReaders: Sendable {
    private struct Job: Sendable {
        let commands: [RedisCommand]
        let continuation: CheckedContinuation<[RedisReply], any Error>
    }

    private struct Queue {
        var jobs: [Job] = []
        var isStopping = false
    }

    private let queue = Mutex(Queue())
    private let arrivals = DispatchSemaphore(value: 0)
    private let address: RedisAddress

    init(_ address: RedisAddress) { self.address = address }

    /// Starts the threads. They end after `stop`.
    func start() -> [EngineThread] {
        (0..<Limits.companionRedisThreads).map { number in
            EngineThread.start(name: "hg-companion-\(number)") { self.work() }
        }
    }

    /// Lets the threads end; who still waits gets `.stopping`.
    func stop() {
        let waiting = queue.withLock { queue in
            queue.isStopping = true
            defer { queue.jobs = [] }
            return queue.jobs
        }
        for job in waiting { job.continuation.resume(throwing: RedisFailure.stopping) }
        for _ in 0..<Limits.companionRedisThreads { arrivals.signal() }
    }

    /// Sends the commands in one pipeline and returns an answer for each.
    func ask(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        try await withCheckedThrowingContinuation { continuation in
            if let failure = enqueue(Job(commands: commands, continuation: continuation)) {
                continuation.resume(throwing: failure)
            } else {
                arrivals.signal()
            }
        }
    }

    private func enqueue(_ job: Job) -> RedisFailure? {
        queue.withLock { queue in
            if queue.isStopping { return .stopping }
            if queue.jobs.count >= Limits.companionRedisQueueMaximum { return .busy }
            queue.jobs.append(job)
            return nil
        }
    }

    private func work() {
        var connection: RedisConnection?
        while let job = next() {
            do throws(RedisFailure) {
                let replies = try Self.ask(job.commands, &connection, address)
                job.continuation.resume(returning: replies)
            } catch {
                job.continuation.resume(throwing: error)
            }
        }
    }

    /// Reads may be repeated, so a connection that broke while idle costs one new try.
    private static func ask(
        _ commands: [RedisCommand],
        _ connection: inout RedisConnection?,
        _ address: RedisAddress
    ) throws(RedisFailure) -> [RedisReply] {
        if connection != nil {
            do throws(RedisFailure) {
                if let replies = try connection?.ask(commands) { return replies }
            } catch {
                connection = nil
            }
        }
        let fresh = try RedisConnection.open(address)
        let replies = try fresh.ask(commands)
        connection = consume fresh
        return replies
    }

    private func next() -> Job? {
        while true {
            arrivals.wait()
            let (job, isStopping) = queue.withLock { queue in
                (queue.jobs.isEmpty ? nil : queue.jobs.removeFirst(), queue.isStopping)
            }
            if isStopping || job != nil { return job }
        }
    }
}
