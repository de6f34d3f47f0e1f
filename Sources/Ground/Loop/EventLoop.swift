public import CLibuv
import Units

/// One libuv loop. Made, run and closed on one thread, which owns everything attached to it.
///
/// libuv keeps the handles' memory; they are freed in their close callbacks, so a handle may be
/// dropped inside its own callback.
public final class EventLoop {
    /// The loop itself, for code that attaches its own handles.
    public let handle: UnsafeMutablePointer<uv_loop_t>

    /// Makes an empty loop.
    public init() {
        handle = .allocate(capacity: 1)
        invariant(uv_loop_init(handle) == 0, "uv_loop_init failed: raise the limit of open files")
    }

    /// Runs until `stop` is called or nothing is attached any more.
    public func run() { _ = uv_run(handle, UV_RUN_DEFAULT) }

    /// Makes `run` return after the current round of callbacks. Only from the loop's own thread.
    public func stop() { uv_stop(handle) }

    /// Closes every handle still attached, runs their close callbacks, and frees the loop.
    public func close() {
        uv_walk(
            handle,
            { handle, _ in
                if let handle, uv_is_closing(handle) == 0 { uv_close(handle, nil) }
            },
            nil
        )
        _ = uv_run(handle, UV_RUN_DEFAULT)
        _ = uv_loop_close(handle)
        handle.deallocate()
    }

    /// Milliseconds on the loop's own monotonic clock, read once a round.
    public var nowMilliseconds: UInt64 { uv_now(handle) }

    /// Calls `body` every `milliseconds` until the returned timer is stopped.
    public func every(milliseconds: UInt64, _ body: @escaping () -> Void) -> LoopTimer {
        let timer = LoopTimer(loop: self, body)
        timer.start(afterMilliseconds: milliseconds, thenEveryMilliseconds: milliseconds)
        return timer
    }

    /// Calls `body` whenever `descriptor` can be read.
    public func watch(readable descriptor: Int32, _ body: @escaping () -> Void) -> LoopWatch {
        LoopWatch(loop: self, descriptor: descriptor, body)
    }
}

/// A timer on a loop. Lives until `close`.
public final class LoopTimer {
    private let handle: UnsafeMutablePointer<uv_timer_t>
    private let body: () -> Void

    /// Makes a timer that is not running.
    public init(loop: EventLoop, _ body: @escaping () -> Void) {
        self.body = body
        handle = .allocate(capacity: 1)
        invariant(uv_timer_init(loop.handle, handle) == 0, "uv_timer_init failed")
        // Balanced in `close`: the loop owns the timer for as long as the handle is attached.
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Starts, or starts anew. A period of 0 means once.
    public func start(afterMilliseconds delay: UInt64, thenEveryMilliseconds period: UInt64 = 0) {
        _ = uv_timer_start(
            handle,
            { handle in
                guard let data = handle?.pointee.data else { return }
                Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue().body()
            },
            delay,
            period
        )
    }

    /// Stops; may be started again.
    public func stop() { _ = uv_timer_stop(handle) }

    /// Detaches the timer from its loop for good.
    public func close() {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { generic in
            guard uv_is_closing(generic) == 0 else { return }
            uv_close(generic) { closed in
                guard let closed, let data = closed.pointee.data else { return }
                Unmanaged<LoopTimer>.fromOpaque(data).release()
                closed.deallocate()
            }
        }
    }
}

/// Watches a descriptor on a loop. Lives until `close`.
public final class LoopWatch {
    private let handle: UnsafeMutablePointer<uv_poll_t>
    private let body: () -> Void

    init(loop: EventLoop, descriptor: Int32, _ body: @escaping () -> Void) {
        self.body = body
        handle = .allocate(capacity: 1)
        invariant(uv_poll_init(loop.handle, handle, descriptor) == 0, "uv_poll_init failed")
        // Balanced in `close`.
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        _ = uv_poll_start(handle, Int32(UV_READABLE.rawValue)) { handle, _, _ in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<LoopWatch>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.body() }
        }
    }

    /// Detaches the watch from its loop for good; the descriptor stays open.
    public func close() {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { generic in
            guard uv_is_closing(generic) == 0 else { return }
            uv_close(generic) { closed in
                guard let closed, let data = closed.pointee.data else { return }
                Unmanaged<LoopWatch>.fromOpaque(data).release()
                closed.deallocate()
            }
        }
    }
}
