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
