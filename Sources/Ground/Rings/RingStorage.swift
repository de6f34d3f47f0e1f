public import Bytes
import Synchronization
import Units

/// The memory that one producer and one consumer share.
///
/// Layout: the two counters stand 128 bytes apart, and apart from the object's own header with its
/// reference count, so that neither thread's writes take the other's cache line away.
///
/// Both counters are byte counts that only grow; their difference is what lies in the ring. The
/// producer alone writes `tail`, the consumer alone writes `head`.
///
/// Sendable because: `memory` between head and tail belongs to the consumer and the rest to the
/// producer, and ownership of bytes changes hands only through the two atomics.
final class RingStorage: @unchecked Sendable {
    private let padBefore: InlineArray<14, UInt64> = .init(repeating: 0)
    /// Written by the producer.
    let tail = Atomic<UInt64>(0)
    private let padBetween: InlineArray<15, UInt64> = .init(repeating: 0)
    /// Written by the consumer.
    let head = Atomic<UInt64>(0)
    private let padAfter: InlineArray<15, UInt64> = .init(repeating: 0)
    let memory: UnsafeMutableRawPointer
    let capacity: UInt64

    init(capacity: Int) {
        invariant(
            capacity >= 1024 && capacity & (capacity - 1) == 0,
            "a ring's capacity is a power of two, at least 1024"
        )
        memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 128)
        // Touching every page now keeps page faults off the hot path.
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
        self.capacity = UInt64(capacity)
    }

    deinit { memory.deallocate() }

    @inline(__always)
    func index(_ counter: UInt64) -> Int { Int(truncatingIfNeeded: counter & (capacity &- 1)) }
}

/// A frame's front: 32 bytes before its body.
///
/// `length` counts the body; `skipMark` says that the rest up to the end of the memory is unused and
/// the next frame begins at the start.
enum FrameFront {
    static let size = 32
    static let skipMark = UInt32.max

    @inline(__always)
    static func paddedLength(_ bodyLength: Int) -> Int { size &+ ((bodyLength &+ 7) & ~7) }
}

/// One message in a ring: three words that its two ends have agreed on, and a body of bytes.
public struct Frame {
    /// What kind of message.
    public let kind: UInt32
    /// First word.
    public let first: UInt64
    /// Second word.
    public let second: UInt64
    /// Third word.
    public let third: UInt64
    /// The body; valid inside the callback that was given the frame.
    public let body: ByteView
}

/// A bounded lock-free ring of variable-length messages from one thread to one other.
public enum ByteRing {
    /// The two ends of a ring. Noncopyable: whoever takes an end is its only owner. Frozen, because
    /// only then may another module take the two ends apart.
    @frozen
    public struct Endpoints: ~Copyable {
        /// The end that writes.
        public var producer: RingProducer
        /// The end that reads.
        public var consumer: RingConsumer
    }

    /// Makes a ring of `capacity` bytes, a power of two.
    public static func make(capacity: Int) -> Endpoints {
        let storage = RingStorage(capacity: capacity)
        return Endpoints(
            producer: RingProducer(storage: storage),
            consumer: RingConsumer(storage: storage)
        )
    }
}
