import Bytes

/// Reads numbers from a text of base64url letters, six bits each and the highest first, as IAB's
/// consent strings are written. Every read says nil beyond the end.
struct ConsentBitText {
    private let text: ByteView
    /// Where the next number begins, in bits.
    private(set) var position = 0

    /// Nil when a letter is not of the alphabet (RFC 4648 section 5, without padding).
    init?(_ text: ByteView) {
        guard !text.isEmpty else { return nil }
        for index in 0..<text.count where Self.value(text[index]) == nil { return nil }
        self.text = text
    }

    /// How many bits there are.
    var bitCount: Int { text.count * 6 }

    /// The number of `count` bits, at most 36, at bit `start`.
    func number(_ count: Int, at start: Int) -> UInt64? {
        guard start >= 0, count <= 36, start + count <= bitCount else { return nil }
        var value: UInt64 = 0
        for bit in start..<start + count {
            let digit = UInt64(Self.value(text[bit / 6]) ?? 0)
            value = value << 1 | digit >> UInt64(5 - bit % 6) & 1
        }
        return value
    }

    /// The next number of `count` bits.
    mutating func take(_ count: Int) -> Int? {
        guard let value = number(count, at: position) else { return nil }
        position += count
        return Int(value)
    }

    /// Passes over `count` bits; false when there are fewer.
    mutating func skip(_ count: Int) -> Bool {
        guard position + count <= bitCount else { return false }
        position += count
        return true
    }

    /// The next number in Fibonacci code: sums of Fibonacci numbers, lowest first, ended by two ones.
    mutating func takeFibonacci() -> Int? {
        var (sum, number, next) = (0, 1, 2)
        var wasSet = false
        for _ in 0..<Self.fibonacciBitsMaximum {
            guard let bit = take(1) else { return nil }
            if bit == 1, wasSet { return sum }
            if bit == 1 { sum += number }
            wasSet = bit == 1
            (number, next) = (next, number + next)
        }
        return nil
    }

    /// Enough for 16 bits; longer ones stand for no section and no vendor.
    private static let fibonacciBitsMaximum = 24

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte + 4
        case UInt8(ascii: "-"): return 62
        case UInt8(ascii: "_"): return 63
        default: return nil
        }
    }
}

/// Steps through the pieces between separators, at least one.
struct ConsentPieces {
    private let text: ByteView
    private let separator: UInt8
    private var start: Int? = 0

    init(_ text: ByteView, separator: UInt8) {
        (self.text, self.separator) = (text, separator)
    }

    mutating func next() -> ByteView? {
        guard let start else { return nil }
        let end = text.firstIndex(of: separator, from: start)
        self.start = end.map { $0 + 1 }
        return text[start..<(end ?? text.count)]
    }
}
