public import Bytes
import Settings

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

    /// Whether `id` may stand for an event of another sender: at most 64 visible characters, none of
    /// which makes it an e-mail address or needs an escape.
    public static func isMessageID(_ id: ByteView) -> Bool {
        guard id.count >= 1, id.count <= Limits.messageIdBytesMaximum else { return false }
        for index in 0..<id.count {
            let byte = id[index]
            let isVisible = byte > 0x20 && byte < 0x7f
            if !isVisible || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "\"")
                || byte == UInt8(ascii: "\\")
            {
                return false
            }
        }
        return true
    }

    /// Whether `id` is one of the texts that broken scripts send for a user or visitor they do not
    /// know, and that would make one person of thousands.
    public static func isPlaceholder(_ id: ByteView) -> Bool {
        for word in placeholders where id.equalsIgnoringCase(word) { return true }
        return isZero(id)
    }

    private static let placeholders: [StaticString] = [
        "undefined", "null", "nan", "none", "nil", "anonymous", "guest", "unknown", "true", "false",
        "id", "user_id", "userid", "distinct_id", "distinctid", "anonymousid", "email",
        "not_authenticated", "[object object]",
    ]

    /// `0`, `000…`, and the UUID of zeros.
    private static func isZero(_ id: ByteView) -> Bool {
        for index in 0..<id.count where id[index] != 48 && id[index] != UInt8(ascii: "-") {
            return false
        }
        return true
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

    /// One character all along: `0000…`, `AAAA…`, and the UUID of zeros.
    private static func isConstant(_ id: ByteView) -> Bool {
        for index in 1..<id.count where id[index] != id[0] && id[index] != UInt8(ascii: "-") {
            return false
        }
        return true
    }
}
