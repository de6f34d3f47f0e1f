public import Bytes

/// What was refused, as the payload of a journal record of kind `rejected`.
///
/// Version 2, integers little-endian:
///
/// | field | bytes |
/// |---|---|
/// | version (2), flags, format | 3 × 1 |
/// | bytes that the sender's event or batch had | 4 |
/// | reason, place, site, key, path, id, address, user agent: a length byte, then bytes | 8 × (1 + n) |
/// | the event's or batch's bytes, sanitised | rest |
///
/// Neither the texts nor the bytes hold a zero byte, as a header does, so that what a stranger sent
/// cannot pass for a record when a damaged journal is searched for the next one.
public struct Rejection {
    /// Bit flags of a rejection.
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        /// The bits as stored.
        public let rawValue: UInt8
        /// Takes the bits as they are.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The bytes are of a whole batch or request; otherwise of one event in a body of its own.
        public static let wholeBatch = Flags(rawValue: 1)
        /// Only the first bytes were kept.
        public static let truncated = Flags(rawValue: 2)
        /// The bytes are a whole request body that can be sent again.
        public static let replayable = Flags(rawValue: 4)
        /// Bytes that looked like personal data were overwritten.
        public static let masked = Flags(rawValue: 8)
        /// The visitor did not agree to be stored: there are no bytes, no id and no address.
        public static let withheld = Flags(rawValue: 16)
    }

    /// The wire format that the sender spoke. The raw value is stored and never changes.
    public enum Format: UInt8, CaseIterable, BitwiseCopyable, Sendable {
        case unknown = 0
        /// The SDK's beacon.
        case sdk = 1
        /// Segment's HTTP API and what speaks like it, RudderStack included.
        case segment = 2
        /// Events of a server, as JSON or NDJSON.
        case server = 3
        /// A query in the address of a picture.
        case pixel = 4

        /// The name in stores and answers.
        public var name: StaticString {
            switch self {
            case .unknown: return "unknown"
            case .sdk: return "sdk"
            case .segment: return "segment"
            case .server: return "server"
            case .pixel: return "pixel"
            }
        }
    }

    /// Format version of the payload.
    public static let version: UInt8 = 2
    /// Bytes before the texts.
    public static let frontSize = 7

    /// Bit flags.
    public var flags: Flags = []
    /// Wire format of the sender.
    public var format = Format.unknown
    /// Bytes that the sender's event or batch had, whatever was kept of it.
    public var originalLength: UInt32 = 0
    /// Code of the problem, such as `key-unknown`.
    public var reason = ByteView.empty
    /// Where in the request the problem lies.
    public var place = ByteView.empty
    /// Site name; empty when the key is not known.
    public var site = ByteView.empty
    /// The site key as it was sent; empty when it could not be read.
    public var key = ByteView.empty
    /// Path of the request, to send it to again.
    public var path = ByteView.empty
    /// The event's id, `<w>-<n>` or the sender's message id; empty when not known.
    public var id = ByteView.empty
    /// Truncated client address as text; empty when it may not be kept.
    public var address = ByteView.empty
    /// The sender's user agent, for a replay to be judged like the original; empty when not known.
    public var userAgent = ByteView.empty
    /// The sanitised bytes.
    public var bytes = ByteView.empty

    /// An empty rejection, to be filled in.
    public init() {}

    /// Reads a payload; nil when it is not one that this version can read.
    public init?(_ payload: ByteView) {
        guard payload.count >= Self.frontSize, payload[0] == Self.version else { return nil }
        flags = Flags(rawValue: payload[1])
        format = Format(rawValue: payload[2]) ?? .unknown
        originalLength = payload.load(UInt32.self, at: 3)
        var position = Self.frontSize
        guard let reason = Self.text(payload, &position), let place = Self.text(payload, &position),
            let site = Self.text(payload, &position), let key = Self.text(payload, &position),
            let path = Self.text(payload, &position), let id = Self.text(payload, &position),
            let address = Self.text(payload, &position),
            let userAgent = Self.text(payload, &position)
        else { return nil }
        (self.reason, self.place, self.site, self.key) = (reason, place, site, key)
        (self.path, self.id, self.address, self.userAgent) = (path, id, address, userAgent)
        bytes = payload[position..<payload.count]
    }

    private static func text(_ bytes: ByteView, _ position: inout Int) -> ByteView? {
        guard position < bytes.count else { return nil }
        let start = position + 1
        let end = start + Int(bytes[position])
        guard end <= bytes.count else { return nil }
        position = end
        return bytes[start..<end]
    }

    /// Appends everything before the bytes, which the caller appends next, sanitised. Returns where
    /// the payload begins, for `setFlags`.
    public func begin(in buffer: inout ByteBuffer) -> Int {
        let start = buffer.count
        buffer.append(Self.version)
        buffer.append(flags.rawValue)
        buffer.append(format.rawValue)
        buffer.append(littleEndian: originalLength)
        Self.append(reason, to: &buffer)
        Self.append(place, to: &buffer)
        Self.append(site, to: &buffer)
        Self.append(key, to: &buffer)
        Self.append(path, to: &buffer)
        Self.append(id, to: &buffer)
        Self.append(address, to: &buffer)
        Self.append(userAgent, to: &buffer)
        return start
    }

    /// Overwrites the flags, once it is known what became of the bytes.
    public static func setFlags(_ flags: Flags, at start: Int, in buffer: inout ByteBuffer) {
        buffer.overwrite(littleEndian: flags.rawValue, at: start + 1)
    }

    /// Visible ASCII only: these texts may come from a stranger, and go to logs, labels and SQL.
    private static func append(_ text: ByteView, to buffer: inout ByteBuffer) {
        let count = min(text.count, 255)
        buffer.append(UInt8(truncatingIfNeeded: count))
        for index in 0..<count {
            let byte = text[index]
            buffer.append((0x20...0x7e).contains(byte) ? byte : UInt8(ascii: "?"))
        }
    }
}
