import Bytes

/// Lenient reading of an event's properties: the listener has checked their grammar, so what is not
/// of the expected type counts as zero instead of spoiling the rest.
extension JSONCursor {
    static let amountMaximum = 1e9

    /// The next value as an amount of 0 to 10^9; anything but a number is 0.
    @inline(__always)
    mutating func amount() throws(JSONError) -> Double {
        var index = position
        var value = 0
        while index < bytes.count {
            let digit = bytes[index] &- 48
            if digit > 9 { break }
            value = value &* 10 &+ Int(digit)
            index &+= 1
        }
        let length = index &- position
        if length > 0, length < 16, index < bytes.count,
            bytes[index] == UInt8(ascii: ",") || bytes[index] == UInt8(ascii: "]")
        {
            position = index
            return min(Double(value), Self.amountMaximum)
        }
        return try anyAmount()
    }

    @inline(never)
    private mutating func anyAmount() throws(JSONError) -> Double {
        let isNumber = try kind() == .number
        let text = try skip()
        guard isNumber, text[0] != UInt8(ascii: "-") else { return 0 }
        return min(Self.amountMaximum, JSONNumber.double(text) ?? Self.amountMaximum)
    }

    /// An array of amounts; how many elements it had. Elements beyond `values` are checked only.
    @inline(__always)
    mutating func amounts<let room: Int>(
        _ values: inout InlineArray<room, Double>
    ) throws(JSONError) -> Int {
        guard try kind() == .array else {
            _ = try skip()
            return 0
        }
        try beginArray()
        for index in 0..<room { values[index] = 0 }
        var (count, first) = (0, true)
        guard try nextElement(&first) else { return 0 }
        repeat {
            let value = try amount()
            if count < room { values[count] = value }
            count &+= 1
        } while try continues()
        return count
    }

    /// After an element: whether another follows. As `nextElement`, but quick where no space stands.
    @inline(__always)
    mutating func continues() throws(JSONError) -> Bool {
        if position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") {
                position &+= 1
                return byte == UInt8(ascii: ",")
            }
        }
        var first = false
        return try nextElement(&first)
    }

    /// A string's raw bytes; anything else is checked and reads as empty.
    mutating func text() throws(JSONError) -> ByteView {
        guard try kind() == .string else {
            _ = try skip()
            return ByteView.empty
        }
        return try string().raw
    }

    /// Whether another row follows in an array of arrays; rows of other types are passed over.
    @inline(__always)
    mutating func nextRow(_ first: inout Bool) throws(JSONError) -> Bool {
        while try nextElement(&first) {
            if try kind() == .array { return true }
            _ = try skip()
        }
        return false
    }
}

/// The two-letter keys of the wire format as integers, for a switch.
enum Key {
    /// The first two bytes of a key, little-endian; 0 for keys of another length.
    @inline(__always)
    static func code(_ key: ByteView) -> UInt16 {
        switch key.count {
        case 1: return UInt16(key[0])
        case 2: return UInt16(key[0]) | UInt16(key[1]) << 8
        default: return 0
        }
    }

    @inline(__always)
    static func of(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt16 {
        UInt16(UInt8(ascii: first)) | UInt16(UInt8(ascii: second)) << 8
    }
}
