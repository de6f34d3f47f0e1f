public import Histogram

/// The four figures that a latency is reported by, in milliseconds.
public struct Quantiles: Equatable, Sendable {
    /// How many values they stand for.
    public let count: UInt64
    /// Half of the values are below it.
    public let p50: Double
    /// 99 of 100 are.
    public let p99: Double
    /// 999 of 1 000 are.
    public let p999: Double
    /// The largest.
    public let max: Double

    /// Reads a histogram of nanoseconds; nil when nothing was recorded.
    public init?(nanoseconds histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return nil }
        count = histogram.totalCount
        p50 = Self.milliseconds(histogram, 50)
        p99 = Self.milliseconds(histogram, 99)
        p999 = Self.milliseconds(histogram, 99.9)
        max = Self.milliseconds(histogram, 100)
    }

    private static func milliseconds(_ histogram: Histogram<UInt64>, _ percentile: Double)
        -> Double
    {
        Double(histogram.valueAtPercentile(percentile)) / 1e6
    }
}

/// A histogram for times from a microsecond to two minutes, to three digits, in nanoseconds.
public func latencyHistogram() -> Histogram<UInt64> {
    Histogram(
        lowestDiscernibleValue: 1_000,
        highestTrackableValue: longestLatencyNanoseconds,
        numberOfSignificantValueDigits: .three
    )
}

/// Longer times are recorded as this.
public let longestLatencyNanoseconds: UInt64 = 120_000_000_000

extension Histogram<UInt64> {
    /// Records a time, clamped to what the histogram can hold.
    @inline(__always)
    public mutating func record(nanoseconds: Int64) {
        record(Swift.min(UInt64(Swift.max(nanoseconds, 0)), longestLatencyNanoseconds))
    }
}
