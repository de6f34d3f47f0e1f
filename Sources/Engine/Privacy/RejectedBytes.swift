public import Bytes

/// Makes the bytes of a refused request fit to be kept: what looks like an e-mail address, a phone
/// number or a payment card is overwritten in place, so that lengths and JSON stay as they were.
///
/// It is run on bytes that may not decode, so it looks at bytes alone and trusts no structure. An
/// escape of JSON is left whole. Digits become 9, everything else x.
public enum RejectedBytes {
    /// Appends `bytes` to `output`, sanitised. True when something was overwritten.
    public static func sanitise(_ bytes: ByteView, into output: inout ByteBuffer) -> Bool {
        let start = output.count
        output.append(bytes)
        if output.overflowed { return false }
        var isMasked = removeZeros(from: start, in: &output)
        if maskAddresses(from: start, in: &output) { isMasked = true }
        if maskNumbers(from: start, in: &output) { isMasked = true }
        return isMasked
    }

    /// Eight zero bytes could pass for the end of a record's header in a damaged journal.
    private static func removeZeros(from start: Int, in output: inout ByteBuffer) -> Bool {
        var isChanged = false
        var index = start
        while let found = output.view.firstIndex(of: 0, from: index) {
            output.overwrite(littleEndian: UInt8(ascii: " "), at: found)
            isChanged = true
            index = found + 1
        }
        return isChanged
    }

    // MARK: - E-mail addresses

    /// Longest local part (RFC 5321 section 4.5.3.1.1) and domain that are looked at.
    private static let localPartMaximum = 64
    private static let domainMaximum = 255

    private static func maskAddresses(from start: Int, in output: inout ByteBuffer) -> Bool {
        var isMasked = false
        var index = start
        while index < output.count {
            let length = signLength(output.view, index)
            guard length > 0 else {
                index += 1
                continue
            }
            let end = domainEnd(output.view, from: index + length)
            let first = localPartStart(output.view, before: index, notBefore: start)
            if end > index + length, first < index {
                overwrite(first..<index, in: &output)
                overwrite(index + length..<end, in: &output)
                isMasked = true
            }
            index = max(end, index + length)
        }
        return isMasked
    }

    /// Bytes of the sign `@` at `index`, also as a URL or JSON writes it; 0 when there is none.
    private static func signLength(_ bytes: ByteView, _ index: Int) -> Int {
        switch bytes[index] {
        case UInt8(ascii: "@"): return 1
        case UInt8(ascii: "%") where bytes[index..<bytes.count].starts(with: "%40"): return 3
        case UInt8(ascii: "\\") where bytes[index..<bytes.count].starts(with: "\\u0040"): return 6
        default: return 0
        }
    }

    private static func localPartStart(
        _ bytes: ByteView,
        before sign: Int,
        notBefore limit: Int
    ) -> Int {
        var index = sign
        let least = max(limit, sign - localPartMaximum)
        while index > least, isLocalPart(bytes[index - 1]) { index -= 1 }
        // The letters behind a backslash are an escape, not text; two backslashes are one, as text.
        var backslashes = 0
        while index - backslashes > limit, backslashes < localPartMaximum,
            bytes[index - backslashes - 1] == UInt8(ascii: "\\")
        { backslashes += 1 }
        guard backslashes % 2 == 1, index < sign else { return index }
        return min(sign, index + (bytes[index] == UInt8(ascii: "u") ? 5 : 1))
    }

    /// Where a domain of at least two labels ends that begins at `start`; `start` when there is none.
    private static func domainEnd(_ bytes: ByteView, from start: Int) -> Int {
        var index = start
        var dot: Int?
        let limit = min(bytes.count, start + domainMaximum)
        while index < limit, isDomain(bytes[index]) {
            if bytes[index] == UInt8(ascii: "."), index > start { dot = index }
            index += 1
        }
        guard let dot, index - dot > 2 else { return start }
        return index
    }

    private static func isLocalPart(_ byte: UInt8) -> Bool {
        isWord(byte) || byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "'")
    }

    private static func isDomain(_ byte: UInt8) -> Bool {
        isWord(byte) || byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    // MARK: - Phone and card numbers

    private static func maskNumbers(from start: Int, in output: inout ByteBuffer) -> Bool {
        var isMasked = false
        var index = start
        while index < output.count {
            guard begins(output.view, index, start) else {
                index += 1
                continue
            }
            let run = NumberRun(output.view, from: index)
            if run.isPhone || run.isCard(output.view) {
                overwrite(run.range, in: &output)
                isMasked = true
            }
            index = run.range.upperBound
        }
        return isMasked
    }

    /// A number begins where no word, dash or dot goes before: ids are full of digits.
    private static func begins(_ bytes: ByteView, _ index: Int, _ start: Int) -> Bool {
        let byte = bytes[index]
        guard isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "(") else {
            return false
        }
        guard index > start else { return true }
        let before = bytes[index - 1]
        return !isWord(before) && before != UInt8(ascii: "-") && before != UInt8(ascii: ".")
            && before < 0x80
    }

    private static func overwrite(_ range: Range<Int>, in output: inout ByteBuffer) {
        for index in range {
            let byte = output.view[index]
            if isDigit(byte) {
                output.overwrite(littleEndian: UInt8(ascii: "9"), at: index)
            } else if isWord(byte) || byte >= 0x80 {
                output.overwrite(littleEndian: UInt8(ascii: "x"), at: index)
            }
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || asciiLowercase(byte) &- 97 < 26 || byte == UInt8(ascii: "_")
    }
}

/// Digits with single separators between them, as people write numbers.
private struct NumberRun {
    /// The most digits that are looked at: a card has at most 19.
    static let digitsMaximum = 24

    let range: Range<Int>
    private let digits: Int
    private let separators: Int
    private let hasPlus: Bool
    private let firstDigit: UInt8
    private let isNational: Bool
    private let touchesWord: Bool

    init(_ bytes: ByteView, from start: Int) {
        var (index, end, digits, separators, pending) = (start, start, 0, 0, 0)
        var first: UInt8 = 0
        while index < bytes.count, digits <= Self.digitsMaximum {
            let byte = bytes[index]
            if RejectedBytes.isDigit(byte) {
                if digits == 0 { first = byte }
                if pending > 0, digits > 0 { separators += 1 }
                (digits, pending, end) = (digits + 1, 0, index + 1)
            } else if Self.isSeparator(byte), pending < 3 {
                pending += 1
            } else {
                break
            }
            index += 1
        }
        range = start..<max(end, start + 1)
        (self.digits, self.separators, firstDigit) = (digits, separators, first)
        hasPlus = bytes[start] == UInt8(ascii: "+")
        // No JSON number has a zero in front of another digit.
        isNational =
            first == UInt8(ascii: "0") && bytes.has(start + 1)
            && RejectedBytes.isDigit(bytes[start + 1])
        touchesWord = end < bytes.count && asciiLowercase(bytes[end]) &- 97 < 26
    }

    /// 9 to 15 digits (E.164) that are written like a number to call: with a plus, in groups, or with
    /// the zero of a national number.
    var isPhone: Bool {
        guard !touchesWord else { return false }
        if hasPlus { return (8...15).contains(digits) }
        guard (9...15).contains(digits) else { return false }
        return separators >= 2 || isNational
    }

    /// A payment card by its first digits, length and check digit (ISO/IEC 7812).
    func isCard(_ bytes: ByteView) -> Bool {
        guard !touchesWord, lengthFits else { return false }
        var (sum, place) = (0, 0)
        for index in range.reversed() where RejectedBytes.isDigit(bytes[index]) {
            let digit = Int(bytes[index] - 48)
            let doubled = digit * 2
            sum += place % 2 == 0 ? digit : (doubled > 9 ? doubled - 9 : doubled)
            place += 1
        }
        return sum % 10 == 0
    }

    /// The moments of this century in milliseconds begin with 1, so they are never taken for a card.
    private var lengthFits: Bool {
        switch firstDigit {
        case UInt8(ascii: "3"): return digits == 14 || digits == 15 || digits == 16
        case UInt8(ascii: "4"): return digits == 13 || digits == 16 || digits == 19
        case UInt8(ascii: "2"), UInt8(ascii: "5"): return digits == 16
        case UInt8(ascii: "6"): return (16...19).contains(digits)
        default: return false
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "/"), UInt8(ascii: "+"):
            return true
        default: return false
        }
    }
}
