import Glibc
import Synchronization

/// Where a component reads the time: the machine's clocks, or a simulated clock that a test moves.
///
/// An enum and not a protocol, so that reading it on the hot path needs no existential.
public enum TimeSource: Sendable {
    /// The machine's real clocks.
    case real
    /// A clock that stands still until a test moves it.
    case simulated(SimulatedClock)

    /// Wall-clock time in milliseconds since the Unix epoch. May jump in either direction.
    public func epochMilliseconds() -> Int64 {
        switch self {
        case .real: return Self.read(CLOCK_REALTIME) / 1_000_000
        case .simulated(let clock): return clock.epochMilliseconds
        }
    }

    /// Nanoseconds on a clock that never goes backwards; its zero has no meaning.
    public func monotonicNanoseconds() -> Int64 {
        switch self {
        case .real: return Self.read(CLOCK_MONOTONIC)
        case .simulated(let clock): return clock.monotonicNanoseconds
        }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        let status = unsafe clock_gettime(clock, &now)
        invariant(status == 0, "clock_gettime failed")
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}

/// A clock for tests: wall time and monotonic time are moved by hand and independently.
public final class SimulatedClock: Sendable {
    private let wall: Atomic<Int64>
    private let monotonic: Atomic<Int64>

    /// Starts at `epochMilliseconds` of wall time and a monotonic time of zero.
    public init(epochMilliseconds: Int64) {
        wall = Atomic(epochMilliseconds)
        monotonic = Atomic(0)
    }

    /// Wall time in milliseconds since the Unix epoch.
    public var epochMilliseconds: Int64 { wall.load(ordering: .relaxed) }

    /// Monotonic nanoseconds since the clock was made.
    public var monotonicNanoseconds: Int64 { monotonic.load(ordering: .relaxed) }

    /// Time passes: both clocks move on.
    public func advance(milliseconds: Int64) {
        wall.wrappingAdd(milliseconds, ordering: .relaxed)
        monotonic.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed)
    }

    /// Somebody sets the wall clock; monotonic time does not notice.
    public func jump(toEpochMilliseconds target: Int64) {
        wall.store(target, ordering: .relaxed)
    }
}
