/// Makes any text safe to be part of one log line.
public enum LogText {
    /// `text` with every character that could start a line, move a cursor or turn the reading
    /// direction written out: C0 and C1 controls, DEL, line and paragraph separators, and the
    /// bidirectional controls of the Trojan Source attack.
    public static func escaped(_ text: String) -> String {
        if !text.unicodeScalars.contains(where: isUnsafe) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Bytes that may not be UTF-8, as one line's worth of text; invalid ones become U+FFFD.
    public static func escaped(bytes: some Sequence<UInt8>) -> String {
        escaped(String(decoding: Array(bytes), as: UTF8.self))
    }

    /// `text` as a JSON string, quotes included, with the same characters escaped. What would
    /// exceed `bytesMaximum` is left out.
    public static func json(_ text: String, bytesMaximum: Int = .max) -> String {
        var result = "\""
        var room = bytesMaximum - 2
        for scalar in text.unicodeScalars {
            let piece = jsonPiece(scalar)
            room -= piece.utf8.count
            if room < 0 { break }
            result += piece
        }
        return result + "\""
    }

    private static func jsonPiece(_ scalar: Unicode.Scalar) -> String {
        if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
        return isUnsafe(scalar) ? unicodeEscape(scalar) : String(scalar)
    }

    private static func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        // Every unsafe scalar is in the basic plane, so four digits are enough.
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029: return true
        case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfeff: return true
        default: return false
        }
    }
}
