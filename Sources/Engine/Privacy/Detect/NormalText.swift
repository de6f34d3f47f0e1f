import Bytes

/// A text as the scanners look at it: decoded, with plain digits, dashes and spaces, and for each
/// byte where it stood. Letters keep their case and marks.
///
/// Every step only shortens, so it works in place. Owned by one scanner; the memory is reused.
struct NormalText: ~Copyable {
    /// The bytes; those from `count` on mean nothing.
    private(set) var bytes: [UInt8]
    /// Where each byte stood in the text that was loaded; one more entry tells where that ended.
    private var origin: [Int32]
    /// How many bytes there are.
    private(set) var count = 0

    init(capacity: Int) {
        bytes = Array(repeating: 0, count: capacity)
        origin = Array(repeating: 0, count: capacity + 1)
    }

    /// What makes a step worth its time.
    private struct Signs {
        var percents = 0
        var ampersands = 0
        var backslashes = 0
        var high = 0
    }

    /// Copies `text`, of which there are at most `capacity` bytes, and decodes it.
    mutating func load(_ text: ByteView) {
        var signs = Signs()
        count = text.count
        for index in 0..<text.count {
            let byte = text[index]
            bytes[index] = byte
            origin[index] = Int32(truncatingIfNeeded: index)
            if byte >= 0x80 { signs.high += 1 }
            if byte == UInt8(ascii: "%") { signs.percents += 1 }
            if byte == UInt8(ascii: "&") { signs.ampersands += 1 }
            if byte == UInt8(ascii: "\\") { signs.backslashes += 1 }
        }
        origin[count] = Int32(truncatingIfNeeded: text.count)
        decode(signs)
    }

    /// What percent-decoding uncovers may hold the signs of the later steps.
    private mutating func decode(_ signs: Signs) {
        var isChanged = false
        if signs.percents > 0 {
            for _ in 0..<3 where decodePercents() { isChanged = true }
        }
        if signs.backslashes > 0 || isChanged { isChanged = decodeEscapes() || isChanged }
        if signs.ampersands > 0 || isChanged { isChanged = decodeEntities() || isChanged }
        if signs.high > 0 || isChanged { plain() }
    }

    /// The bytes that `range` was made from.
    func original(_ range: Range<Int>) -> Range<Int> {
        let start = Int(origin[range.lowerBound])
        return start..<max(start, Int(origin[range.upperBound]))
    }

    /// Appends a part to `output`.
    func append(_ range: Range<Int>, to output: inout ByteBuffer) {
        for index in range { output.append(bytes[index]) }
    }

    // MARK: - Steps

    /// One round of percent-decoding (RFC 3986 section 2.1), and of `%uXXXX`. False when nothing
    /// changed.
    private mutating func decodePercents() -> Bool {
        var (read, write) = (0, 0)
        while read < count {
            if bytes[read] == UInt8(ascii: "%"), let (byte, length) = percent(at: read) {
                if length == 6 {
                    write = put(scalar: byte, from: read, at: write)
                } else {
                    put(UInt8(truncatingIfNeeded: byte), from: read, at: &write)
                }
                read += length
            } else {
                put(bytes[read], from: read, at: &write)
                read += 1
            }
        }
        return finish(write)
    }

    private func percent(at index: Int) -> (UInt32, Int)? {
        if let value = hexadecimal(at: index + 1, digits: 2) { return (value, 3) }
        guard index + 1 < count, bytes[index + 1] | 0x20 == UInt8(ascii: "u"),
            let value = hexadecimal(at: index + 2, digits: 4)
        else { return nil }
        return (value, 6)
    }

    /// Escapes of JSON and of scripts, as they stand in text inside text.
    private mutating func decodeEscapes() -> Bool {
        var (read, write) = (0, 0)
        while read < count {
            guard bytes[read] == UInt8(ascii: "\\"), read + 1 < count else {
                put(bytes[read], from: read, at: &write)
                read += 1
                continue
            }
            read += escape(at: read, to: &write)
        }
        return finish(write)
    }

    private mutating func escape(at read: Int, to write: inout Int) -> Int {
        switch bytes[read + 1] {
        case UInt8(ascii: "u"):
            guard let value = hexadecimal(at: read + 2, digits: 4) else { break }
            write = put(scalar: value, from: read, at: write)
            return 6
        case UInt8(ascii: "x"):
            guard let value = hexadecimal(at: read + 2, digits: 2) else { break }
            write = put(scalar: value, from: read, at: write)
            return 4
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            put(UInt8(ascii: " "), from: read, at: &write)
            return 2
        case UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"):
            // Of `\\"` only the quote is meant.
            return bytes[read + 1] == UInt8(ascii: "\\") ? 1 : dropEscape(read, &write)
        default: break
        }
        put(bytes[read], from: read, at: &write)
        return 1
    }

    private mutating func dropEscape(_ read: Int, _ write: inout Int) -> Int {
        put(bytes[read + 1], from: read, at: &write)
        return 2
    }

    /// Numbered entities of HTML, and the named ones that addresses and numbers are hidden behind.
    private mutating func decodeEntities() -> Bool {
        var (read, write) = (0, 0)
        while read < count {
            if bytes[read] == UInt8(ascii: "&"), let (scalar, length) = entity(at: read) {
                write = put(scalar: scalar, from: read, at: write)
                read += length
            } else {
                put(bytes[read], from: read, at: &write)
                read += 1
            }
        }
        return finish(write)
    }

    private func entity(at index: Int) -> (UInt32, Int)? {
        guard index + 3 < count else { return nil }
        if bytes[index + 1] == UInt8(ascii: "#") { return numbered(at: index) }
        for (name, scalar) in Self.named where matches(name, at: index + 1) {
            return (scalar, name.utf8CodeUnitCount + 1)
        }
        return nil
    }

    private func numbered(at index: Int) -> (UInt32, Int)? {
        let isHexadecimal = bytes[index + 2] | 0x20 == UInt8(ascii: "x")
        let radix: UInt32 = isHexadecimal ? 16 : 10
        var next = index + (isHexadecimal ? 3 : 2)
        let start = next
        var value: UInt32 = 0
        while next < count, next - start < 7 {
            let digit = Characters.hexadecimal(bytes[next])
            guard UInt32(digit) < radix else { break }
            value = value * radix + UInt32(digit)
            next += 1
        }
        guard next > start, value > 31 else { return nil }
        if next < count, bytes[next] == UInt8(ascii: ";") { next += 1 }
        return (value, next - index)
    }

    private func matches(_ name: StaticString, at index: Int) -> Bool {
        let name = ByteView(name)
        guard index + name.count <= count else { return false }
        for offset in 0..<name.count where bytes[index + offset] != name[offset] { return false }
        return true
    }

    private static let named: [(StaticString, UInt32)] = [
        ("amp;", 38), ("commat;", 64), ("quot;", 34), ("plus;", 43), ("period;", 46),
        ("nbsp;", 32), ("apos;", 39), ("lowbar;", 95), ("dash;", 45), ("hyphen;", 45), ("lt;", 60),
        ("gt;", 62), ("num;", 35), ("colon;", 58), ("equals;", 61),
    ]

    /// Digits of every script, full-width letters, dashes and spaces become ASCII; what shows
    /// nothing goes.
    private mutating func plain() {
        var (read, write) = (0, 0)
        while read < count {
            let scalar = DecodedScalar(bytes, read, count)
            if scalar.value < 0x80 {
                put(bytes[read], from: read, at: &write)
            } else if let digit = Characters.decimalDigit(scalar.value) {
                put(48 + digit, from: read, at: &write)
            } else if Characters.plain(scalar.value) != 0 {
                put(Characters.plain(scalar.value), from: read, at: &write)
            } else if !Characters.isInvisible(scalar.value) {
                for offset in 0..<scalar.length {
                    bytes[write + offset] = bytes[read + offset]
                    origin[write + offset] = origin[read + offset]
                }
                write += scalar.length
            }
            read += scalar.length
        }
        _ = finish(write)
    }

    // MARK: - Bytes

    @inline(__always)
    private mutating func put(_ byte: UInt8, from read: Int, at write: inout Int) {
        bytes[write] = byte
        origin[write] = origin[read]
        write += 1
    }

    /// Writes a character as UTF-8; its escape was never shorter. A surrogate is left out: what two
    /// of them mean is no letter or digit that anything here looks for.
    private mutating func put(scalar: UInt32, from read: Int, at write: Int) -> Int {
        guard let scalar = Unicode.Scalar(scalar) else { return write }
        var next = write
        let start = origin[read]
        for byte in UTF8.encode(scalar) ?? UTF8.EncodedScalar() {
            bytes[next] = byte
            origin[next] = start
            next += 1
        }
        return next
    }

    private mutating func finish(_ write: Int) -> Bool {
        if write == count { return false }
        origin[write] = origin[count]
        count = write
        return true
    }

    private func hexadecimal(at index: Int, digits: Int) -> UInt32? {
        guard index + digits <= count else { return nil }
        var value: UInt32 = 0
        for offset in 0..<digits {
            let digit = Characters.hexadecimal(bytes[index + offset])
            guard digit < 16 else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
