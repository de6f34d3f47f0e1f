import Admission
import Rings
import Synchronization
import Units

/// A noncopyable value in a place of its own, so that several can stand in an array. Whoever holds
/// the box owns the value; boxes are not shared between threads.
final class Owned<Value: ~Copyable> {
    var value: Value

    init(_ value: consuming Value) { self.value = value }
}

/// Asks a thread to finish what it has and end, and wakes it so that it hears.
final class StopSignal: Sendable {
    private let requested = Atomic<Bool>(false)
    /// Monotonic nanoseconds by which the thread must have ended; written before `requested`.
    private let deadline = Atomic<Int64>(.max)
    let waker: Waker

    init(waker: Waker) { self.waker = waker }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    /// Whether the thread must end now, whatever is left: it is safe in the journal.
    func isOverdue(at time: TimeSource) -> Bool {
        isRequested && time.monotonicNanoseconds() >= deadline.load(ordering: .relaxed)
    }

    func request(deadlineNanoseconds: Int64 = .max) {
        deadline.store(deadlineNanoseconds, ordering: .relaxed)
        requested.store(true, ordering: .releasing)
        waker.forceWake()
    }
}

/// How far the journal is: written by its thread, read by whoever reads its files.
final class JournalProgress: Sendable {
    private let committed = Atomic<UInt64>(0)
    private let routed = Atomic<UInt64>(0)
    private let pressureLevel = Atomic<UInt8>(0)
    private let full = Atomic<Bool>(false)

    /// Sequence of the last durable record.
    var committedSequence: UInt64 { committed.load(ordering: .acquiring) }

    /// Sequence of the last record of which its worker's feed knows.
    var routedSequence: UInt64 { routed.load(ordering: .acquiring) }

    /// Releasing: feeds are told of a record before anybody is told that they know it.
    func publish(routed sequence: UInt64) { routed.store(sequence, ordering: .releasing) }

    /// How close the journal is to its disk budget, as of a moment ago.
    var pressure: Pressure { Pressure(rawValue: pressureLevel.load(ordering: .relaxed)) ?? .none }

    /// Whether the journal has no room for another segment, as of a moment ago.
    var isFull: Bool { full.load(ordering: .relaxed) }

    func publish(isFull: Bool) { full.store(isFull, ordering: .relaxed) }

    func publish(_ pressure: Pressure) {
        pressureLevel.store(pressure.rawValue, ordering: .relaxed)
    }

    /// Releasing: the record's bytes are in the file before anybody is told of them.
    func publish(_ sequence: UInt64) { committed.store(sequence, ordering: .releasing) }
}

/// One way along which records travel: from the journal to a worker, or from a worker to the archive.
///
/// The sender publishes the last record meant for the reader, whether the ring took it or not, so a
/// reader whose ring is empty knows whether it has missed something.
final class RecordFeed: Sendable {
    private let last = Atomic<UInt64>(0)
    let waker: Waker

    init(waker: Waker) { self.waker = waker }

    /// Sequence of the last record meant for the reader.
    var lastSequence: UInt64 { last.load(ordering: .acquiring) }

    func publish(_ sequence: UInt64) { last.store(sequence, ordering: .releasing) }
}

/// The sending end of such a way. Owned by the sender's thread.
struct RecordSender: ~Copyable {
    var ring: RingProducer
    let feed: RecordFeed
    /// Sequence of the record before the next one.
    var previous: UInt64

    init(ring: consuming RingProducer, feed: RecordFeed, after previous: UInt64 = 0) {
        self.ring = ring
        self.feed = feed
        self.previous = previous
    }
}
