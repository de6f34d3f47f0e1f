public import Bytes
import Synchronization
import Units

/// The writing end of a ring; owned by one thread.
public struct RingProducer: ~Copyable, Sendable {
    private let storage: RingStorage
    /// Our own counter; `storage.tail` follows it.
    private var tail: UInt64 = 0
    /// The consumer's counter as we last saw it: read again only when the ring looks full.
    private var headSeen: UInt64 = 0

    init(storage: RingStorage) { self.storage = storage }

    /// Bytes that the ring can hold.
    public var capacity: Int { Int(storage.capacity) }

    /// The longest body that may be pushed: half the ring, so that it fits behind a skip.
    public var bodyLengthMaximum: Int { Int(storage.capacity / 2) - FrameFront.size }

    /// Bytes in the ring, read and unread ends as they are now.
    public var depth: Int {
        // Acquiring pairs with nothing needed here; a stale value is a larger depth.
        Int(tail &- storage.head.load(ordering: .relaxed))
    }

    /// Writes one message and makes it visible. False when the ring has no room for it now.
    public mutating func push(
        kind: UInt32,
        first: UInt64,
        second: UInt64,
        third: UInt64,
        body: ByteView,
        trailer: ByteView = .empty
    ) -> Bool {
        let bodyLength = body.count &+ trailer.count
        let length = UInt64(FrameFront.paddedLength(bodyLength))
        guard bodyLength <= bodyLengthMaximum, let start = claim(length) else { return false }
        let memory = storage.memory + storage.index(start)
        memory.storeBytes(of: UInt32(bodyLength), as: UInt32.self)
        memory.storeBytes(of: kind, toByteOffset: 4, as: UInt32.self)
        memory.storeBytes(of: first, toByteOffset: 8, as: UInt64.self)
        memory.storeBytes(of: second, toByteOffset: 16, as: UInt64.self)
        memory.storeBytes(of: third, toByteOffset: 24, as: UInt64.self)
        copy(body, to: memory + FrameFront.size)
        copy(trailer, to: memory + FrameFront.size + body.count)
        tail = start &+ length
        // Releasing: the bytes above must be visible before the counter that covers them; pairs
        // with the acquiring load of `tail` in `RingConsumer.refresh`. Sequentially consistent as
        // well, so that it cannot pass the load of `Waker.sleeping` that follows in `wake`.
        storage.tail.store(tail, ordering: .sequentiallyConsistent)
        return true
    }

    @inline(__always)
    private func copy(_ bytes: ByteView, to target: UnsafeMutableRawPointer) {
        if let source = bytes.buffer.baseAddress, bytes.count > 0 {
            target.copyMemory(from: source, byteCount: bytes.count)
        }
    }

    /// Where a frame of `length` bytes may start, a skip mark written before it where it would not
    /// fit at the end of the memory.
    private mutating func claim(_ length: UInt64) -> UInt64? {
        let toEnd = storage.capacity &- UInt64(storage.index(tail))
        let skipped = length > toEnd ? toEnd : 0
        guard hasRoom(skipped &+ length) else { return nil }
        if skipped > 0 {
            (storage.memory + storage.index(tail)).storeBytes(
                of: FrameFront.skipMark,
                as: UInt32.self
            )
        }
        return tail &+ skipped
    }

    private mutating func hasRoom(_ length: UInt64) -> Bool {
        if tail &+ length &- headSeen <= storage.capacity { return true }
        // Acquiring: the consumer has finished reading what lies before `head`; pairs with its
        // releasing store in `RingConsumer.release`.
        headSeen = storage.head.load(ordering: .acquiring)
        return tail &+ length &- headSeen <= storage.capacity
    }
}
