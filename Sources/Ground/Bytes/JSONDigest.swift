import Units

/// A hash of what a JSON text says: the order of members, white space, escapes and the way numbers are
/// written do not count; of a member given twice the last counts. Two texts that PostgreSQL's `jsonb`
/// takes for equal have the same digest.
public struct JSONDigest: ~Copyable {
    private static let key = HashKey(first: 0x4865_6c69_6f67_7261, second: 0x7068_2d6a_736f_6e31)
    /// What stands for a text that is not JSON.
    private static let unreadable: UInt64 = 0x6e6f_742d_6a73_6f6e

    private var scratch = ByteBuffer(capacity: 1024)

    /// A digest maker; its memory is reused from text to text.
    public init() {}

    /// The digest of a whole text.
    public mutating func of(_ text: ByteView) -> UInt64 {
        var cursor = JSONCursor(text)
        do throws(JSONError) {
            let digest = try value(&cursor)
            try cursor.end()
            return digest
        } catch {
            return Self.unreadable
        }
    }

    private mutating func value(_ cursor: inout JSONCursor) throws(JSONError) -> UInt64 {
        switch try cursor.kind() {
        case .object: return try object(&cursor)
        case .array: return try array(&cursor)
        case .string: return Self.mix(3, hash(try cursor.string()))
        case .number: return Self.mix(4, try number(&cursor))
        case .boolean: return Self.mix(5, try cursor.boolean() ? 1 : 0)
        case .null:
            try cursor.null()
            return Self.mix(6, 0)
        }
    }

    private mutating func object(_ cursor: inout JSONCursor) throws(JSONError) -> UInt64 {
        var members: [UInt64: UInt64] = [:]
        var isFirst = true
        try cursor.beginObject()
        while let key = try cursor.nextKey(&isFirst) {
            let name = unescaped(key)
            members[name] = try value(&cursor)
        }
        return members.reduce(Self.mix(1, UInt64(members.count))) { sum, member in
            sum &+ Self.mix(member.key, member.value)
        }
    }

    private mutating func array(_ cursor: inout JSONCursor) throws(JSONError) -> UInt64 {
        var digest = Self.mix(2, 0)
        var isFirst = true
        try cursor.beginArray()
        while try cursor.nextElement(&isFirst) { digest = Self.mix(digest, try value(&cursor)) }
        return digest
    }

    /// `jsonb` writes 1e300 out, which is longer than a sender may write a number.
    private func number(_ cursor: inout JSONCursor) throws(JSONError) -> UInt64 {
        let text = try cursor.skip(anyNumbers: true)
        let number = JSONNumber.double(text) ?? Double(text.text) ?? 0
        return number == 0 ? 0 : number.bitPattern
    }

    private mutating func hash(_ string: JSONString) -> UInt64 {
        string.hasEscapes ? unescaped(string.raw) : string.raw.hash128(key: Self.key).low
    }

    private mutating func unescaped(_ raw: ByteView) -> UInt64 {
        scratch.reset()
        JSONText.unescape(raw, into: &scratch)
        return scratch.view.hash128(key: Self.key).low
    }

    /// Spreads two words over one (the finaliser of MurmurHash3).
    private static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var word = (first &* 0x9e37_79b9_7f4a_7c15) ^ second
        word = (word ^ (word >> 33)) &* 0xff51_afd7_ed55_8ccd
        word = (word ^ (word >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return word ^ (word >> 33)
    }
}
