import Bytes

/// The character classes of RFC 9110 section 5 and RFC 9112 section 3.
enum FieldGrammar {
    /// RFC 9110 section 5.6.2: `tchar`.
    static func isToken(_ text: ByteView) -> Bool {
        guard !text.isEmpty else { return false }
        for index in 0..<text.count where !isTokenByte(text[index]) { return false }
        return true
    }

    /// One byte of a token.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        let mask = byte < 64 ? tokenLow : byte < 128 ? tokenHigh : 0
        return mask &>> UInt64(byte & 63) & 1 == 1
    }

    /// Bits of `tchar` below 64: `! # $ % & ' * + - .` and digits.
    private static let tokenLow: UInt64 = 0x03ff_6cfa_0000_0000
    /// Bits of `tchar` from 64 on: letters and ``^ _ ` | ~``.
    private static let tokenHigh: UInt64 = 0x57ff_ffff_c7ff_fffe

    /// RFC 9110 section 5.5: visible characters, space, tab and obs-text; no other control.
    static func isValue(_ text: ByteView) -> Bool {
        var index = 0
        while index &+ 8 <= text.count, isPlainWord(text.load(UInt64.self, at: index)) {
            index &+= 8
        }
        while index < text.count {
            let byte = text[index]
            if (byte < 32 && byte != 9) || byte == 127 { return false }
            index &+= 1
        }
        return true
    }

    /// Whether eight bytes are all within 0x20...0x7e.
    private static func isPlainWord(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let below = (word &- ones &* 0x20) & ~word
        let delete = word ^ (ones &* 0x7f)
        return (below | ((delete &- ones) & ~delete) | word) & (ones &* 0x80) == 0
    }

    /// Visible ASCII only; everything else must be percent-encoded (RFC 3986 section 2).
    static func isTarget(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index] <= 32 || text[index] >= 127 { return false }
        return true
    }

    /// A host and port, loosely: no characters that could end an authority (RFC 3986 section 3.2).
    static func isHost(_ text: ByteView) -> Bool {
        for index in 0..<text.count {
            let byte = text[index]
            if byte <= 32 || byte >= 127 { return false }
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"),
                UInt8(ascii: ","):
                return false
            default: continue
            }
        }
        return true
    }

    /// Without the optional white space around a value (RFC 9110 section 5.6.3).
    static func trimmed(_ text: ByteView) -> ByteView {
        var start = 0
        var end = text.count
        while start < end, text[start] == 32 || text[start] == 9 { start &+= 1 }
        while end > start, text[end &- 1] == 32 || text[end &- 1] == 9 { end &-= 1 }
        return text[start..<end]
    }

    /// Whether a comma-separated list holds `element` (RFC 9110 section 5.6.1).
    static func list(_ text: ByteView, contains element: StaticString) -> Bool {
        var start = 0
        while start <= text.count {
            let end = text.firstIndex(of: UInt8(ascii: ","), from: start) ?? text.count
            if trimmed(text[start..<end]).equalsIgnoringCase(element) { return true }
            start = end &+ 1
        }
        return false
    }
}
