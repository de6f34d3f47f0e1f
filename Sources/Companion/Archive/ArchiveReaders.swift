import Loop
import Settings
import Telemetry

/// A few threads, each with a connection of its own, that ask PostgreSQL, and do other work that
/// waits for a disk, for the companion's tasks, so that no task of the cooperative pool ever blocks.
final class ArchiveReaders: Sendable {
    /// Work for one of the threads. It must call back whatever happens; without a failure it may use
    /// the thread's connection.
    private struct Job: Sendable {
        let work: @Sendable (inout ThreadConnection) -> Void
        let giveUp: @Sendable (ArchiveFailure) -> Void
    }

    private let jobs: JobQueue<Job>
    private let threads: Int
    private let mode: ArchiveConnection.Mode
    private let conninfo: Secret

    /// Threads that read; with `.writes` there is one, and what it is asked may change rows.
    init(_ conninfo: Secret, _ mode: ArchiveConnection.Mode = .reads) {
        self.conninfo = conninfo
        self.mode = mode
        threads = mode == .reads ? Limits.companionArchiveThreads : 1
        jobs = JobQueue<Job>(jobsMaximum: Limits.companionArchiveQueueMaximum, threads: threads)
    }

    /// Starts the threads. They end after `stop`.
    func start() -> [EngineThread] {
        (0..<threads).map { number in
            let name = mode == .reads ? "hg-archive-rd-\(number)" : "hg-archive-wr"
            return EngineThread.start(name: name) { self.work() }
        }
    }

    /// Lets the threads end; who still waits gets `.stopping`.
    func stop() {
        for job in jobs.stop() { job.giveUp(.stopping) }
    }

    /// Asks all questions in one transaction.
    func ask(_ queries: [ArchiveQuery]) async throws -> [[ArchiveRow]] {
        try await perform { connection throws(ArchiveFailure) in try connection.ask(queries) }
    }

    /// Walks through many rows, see `ArchiveConnection.walk`, over a connection of its own.
    func walk<Value: Sendable>(
        _ declaration: ArchiveQuery,
        isWanted: @escaping @Sendable () -> Bool,
        _ body:
            @escaping @Sendable (
                () throws(ArchiveFailure) -> [ArchiveRow]
            ) throws(ArchiveFailure) -> Value
    ) async throws -> Value {
        let (conninfo, mode) = (conninfo, mode)
        return try await perform { _ throws(ArchiveFailure) in
            try ArchiveConnection.open(conninfo, mode)
                .walk(declaration, isWanted: isWanted, body)
        }
    }

    /// Does work that waits for a disk.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws -> Value {
        try await perform { _ in body() }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (inout ThreadConnection) throws(ArchiveFailure) -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(
                work: { connection in
                    do throws(ArchiveFailure) {
                        continuation.resume(returning: try body(&connection))
                    } catch {
                        continuation.resume(throwing: error)
                    }
                },
                giveUp: { continuation.resume(throwing: $0) }
            )
            switch jobs.add(job) {
            case .added: break
            case .full: job.giveUp(.busy)
            case .stopped: job.giveUp(.stopping)
            }
        }
    }

    private func work() {
        var connection = ThreadConnection(conninfo, mode)
        while let job = jobs.next() { job.work(&connection) }
    }
}

/// A thread's connection, made when it is needed. Owned by that thread.
struct ThreadConnection: ~Copyable {
    private let conninfo: Secret
    private let mode: ArchiveConnection.Mode
    private var connection: ArchiveConnection?

    init(_ conninfo: Secret, _ mode: ArchiveConnection.Mode) {
        (self.conninfo, self.mode) = (conninfo, mode)
    }

    /// A connection that broke while idle costs one new try. Questions change nothing; what is written
    /// has a key of its own or, as a line of the audit log, may stand there twice.
    mutating func ask(_ queries: [ArchiveQuery]) throws(ArchiveFailure) -> [[ArchiveRow]] {
        if connection != nil {
            do throws(ArchiveFailure) {
                if let answers = try connection?.ask(queries) { return answers }
            } catch {
                guard error == .broken else { throw error }
                connection = nil
            }
        }
        let fresh = try ArchiveConnection.open(conninfo, mode)
        let answers = try fresh.ask(queries)
        connection = consume fresh
        return answers
    }
}
