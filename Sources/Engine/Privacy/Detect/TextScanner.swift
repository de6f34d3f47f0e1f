import Bytes

/// What is known about a text before it is looked at: its key's meaning and its grammar.
struct TextContext {
    var key = KeyMeaning()
    var place = TextPlace.freeText

    /// Whether the text is one value of a field rather than a sentence.
    var isValue: Bool { place == .propertyValue || place == .queryValue }
    /// Whether segments between slashes stand for themselves.
    var isPath: Bool { place == .path || place == .url || place == .referrer }
}

/// Finds personal data in one decoded text. Every scanner of a class lies in a file of its own and
/// reads each byte a bounded number of times.
///
/// Owned by one detector; the memory is reused.
struct TextScanner: ~Copyable {
    /// The longest text that is looked at, and the most finds in one.
    static let bytesMaximum = 4096
    static let spansMaximum = 64
    /// How far an announcement reaches, in bytes.
    static let cueReach = 34
    /// Tokens that look like encoded text, as many as are looked at.
    static let encodedMaximum = 8

    /// An announcement: classes that a number behind `end` may be of.
    struct Cue {
        var start: Int
        var end: Int
        var classes: PersonalClasses
        var weak: PersonalClasses
    }

    let words: WordTable
    var text = NormalText(capacity: TextScanner.bytesMaximum)
    var tokens = TokenList(capacity: TextScanner.bytesMaximum)
    var keys: KeyReader
    var name = ByteBuffer(capacity: 256)
    var digits: [UInt8] = []
    var cues: [Cue] = []
    var groups: [DigitGroup] = []
    /// Finds, as ranges of the normal text.
    var found: [PersonalSpan] = []
    /// Tokens that may be encoded text, as ranges of the normal text.
    var encoded: [Range<Int>] = []
    /// Positions of words of health that need a cue, and of such cues.
    var unsure: [Range<Int>] = []
    var healthCues: [Range<Int>] = []
    var nameCues: [(end: Int, isWeak: Bool)] = []
    var streetCues: [Int] = []
    var secretCues: [(end: Int, isWeak: Bool)] = []
    var diseaseCues: [Int] = []
    /// Whether more was found than there is room for.
    var isFull = false
    /// Steps taken since the last `load`, for tests that hold work to be linear.
    var steps = 0

    init(words: WordTable) {
        self.words = words
        keys = KeyReader(words: words)
        cues.reserveCapacity(64)
        groups.reserveCapacity(1024)
        digits.reserveCapacity(64)
        found.reserveCapacity(Self.spansMaximum)
        encoded.reserveCapacity(Self.encodedMaximum)
    }

    /// Takes a text of at most `bytesMaximum` bytes.
    mutating func load(_ raw: ByteView) {
        text.load(raw)
        found.removeAll(keepingCapacity: true)
        encoded.removeAll(keepingCapacity: true)
        (isFull, steps) = (false, 0)
    }

    /// Scans all that was loaded.
    mutating func scan(_ context: TextContext) {
        scan(0..<text.count, context, depth: 0)
    }

    /// Scans a part: as what is built of named values if it looks so, else as a text.
    mutating func scan(_ range: Range<Int>, _ context: TextContext, depth: Int) {
        if range.isEmpty || isToken(range) { return }
        if depth < 3, scanStructure(range, context, depth: depth) { return }
        scanText(range, context)
    }

    /// Scans a part that has no structure of its own.
    mutating func scanText(_ range: Range<Int>, _ context: TextContext) {
        tokens.cut(text.bytes, range)
        steps += range.count
        gatherWords(range, context)
        findMails(range, context)
        findSecrets(range, context)
        findInternetAddresses(range, context)
        findPositions(range, context)
        findNumbers(range, context)
        findLetteredNumbers(range, context)
        findHealth(range, context)
        findNames(range, context)
        findStreets(range, context)
        if !context.key.isEmpty { findWholeValue(range, context) }
        findEncoded(range, context)
    }

    // MARK: - Finds

    mutating func add(_ range: Range<Int>, _ one: PersonalClass) {
        if range.isEmpty { return }
        guard found.count < Self.spansMaximum else {
            isFull = true
            return
        }
        found.append(
            PersonalSpan(start: range.lowerBound, end: range.upperBound, personalClass: one)
        )
    }

    func isFound(_ range: Range<Int>) -> Bool {
        for span in found where span.start < range.upperBound && range.lowerBound < span.end {
            return true
        }
        return false
    }

    /// Classes announced for a value at `offset`: by its key, or by words at most `cueReach` bytes
    /// before it. In a path only the segment before it, or its own beginning, counts.
    func announced(
        at offset: Int,
        _ context: TextContext
    ) -> (strong: PersonalClasses, weak: PersonalClasses) {
        var (strong, weak) = (context.key.classes, context.key.weak)
        var index = cues.count - 1
        while index >= 0 {
            let cue = cues[index]
            index -= 1
            if cue.end > offset { continue }
            let reach = context.isPath ? 1 : Self.cueReach
            if offset - cue.end > reach + 200 { break }
            if offset - cue.end > reach { continue }
            strong.formUnion(cue.classes)
            weak.formUnion(cue.weak)
        }
        return (strong, weak)
    }

    // MARK: - Bytes

    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        index >= 0 && index < text.count ? text.bytes[index] : 0
    }

    func matches(_ literal: StaticString, at index: Int) -> Bool {
        let literal = ByteView(literal)
        guard index >= 0, index + literal.count <= text.count else { return false }
        for offset in 0..<literal.count where text.bytes[index + offset] != literal[offset] {
            return false
        }
        return true
    }

    /// Without spaces and punctuation at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isTrimmed(text.bytes[start]) { start += 1 }
        while end > start, isTrimmed(text.bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private func isTrimmed(_ byte: UInt8) -> Bool {
        byte <= 32 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
            || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
    }

    /// Whether the range is nothing but the token of an earlier run.
    func isToken(_ range: Range<Int>) -> Bool {
        let range = trimmed(range)
        guard range.count >= 3, range.count <= 16, byte(range.lowerBound) == UInt8(ascii: "["),
            byte(range.upperBound - 1) == UInt8(ascii: "]")
        else { return false }
        for one in PersonalClass.allCases
        where one.token.utf8CodeUnitCount == range.count
            && matches(one.token, at: range.lowerBound)
        { return true }
        return false
    }
}
