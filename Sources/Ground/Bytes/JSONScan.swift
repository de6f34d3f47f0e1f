/// The tokens of RFC 8259, each read from an index to the one behind it.
///
/// Static functions over a view and an index, so that a caller's loop keeps the index in a register.
/// Guards ask `has` and `holds`, the very conditions that `ByteView` checks on access: the compiler
/// sees them twice and tests them once.
enum JSONScan {
    /// Longest number that may be meant: PostgreSQL's `numeric` stops far beyond it.
    static let numberLengthMaximum = 330
    /// Largest decimal exponent of either sign, that of a double.
    static let exponentMaximum = 308

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The first byte at or behind `index` that is not white space; `index` moves to it.
    @inline(__always)
    static func next(_ bytes: ByteView, _ index: inout Int) throws(JSONError) -> UInt8 {
        while bytes.has(index) {
            let byte = bytes[index]
            if byte > 0x20 { return byte }
            guard isWhitespace(byte) else { throw JSONError(.unexpectedByte, at: index) }
            index &+= 1
        }
        throw JSONError(.unexpectedEnd, at: index)
    }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    // MARK: - Strings

    /// The top bit of each byte that is not plain: quote, backslash, control, or not ASCII.
    ///
    /// The usual has-a-zero-byte trick, once for each class. A borrow can only mark bytes above one
    /// that is marked rightly, so the lowest mark is always right.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        let special =
            ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            | ((word &- (ones &* 0x20)) & ~word) | word
        return special & tops
    }

    /// Reads up to and over the closing quote; the opening one lies before `index`. Returns whether
    /// there is an escape. RFC 8259 section 7.
    @inline(__always)
    static func string(_ bytes: ByteView, _ index: inout Int) throws(JSONError) -> Bool {
        var hasEscapes = false
        while true {
            if bytes.holds(8, at: index) {
                let found = marks(bytes.load(UInt64.self, at: index))
                index &+= found == 0 ? 8 : found.trailingZeroBitCount &>> 3
                if found == 0 { continue }
            } else if !bytes.has(index) {
                throw JSONError(.unexpectedEnd, at: index)
            }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index &+= 1
                return hasEscapes
            }
            if byte == UInt8(ascii: "\\") { hasEscapes = true }
            index = try special(bytes, index)
        }
    }

    /// The index behind a byte inside a string that is not plain, or behind a plain one near the end.
    @inline(never)
    private static func special(_ bytes: ByteView, _ start: Int) throws(JSONError) -> Int {
        let byte = bytes[start]
        if byte == UInt8(ascii: "\\") { return try escape(bytes, start) }
        if byte < 0x20 { throw JSONError(.controlCharacter, at: start) }
        if byte < 0x80 { return start &+ 1 }
        var index = start
        while bytes.has(index), bytes[index] >= 0x80 {
            // Two bytes make most letters that are not Latin: Greek, Cyrillic, Hebrew, Arabic.
            if bytes[index] &- 0xc2 < 30, bytes.has(index &+ 1), bytes[index &+ 1] & 0xc0 == 0x80 {
                index &+= 2
                continue
            }
            guard let length = UTF8Check.sequenceLength(bytes, at: index) else {
                throw JSONError(.invalidUTF8, at: index)
            }
            index &+= length
        }
        return index
    }

    private static func escape(_ bytes: ByteView, _ index: Int) throws(JSONError) -> Int {
        guard bytes.has(index &+ 1) else { throw JSONError(.unexpectedEnd, at: index) }
        switch bytes[index &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index &+ 2
        case UInt8(ascii: "u"):
            guard bytes.holds(6, at: index) else { throw JSONError(.unexpectedEnd, at: index) }
            guard JSONText.hexadecimal(bytes, at: index &+ 2) != nil else {
                throw JSONError(.invalidEscape, at: index)
            }
            return index &+ 6
        default: throw JSONError(.invalidEscape, at: index)
        }
    }

    // MARK: - Numbers and words

    /// Reads a number that begins at `index`. RFC 8259 section 6, with the two limits above unless
    /// `any` number will do.
    @inline(__always)
    static func number(
        _ bytes: ByteView,
        _ index: inout Int,
        any: Bool = false
    ) throws(JSONError) {
        let start = index
        if bytes.has(index), bytes[index] == UInt8(ascii: "-") { index &+= 1 }
        if bytes.has(index), bytes[index] == UInt8(ascii: "0") {
            index &+= 1
        } else {
            try digits(bytes, &index)
        }
        if bytes.has(index) {
            if bytes[index] == UInt8(ascii: ".") {
                index &+= 1
                try digits(bytes, &index)
            }
            if bytes.has(index), bytes[index] | 0x20 == UInt8(ascii: "e") {
                index = try exponent(bytes, index &+ 1, numberStart: start, any)
            }
        }
        guard index &- start <= numberLengthMaximum || any else {
            throw JSONError(.numberOutOfRange, at: start)
        }
    }

    @inline(__always)
    private static func digits(_ bytes: ByteView, _ index: inout Int) throws(JSONError) {
        let start = index
        while bytes.has(index), bytes[index] &- 48 < 10 { index &+= 1 }
        if index == start { throw JSONError(.invalidNumber, at: index) }
    }

    /// The index behind an exponent whose `e` lies before `start`.
    @inline(never)
    private static func exponent(
        _ bytes: ByteView,
        _ start: Int,
        numberStart: Int,
        _ any: Bool
    ) throws(JSONError) -> Int {
        var index = start
        if bytes.has(index), bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-")
        {
            index &+= 1
        }
        let first = index
        try digits(bytes, &index)
        var value = 0
        for place in first..<index {
            value = min(value &* 10 &+ Int(bytes[place] &- 48), exponentMaximum &+ 1)
        }
        guard value <= exponentMaximum || any else {
            throw JSONError(.numberOutOfRange, at: numberStart)
        }
        return index
    }

    /// Reads `true`, `false` or `null`.
    @inline(__always)
    static func word(
        _ text: StaticString,
        _ bytes: ByteView,
        _ index: inout Int
    ) throws(JSONError) {
        let expected = ByteView(text)
        for place in 0..<expected.count {
            guard bytes.has(index) else { throw JSONError(.unexpectedEnd, at: index) }
            guard bytes[index] == expected[place] else {
                throw JSONError(.unexpectedByte, at: index)
            }
            index &+= 1
        }
    }
}
