public import Bytes

/// Finds the write key of a request, in the order in which trackers mean it: `Authorization`, query,
/// body. A key in a header wins; a Bearer token that is no key of ours leaves it to the body.
public enum WireKey {
    /// Appends the user name of `Basic` credentials, which is where trackers put the key (RFC 7617).
    /// The colon behind it may be missing. False when there are none or they are not base64.
    public static func append(basic field: ByteView, into output: inout ByteBuffer) -> Bool {
        guard let text = credentials(field, "basic"), !text.isEmpty else { return false }
        let start = output.count
        guard Base64.append(decoding: text, into: &output) else {
            output.truncate(to: start)
            return false
        }
        let decoded = output.view(from: start)
        if let colon = decoded.firstIndex(of: UInt8(ascii: ":")) {
            output.truncate(to: start + colon)
        }
        return output.count > start
    }

    /// The token of `Bearer` credentials (RFC 6750 section 2.1); nil when there are none.
    public static func bearer(_ field: ByteView) -> ByteView? { credentials(field, "bearer") }

    /// RFC 9110 section 11.4: the scheme's name is compared without case.
    private static func credentials(_ field: ByteView, _ scheme: StaticString) -> ByteView? {
        guard let space = field.firstIndex(of: UInt8(ascii: " ")),
            field[0..<space].equalsIgnoringCase(scheme)
        else { return nil }
        return field[space + 1..<field.count].trimmed
    }
}

/// Base64 of RFC 4648 section 4, and the letters of section 5; padding may be missing.
enum Base64 {
    /// False when `text` is not base64; what was appended before is then worth nothing.
    static func append(decoding text: ByteView, into output: inout ByteBuffer) -> Bool {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var length = text.count
        while length > 0, text[length - 1] == UInt8(ascii: "=") { length -= 1 }
        if length % 4 == 1 || text.count - length > 2 { return false }
        for index in 0..<length {
            guard let value = value(text[index]) else { return false }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            output.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return true
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 65...90: return UInt32(byte - 65)
        case 97...122: return UInt32(byte - 71)
        case 48...57: return UInt32(byte + 4)
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): return 63
        default: return nil
        }
    }
}
