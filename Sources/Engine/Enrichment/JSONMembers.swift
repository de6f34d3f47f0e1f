import Bytes

/// Members of a JSON object that is written piece by piece: the buffer holds nothing, or an object
/// up to its last member, its brace not yet closed.
extension ByteBuffer {
    /// Begins a member: brace or comma as needed, key and colon.
    mutating func openMember(_ key: StaticString) {
        separateMember()
        append("\"")
        append(key)
        append("\":")
    }

    /// Begins the object, or separates the next member from the one before.
    mutating func separateMember() {
        if count == 0 {
            append("{")
        } else if view[count &- 1] != UInt8(ascii: "{") {
            append(",")
        }
    }

    /// A member whose value is a literal without characters that need escapes.
    mutating func appendMember(_ key: StaticString, _ value: StaticString) {
        openMember(key)
        append("\"")
        append(value)
        append("\"")
    }

    /// A member whose value is a number.
    mutating func appendMember(_ key: StaticString, number: Int) {
        openMember(key)
        append(decimal: Int64(number))
    }

    /// A member whose value is text that a stranger sent: printable ASCII as it is, every other
    /// byte as `?`, at most `limit` bytes.
    mutating func appendMember(
        _ key: StaticString,
        plain value: ByteView,
        limit: Int,
        foldsCase: Bool = false
    ) {
        openMember(key)
        append("\"")
        for index in 0..<min(value.count, limit) {
            append(Self.plain(foldsCase ? asciiLowercase(value[index]) : value[index]))
        }
        append("\"")
    }

    private static func plain(_ byte: UInt8) -> UInt8 {
        let isPlain =
            byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        return isPlain ? byte : UInt8(ascii: "?")
    }
}
