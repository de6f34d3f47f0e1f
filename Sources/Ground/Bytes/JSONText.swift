import Glibc

/// Numbers as JSON writes them.
public enum JSONNumber {
    /// A checked number without fraction and exponent, if it fits 64 bits.
    public static func integer(_ text: ByteView) -> Int64? {
        let negative = text[0] == UInt8(ascii: "-")
        var value: Int64 = 0
        for index in (negative ? 1 : 0)..<text.count {
            let digit = text[index] &- 48
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) =
                negative
                ? product.subtractingReportingOverflow(Int64(digit))
                : product.addingReportingOverflow(Int64(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A checked number as a double; nil when it is too large or too long to be meant.
    public static func double(_ text: ByteView) -> Double? {
        if text.count <= 18, let small = integer(text) { return Double(small) }
        guard text.count < 64 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { copy in
            for index in 0..<text.count { copy[index] = CChar(bitPattern: text[index]) }
            copy[text.count] = 0
            guard let base = copy.baseAddress else { return nil }
            let value = strtod(base, nil)
            return value.isFinite ? value : nil
        }
    }
}

/// Strings as JSON writes them.
public enum JSONText {
    /// The four hexadecimal digits at `index`.
    static func hexadecimal(_ bytes: ByteView, at index: Int) -> UInt32? {
        var value: UInt32 = 0
        for offset in 0..<4 {
            let byte = asciiLowercase(bytes[index &+ offset])
            switch byte {
            case 48...57: value = value &* 16 &+ UInt32(byte &- 48)
            case 97...102: value = value &* 16 &+ UInt32(byte &- 87)
            default: return nil
            }
        }
        return value
    }

    /// Appends the text that a checked string stands for, escapes resolved. A lone surrogate
    /// becomes U+FFFD.
    public static func unescape(_ raw: ByteView, into buffer: inout ByteBuffer) {
        var start = 0
        while let escape = raw.firstIndex(of: UInt8(ascii: "\\"), from: start) {
            buffer.append(raw[start..<escape])
            start = escape &+ appendEscape(raw, escape, &buffer)
        }
        buffer.append(raw[start..<raw.count])
    }

    private static func appendEscape(
        _ raw: ByteView,
        _ index: Int,
        _ buffer: inout ByteBuffer
    ) -> Int {
        switch raw[index &+ 1] {
        case UInt8(ascii: "b"): buffer.append(8)
        case UInt8(ascii: "f"): buffer.append(12)
        case UInt8(ascii: "n"): buffer.append(10)
        case UInt8(ascii: "r"): buffer.append(13)
        case UInt8(ascii: "t"): buffer.append(9)
        case UInt8(ascii: "u"): return appendCodePoint(raw, index, &buffer)
        case let other: buffer.append(other)
        }
        return 2
    }

    /// RFC 8259 section 7: characters outside the basic plane are written as a surrogate pair.
    private static func appendCodePoint(
        _ raw: ByteView,
        _ index: Int,
        _ buffer: inout ByteBuffer
    ) -> Int {
        let first = hexadecimal(raw, at: index &+ 2) ?? 0xfffd
        if first & 0xfc00 == 0xd800, index &+ 12 <= raw.count,
            raw[index &+ 6] == UInt8(ascii: "\\"), raw[index &+ 7] == UInt8(ascii: "u"),
            let second = hexadecimal(raw, at: index &+ 8), second & 0xfc00 == 0xdc00
        {
            append(
                scalar: 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff),
                into: &buffer
            )
            return 12
        }
        append(scalar: first & 0xf800 == 0xd800 ? 0xfffd : first, into: &buffer)
        return 6
    }

    private static func append(scalar: UInt32, into buffer: inout ByteBuffer) {
        guard let unicode = Unicode.Scalar(scalar) else { return }
        for byte in UTF8.encode(unicode) ?? UTF8.EncodedScalar() { buffer.append(byte) }
    }

    /// Appends a checked value in a form that PostgreSQL's `jsonb` can take: in its strings `\u0000`
    /// and lone surrogates, which it refuses, become U+FFFD.
    public static func appendStorable(value: ByteView, into buffer: inout ByteBuffer) {
        // Backslashes stand in strings only, so what is between escapes is copied as it is.
        if value.firstIndex(of: UInt8(ascii: "\\")) == nil {
            buffer.append(value)
        } else {
            appendStorableEscapes(value, into: &buffer)
        }
    }

    /// The length of the longest front of a checked string, at most `limit` bytes, that does not cut
    /// an escape or a character in two.
    public static func prefixLength(_ raw: ByteView, limit: Int) -> Int {
        guard raw.count > limit else { return raw.count }
        var index = 0
        while index < raw.count {
            let step =
                raw[index] < 0x80
                ? escapeLength(raw, index) : UTF8Check.sequenceLength(raw, at: index) ?? 1
            if index &+ step > limit { break }
            index &+= step
        }
        return index
    }

    /// The length of the longest front of plain UTF-8, at most `limit` bytes, that does not cut a
    /// character in two. A backslash is a character like any other here.
    public static func plainPrefixLength(_ text: ByteView, limit: Int) -> Int {
        guard text.count > limit else { return text.count }
        var length = limit
        // Bytes 10xxxxxx continue a character (RFC 3629 section 3).
        while length > 0, text[length] & 0xc0 == 0x80 { length &-= 1 }
        return length
    }

    private static func appendStorableEscapes(_ raw: ByteView, into buffer: inout ByteBuffer) {
        var index = 0
        while index < raw.count {
            let length = escapeLength(raw, index)
            if length == 6, !isStorable(hexadecimal(raw, at: index &+ 2) ?? 0) {
                buffer.append("\\ufffd")
            } else {
                buffer.append(raw[index..<index &+ length])
            }
            index &+= length
        }
    }

    /// 1 for a plain byte, 2 for a short escape, 6 for `\uXXXX`, 12 for a surrogate pair.
    private static func escapeLength(_ raw: ByteView, _ index: Int) -> Int {
        guard raw[index] == UInt8(ascii: "\\") else { return 1 }
        guard raw[index &+ 1] == UInt8(ascii: "u") else { return 2 }
        guard let first = hexadecimal(raw, at: index &+ 2), first & 0xfc00 == 0xd800,
            index &+ 12 <= raw.count, raw[index &+ 6] == UInt8(ascii: "\\"),
            raw[index &+ 7] == UInt8(ascii: "u"),
            let second = hexadecimal(raw, at: index &+ 8), second & 0xfc00 == 0xdc00
        else { return 6 }
        return 12
    }

    private static func isStorable(_ unit: UInt32) -> Bool {
        unit != 0 && unit & 0xf800 != 0xd800
    }

    /// Appends `bytes`, which are plain UTF-8, as a string value with quotes and escapes.
    public static func appendQuoted(_ bytes: ByteView, into buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "\""))
        for index in 0..<bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                buffer.append(UInt8(ascii: "\\"))
                buffer.append(byte)
            } else if byte < 0x20 {
                buffer.append("\\u00")
                buffer.append(hexadecimalDigit(byte >> 4))
                buffer.append(hexadecimalDigit(byte & 15))
            } else {
                buffer.append(byte)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private static func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 48 + nibble : 87 + nibble
    }
}
