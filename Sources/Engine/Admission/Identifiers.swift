public import Bytes

/// Which texts may stand for a visitor, a window, a session, a batch or a user.
public enum Identifiers {
    /// Whether `id` is a usable client-made id: 16 to 36 characters of base64url, and not one of the
    /// values that broken scripts send.
    public static func isClientID(_ id: ByteView) -> Bool {
        id.count >= 16 && id.count <= 36 && isPlain(id, andAlso: 0) && !isConstant(id)
    }

    /// Whether `id` may stand for a user: at most 96 bytes, visible ASCII without quotes.
    public static func isUserID(_ id: ByteView) -> Bool {
        id.count >= 1 && id.count <= 96 && isPlain(id, andAlso: UInt8(ascii: ":"))
            && !isPlaceholder(id)
    }

    private static func isPlain(_ id: ByteView, andAlso extra: UInt8) -> Bool {
        for index in 0..<id.count {
            switch id[index] {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): continue
            case let byte where extra != 0 && (byte == extra || byte == UInt8(ascii: ".")): continue
            default: return false
            }
        }
        return true
    }

    /// One character all along: `0000…`, `AAAA…`.
    private static func isConstant(_ id: ByteView) -> Bool {
        for index in 1..<id.count where id[index] != id[0] { return false }
        return true
    }

    private static func isPlaceholder(_ id: ByteView) -> Bool {
        id.equalsIgnoringCase("undefined") || id.equalsIgnoringCase("null")
            || id.equalsIgnoringCase("nan") || id.equalsIgnoringCase("none")
            || id.equalsIgnoringCase("anonymous") || id.equals("0")
    }
}
