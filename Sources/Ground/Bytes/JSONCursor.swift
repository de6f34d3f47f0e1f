/// Why a text is not the JSON that was wanted, and where.
public struct JSONError: Error, Equatable {
    /// The reason.
    public enum Reason: UInt8, Sendable {
        case unexpectedEnd, unexpectedByte, invalidNumber, invalidEscape, invalidUTF8
        case controlCharacter, tooDeep, wrongType, trailingData, numberOutOfRange
    }

    /// What is wrong.
    public let reason: Reason
    /// At which byte of the text.
    public let offset: Int

    /// An error at `offset`.
    @inlinable
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// A string value: the bytes between its quotes, escapes as they were written.
public struct JSONString {
    /// The bytes between the quotes, valid UTF-8, escapes not resolved.
    public let raw: ByteView
    /// Whether there is a backslash in it.
    public let hasEscapes: Bool
}

/// A strict pull parser (RFC 8259): the caller asks for what it expects, nothing is built.
///
/// Every byte of a value is checked on the way, skipped values too: grammar, UTF-8, control
/// characters, escapes, depth. The cursor is a position in somebody else's bytes.
public struct JSONCursor {
    /// The whole text.
    public let bytes: ByteView
    /// The next byte to read.
    public var position: Int
    /// How deep objects and arrays may nest, the outermost counted as one.
    public static let depthMaximum = 16

    /// The type of the value that comes next.
    public enum Kind: UInt8, Sendable {
        case object, array, string, number, boolean, null
    }

    /// Starts at the beginning of `bytes`.
    public init(_ bytes: ByteView) {
        self.bytes = bytes
        position = 0
    }

    /// The type of the next value.
    public mutating func kind() throws(JSONError) -> Kind {
        switch try nextByte() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw error(.unexpectedByte)
        }
    }

    /// Steps into an object.
    public mutating func beginObject() throws(JSONError) {
        guard try nextByte() == UInt8(ascii: "{") else { throw error(.wrongType) }
        position &+= 1
    }

    /// The next key of the object, or nil at its end. `first` is true before the first call.
    public mutating func nextKey(_ first: inout Bool) throws(JSONError) -> ByteView? {
        guard try advance(past: UInt8(ascii: "}"), &first) else { return nil }
        guard try nextByte() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
        let key = try string()
        guard try nextByte() == UInt8(ascii: ":") else { throw error(.unexpectedByte) }
        position &+= 1
        return key.raw
    }

    /// Steps into an array.
    public mutating func beginArray() throws(JSONError) {
        guard try nextByte() == UInt8(ascii: "[") else { throw error(.wrongType) }
        position &+= 1
    }

    /// Whether the array has another element. `first` is true before the first call.
    public mutating func nextElement(_ first: inout Bool) throws(JSONError) -> Bool {
        try advance(past: UInt8(ascii: "]"), &first)
    }

    /// RFC 8259 section 4 and 5: a comma between members, none before the first or the end.
    private mutating func advance(past close: UInt8, _ first: inout Bool) throws(JSONError) -> Bool
    {
        let byte = try nextByte()
        if byte == close {
            position &+= 1
            return false
        }
        if first {
            first = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw error(.unexpectedByte) }
        position &+= 1
        guard try nextByte() != close else { throw error(.unexpectedByte) }
        return true
    }

    /// A string.
    public mutating func string() throws(JSONError) -> JSONString {
        guard try nextByte() == UInt8(ascii: "\"") else { throw error(.wrongType) }
        let start = position &+ 1
        var index = start
        let hasEscapes = try JSONScan.string(bytes, &index)
        position = index
        return JSONString(raw: bytes[start..<index &- 1], hasEscapes: hasEscapes)
    }

    /// A number that is written without fraction and exponent and fits 64 bits.
    public mutating func integer() throws(JSONError) -> Int64 {
        let start = try numberStart()
        let text = try scanNumber()
        guard let value = JSONNumber.integer(text) else {
            throw JSONError(.numberOutOfRange, at: start)
        }
        return value
    }

    /// Any number, as a double.
    public mutating func double() throws(JSONError) -> Double {
        let start = try numberStart()
        let text = try scanNumber()
        guard let value = JSONNumber.double(text) else {
            throw JSONError(.numberOutOfRange, at: start)
        }
        return value
    }

    private mutating func numberStart() throws(JSONError) -> Int {
        let byte = try nextByte()
        guard byte == UInt8(ascii: "-") || byte &- 48 < 10 else { throw error(.wrongType) }
        return position
    }

    /// `true` or `false`.
    public mutating func boolean() throws(JSONError) -> Bool {
        switch try nextByte() {
        case UInt8(ascii: "t"):
            try JSONScan.word("true", bytes, &position)
            return true
        case UInt8(ascii: "f"):
            try JSONScan.word("false", bytes, &position)
            return false
        default: throw error(.wrongType)
        }
    }

    /// `null`.
    public mutating func null() throws(JSONError) {
        guard try nextByte() == UInt8(ascii: "n") else { throw error(.wrongType) }
        try JSONScan.word("null", bytes, &position)
    }

    /// Checks the next value, whatever it is, and returns its bytes. `depth` is how deep the value
    /// would be nested if it were a container, the outermost being one. With `anyNumbers`, numbers
    /// that are too long or large to be stored pass too: they are JSON, and whoever owns the value
    /// may want to refuse it alone.
    public mutating func skip(
        depth: Int = 1,
        anyNumbers: Bool = false
    ) throws(JSONError) -> ByteView {
        _ = try nextByte()
        let start = position
        position = try JSONSkip.value(bytes, from: start, depth: depth, anyNumbers: anyNumbers)
        return bytes[start..<position]
    }

    /// Nothing but white space may follow.
    public mutating func end() throws(JSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw error(.trailingData) }
    }

    /// An error at the current place.
    public func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(reason, at: position)
    }

    // MARK: - Tokens

    @inline(__always)
    private mutating func nextByte() throws(JSONError) -> UInt8 {
        try JSONScan.next(bytes, &position)
    }

    private mutating func skipWhitespace() {
        while bytes.has(position), JSONScan.isWhitespace(bytes[position]) { position &+= 1 }
    }

    private mutating func scanNumber() throws(JSONError) -> ByteView {
        let start = position
        var index = position
        try JSONScan.number(bytes, &index)
        position = index
        return bytes[start..<index]
    }
}
