import Bytes

/// A run of letters or of digits.
struct Token {
    enum Kind: UInt8 {
        /// Letters of a script with spaces between words.
        case word
        case digits
        /// Characters of a script without spaces.
        case unspaced
    }

    var start: Int32 = 0
    var end: Int32 = 0
    /// Of the folded letters.
    var hash: UInt64 = 0
    var kind = Kind.word
    /// Letters, as people count them.
    var letters: UInt8 = 0
    var isCapitalised = false
    var isAllCapitals = false
    /// Whether the script has no capitals, so that names cannot be told by them.
    var isCaseless = false
    var hasMarks = false

    var range: Range<Int> { Int(start)..<Int(end) }
}

/// How words are hashed: over folded characters, so that every spelling of one word is one.
struct WordHash {
    private(set) var value = Self.seed

    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325
    static let prime: UInt64 = 0x9e37_79b9_7f4a_7c15

    @inline(__always)
    static func step(_ hash: UInt64, _ character: UInt32) -> UInt64 {
        let mixed = (hash ^ UInt64(character)) &* prime
        return mixed ^ (mixed >> 29)
    }

    @inline(__always)
    mutating func add(_ character: UInt32) { value = Self.step(value, character) }

    /// Adds a character folded; true when it lost a mark.
    @inline(__always)
    mutating func add(folded scalar: UInt32) -> Bool {
        let folded = LetterFold.fold(scalar)
        if folded.first != 0 { add(folded.first) }
        if folded.second != 0 { add(folded.second) }
        return folded.hadMark
    }
}

/// Cuts a text into tokens. Owned by one scanner; the memory is reused.
struct TokenList: ~Copyable {
    private(set) var tokens: [Token]
    private(set) var count = 0

    init(capacity: Int) { tokens = Array(repeating: Token(), count: capacity) }

    subscript(index: Int) -> Token { tokens[index] }

    /// Cuts `bytes[range]`; `camel` cuts `cardNumber` in two as well.
    mutating func cut(_ bytes: borrowing [UInt8], _ range: Range<Int>, camel: Bool = false) {
        count = 0
        var index = range.lowerBound
        while index < range.upperBound, count < tokens.count {
            let scalar = DecodedScalar(bytes, index, range.upperBound)
            if scalar.value < 0x80 ? Characters.isLetter(bytes[index]) : isLetter(scalar.value) {
                index = word(bytes, index, range.upperBound, camel)
            } else if scalar.value < 0x80, Characters.isDigit(bytes[index]) {
                index = digits(bytes, index, range.upperBound)
            } else if Characters.isUnspaced(scalar.value) {
                index = unspaced(bytes, index, range.upperBound)
            } else {
                index += scalar.length
            }
        }
    }

    private func isLetter(_ scalar: UInt32) -> Bool {
        Characters.isWordLetter(scalar) && !Characters.isUnspaced(scalar)
    }

    private mutating func word(
        _ bytes: borrowing [UInt8],
        _ start: Int,
        _ end: Int,
        _ camel: Bool
    ) -> Int {
        var token = Token()
        var hash = WordHash()
        var (index, capitals, letters) = (start, 0, 0)
        token.start = Int32(truncatingIfNeeded: start)
        while index < end {
            let scalar = DecodedScalar(bytes, index, end)
            if scalar.value == 39, isGenitive(bytes, index, end) {
                index += 1
                continue
            }
            guard scalar.value < 0x80 ? Characters.isLetter(bytes[index]) : isLetter(scalar.value)
            else { break }
            let isCapital = Characters.isCapital(scalar.value)
            if camel, isCapital, letters > 0, isHump(bytes, start, index, end) { break }
            if letters == 0 {
                token.isCapitalised = isCapital
                token.isCaseless = !Characters.hasCase(scalar.value)
            }
            if isCapital { capitals += 1 }
            if hash.add(folded: scalar.value) { token.hasMarks = true }
            letters += 1
            index += scalar.length
        }
        token.isAllCapitals = capitals == letters
        token.letters = UInt8(clamping: letters)
        append(&token, hash.value, index)
        return index
    }

    /// `'s` at a word's end belongs to it: *Crohn's* is looked up as *crohns*.
    private func isGenitive(_ bytes: borrowing [UInt8], _ index: Int, _ end: Int) -> Bool {
        guard index + 1 < end, bytes[index + 1] | 0x20 == UInt8(ascii: "s") else { return false }
        return index + 2 >= end || !Characters.isLetter(bytes[index + 2]) && bytes[index + 2] < 0x80
    }

    /// A capital behind a small letter, and the last of several before one: `userEMail`,
    /// `SSNNumber`.
    private func isHump(_ bytes: borrowing [UInt8], _ start: Int, _ index: Int, _ end: Int) -> Bool
    {
        guard Characters.isUpper(bytes[index]) else { return true }
        if !Characters.isUpper(bytes[index - 1]) { return true }
        return index + 1 < end && Characters.isLower(bytes[index + 1])
    }

    private mutating func digits(_ bytes: borrowing [UInt8], _ start: Int, _ end: Int) -> Int {
        var token = Token()
        var hash = WordHash()
        var index = start
        while index < end, Characters.isDigit(bytes[index]) {
            hash.add(UInt32(bytes[index]))
            index += 1
        }
        token.kind = .digits
        token.start = Int32(truncatingIfNeeded: start)
        token.letters = UInt8(clamping: index - start)
        append(&token, hash.value, index)
        return index
    }

    private mutating func unspaced(_ bytes: borrowing [UInt8], _ start: Int, _ end: Int) -> Int {
        var token = Token()
        var hash = WordHash()
        var (index, letters) = (start, 0)
        while index < end {
            let scalar = DecodedScalar(bytes, index, end)
            guard Characters.isUnspaced(scalar.value) else { break }
            hash.add(scalar.value)
            letters += 1
            index += scalar.length
        }
        token.kind = .unspaced
        token.isCaseless = true
        token.start = Int32(truncatingIfNeeded: start)
        token.letters = UInt8(clamping: letters)
        append(&token, hash.value, index)
        return index
    }

    private mutating func append(_ token: inout Token, _ hash: UInt64, _ end: Int) {
        token.hash = hash
        token.end = Int32(truncatingIfNeeded: end)
        tokens[count] = token
        count += 1
    }
}
