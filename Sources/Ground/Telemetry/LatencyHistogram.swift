public import Synchronization

/// How long something took, counted in log-linear buckets: each power of two of nanoseconds is cut
/// into 16 equal parts, so a value is known to 1 in 16, from 1 ns to 2⁴⁰ ns (18 minutes).
///
/// One thread writes, with relaxed atomics and no allocation; the scraper reads at any time.
public final class LatencyHistogram: Sendable {
    @usableFromInline static let subBits = 4
    @usableFromInline static let bucketCount = 592
    /// Values beyond are counted in the last bucket.
    static let nanosecondsMaximum: UInt64 = 1 << 40

    /// What is measured.
    public let latency: Latency
    /// The thread that writes.
    public let thread: String

    @usableFromInline let buckets = InlineArray<592, Atomic<UInt64>> { _ in Atomic(0) }
    @usableFromInline let totalNanoseconds = Atomic<UInt64>(0)

    init(_ latency: Latency, thread: String) {
        self.latency = latency
        self.thread = thread
    }

    /// Counts one measurement. A negative one, from a clock that went back, counts as zero.
    @inlinable
    public func record(nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds))
        let slot = Self.bucket(of: value)
        buckets[slot].store(buckets[slot].load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        totalNanoseconds.store(
            totalNanoseconds.load(ordering: .relaxed) &+ value,
            ordering: .relaxed
        )
    }

    @usableFromInline
    static func bucket(of value: UInt64) -> Int {
        if value < 1 << subBits { return Int(value) }
        let power = 63 &- value.leadingZeroBitCount
        let part =
            Int(truncatingIfNeeded: value &>> UInt64(power &- subBits)) & ((1 << subBits) - 1)
        return min(bucketCount &- 1, (power &- subBits &+ 1) << subBits | part)
    }

    /// The least value beyond a bucket.
    static func upperBound(of bucket: Int) -> UInt64 {
        let part = UInt64(bucket & ((1 << subBits) - 1))
        let row = bucket >> subBits
        if row == 0 { return part + 1 }
        return ((1 << UInt64(subBits)) + part + 1) << UInt64(row - 1)
    }

    /// A copy of the counts, to be read at leisure.
    public func snapshot() -> LatencySnapshot {
        LatencySnapshot(
            counts: (0..<Self.bucketCount).map { buckets[$0].load(ordering: .relaxed) },
            totalNanoseconds: totalNanoseconds.load(ordering: .relaxed)
        )
    }
}

/// A histogram's counts at one moment; those of several threads add up.
public struct LatencySnapshot: Sendable {
    private(set) var counts: [UInt64]
    private(set) var totalNanoseconds: UInt64

    init(counts: [UInt64], totalNanoseconds: UInt64) {
        self.counts = counts
        self.totalNanoseconds = totalNanoseconds
    }

    static var empty: LatencySnapshot {
        LatencySnapshot(
            counts: Array(repeating: 0, count: LatencyHistogram.bucketCount),
            totalNanoseconds: 0
        )
    }

    mutating func add(_ other: LatencySnapshot) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        totalNanoseconds &+= other.totalNanoseconds
    }

    /// How many measurements there are.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// How many measurements are below `nanoseconds`, which must be a bucket's bound.
    func count(below nanoseconds: UInt64) -> UInt64 {
        counts[0..<LatencyHistogram.bucket(of: nanoseconds)].reduce(0, &+)
    }

    /// The value that a share of the measurements does not exceed, at most 1/16 too large.
    public func nanoseconds(quantile: Double) -> UInt64 {
        let total = count
        guard total > 0 else { return 0 }
        let wanted = max(1, UInt64((Double(total) * quantile).rounded(.up)))
        var running: UInt64 = 0
        for (index, count) in counts.enumerated() {
            running &+= count
            if running >= wanted { return LatencyHistogram.upperBound(of: index) &- 1 }
        }
        return LatencyHistogram.nanosecondsMaximum
    }
}
