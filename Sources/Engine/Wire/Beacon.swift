public import Bytes

/// Why a whole beacon was refused; nothing of it takes effect.
public enum BeaconError: Error {
    /// Not JSON, or a value of another type than the field wants.
    case json(JSONError, field: StaticString)
    /// A field that every beacon has is absent.
    case missing(field: StaticString)
    /// A format version that this engine does not speak.
    case unsupportedVersion
    /// More events than a batch may hold.
    case tooManyEvents
}

/// The envelope of a batch in the SDK's format. Views point into the request's body.
public struct Beacon {
    /// Public site key.
    public var key = ByteView.empty
    /// Batch id.
    public var batch = ByteView.empty
    /// Client's wall clock at this attempt, epoch milliseconds.
    public var sentAt: Int64 = 0
    /// Client's monotonic clock at this attempt, milliseconds since the page's time origin.
    public var sentAtMonotonic: Int64 = 0
    /// Window id.
    public var window = ByteView.empty
    /// Batch number in the window.
    public var sequence: Int64 = 0
    /// Device id, empty without storage consent.
    public var device = ByteView.empty
    /// Session id.
    public var session = ByteView.empty
    /// Hashed user id, empty before identify.
    public var user = ByteView.empty
    /// Consent bits; nil when the beacon has none, which is not the same as having withheld it.
    public var consent: Int64?
    /// What consent dialogues and the browser said, an object as it was sent; empty when absent.
    public var consentSignals = ByteView.empty
    /// Context object as it was sent, empty when absent.
    public var context = ByteView.empty
    /// Events that the SDK dropped by its own limits since the last batch.
    public var lost: Int64 = 0
    /// The array of events as it was sent.
    public var events = ByteView.empty
    /// Whether nothing has looked at the events yet, not even at their grammar.
    public var hasUncheckedEvents = false
    /// Keys that this version does not know.
    public var unknownKeys = 0

    init() {}
}

/// Decodes the envelope of a beacon (format version 1).
public enum BeaconDecoder {
    /// Reads the members before the events, when those come last, as the SDK writes them: so the bytes
    /// of the events are gone through once, by `BeaconEventReader`, and not twice.
    ///
    /// Nil when the text is of another order or has a mistake; `decode` then says which.
    public static func decodeFront(_ body: ByteView) -> Beacon? {
        guard let end = endOfLastArray(body) else { return nil }
        var reader = EnvelopeReader(body)
        return try? reader.readFront(eventsEnd: end)
    }

    /// Where the array ends that the text closes with: `]`, `}`, white space.
    private static func endOfLastArray(_ body: ByteView) -> Int? {
        guard let brace = last(UInt8(ascii: "}"), of: body, before: body.count),
            let bracket = last(UInt8(ascii: "]"), of: body, before: brace)
        else { return nil }
        return bracket &+ 1
    }

    /// The place of the last byte before `end` that is not white space, if it is `byte`.
    private static func last(_ byte: UInt8, of body: ByteView, before end: Int) -> Int? {
        var index = end &- 1
        while index >= 0, isWhiteSpace(body[index]) { index &-= 1 }
        return index >= 0 && body[index] == byte ? index : nil
    }

    /// RFC 8259 section 2; other controls are no white space.
    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 32 || byte == 10 || byte == 13 || byte == 9
    }

    /// Reads and checks the whole text; the events are only scanned for grammar.
    public static func decode(_ body: ByteView) throws(BeaconError) -> Beacon {
        var reader = EnvelopeReader(body)
        try reader.read()
        return reader.beacon
    }
}

private struct EnvelopeReader {
    private var cursor: JSONCursor
    private(set) var beacon = Beacon()
    private var version: Int64 = -1
    private var sawEvents = false
    /// Which keys have been read: of repeated keys the first wins.
    private var seen: UInt32 = 0

    init(_ body: ByteView) { cursor = JSONCursor(body) }

    mutating func read() throws(BeaconError) {
        try readMembers()
        try checkRequired()
        if !sawEvents { throw .missing(field: "e") }
    }

    /// Reads up to the events. Whether they are what comes last is for their reader to find out.
    mutating func readFront(eventsEnd: Int) throws(BeaconError) -> Beacon {
        do throws(JSONError) {
            try cursor.beginObject()
        } catch {
            throw .json(error, field: "batch")
        }
        var first = true
        while let key = try nextKey(&first) {
            guard EnvelopeKey(key) == .events else {
                try readMember(key)
                continue
            }
            try checkRequired()
            guard cursor.position <= eventsEnd else { throw .missing(field: "e") }
            beacon.events = cursor.bytes[cursor.position..<eventsEnd]
            beacon.hasUncheckedEvents = true
            return beacon
        }
        throw .missing(field: "e")
    }

    private func checkRequired() throws(BeaconError) {
        if version < 0 { throw .missing(field: "v") }
        if version != 1 { throw .unsupportedVersion }
        if beacon.key.isEmpty { throw .missing(field: "k") }
        if beacon.window.isEmpty { throw .missing(field: "w") }
        if beacon.sentAt == 0 { throw .missing(field: "st") }
    }

    private mutating func readMembers() throws(BeaconError) {
        do throws(JSONError) {
            try cursor.beginObject()
        } catch {
            throw .json(error, field: "batch")
        }
        var first = true
        while let key = try nextKey(&first) { try readMember(key) }
        do throws(JSONError) {
            try cursor.end()
        } catch {
            throw .json(error, field: "batch")
        }
    }

    private mutating func nextKey(_ first: inout Bool) throws(BeaconError) -> ByteView? {
        do throws(JSONError) {
            return try cursor.nextKey(&first)
        } catch {
            throw .json(error, field: "batch")
        }
    }

    private mutating func readMember(_ key: ByteView) throws(BeaconError) {
        switch EnvelopeKey(key) {
        case .version: if try isFresh(.version) { version = try integer("v") }
        case .key: if try isFresh(.key) { beacon.key = try identifier("k") }
        case .batch: if try isFresh(.batch) { beacon.batch = try identifier("b") }
        case .sentAt: if try isFresh(.sentAt) { beacon.sentAt = try number("st") }
        case .monotonic:
            if try isFresh(.monotonic) { beacon.sentAtMonotonic = try number("mt") }
        case .window: if try isFresh(.window) { beacon.window = try identifier("w") }
        case .sequence: if try isFresh(.sequence) { beacon.sequence = try integer("q") }
        case .device: if try isFresh(.device) { beacon.device = try identifier("d") }
        case .session: if try isFresh(.session) { beacon.session = try identifier("s") }
        case .user: if try isFresh(.user) { beacon.user = try identifier("u") }
        case .consent: if try isFresh(.consent) { beacon.consent = try natural("c") }
        case .consentSignals:
            if try isFresh(.consentSignals) { beacon.consentSignals = try object("cp") }
        case .context: if try isFresh(.context) { beacon.context = try object("x") }
        case .lost: if try isFresh(.lost) { beacon.lost = try integer("lost") }
        case .events: if try isFresh(.events) { try readEvents() }
        case .unknown:
            beacon.unknownKeys &+= 1
            _ = try skip("batch")
        }
    }

    /// True the first time; a repeated member is checked, skipped and counted.
    private mutating func isFresh(_ key: EnvelopeKey) throws(BeaconError) -> Bool {
        let bit: UInt32 = 1 << UInt32(key.rawValue)
        if seen & bit == 0 {
            seen |= bit
            return true
        }
        beacon.unknownKeys &+= 1
        _ = try skip("batch")
        return false
    }

    private mutating func readEvents() throws(BeaconError) {
        sawEvents = true
        do throws(JSONError) {
            guard try cursor.kind() == .array else { throw cursor.error(.wrongType) }
        } catch {
            throw .json(error, field: "e")
        }
        do throws(JSONError) { beacon.events = try cursor.skip(anyNumbers: true) } catch {
            throw .json(error, field: "e")
        }
    }

    // MARK: - Values; each maps a JSON error to the field it stands in

    private mutating func integer(_ field: StaticString) throws(BeaconError) -> Int64 {
        do throws(JSONError) { return try cursor.integer() } catch {
            throw .json(error, field: field)
        }
    }

    private mutating func natural(_ field: StaticString) throws(BeaconError) -> Int64 {
        let value = try integer(field)
        guard value >= 0 else { throw .json(cursor.error(.numberOutOfRange), field: field) }
        return value
    }

    /// Milliseconds, which some browsers give with a fraction.
    private mutating func number(_ field: StaticString) throws(BeaconError) -> Int64 {
        do throws(JSONError) {
            let value = try cursor.double()
            guard value.magnitude < 1e15 else { throw cursor.error(.numberOutOfRange) }
            return Int64(value)
        } catch {
            throw .json(error, field: field)
        }
    }

    private mutating func identifier(_ field: StaticString) throws(BeaconError) -> ByteView {
        do throws(JSONError) { return try cursor.string().raw } catch {
            throw .json(error, field: field)
        }
    }

    private mutating func object(_ field: StaticString) throws(BeaconError) -> ByteView {
        do throws(JSONError) {
            guard try cursor.kind() == .object else { throw cursor.error(.wrongType) }
            return try cursor.skip()
        } catch {
            throw .json(error, field: field)
        }
    }

    private mutating func skip(_ field: StaticString) throws(BeaconError) -> ByteView {
        do throws(JSONError) { return try cursor.skip() } catch { throw .json(error, field: field) }
    }
}

/// The members of a batch.
private enum EnvelopeKey: UInt8 {
    case version, key, batch, sentAt, monotonic, window, sequence, device, session, user
    case consent, consentSignals, context, lost, events, unknown

    init(_ text: ByteView) {
        switch text.count {
        case 1: self = Self.oneByte(text[0])
        case 2 where text.equals("st"): self = .sentAt
        case 2 where text.equals("mt"): self = .monotonic
        case 2 where text.equals("cp"): self = .consentSignals
        case 4 where text.equals("lost"): self = .lost
        default: self = .unknown
        }
    }

    private static func oneByte(_ byte: UInt8) -> EnvelopeKey {
        switch byte {
        case UInt8(ascii: "v"): return .version
        case UInt8(ascii: "k"): return .key
        case UInt8(ascii: "b"): return .batch
        case UInt8(ascii: "w"): return .window
        case UInt8(ascii: "q"): return .sequence
        case UInt8(ascii: "d"): return .device
        case UInt8(ascii: "s"): return .session
        case UInt8(ascii: "u"): return .user
        case UInt8(ascii: "c"): return .consent
        case UInt8(ascii: "x"): return .context
        case UInt8(ascii: "e"): return .events
        default: return .unknown
        }
    }
}
