public import Bytes
import Units

/// Writes slices into a buffer, head first, then one event after another.
///
/// The events' properties are appended by the caller between `beginEvent` and `endEvent`, so that
/// decoding can write them in place without a copy in between.
public struct SliceWriter: ~Copyable {
    /// The payload so far.
    public var buffer: ByteBuffer
    private var start = 0
    private var eventStart = 0

    /// A writer whose buffer holds at most `limit` bytes.
    public init(limit: Int) {
        buffer = ByteBuffer(capacity: 16 * 1024, limit: limit)
    }

    /// What travels in the head of a slice, as the decoder knows it before the events.
    public struct Head {
        /// What the visitor agreed to.
        public var consent: Consent = []
        /// Bit flags.
        public var flags: Slice.Flags = []
        /// Kind of machine.
        public var deviceClass = Slice.DeviceClass.unknown
        /// Hash of the settings in force.
        public var settingsVersion: UInt32 = 0
        /// Site name.
        public var site = ByteView.empty
        /// Visitor id.
        public var visitor = ByteView.empty
        /// Session id.
        public var session = ByteView.empty
        /// Window id.
        public var window = ByteView.empty
        /// Hashed user id.
        public var user = ByteView.empty
        /// Batch id.
        public var batch = ByteView.empty
        /// Truncated address.
        public var address = ByteView.empty
        /// Context object.
        public var context = ByteView.empty

        /// An empty head.
        public init() {}
    }

    /// Starts a slice in an empty buffer; the number of events is filled in by `finish`.
    public mutating func begin(_ head: Head) {
        buffer.reset()
        buffer.append(Slice.version)
        buffer.append(head.consent.rawValue)
        buffer.append(head.flags.rawValue)
        buffer.append(head.deviceClass.rawValue)
        buffer.append(littleEndian: head.settingsVersion)
        buffer.append(0)
        text(head.site)
        text(head.visitor)
        text(head.session)
        text(head.window)
        text(head.user)
        text(head.batch)
        text(head.address)
        buffer.append(littleEndian: UInt16(head.context.count))
        buffer.append(head.context)
    }

    private mutating func text(_ bytes: ByteView) {
        invariant(bytes.count <= 255, "an id in a slice is longer than its length byte can say")
        buffer.append(UInt8(truncatingIfNeeded: bytes.count))
        buffer.append(bytes)
    }

    /// Starts an event; its properties are to be appended to `buffer` next.
    public mutating func beginEvent(
        number: UInt32,
        occurredAt: Int64,
        kind: EventKind,
        flags: SliceEvent.Flags,
        page: UInt16,
        name: ByteView,
        messageID: ByteView = .empty
    ) {
        eventStart = buffer.count
        buffer.append(littleEndian: UInt32(0))
        buffer.append(littleEndian: number)
        buffer.append(littleEndian: occurredAt)
        buffer.append(kind.rawValue)
        buffer.append(flags.rawValue)
        buffer.append(littleEndian: page)
        buffer.append(littleEndian: UInt16(name.count))
        buffer.append(littleEndian: UInt16(messageID.count))
        buffer.append(name)
        buffer.append(messageID)
    }

    /// Adds a flag to the event under way.
    public mutating func markEvent(_ flag: SliceEvent.Flags) {
        if buffer.overflowed { return }
        let flags = SliceEvent.Flags(rawValue: buffer.view[eventStart + 17]).union(flag)
        buffer.overwrite(littleEndian: flags.rawValue, at: eventStart + 17)
    }

    /// Ends the event that `beginEvent` started.
    public mutating func endEvent() {
        if buffer.overflowed { return }
        buffer.overwrite(littleEndian: UInt32(buffer.count - eventStart), at: eventStart)
    }

    /// Flags the slice as an automated browser's, once its events have shown it.
    public mutating func markBot() { mark(.bot) }

    private mutating func mark(_ flag: Slice.Flags) {
        let flags = Slice.Flags(rawValue: buffer.view[2]).union(flag)
        buffer.overwrite(littleEndian: flags.rawValue, at: 2)
    }

    /// Ends the slice; `sealed` are the entries of its `SealedParts`. False when it did not fit the
    /// limit.
    public mutating func finish(eventCount: Int, sealed: ByteView = .empty) -> Bool {
        invariant(eventCount <= Slice.eventsMaximum, "more events than a slice can hold")
        let fits = sealed.count <= Int(UInt16.max)
        if fits, !sealed.isEmpty {
            buffer.append(sealed)
            buffer.append(littleEndian: UInt16(sealed.count))
        }
        if buffer.overflowed { return false }
        if fits, !sealed.isEmpty { mark(.sealed) }
        buffer.overwrite(littleEndian: UInt8(eventCount), at: 8)
        return true
    }
}
