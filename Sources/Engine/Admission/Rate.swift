/// How often something may happen: a steady rate, and how much of it may come at once.
///
/// The generic cell rate algorithm (ITU-T I.371, annex A): one clock per sender, the time at which it
/// would be back at rest. It allows exactly what a token bucket allows, in one word.
public struct Rate: BitwiseCopyable, Sendable, Equatable {
    /// Nanoseconds that one unit costs; 0 when there is no limit.
    public let intervalNanoseconds: Int64
    /// How far a clock may run ahead, nanoseconds: the burst.
    public let toleranceNanoseconds: Int64

    /// No limit.
    public static let unlimited = Rate(perSecond: 0, burst: 0)

    /// A rate of `perSecond` units, of which `burst` may come at once; 0 a second means no limit.
    public init(perSecond: Int, burst: Int) {
        intervalNanoseconds = perSecond > 0 ? max(1, 1_000_000_000 / Int64(perSecond)) : 0
        toleranceNanoseconds = intervalNanoseconds * Int64(max(1, burst))
    }

    /// Whether there is a limit.
    public var isLimited: Bool { intervalNanoseconds > 0 }

    /// What a clock that stands at `clock` says to `units` more at time `now`.
    func decide(clock: Int64, now: Int64, units: Int) -> Decision {
        // What is larger than a whole burst could never pass; it costs the burst.
        let cost = min(intervalNanoseconds &* Int64(units), toleranceNanoseconds)
        let next = max(clock, now) &+ cost
        let excess = next &- now &- toleranceNanoseconds
        return excess > 0 ? .refused(waitNanoseconds: excess) : .allowed(clock: next)
    }

    enum Decision: Equatable {
        case allowed(clock: Int64)
        case refused(waitNanoseconds: Int64)
    }
}

/// Whether a limit lets something pass.
public enum Passage: Equatable, Sendable {
    case allowed
    /// Not now; after so many whole seconds, at least one.
    case refused(retryAfterSeconds: Int)

    init(waitNanoseconds: Int64) {
        self = .refused(retryAfterSeconds: Int((waitNanoseconds + 999_999_999) / 1_000_000_000))
    }
}
