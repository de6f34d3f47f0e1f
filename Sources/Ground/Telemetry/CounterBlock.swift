public import Synchronization

/// One thread's counters and gauges: written by that thread alone, read by whoever scrapes.
///
/// A write is a relaxed load, an addition and a relaxed store, with no locked instruction, which is
/// right only because nobody else writes. Readers may see a value that is a moment old.
public final class CounterBlock: Sendable {
    /// Slots for counters and problems; more than either enum has, which a test checks.
    static let slotCount = 128
    /// A gauge that was never set, and so is not shown.
    static let unset = Int64.min

    /// The thread that writes, such as `hg-listener-0`.
    public let thread: String

    // Padding keeps another thread's block from sharing a cache line with this one's values.
    private let padBefore = InlineArray<16, UInt64>(repeating: 0)
    @usableFromInline let counters = InlineArray<128, Atomic<Int64>> { _ in Atomic(0) }
    @usableFromInline let problems = InlineArray<128, Atomic<Int64>> { _ in Atomic(0) }
    @usableFromInline let gauges = InlineArray<32, Atomic<Int64>> { _ in Atomic(Int64.min) }
    private let padAfter = InlineArray<16, UInt64>(repeating: 0)

    init(thread: String) { self.thread = thread }

    /// Counts `amount` more of `counter`.
    @inlinable
    @inline(__always)
    public func add(_ counter: Counter, _ amount: Int = 1) {
        let slot = Int(counter.rawValue)
        counters[slot].store(
            counters[slot].load(ordering: .relaxed) &+ Int64(amount),
            ordering: .relaxed
        )
    }

    /// Counts `amount` refused requests or dropped events for this reason.
    @inlinable
    public func add(_ problem: Problem, _ amount: Int = 1) {
        let slot = Int(problem.rawValue)
        problems[slot].store(
            problems[slot].load(ordering: .relaxed) &+ Int64(amount),
            ordering: .relaxed
        )
    }

    /// Sets this thread's part of `gauge`.
    @inlinable
    @inline(__always)
    public func set(_ gauge: Gauge, _ value: Int) {
        gauges[Int(gauge.rawValue)].store(Int64(value), ordering: .relaxed)
    }

    /// What this thread has counted of `counter`.
    public func count(_ counter: Counter) -> Int64 {
        counters[Int(counter.rawValue)].load(ordering: .relaxed)
    }

    /// What this thread has counted of `problem`.
    public func count(_ problem: Problem) -> Int64 {
        problems[Int(problem.rawValue)].load(ordering: .relaxed)
    }

    /// This thread's part of `gauge`; nil when it was never set.
    public func value(_ gauge: Gauge) -> Int64? {
        let value = gauges[Int(gauge.rawValue)].load(ordering: .relaxed)
        return value == Self.unset ? nil : value
    }
}
