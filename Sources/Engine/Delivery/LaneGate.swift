/// Whether a destination may be sent to, and from when on.
///
/// Three things close it: failures in a row (a circuit breaker, which lets one request through to
/// try), a platform that asks for rest (a pause, longer each time), and credentials that are no
/// good (a stop, until the settings change).
public struct LaneGate: Sendable, Equatable {
    /// Failures in a row that open the circuit.
    static let failuresMaximum = 5
    private static let firstPauseMilliseconds: Int64 = 60_000
    private static let longestPauseMilliseconds: Int64 = 3_600_000

    /// Requests in a row that failed.
    public private(set) var failures = 0
    /// Nothing is sent before this, monotonic milliseconds.
    public private(set) var closedUntil: Int64 = 0
    /// Code and reason of what stopped it.
    public private(set) var stopped: (code: String, reason: String)?
    /// Code of what paused it last.
    public private(set) var pauseCode = ""
    private var pauses = 0

    /// An open gate.
    public init() {}

    /// Equal in every field.
    public static func == (left: Self, right: Self) -> Bool {
        left.failures == right.failures && left.closedUntil == right.closedUntil
            && left.stopped?.code == right.stopped?.code && left.pauses == right.pauses
    }

    /// Whether only other settings will open it.
    public var isStopped: Bool { stopped != nil }
    /// Whether one request is to show that the others may follow.
    public var isTrying: Bool { failures >= Self.failuresMaximum || pauses > 0 }

    /// Whether anything may be sent.
    public func isOpen(at now: Int64) -> Bool { !isStopped && now >= closedUntil }

    mutating func stop(code: String, reason: String) { stopped = (code, reason) }

    mutating func rest(until moment: Int64) {
        closedUntil = max(closedUntil, moment)
        pauseCode = "allowance"
    }

    mutating func note(_ ruling: Ruling, at now: Int64, fraction: Double) {
        switch ruling {
        case .delivered, .bisect, .split: (failures, pauses) = (0, 0)
        case .inDoubt: fail(at: now, fraction)
        case .retry: fail(at: now, fraction)
        case .pause(let code, let milliseconds, _):
            pauses += 1
            pauseCode = code
            let doubled = Self.firstPauseMilliseconds << Int64(min(pauses - 1, 6))
            let wait = milliseconds ?? min(doubled, Self.longestPauseMilliseconds)
            closedUntil = max(closedUntil, now + wait)
        case .stop(let code, let reason): stopped = (code, reason)
        }
    }

    private mutating func fail(at now: Int64, _ fraction: Double) {
        failures += 1
        guard failures >= Self.failuresMaximum else { return }
        let round = failures - Self.failuresMaximum + 1
        let wait = Self.waitMilliseconds(after: round, fraction: 0.5 + fraction / 2)
        closedUntil = max(closedUntil, now + wait)
    }

    /// The wait after so many attempts: 1, 2, 4 … 60 and 300 s, of which a random part is waited, so
    /// that those who failed together do not come back together.
    static func waitMilliseconds(after attempts: Int, fraction: Double) -> Int64 {
        let whole: Int64 =
            attempts > 7 ? 300_000 : min(60_000, 1_000 << Int64(max(0, attempts - 1)))
        return max(100, Int64(Double(whole) * fraction))
    }
}
