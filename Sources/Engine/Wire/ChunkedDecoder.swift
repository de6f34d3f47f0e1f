public import Bytes
import Settings

/// Decodes a chunked body (RFC 9112 section 7.1) byte by byte, remembering where it is.
///
/// The decoded bytes are appended to the caller's buffer. Chunk sizes are 1 to 15 hexadecimal
/// digits and nothing else; extensions are skipped within a bound; trailers must be fields, and are
/// dropped: a reader that took just any line for one would swallow a request that somebody else sees.
public struct ChunkedDecoder {
    private enum State: UInt8 {
        case size, sizeDigits, extensionsStart, extensions, sizeFeed, data, dataReturn, dataFeed
        case trailerStart, trailerName, trailerValue, trailerFeed, endFeed, done
    }

    private var state = State.size
    private var remaining = 0
    private var digits = 0
    private var sideBytes = 0
    private var trailerName = FramingNameMatch()

    /// A decoder before the first chunk.
    public init() {}

    /// Whether the last chunk and its trailers have been read.
    public var isDone: Bool { state == .done }

    /// Reads from `bytes`, appends what it decodes to `body`, and returns how many bytes it took.
    public mutating func decode(
        _ bytes: ByteView,
        into body: inout ByteBuffer
    ) throws(FramingError) -> Int {
        var index = 0
        while index < bytes.count, state != .done {
            if state == .data {
                index &+= try copyData(bytes, index, &body)
            } else {
                try step(bytes[index])
                index &+= 1
            }
        }
        return index
    }

    private mutating func copyData(
        _ bytes: ByteView,
        _ index: Int,
        _ body: inout ByteBuffer
    ) throws(FramingError) -> Int {
        let length = min(remaining, bytes.count &- index)
        body.append(bytes[index..<index &+ length])
        if body.overflowed { throw .bodyTooLarge }
        remaining &-= length
        if remaining == 0 { state = .dataReturn }
        return length
    }

    private mutating func step(_ byte: UInt8) throws(FramingError) {
        switch state {
        case .size, .sizeDigits: try stepSize(byte)
        case .extensionsStart, .extensions: try stepExtensions(byte)
        case .sizeFeed:
            try expect(byte, 10)
            state = remaining == 0 ? .trailerStart : .data
        case .dataReturn:
            try expect(byte, 13)
            state = .dataFeed
        case .dataFeed:
            try expect(byte, 10)
            (state, digits) = (.size, 0)
        case .trailerStart, .trailerName: try stepTrailerName(byte)
        case .trailerValue: try stepTrailerValue(byte)
        case .trailerFeed:
            try expect(byte, 10)
            state = .trailerStart
        case .endFeed:
            try expect(byte, 10)
            state = .done
        case .data, .done: break
        }
    }

    private func expect(_ byte: UInt8, _ wanted: UInt8) throws(FramingError) {
        if byte != wanted { throw .badChunk }
    }

    private mutating func stepSize(_ byte: UInt8) throws(FramingError) {
        if let digit = Self.hexadecimal(byte) {
            if state == .size { remaining = 0 }
            digits &+= 1
            if digits > 15 { throw .badChunk }
            remaining = remaining &* 16 &+ digit
            if remaining > Limits.bodyBytesMaximum { throw .bodyTooLarge }
            state = .sizeDigits
        } else if state == .sizeDigits, byte == 13 {
            state = .sizeFeed
        } else if state == .sizeDigits, byte == UInt8(ascii: ";") {
            state = .extensionsStart
        } else {
            throw .badChunk
        }
    }

    private mutating func stepExtensions(_ byte: UInt8) throws(FramingError) {
        try countSideByte()
        if byte == 13 {
            // RFC 9112 section 7.1.1: a semicolon is followed by a name.
            if state == .extensionsStart { throw .badChunk }
            state = .sizeFeed
        } else if (byte < 32 && byte != 9) || byte == 127 {
            throw .badChunk
        } else {
            state = .extensions
        }
    }

    /// RFC 9112 section 7.1.2: a trailer is a field line, whose name is a token up to the colon.
    private mutating func stepTrailerName(_ byte: UInt8) throws(FramingError) {
        try countSideByte()
        if state == .trailerStart {
            trailerName = FramingNameMatch()
            if byte == 13 {
                state = .endFeed
                return
            }
        } else if byte == UInt8(ascii: ":") {
            // RFC 9110 section 6.5.1: a field that frames the message cannot come behind it.
            if trailerName.isFraming { throw .badChunk }
            state = .trailerValue
            return
        }
        guard FieldGrammar.isTokenByte(byte) else { throw .badChunk }
        trailerName.take(byte)
        state = .trailerName
    }

    private mutating func stepTrailerValue(_ byte: UInt8) throws(FramingError) {
        try countSideByte()
        if byte == 13 {
            state = .trailerFeed
        } else if (byte < 32 && byte != 9) || byte == 127 {
            throw .badChunk
        }
    }

    private mutating func countSideByte() throws(FramingError) {
        sideBytes &+= 1
        if sideBytes > Limits.headerBytesMaximum { throw .headerTooLarge }
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: return Int(byte) - 48
        case 65...70: return Int(byte) - 55
        case 97...102: return Int(byte) - 87
        default: return nil
        }
    }
}

/// Whether a name that comes byte by byte is one of those that frame a message.
private struct FramingNameMatch {
    private var length = 0
    private var isContentLength = true
    private var isTransferEncoding = true

    private static let contentLength: StaticString = "content-length"
    private static let transferEncoding: StaticString = "transfer-encoding"

    var isFraming: Bool {
        isContentLength && length == Self.contentLength.utf8CodeUnitCount
            || isTransferEncoding && length == Self.transferEncoding.utf8CodeUnitCount
    }

    mutating func take(_ byte: UInt8) {
        isContentLength = isContentLength && agrees(byte, ByteView(Self.contentLength))
        isTransferEncoding = isTransferEncoding && agrees(byte, ByteView(Self.transferEncoding))
        length &+= 1
    }

    private func agrees(_ byte: UInt8, _ name: ByteView) -> Bool {
        name.has(length) && name[length] == asciiLowercase(byte)
    }
}
