import Bytes
import Records
import Settings
import Units

/// Gathers a server's events into slices: those that follow one another, are of one visitor and have
/// all else in common that a slice says once, share one. Owned by one listener; memory is reused.
struct SliceAssembler: ~Copyable {
    private(set) var writer = SliceWriter(limit: Limits.recordBytesMaximum)
    /// The head of the slice under way, as bytes that can be compared, and that of the next event.
    private var head = ByteBuffer(capacity: 1024, limit: 8 * 1024)
    private var nextHead = ByteBuffer(capacity: 1024, limit: 8 * 1024)
    private var partition = Partition(0)
    private var events = 0
    private var eventStart = 0
    /// Whether a slice did not fit the bundle: nothing of the request may take effect then.
    private(set) var isFull = false

    /// Begins a request's slices.
    mutating func reset() {
        head.reset()
        events = 0
        isFull = false
    }

    /// Makes sure that the slice under way is one of `next` with room for an event of `bytes`. True when
    /// it is a new one; `sealed` are the blocks of the one before.
    mutating func open(
        _ next: SliceWriter.Head,
        bytes: Int,
        sealed: ByteView,
        into bundle: inout SliceBundle
    ) -> Bool {
        describe(next)
        let fits =
            events < Slice.eventsMaximum
            && writer.buffer.count + bytes + Self.spareBytes <= Limits.recordBytesMaximum
        if events > 0, fits, nextHead.view.equals(head.view) { return false }
        close(sealed: sealed, into: &bundle)
        swap(&head, &nextHead)
        writer.begin(next)
        partition = Partition(visitor: next.visitor)
        return true
    }

    /// An event's head, name and message id, and the slice's sealed blocks.
    private static let spareBytes = 1024 + Limits.sealedBytesMaximum + 2

    /// Ends the slice under way and puts it into the bundle.
    mutating func close(sealed: ByteView, into bundle: inout SliceBundle) {
        guard events > 0 else { return }
        let isWhole = writer.finish(eventCount: events, sealed: sealed)
        invariant(isWhole, "an event was put into a slice without room for it")
        if !bundle.add(writer.buffer.view, partition: partition, events: events) { isFull = true }
        events = 0
    }

    /// Starts an event whose properties `append` then writes.
    mutating func beginEvent(
        occurredAt: Int64,
        kind: EventKind,
        flags: SliceEvent.Flags,
        name: ByteView,
        messageID: ByteView
    ) {
        writer.beginEvent(
            number: 0,
            occurredAt: occurredAt,
            kind: kind,
            flags: flags,
            page: 0,
            name: name,
            messageID: messageID
        )
    }

    /// Calls `body` with the place for the event's properties.
    mutating func append(_ body: (inout ByteBuffer) -> Void) { body(&writer.buffer) }

    /// Ends an event.
    mutating func endEvent() {
        writer.endEvent()
        events += 1
    }

    private mutating func describe(_ next: SliceWriter.Head) {
        nextHead.reset()
        nextHead.append(next.consent.rawValue)
        nextHead.append(next.flags.rawValue)
        nextHead.append(next.deviceClass.rawValue)
        for text in [next.visitor, next.user, next.address, next.context] {
            nextHead.append(littleEndian: UInt16(text.count))
            nextHead.append(text)
        }
    }
}
