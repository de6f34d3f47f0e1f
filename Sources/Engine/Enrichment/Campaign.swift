import Bytes
import Settings
import Units

/// A click id that an advertising or social network puts into addresses.
enum ClickID: UInt8, CaseIterable {
    case gclid, gbraid, wbraid, msclkid, fbclid, ttclid, liFatID, twclid

    /// The parameter's name.
    var name: StaticString {
        switch self {
        case .gclid: "gclid"
        case .gbraid: "gbraid"
        case .wbraid: "wbraid"
        case .msclkid: "msclkid"
        case .fbclid: "fbclid"
        case .ttclid: "ttclid"
        case .liFatID: "li_fat_id"
        case .twclid: "twclid"
        }
    }

    /// The network that gives it out.
    var network: StaticString {
        switch self {
        case .gclid, .gbraid, .wbraid: "google"
        case .msclkid: "bing"
        case .fbclid: "facebook"
        case .ttclid: "tiktok"
        case .liFatID: "linkedin"
        case .twclid: "twitter"
        }
    }

    /// What kind of place the network is.
    var kind: SourceKind { provesAdvertisement ? .search : .social }

    /// Whether only paid clicks carry it. Social networks mark every link that leads out.
    var provesAdvertisement: Bool { rawValue <= ClickID.msclkid.rawValue }
}

/// What the query of an address says about a campaign. Memory is reused.
struct Campaign: ~Copyable {
    /// The parts that are kept.
    enum Part: Int, CaseIterable {
        case source, medium, name, id, content, term

        /// The parameter's name.
        var parameter: StaticString {
            switch self {
            case .source: "utm_source"
            case .medium: "utm_medium"
            case .name: "utm_campaign"
            case .id: "utm_id"
            case .content: "utm_content"
            case .term: "utm_term"
            }
        }

        /// Whether case means nothing in it.
        var isFolded: Bool { self == .source || self == .medium }
    }

    private var text = ByteBuffer(capacity: 256, limit: Part.allCases.count * partBytesMaximum)
    private var starts = [Int](repeating: 0, count: Part.allCases.count)
    private var ends = [Int](repeating: 0, count: Part.allCases.count)
    /// The strongest click id.
    private(set) var clickID: ClickID?

    private static let partBytesMaximum = Limits.campaignBytesMaximum
    /// Parameters that are looked at; behind them an address is no longer meant for anybody.
    private static let parametersMaximum = 64

    init() {}

    /// Whether the query says nothing.
    var isEmpty: Bool { text.count == 0 && clickID == nil }

    /// A part, decoded; empty when absent.
    subscript(part: Part) -> ByteView { text.view[starts[part.rawValue]..<ends[part.rawValue]] }

    /// Reads a query; what was read before is forgotten.
    mutating func read(_ query: ByteView) {
        text.reset()
        clickID = nil
        for index in starts.indices { (starts[index], ends[index]) = (0, 0) }
        var start = 0
        var parameters = 0
        while start < query.count, parameters < Self.parametersMaximum {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            take(query[start..<end])
            start = end &+ 1
            parameters &+= 1
        }
    }

    private mutating func take(_ parameter: ByteView) {
        guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")) else { return }
        let name = parameter[0..<equals]
        let value = parameter[equals &+ 1..<parameter.count]
        guard !name.isEmpty, !value.isEmpty else { return }
        switch asciiLowercase(name[0]) {
        case UInt8(ascii: "u"): takePart(name, value)
        case UInt8(ascii: "g"), UInt8(ascii: "w"), UInt8(ascii: "m"), UInt8(ascii: "f"),
            UInt8(ascii: "t"), UInt8(ascii: "l"):
            takeClickID(name)
        default: break
        }
    }

    /// The first of a part holds, as it does for the tools that read the same addresses.
    private mutating func takePart(_ name: ByteView, _ value: ByteView) {
        for part in Part.allCases where name.equalsIgnoringCase(part.parameter) {
            guard ends[part.rawValue] == starts[part.rawValue] else { return }
            let start = text.count
            QueryText.decode(value, foldsCase: part.isFolded, into: &text)
            starts[part.rawValue] = start
            ends[part.rawValue] = text.count
            return
        }
    }

    private mutating func takeClickID(_ name: ByteView) {
        for candidate in ClickID.allCases where name.equalsIgnoringCase(candidate.name) {
            if candidate.rawValue < clickID?.rawValue ?? .max { clickID = candidate }
            return
        }
    }
}

/// Values of a query.
enum QueryText {
    /// Appends `raw` with `%XX` and `+` resolved, at most `Limits.campaignBytesMaximum` bytes and no
    /// character cut in two. Control characters become spaces, bytes that are no UTF-8 become `?`.
    static func decode(_ raw: ByteView, foldsCase: Bool, into buffer: inout ByteBuffer) {
        let limit = buffer.count &+ Limits.campaignBytesMaximum
        var sequence = UTF8Sequence()
        var index = 0
        while index < raw.count, buffer.count &+ max(sequence.wanted, 1) <= limit {
            let (byte, length) = decodeByte(raw, index)
            index &+= length
            sequence.take(foldsCase ? asciiLowercase(byte) : byte, into: &buffer)
        }
        // At the limit an unfinished character is left out; at the end it was never whole.
        if index >= raw.count { sequence.finish(into: &buffer) }
        trimSpaces(&buffer, from: limit &- Limits.campaignBytesMaximum)
    }

    private static func decodeByte(_ raw: ByteView, _ index: Int) -> (UInt8, Int) {
        let byte = raw[index]
        if byte == UInt8(ascii: "+") { return (UInt8(ascii: " "), 1) }
        guard byte == UInt8(ascii: "%"), raw.holds(3, at: index),
            let high = nibble(raw[index &+ 1]), let low = nibble(raw[index &+ 2])
        else { return (byte, 1) }
        return (high << 4 | low, 3)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        if byte.isASCIIDigit { return byte &- UInt8(ascii: "0") }
        let letter = asciiLowercase(byte) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    private static func trimSpaces(_ buffer: inout ByteBuffer, from start: Int) {
        while buffer.count > start, buffer.view[buffer.count &- 1] == UInt8(ascii: " ") {
            buffer.truncate(to: buffer.count &- 1)
        }
    }
}

/// A character of several bytes while it arrives: it is written when it is whole and well formed.
struct UTF8Sequence {
    private var bytes: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
    private var count = 0
    /// Bytes the character will have in all; 0 between characters.
    private(set) var wanted = 0

    mutating func take(_ byte: UInt8, into buffer: inout ByteBuffer) {
        if byte < 0x80 || byte >= 0xc0 { finish(into: &buffer) }
        if byte < 0x80 {
            buffer.append(byte < 0x20 || byte == 0x7f ? UInt8(ascii: " ") : byte)
        } else if wanted == 0 {
            begin(byte, into: &buffer)
        } else {
            push(byte)
            if count == wanted { write(into: &buffer) }
        }
    }

    /// Ends what is unfinished with a `?`.
    mutating func finish(into buffer: inout ByteBuffer) {
        if wanted > 0 { buffer.append(UInt8(ascii: "?")) }
        (count, wanted) = (0, 0)
    }

    private mutating func begin(_ byte: UInt8, into buffer: inout ByteBuffer) {
        switch byte {
        case 0xc2...0xdf: wanted = 2
        case 0xe0...0xef: wanted = 3
        case 0xf0...0xf4: wanted = 4
        default: return buffer.append(UInt8(ascii: "?"))
        }
        push(byte)
    }

    private mutating func push(_ byte: UInt8) {
        switch count {
        case 0: bytes.0 = byte
        case 1: bytes.1 = byte
        case 2: bytes.2 = byte
        default: bytes.3 = byte
        }
        count &+= 1
    }

    private mutating func write(into buffer: inout ByteBuffer) {
        let length = wanted
        let isWhole = unsafe withUnsafeBytes(of: bytes) {
            unsafe UTF8Check.sequenceLength(ByteView($0), at: 0) == length
        }
        guard isWhole else { return finish(into: &buffer) }
        unsafe withUnsafeBytes(of: bytes) { unsafe buffer.append(ByteView($0)[0..<length]) }
        (count, wanted) = (0, 0)
    }
}
