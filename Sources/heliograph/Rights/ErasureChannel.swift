import Bytes
import Journal
import Loop
import Records
import Rings
import Settings
import Units

/// The eraser's way to the journal's thread and back. Owned by the eraser's thread.
struct ErasureChannel: ~Copyable {
    /// Erasures under way at a time: the answers' ring has room for all.
    private static let flyingMaximum = 256

    private var toJournal: RingProducer
    private var fromJournal: RingConsumer
    private let waker: Waker
    private var payload = ByteBuffer(capacity: 512, limit: 1024)

    init(
        toJournal: consuming RingProducer,
        fromJournal: consuming RingConsumer,
        waker: Waker
    ) {
        self.toJournal = toJournal
        self.fromJournal = fromJournal
        self.waker = waker
    }

    /// Marks a place in the journal, behind which what is listed by now is not taken any more. Returns
    /// the sequence of the mark.
    mutating func mark(_ eraser: Eraser) throws(EraserPause) -> UInt64 {
        _ = try append("", [""], eraser)
        return eraser.around.progress.committedSequence
    }

    /// Appends an order for each visitor and waits until all are durable. Returns the last offset of
    /// each partition.
    mutating func append(
        _ site: String,
        _ visitors: [String],
        _ eraser: Eraser,
        order: Erasure.Order = .erase
    ) throws(EraserPause) -> [Partition: UInt64] {
        var offsets: [Partition: UInt64] = [:]
        var waiting = visitors[...]
        while !waiting.isEmpty {
            let group = waiting.prefix(Self.flyingMaximum)
            for visitor in group { try push(site, visitor, eraser, order) }
            waker.wake()
            var isFull = false
            try receive(group.count, eraser) { partition, offset in
                guard let offset else { return isFull = true }
                offsets[partition] = max(offsets[partition] ?? 0, offset)
            }
            if isFull { throw .problem("the journal has no room") }
            waiting = waiting.dropFirst(group.count)
        }
        return offsets
    }

    private mutating func push(
        _ site: String,
        _ visitor: String,
        _ eraser: Eraser,
        _ order: Erasure.Order
    ) throws(EraserPause) {
        payload.reset()
        let partition = Self.write(site, visitor, order, to: &payload)
        let kind: ListenerMessage = order == .erase ? .erasure : .parting
        while !toJournal.push(
            kind: kind.rawValue,
            first: UInt64(partition.index),
            second: UInt64(bitPattern: eraser.around.time.epochMilliseconds()),
            third: UInt64(partition.index),
            body: payload.view
        ) {
            waker.wake()
            try eraser.wait()
        }
    }

    private static func write(
        _ site: String,
        _ visitor: String,
        _ order: Erasure.Order,
        to payload: inout ByteBuffer
    ) -> Partition {
        Array(site.utf8).withUnsafeBytes { site in
            Array(visitor.utf8).withUnsafeBytes { visitor in
                let (site, visitor) = (ByteView(site), ByteView(visitor))
                Erasure(site: site, visitor: visitor, order: order).write(to: &payload)
                return Partition(visitor: visitor)
            }
        }
    }

    /// Calls `body` with the partition and offset of each erasure; without an offset when the journal
    /// is full.
    private mutating func receive(
        _ count: Int,
        _ eraser: Eraser,
        _ body: (Partition, UInt64?) -> Void
    ) throws(EraserPause) {
        var left = count
        while left > 0 {
            left -= fromJournal.drain(limit: left) { frame in
                let isDurable = frame.kind == JournalAnswer.durable.rawValue
                let partition = Partition(UInt8(truncatingIfNeeded: frame.first))
                body(partition, isDurable ? frame.third : nil)
            }
            if left > 0 { try eraser.wait() }
        }
    }
}
