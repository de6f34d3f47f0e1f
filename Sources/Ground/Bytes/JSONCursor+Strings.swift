extension JSONCursor {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Whether eight bytes are all plain: ASCII, printable, neither quote nor backslash.
    ///
    /// The usual has-a-zero-byte trick, once for each of the three special classes.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        let special =
            ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            | ((word &- (ones &* 0x20)) & ~word) | word
        return special & tops == 0
    }

    /// Reads up to the closing quote; the opening one is behind us. RFC 8259 section 7.
    mutating func scanString() throws(JSONError) -> JSONString {
        let start = position
        var hasEscapes = false
        while true {
            while position &+ 8 <= bytes.count,
                Self.isPlain(bytes.load(UInt64.self, at: position))
            { position &+= 8 }
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let raw = bytes[start..<position]
                position &+= 1
                return JSONString(raw: raw, hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try scanEscape()
            } else if byte < 0x20 {
                throw error(.controlCharacter)
            } else if byte < 0x80 {
                position &+= 1
            } else {
                position &+= try sequenceLength(at: position)
            }
        }
    }

    private mutating func scanEscape() throws(JSONError) {
        guard position &+ 1 < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[position &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position &+= 2
        case UInt8(ascii: "u"):
            guard position &+ 6 <= bytes.count else { throw error(.unexpectedEnd) }
            guard JSONText.hexadecimal(bytes, at: position &+ 2) != nil else {
                throw error(.invalidEscape)
            }
            position &+= 6
        default: throw error(.invalidEscape)
        }
    }

    /// The length of the well-formed UTF-8 sequence at `index` (Unicode 15, table 3-7).
    private func sequenceLength(at index: Int) throws(JSONError) -> Int {
        guard let length = UTF8Check.sequenceLength(bytes, at: index) else {
            throw JSONError(.invalidUTF8, at: index)
        }
        return length
    }
}

/// Well-formed UTF-8, byte by byte.
public enum UTF8Check {
    /// The length of the multi-byte sequence at `index`, or nil when it is malformed.
    /// Unicode standard, table 3-7.
    public static func sequenceLength(_ bytes: ByteView, at index: Int) -> Int? {
        let lead = bytes[index]
        switch lead {
        case 0xc2...0xdf:
            return tail(bytes, index, 2, 0x80, 0xbf)
        case 0xe0: return tail(bytes, index, 3, 0xa0, 0xbf)
        case 0xed: return tail(bytes, index, 3, 0x80, 0x9f)
        case 0xe1...0xef: return tail(bytes, index, 3, 0x80, 0xbf)
        case 0xf0: return tail(bytes, index, 4, 0x90, 0xbf)
        case 0xf1...0xf3: return tail(bytes, index, 4, 0x80, 0xbf)
        case 0xf4: return tail(bytes, index, 4, 0x80, 0x8f)
        default: return nil
        }
    }

    private static func tail(
        _ bytes: ByteView,
        _ index: Int,
        _ length: Int,
        _ lowest: UInt8,
        _ highest: UInt8
    ) -> Int? {
        guard index &+ length <= bytes.count else { return nil }
        let second = bytes[index &+ 1]
        guard second >= lowest, second <= highest else { return nil }
        for offset in 2..<max(length, 2) where bytes[index &+ offset] & 0xc0 != 0x80 { return nil }
        return length
    }
}
