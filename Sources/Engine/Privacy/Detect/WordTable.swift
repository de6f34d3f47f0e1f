/// What the word lists say about one word or phrase.
struct Phrase {
    /// Classes that a key of this name holds, and those it holds only if the value looks like it.
    var keys: PersonalClasses = []
    var weakKeys: PersonalClasses = []
    /// Classes that such words in a text announce, and those they announce only for valid numbers.
    var cues: PersonalClasses = []
    var weakCues: PersonalClasses = []
    var roles: WordRoles = []
    /// The month it names, 1 to 12.
    var month: UInt8 = 0
    /// Hashes of the tokens behind the first: `count - 1` of them from here on.
    var tail: Int32 = 0
    var count: UInt8 = 1
}

/// What else a word can be.
struct WordRoles: OptionSet, Sendable {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Means an illness, a drug or a treatment wherever it stands.
    static let health = WordRoles(rawValue: 1 << 0)
    /// Means one beside a word that speaks of patients.
    static let healthUnsure = WordRoles(rawValue: 1 << 1)
    /// Speaks of patients.
    static let healthCue = WordRoles(rawValue: 1 << 2)
    /// Announces a code of the classification of diseases.
    static let diseaseCodeCue = WordRoles(rawValue: 1 << 3)
    /// Behind a telling key: it is about the field, not its content.
    static let metaAfter = WordRoles(rawValue: 1 << 4)
    /// The same, before it.
    static let metaBefore = WordRoles(rawValue: 1 << 5)
    /// Hides the telling words in it: `item condition`.
    static let harmless = WordRoles(rawValue: 1 << 6)
    /// A key whose digits are no person's.
    static let safe = WordRoles(rawValue: 1 << 7)
    /// Products and brands, whose names are no person's.
    static let thing = WordRoles(rawValue: 1 << 8)
    /// A kind of street that stands behind its name, or before it.
    static let streetAfter = WordRoles(rawValue: 1 << 9)
    static let streetBefore = WordRoles(rawValue: 1 << 10)
    /// Stands inside a name, in small letters.
    static let particle = WordRoles(rawValue: 1 << 11)
    /// Looks like a name behind a greeting and is none.
    static let noName = WordRoles(rawValue: 1 << 12)
    /// May stand between an announcement and the value.
    static let connector = WordRoles(rawValue: 1 << 13)
    /// Stands before a telling word in run-together keys: `customeremail`.
    static let owner = WordRoles(rawValue: 1 << 14)
    /// A segment of a path behind which a secret follows.
    static let secretSegment = WordRoles(rawValue: 1 << 15)
    /// A click identifier of an ad network.
    static let clickID = WordRoles(rawValue: 1 << 16)
    /// A key of a few secret digits.
    static let pin = WordRoles(rawValue: 1 << 17)
    /// A value so common that it tells nothing: yes, none, default.
    static let commonValue = WordRoles(rawValue: 1 << 18)
    /// Needs its accents: without them it is another word.
    static let needsMarks = WordRoles(rawValue: 1 << 19)
    /// A greeting or title that a name follows only if it looks like one.
    static let weakName = WordRoles(rawValue: 1 << 20)
    /// A key whose dotted number is a version.
    static let version = WordRoles(rawValue: 1 << 21)
    /// Parts of an address in scripts without spaces.
    static let streetMark = WordRoles(rawValue: 1 << 22)
}

/// All words the engine knows, by the hash of their first token. Made once, never changed.
final class WordTable: Sendable {
    /// The engine's own lists.
    static let shared = WordTable(WordLists.all)

    private struct Head {
        var hash: UInt64 = 0
        var first: Int32 = 0
        var count: Int32 = 0
    }

    private let heads: [Head]
    private let mask: Int
    private let phrases: [Phrase]
    private let tails: [UInt64]
    /// Beginnings and endings of words of health, by length and hash.
    private let stems: Set<UInt64>
    private let endings: Set<UInt64>
    private let streetEndings: Set<UInt64>
    /// Bits of hashes of words that may begin something in a clean-looking text, of the first five
    /// letters of stems, and of the last four of endings.
    private let firstWords: [UInt64]
    private let firstLetters: [UInt64]
    private let lastLetters: [UInt64]
    /// The most tokens of one phrase.
    let longest: Int

    static let stemLetters = 5
    static let endingLetters = 4

    init(_ lists: [WordLists.Entry]) {
        var builder = WordTableBuilder()
        for entry in lists { builder.add(entry) }
        let made = builder.finish()
        var size = 1024
        while size < made.heads.count * 3 { size *= 2 }
        var heads = Array(repeating: Head(), count: size)
        for head in made.heads {
            var slot = Self.slot(head.hash, size - 1)
            while heads[slot].count > 0 { slot = (slot + 1) & (size - 1) }
            heads[slot] = Head(hash: head.hash, first: head.first, count: head.count)
        }
        (self.heads, mask, phrases, tails) = (heads, size - 1, made.phrases, made.tails)
        (stems, endings, streetEndings) = (made.stems, made.endings, made.streetEndings)
        (firstWords, firstLetters, lastLetters) = (
            made.firstWords, made.firstLetters, made.lastLetters
        )
        longest = made.longest
    }

    @inline(__always)
    private static func slot(_ hash: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
    }

    /// Whether a word of a text may begin a phrase that matters without further signs.
    @inline(__always)
    func mayBegin(_ hash: UInt64) -> Bool { Self.bit(firstWords, hash) }

    @inline(__always)
    func mayBeStem(_ hash: UInt64) -> Bool { Self.bit(firstLetters, hash) }

    @inline(__always)
    func mayEnd(_ hash: UInt64) -> Bool { Self.bit(lastLetters, hash) }

    @inline(__always)
    private static func bit(_ bits: [UInt64], _ hash: UInt64) -> Bool {
        let folded = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & 0xffff
        return bits[folded >> 6] & (1 << UInt64(folded & 63)) != 0
    }

    static func setBit(_ bits: inout [UInt64], _ hash: UInt64) {
        let folded = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & 0xffff
        bits[folded >> 6] |= 1 << UInt64(folded & 63)
    }

    func isStem(_ hash: UInt64) -> Bool { stems.contains(hash) }
    func isEnding(_ hash: UInt64) -> Bool { endings.contains(hash) }
    func isStreetEnding(_ hash: UInt64) -> Bool { streetEndings.contains(hash) }

    /// The phrases that begin with a token, longest first.
    @inline(__always)
    func candidates(_ hash: UInt64) -> Range<Int> {
        var slot = Self.slot(hash, mask)
        while heads[slot].count > 0 {
            if heads[slot].hash == hash {
                let first = Int(heads[slot].first)
                return first..<first + Int(heads[slot].count)
            }
            slot = (slot + 1) & mask
        }
        return 0..<0
    }

    @inline(__always)
    func phrase(_ index: Int) -> Phrase { phrases[index] }

    @inline(__always)
    func tail(_ phrase: Phrase, _ index: Int) -> UInt64 { tails[Int(phrase.tail) + index] }

    /// What the lists say about a single token.
    func single(_ hash: UInt64) -> Phrase? {
        for index in candidates(hash) where phrases[index].count == 1 { return phrases[index] }
        return nil
    }
}
