/// Builds a JSON text member by member, in the order it is told: the same conversion gives the same
/// bytes. Commas are its own business.
struct JSONWriter {
    /// What was written so far.
    private(set) var bytes: [UInt8] = []
    /// Whether the container being written has a member already.
    private var needsComma = false

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func begin(_ key: String?) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        guard let key else { return }
        appendQuoted(key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func nested(
        _ open: Character,
        _ close: Character,
        _ body: (inout Self) -> Void
    ) {
        append(String(open))
        needsComma = false
        body(&self)
        append(String(close))
        needsComma = true
    }

    /// RFC 8259 section 7: quote, backslash and control characters are escaped, all else is as it is.
    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let hexadecimal = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes += [UInt8(ascii: "\\"), byte]
            case 0..<32:
                append("\\u00")
                bytes += [hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// An object, alone, in a list, or under a key.
    mutating func object(_ key: String? = nil, _ body: (inout Self) -> Void) {
        begin(key)
        nested("{", "}", body)
    }

    /// A list, alone or under a key.
    mutating func list(_ key: String? = nil, _ body: (inout Self) -> Void) {
        begin(key)
        nested("[", "]", body)
    }

    /// A text; nothing when there is none.
    mutating func text(_ key: String?, _ value: String?) {
        guard let value else { return }
        begin(key)
        appendQuoted(value)
    }

    /// A whole number; nothing when there is none.
    mutating func integer(_ key: String?, _ value: Int64?) {
        guard let value else { return }
        raw(key, String(value))
    }

    /// A flag; nothing when there is none.
    mutating func flag(_ key: String?, _ value: Bool?) {
        guard let value else { return }
        raw(key, value ? "true" : "false")
    }

    /// Nothing, said aloud.
    mutating func null(_ key: String?) { raw(key, "null") }

    /// A value that is JSON already.
    mutating func raw(_ key: String?, _ value: String) {
        begin(key)
        append(value)
    }

    /// Money; nothing when there is none.
    mutating func money(_ key: String?, _ value: Money?) {
        guard let value else { return }
        raw(key, value.text)
    }

    /// A number; nothing when there is none or it is not finite. Whole ones have no point.
    mutating func number(_ key: String?, _ value: Double?) {
        guard let value, value.isFinite else { return }
        raw(key, Int64(exactly: value).map { String($0) } ?? "\(value)")
    }

    /// Texts under a key; nothing when there are none.
    mutating func texts(_ key: String, _ values: [String]) {
        if values.isEmpty { return }
        list(key) { json in for value in values { json.text(nil, value) } }
    }

    /// Lists of texts by name, in the order of names; nothing when there are none.
    mutating func lists(_ key: String, _ values: [String: [String]]) {
        if values.isEmpty { return }
        object(key) { json in
            for (name, texts) in values.sorted(by: { $0.key < $1.key }) { json.texts(name, texts) }
        }
    }
}
