import Glibc

/// How requests of an open loop are spread over time.
public enum Arrivals: String, CaseIterable, Sendable {
    /// One after another in equal steps.
    case even
    /// As independent people send: the gaps are exponential, so that requests come in bunches.
    case poisson
}

/// When each request of an open loop is due.
///
/// Latency is measured from these times and not from the actual sends: when the engine stalls,
/// requests that could not be sent because of it wait too, and their wait counts.
public struct Schedule: Sendable {
    /// Requests per second; nil sends as fast as answers come.
    public let rate: Double?
    private let startNanoseconds: Int64
    private let arrivals: Arrivals
    private var issued: Int64 = 0
    /// Of the next request since the start, when gaps are drawn.
    private var drawnNanoseconds = 0.0
    private var random: SplitMix

    /// A schedule of `rate` requests per second on average, from `startNanoseconds` on.
    public init(
        rate: Double?,
        startNanoseconds: Int64,
        arrivals: Arrivals = .even,
        seed: UInt64 = 1
    ) {
        self.rate = rate
        self.startNanoseconds = startNanoseconds
        self.arrivals = arrivals
        random = SplitMix(seed: seed)
    }

    /// When the next request is due.
    @inline(__always)
    public var nextNanoseconds: Int64 {
        guard let rate else { return startNanoseconds }
        switch arrivals {
        case .even: return startNanoseconds &+ Int64(Double(issued) * 1e9 / rate)
        case .poisson: return startNanoseconds &+ Int64(drawnNanoseconds)
        }
    }

    /// Takes the next request if it is due at `now`, and returns the time that its latency counts
    /// from.
    @inline(__always)
    public mutating func takeDue(nowNanoseconds now: Int64) -> Int64? {
        guard let rate else { return now }
        let due = nextNanoseconds
        guard due <= now else { return nil }
        issued &+= 1
        if arrivals == .poisson { drawnNanoseconds += drawnGap(rate) }
        return due
    }

    /// Nanoseconds to the request after: exponential with the mean of the rate.
    private mutating func drawnGap(_ rate: Double) -> Double {
        let uniform = (Double(random.next() &>> 11) + 1) * 0x1p-53
        return -log(uniform) * 1e9 / rate
    }
}
