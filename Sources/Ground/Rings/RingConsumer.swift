import Bytes
import Synchronization
import Units

/// The reading end of a ring; owned by one thread.
public struct RingConsumer: ~Copyable, Sendable {
    private let storage: RingStorage
    /// Our own counter; `storage.head` follows it.
    private var head: UInt64 = 0
    /// The producer's counter as we last saw it: read again only when the ring looks empty.
    private var tailSeen: UInt64 = 0

    init(storage: RingStorage) { self.storage = storage }

    /// Whether there is nothing to read now.
    public mutating func isEmpty() -> Bool {
        head == tailSeen && refresh() == head
    }

    /// Bytes in the ring.
    public mutating func depth() -> Int { Int(refresh() &- head) }

    /// Reads up to `limit` messages in the order they were pushed and gives their room back.
    /// Returns how many there were.
    @discardableResult
    public mutating func drain(limit: Int, _ body: (Frame) -> Void) -> Int {
        drainWhile(limit: limit) { frame in
            body(frame)
            return true
        }
    }

    /// Like `drain`, but stops, and keeps the message, when `body` returns false.
    @discardableResult
    public mutating func drainWhile(limit: Int, _ body: (Frame) -> Bool) -> Int {
        var count = 0
        while count < limit, head != tailSeen || refresh() != head {
            if skipsToStart() { continue }
            let frame = frameAtHead()
            guard body(frame) else { break }
            head &+= UInt64(FrameFront.paddedLength(frame.body.count))
            count &+= 1
        }
        release()
        return count
    }

    private mutating func refresh() -> UInt64 {
        // Acquiring: the frame's bytes were written before the counter; pairs with the store of
        // `tail` in `RingProducer.push`. Sequentially consistent so that a consumer that has just
        // announced its sleep (`Waker.prepareToSleep`) cannot read a counter from before that.
        tailSeen = storage.tail.load(ordering: .sequentiallyConsistent)
        return tailSeen
    }

    private func release() {
        // Releasing: our reads of the frames end before the producer may overwrite them; pairs
        // with the acquiring load of `head` in `RingProducer.hasRoom`.
        storage.head.store(head, ordering: .releasing)
    }

    private mutating func skipsToStart() -> Bool {
        let index = storage.index(head)
        guard storage.memory.load(fromByteOffset: index, as: UInt32.self) == FrameFront.skipMark
        else { return false }
        head &+= storage.capacity &- UInt64(index)
        return true
    }

    private func frameAtHead() -> Frame {
        let memory = storage.memory + storage.index(head)
        return Frame(
            kind: memory.load(fromByteOffset: 4, as: UInt32.self),
            first: memory.load(fromByteOffset: 8, as: UInt64.self),
            second: memory.load(fromByteOffset: 16, as: UInt64.self),
            third: memory.load(fromByteOffset: 24, as: UInt64.self),
            body: ByteView(
                base: memory + FrameFront.size,
                count: Int(memory.load(as: UInt32.self))
            )
        )
    }
}
