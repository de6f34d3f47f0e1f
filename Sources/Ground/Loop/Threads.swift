import CShims
import Glibc
import Units

/// A thread of the engine, with a name that operators see in `top -H` and `perf`.
///
/// Sendable because: the identifier is written once, before the value is handed out.
public final class EngineThread: @unchecked Sendable {
    private var identifier = pthread_t()

    private init() {}

    /// Starts a thread that runs `body` once. The closure and all that it owns move to the thread.
    public static func start(name: String, _ body: sending @escaping () -> Void) -> EngineThread {
        let thread = EngineThread()
        let job = UnsafeMutablePointer<ThreadJob>.allocate(capacity: 1)
        job.initialize(to: ThreadJob(name: name, body: body))
        let status = pthread_create(
            &thread.identifier,
            nil,
            { raw in
                guard let raw else { return nil }
                let job = raw.assumingMemoryBound(to: ThreadJob.self)
                let taken = job.move()
                job.deallocate()
                hg_name_thread(taken.name)
                taken.body()
                return nil
            },
            job
        )
        invariant(status == 0, "pthread_create failed: raise the limit of processes")
        return thread
    }

    /// Gives way to other threads whenever there is not enough processor for all: for the calling
    /// thread's work that may come a moment later.
    public static func yieldToOthers() { hg_lower_priority(10) }

    /// Waits until the thread has ended.
    public func join() { pthread_join(identifier, nil) }

    /// Waits until the thread has ended, at most so long. False when it goes on; it may be joined again.
    public func join(withinMilliseconds milliseconds: Int64) -> Bool {
        hg_join_within(identifier, milliseconds) == 0
    }
}

private struct ThreadJob {
    let name: String
    let body: () -> Void
}

/// Hands a value over to a thread that is being started. Whoever makes it must not use the value any
/// more; the thread takes it once.
///
/// Sendable because: the value is written before the thread exists and read by that thread alone.
public final class Handoff<Value: ~Copyable>: @unchecked Sendable {
    private var value: Value?

    /// Holds `value` until it is taken.
    public init(_ value: consuming Value) { self.value = consume value }

    /// Takes the value out; there is none a second time.
    public func take() -> Value {
        guard let taken = value.take() else {
            invariantFailed("a thread was handed nothing", #fileID, #line)
        }
        return taken
    }
}
