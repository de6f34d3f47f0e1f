import Glibc

/// The machine's two clocks. The bench shares no code with the engine that it measures.
enum Clock {
    /// Nanoseconds on a clock that never goes backwards.
    @inline(__always)
    static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since the Unix epoch.
    @inline(__always)
    static func epochNanoseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Milliseconds since the Unix epoch.
    static func epochMilliseconds() -> Int64 { epochNanoseconds() / 1_000_000 }

    /// Sleeps at least so long.
    static func sleep(nanoseconds: Int64) {
        var time = timespec(tv_sec: 0, tv_nsec: 0)
        time.tv_sec = Int(nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(nanoseconds % 1_000_000_000)
        nanosleep(&time, nil)
    }

    @inline(__always)
    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }
}
