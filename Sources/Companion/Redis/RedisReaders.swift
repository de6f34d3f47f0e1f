import Loop
import Settings

/// A few threads, each with a connection of its own, that ask Redis for the companion's tasks, so
/// that no task of the cooperative pool ever blocks on a socket.
final class RedisReaders: Sendable {
    private struct Job: Sendable {
        let commands: [RedisCommand]
        let continuation: CheckedContinuation<[RedisReply], any Error>
    }

    private let jobs = JobQueue<Job>(
        jobsMaximum: Limits.companionRedisQueueMaximum,
        threads: Limits.companionRedisThreads
    )
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
        for job in jobs.stop() { job.continuation.resume(throwing: RedisFailure.stopping) }
    }

    /// Sends the commands in one pipeline and returns an answer for each.
    func ask(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        try await withCheckedThrowingContinuation { continuation in
            switch jobs.add(Job(commands: commands, continuation: continuation)) {
            case .added: break
            case .full: continuation.resume(throwing: RedisFailure.busy)
            case .stopped: continuation.resume(throwing: RedisFailure.stopping)
            }
        }
    }

    private func work() {
        var connection: RedisConnection?
        while let job = jobs.next() {
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
}
