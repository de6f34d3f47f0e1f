public import Bytes
public import Units

/// Corrects the clients' clocks: per window the smallest (received − sent) seen lately is the offset
/// plus the fastest way to us, so network stalls do not look like clock skew.
///
/// A fixed table, one entry per hash; a window that lost its entry to another starts anew. Owned by
/// one listener. The outcome is frozen in the record, so the table need not be deterministic.
public struct ClockCorrection: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var tag: UInt64 = 0
        /// Least offset among the current ten attempts.
        var current: Int64 = .max
        /// Least offset among the ten before.
        var previous: Int64 = .max
        var attempts: Int64 = 0
    }

    /// Attempts that one of the two halves of the memory spans.
    private static let attemptsPerHalf: Int64 = 10
    /// With a single attempt a smaller difference is taken for transit, not for skew.
    private static let toleranceMilliseconds: Int64 = 60_000
    /// Events are taken to be at most this old.
    public static let ageMaximumMilliseconds: Int64 = 7 * 86_400_000
    /// An event that is moved by more than this is marked.
    public static let markedMoveMilliseconds: Int64 = 600_000

    private var entries: [Entry]
    private let key: HashKey
    private let mask: Int

    /// A table of `entries` windows, a power of two.
    public init(entries count: Int = 1 << 16, key: HashKey = .random()) {
        invariant(count > 0 && count & (count - 1) == 0, "the clock table's size is a power of two")
        entries = Array(repeating: Entry(), count: count)
        mask = count - 1
        self.key = key
    }

    /// Notes an attempt and returns the offset to add to the client's wall clock, milliseconds.
    public mutating func offset(window: ByteView, sentAt: Int64, receivedAt: Int64) -> Int64 {
        let hash = window.hash128(key: key)
        let index = Int(truncatingIfNeeded: hash.low) & mask
        var entry = entries[index]
        if entry.tag != hash.high { entry = Entry(tag: hash.high) }
        let difference = receivedAt &- sentAt
        if entry.attempts % Self.attemptsPerHalf == 0, entry.attempts > 0 {
            entry.previous = entry.current
            entry.current = .max
        }
        entry.current = min(entry.current, difference)
        entry.attempts &+= 1
        entries[index] = entry
        if entry.attempts == 1 {
            return difference.magnitude <= Self.toleranceMilliseconds ? 0 : difference
        }
        return min(entry.current, entry.previous)
    }

    /// The corrected time of an event, and whether it was moved far.
    public static func occurredAt(
        clientTime: Int64,
        offset: Int64,
        receivedAt: Int64
    ) -> (time: Int64, moved: Bool) {
        let wanted = clientTime &+ offset
        let time = min(max(wanted, receivedAt &- ageMaximumMilliseconds), receivedAt)
        return (time, (time &- clientTime).magnitude > markedMoveMilliseconds.magnitude)
    }
}
