import Dispatch
import Synchronization

/// Work for a few threads that may block, from tasks that must not: bounded, first in first out.
///
/// Any thread may add; each of the working threads takes jobs until `next` returns nil.
final class JobQueue<Job: Sendable>: Sendable {
    /// What became of a job that was to be added.
    enum Outcome {
        case added, full, stopped
    }

    private struct Contents {
        var jobs: [Job] = []
        var isStopped = false
    }

    private let contents = Mutex(Contents())
    private let arrivals = DispatchSemaphore(value: 0)
    private let jobsMaximum: Int
    private let threads: Int

    /// A queue of at most `jobsMaximum` jobs for so many threads.
    init(jobsMaximum: Int, threads: Int) {
        self.jobsMaximum = jobsMaximum
        self.threads = threads
    }

    /// Adds a job unless the queue is full or has been stopped.
    func add(_ job: Job) -> Outcome {
        let outcome: Outcome = contents.withLock { contents in
            if contents.isStopped { return .stopped }
            if contents.jobs.count >= jobsMaximum { return .full }
            contents.jobs.append(job)
            return .added
        }
        if outcome == .added { arrivals.signal() }
        return outcome
    }

    /// Lets the threads end; returns the jobs that nobody will do.
    func stop() -> [Job] {
        let waiting = contents.withLock { contents in
            contents.isStopped = true
            defer { contents.jobs = [] }
            return contents.jobs
        }
        for _ in 0..<threads { arrivals.signal() }
        return waiting
    }

    /// Waits for a job; nil when the queue has been stopped.
    func next() -> Job? {
        while true {
            arrivals.wait()
            let (job, isStopped) = contents.withLock { contents in
                (contents.jobs.isEmpty ? nil : contents.jobs.removeFirst(), contents.isStopped)
            }
            if isStopped || job != nil { return job }
        }
    }
}
