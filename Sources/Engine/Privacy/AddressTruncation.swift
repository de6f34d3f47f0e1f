public import Bytes

/// Cuts a client address to its network: the last 8 bits of IPv4, the last 80 of IPv6 become zero.
public enum AddressTruncation {
    /// Appends the network of an address given as 4 or 16 bytes; nothing for what is neither.
    public static func append(_ bytes: ByteView, into output: inout ByteBuffer) {
        switch bytes.count {
        case 4: append(v4: bytes, into: &output)
        case 16: append(v6: bytes, into: &output)
        default: break
        }
    }

    /// Appends the network of an IPv4 address given as four bytes, such as `203.0.113.0`.
    public static func append(v4 bytes: ByteView, into output: inout ByteBuffer) {
        for index in 0..<3 {
            output.append(decimal: Int64(bytes[index]))
            output.append(UInt8(ascii: "."))
        }
        output.append(UInt8(ascii: "0"))
    }

    /// Appends the network of an IPv6 address given as sixteen bytes, such as `2001:db8:1::`.
    /// A mapped IPv4 address is treated as IPv4 (RFC 4291 section 2.5.5.2).
    public static func append(v6 bytes: ByteView, into output: inout ByteBuffer) {
        if isMapped(bytes) { return append(v4: bytes[12..<16], into: &output) }
        for group in 0..<3 {
            appendGroup(bytes[group * 2], bytes[group * 2 + 1], into: &output)
            output.append(UInt8(ascii: ":"))
        }
        output.append(UInt8(ascii: ":"))
    }

    private static func isMapped(_ bytes: ByteView) -> Bool {
        for index in 0..<10 where bytes[index] != 0 { return false }
        return bytes[10] == 0xff && bytes[11] == 0xff
    }

    private static func appendGroup(_ high: UInt8, _ low: UInt8, into output: inout ByteBuffer) {
        let value = UInt16(high) << 8 | UInt16(low)
        var started = false
        for shift in [UInt16(12), 8, 4, 0] {
            let nibble = UInt8(value >> shift & 15)
            if nibble == 0, !started, shift > 0 { continue }
            started = true
            output.append(nibble < 10 ? 48 + nibble : 87 + nibble)
        }
    }
}
