public import Bytes

/// The parameters of a query, as forms encode them (WHATWG URL, section 5).
public struct WireQuery {
    private let query: ByteView
    private var position = 0

    /// Stands before the first parameter.
    public init(_ query: ByteView) { self.query = query }

    /// Name and value as they came, still encoded; nil at the end. Empty parameters are passed over.
    public mutating func next() -> (name: ByteView, value: ByteView)? {
        while position < query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: position) ?? query.count
            let pair = query[position..<end]
            position = end + 1
            if pair.isEmpty { continue }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
            return (pair[0..<equals], pair[min(equals + 1, pair.count)..<pair.count])
        }
        return nil
    }

    /// The value of the first parameter called `name`, still encoded; empty when there is none.
    public static func value(of name: StaticString, in query: ByteView) -> ByteView {
        var parameters = WireQuery(query)
        while let parameter = parameters.next() {
            if parameter.name.equals(name) { return parameter.value }
        }
        return .empty
    }

    /// Appends what `text` stands for. False, and nothing is appended, when that is not UTF-8.
    public static func append(decoding text: ByteView, into output: inout ByteBuffer) -> Bool {
        let start = output.count
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "%"), let decoded = hexadecimal(text, index + 1) {
                output.append(decoded)
                index += 3
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
        if !output.overflowed, isUTF8(output.view(from: start)) { return true }
        output.truncate(to: start)
        return false
    }

    private static func hexadecimal(_ text: ByteView, _ index: Int) -> UInt8? {
        guard text.holds(2, at: index), let high = nibble(text[index]),
            let low = nibble(text[index + 1])
        else { return nil }
        return high << 4 | low
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch asciiLowercase(byte) {
        case 48...57: return byte - 48
        case 97...102: return asciiLowercase(byte) - 87
        default: return nil
        }
    }

    private static func isUTF8(_ text: ByteView) -> Bool {
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                index += 1
            } else if let length = UTF8Check.sequenceLength(text, at: index) {
                index += length
            } else {
                return false
            }
        }
        return true
    }
}
