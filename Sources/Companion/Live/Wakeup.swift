import CShims
import Glibc
import Units

/// Wakes a thread that waits in `poll`, from any thread.
final class Wakeup: Sendable {
    /// Readable when somebody has called `signal`.
    let descriptor: Int32

    init() {
        descriptor = hg_eventfd()
        invariant(descriptor >= 0, "eventfd failed: raise the limit of open files")
    }

    deinit { close(descriptor) }

    /// Wakes the waiting thread, or makes its next wait return at once.
    func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the thread is being woken already.
        _ = write(descriptor, &one, 8)
    }

    /// Waits for a signal or for `other` to be readable, at most `milliseconds` (negative: for
    /// ever), and takes the signal. Returns whether `other` is readable.
    func wait(other: Int32?, milliseconds: Int32) -> Bool {
        var watched = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let other { watched.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
        let count = poll(&watched, nfds_t(watched.count), milliseconds)
        if count > 0, watched[0].revents != 0 {
            var value: UInt64 = 0
            _ = read(descriptor, &value, 8)
        }
        return count > 0 && watched.count > 1 && watched[1].revents != 0
    }
}
