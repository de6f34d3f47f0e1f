public import Bytes

/// One visitor's slice of a batch: the payload of a journal record, with everything frozen that the
/// stages behind the journal need.
///
/// Version 1, integers little-endian:
///
/// | field | bytes |
/// |---|---|
/// | version (1), consent, flags, device class | 4 × 1 |
/// | settings version | 4 |
/// | number of events | 1 |
/// | site, visitor, session, window, user, batch, address: a length byte each, then the bytes | 7 × (1 + n) |
/// | context: a JSON object or nothing | 2 + n |
/// | events, each as `SliceEvent` | rest |
/// | with flag `sealed`: the entries of `SealedParts`, then their length | n + 2 |
///
/// Texts are UTF-8 and free of raw personal data; the address is truncated as consent asks.
public struct Slice {
    /// Bit flags of a slice.
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        /// The bits as stored.
        public let rawValue: UInt8
        /// Takes the bits as they are.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// An automated browser: folded, but masked in what people read.
        public static let bot = Flags(rawValue: 1)
        /// The visitor has no device id; the visitor key is the session's.
        public static let withoutDevice = Flags(rawValue: 2)
        /// The visitor points with a finger.
        public static let touch = Flags(rawValue: 4)
        /// This slice is the first batch of a page load.
        public static let opensPage = Flags(rawValue: 8)
        /// The visitor opted out of sale and sharing: by Global Privacy Control or a state's signal.
        public static let optedOut = Flags(rawValue: 16)
        /// The visitor is known to be a child.
        public static let minor = Flags(rawValue: 32)
        /// The visitor is in the European Economic Area, the United Kingdom or Switzerland.
        public static let strictRegion = Flags(rawValue: 64)
        /// Sealed blocks stand behind the events.
        public static let sealed = Flags(rawValue: 128)
    }

    /// The kind of machine the visitor sits at.
    public enum DeviceClass: UInt8, Sendable {
        case unknown, desktop, phone, tablet
    }

    /// Format version of the payload.
    public static let version: UInt8 = 1
    /// The most events in a slice: one bit each in the header's duplicates.
    public static let eventsMaximum = 64

    /// What the visitor had agreed to.
    public var consent: Consent
    /// Bit flags.
    public var flags: Flags
    /// Kind of machine.
    public var deviceClass: DeviceClass
    /// Hash of the settings that the decisions in this slice were made under.
    public var settingsVersion: UInt32
    /// Site name, such as `demo`.
    public var site: ByteView
    /// Visitor id.
    public var visitor: ByteView
    /// The SDK's session id; empty when the sender has none.
    public var session: ByteView
    /// The tab's window id.
    public var window: ByteView
    /// Hashed user id after identify; empty before.
    public var user: ByteView
    /// Batch id.
    public var batch: ByteView
    /// Truncated client address as text.
    public var address: ByteView
    /// JSON object with language, time zone, viewport and what enrichment found; may be empty.
    public var context: ByteView
    /// Number of events.
    public var eventCount: Int
    /// What only advertisement platforms are told.
    public var sealedParts: SealedParts
    private var events: ByteView

    /// Reads a payload; nil when it is not one that this version can read.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 9, bytes[0] == Self.version,
            let device = DeviceClass(rawValue: bytes[3])
        else { return nil }
        consent = Consent(rawValue: bytes[1])
        flags = Flags(rawValue: bytes[2])
        deviceClass = device
        settingsVersion = bytes.load(UInt32.self, at: 4)
        eventCount = Int(bytes[8])
        var position = 9
        guard let site = Self.text(bytes, &position), let visitor = Self.text(bytes, &position),
            let session = Self.text(bytes, &position), let window = Self.text(bytes, &position),
            let user = Self.text(bytes, &position), let batch = Self.text(bytes, &position),
            let address = Self.text(bytes, &position), position + 2 <= bytes.count
        else { return nil }
        let contextLength = Int(bytes.load(UInt16.self, at: position))
        position += 2
        guard position + contextLength <= bytes.count else { return nil }
        (self.site, self.visitor, self.session) = (site, visitor, session)
        (self.window, self.user, self.batch, self.address) = (window, user, batch, address)
        context = bytes[position..<position + contextLength]
        let rest = bytes[position + contextLength..<bytes.count]
        guard let seals = Self.sealedLength(rest, flags) else { return nil }
        let end = rest.count - seals
        events = rest[0..<end]
        sealedParts = SealedParts(seals == 0 ? .empty : rest[end..<rest.count - 2])
    }

    /// Bytes that sealed blocks take at the end, their length included; nil when it cannot be.
    private static func sealedLength(_ bytes: ByteView, _ flags: Flags) -> Int? {
        guard flags.contains(.sealed) else { return 0 }
        guard bytes.count >= 2 else { return nil }
        let length = Int(bytes.load(UInt16.self, at: bytes.count - 2)) + 2
        return length <= bytes.count ? length : nil
    }

    private static func text(_ bytes: ByteView, _ position: inout Int) -> ByteView? {
        guard position < bytes.count else { return nil }
        let start = position + 1
        let end = start + Int(bytes[position])
        guard end <= bytes.count else { return nil }
        position = end
        return bytes[start..<end]
    }

    /// Calls `body` with each event and its index, in the order of the batch.
    ///
    /// Returns false when an event's bytes are damaged, after calling `body` for those before it.
    @inline(__always)
    @discardableResult
    public func forEachEvent(_ body: (Int, SliceEvent) -> Void) -> Bool {
        var position = 0
        var index = 0
        while index < eventCount {
            guard let event = SliceEvent(events, at: position) else { return false }
            body(index, event)
            position &+= event.length
            index &+= 1
        }
        return true
    }
}

/// One event inside a slice.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | length of this entry |
/// | 4 | 4 | n: number in the window |
/// | 8 | 8 | occurred at, epoch milliseconds, corrected |
/// | 16 | 1 | kind |
/// | 17 | 1 | flags |
/// | 18 | 2 | page-view number in the window |
/// | 20 | 2 | name length |
/// | 22 | 2 | message id length, 0 for events of the SDK |
/// | 24 | n | name, message id, then the properties as a JSON object |
public struct SliceEvent {
    /// Bytes before the name.
    public static let headSize = 24

    /// Bit flags of an event.
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        /// The bits as stored.
        public let rawValue: UInt8
        /// Takes the bits as they are.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The clock correction moved the event by more than ten minutes.
        public static let moved = Flags(rawValue: 1)
        /// The event tells of somebody's health: no advertisement platform may learn of it.
        public static let sensitive = Flags(rawValue: 2)
        /// Brought in after the fact, such as a demonstration's past: no destination is told of it.
        public static let history = Flags(rawValue: 4)
    }

    /// Number of the event in its window, from 1; 0 for events that have a message id instead.
    public let number: UInt32
    /// Corrected time, epoch milliseconds.
    public let occurredAt: Int64
    /// What kind of thing happened.
    public let kind: EventKind
    /// Bit flags.
    public let flags: Flags
    /// Page-view number in the window.
    public let page: UInt16
    /// Name of a custom event; empty for others.
    public let name: ByteView
    /// The sender's id of the event; empty for events of the SDK, whose window and number are one.
    public let messageID: ByteView
    /// The event's own fields as a JSON object, keys as in the beacon.
    public let properties: ByteView
    /// Bytes of this entry.
    public let length: Int

    init?(_ bytes: ByteView, at start: Int) {
        guard start + Self.headSize <= bytes.count else { return nil }
        length = Int(bytes.load(UInt32.self, at: start))
        guard length >= Self.headSize, start + length <= bytes.count,
            let kind = EventKind(rawValue: bytes[start + 16])
        else { return nil }
        number = bytes.load(UInt32.self, at: start + 4)
        occurredAt = bytes.load(Int64.self, at: start + 8)
        self.kind = kind
        flags = Flags(rawValue: bytes[start + 17])
        page = bytes.load(UInt16.self, at: start + 18)
        let nameLength = Int(bytes.load(UInt16.self, at: start + 20))
        let idLength = Int(bytes.load(UInt16.self, at: start + 22))
        let nameStart = start + Self.headSize
        let idStart = nameStart + nameLength
        guard Self.headSize + nameLength + idLength <= length else { return nil }
        name = bytes[nameStart..<idStart]
        messageID = bytes[idStart..<idStart + idLength]
        properties = bytes[idStart + idLength..<start + length]
    }
}
