import CShims
import Glibc
import Synchronization
import Units

/// Lets the threads that feed a consumer wake it when, and only when, it sleeps.
///
/// A consumer announces its sleep and then looks at its rings once more; a producer publishes and
/// then looks whether the consumer sleeps. Both orders are sequentially consistent, so at least one
/// of the two sees the other and no wake-up is lost (Dekker's argument). A busy consumer costs its
/// producers one load.
public final class Waker: Sendable {
    /// Readable when somebody woke us: for `poll` and for a libuv poll handle.
    public let descriptor: Int32
    private let sleeping = Atomic<Bool>(false)

    /// Makes an awake waker.
    public init() {
        descriptor = hg_eventfd()
        invariant(descriptor >= 0, "eventfd failed: raise the limit of open files")
    }

    deinit { close(descriptor) }

    /// Producer: wakes the consumer if it sleeps. Call after pushing.
    @inline(__always)
    public func wake() {
        // Pairs with the store in `prepareToSleep`; see the type's comment.
        if sleeping.load(ordering: .sequentiallyConsistent) { signal() }
    }

    @inline(never)
    private func signal() {
        // Relaxed would do: only the one that clears the flag writes; the kernel orders the rest.
        guard sleeping.exchange(false, ordering: .sequentiallyConsistent) else { return }
        forceWake()
    }

    /// Wakes the consumer whatever its state, for messages that do not travel through a ring.
    public func forceWake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Consumer: announces that it is about to sleep. It must look at its rings again after this,
    /// and call `stayAwake` if there is something.
    public func prepareToSleep() {
        sleeping.store(true, ordering: .sequentiallyConsistent)
    }

    /// Consumer: withdraws the announcement.
    public func stayAwake() {
        // Relaxed: a producer that still reads true writes the descriptor once in vain.
        sleeping.store(false, ordering: .relaxed)
    }

    /// Consumer: takes the signal off the descriptor.
    public func acknowledge() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Consumer: blocks until woken or until `timeoutMilliseconds` have passed (-1: no timeout).
    public func sleep(timeoutMilliseconds: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, timeoutMilliseconds)
        stayAwake()
        acknowledge()
    }
}
