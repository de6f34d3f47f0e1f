/// When each request of an open loop is due.
///
/// Latency is measured from these times and not from the actual sends: when the engine stalls,
/// requests that could not be sent because of it wait too, and their wait counts.
public struct Schedule: Sendable {
    /// Requests per second; nil sends as fast as answers come.
    public let rate: Double?
    private let startNanoseconds: Int64
    private var issued: Int64 = 0

    /// A schedule of `rate` requests per second, evenly spaced from `startNanoseconds` on.
    public init(rate: Double?, startNanoseconds: Int64) {
        self.rate = rate
        self.startNanoseconds = startNanoseconds
    }

    /// When the next request is due.
    @inline(__always)
    public var nextNanoseconds: Int64 {
        guard let rate else { return startNanoseconds }
        return startNanoseconds &+ Int64(Double(issued) * 1e9 / rate)
    }

    /// Takes the next request if it is due at `now`, and returns the time that its latency counts
    /// from.
    @inline(__always)
    public mutating func takeDue(nowNanoseconds now: Int64) -> Int64? {
        guard rate != nil else { return now }
        let due = nextNanoseconds
        guard due <= now else { return nil }
        issued &+= 1
        return due
    }
}
