import Bytes

/// What the name of a property or parameter says about its value.
struct KeyMeaning: BitwiseCopyable {
    /// Classes that the value is of.
    var classes: PersonalClasses = []
    /// Classes that it is of if it looks like it.
    var weak: PersonalClasses = []
    /// The value is a secret of a few digits.
    var isPin = false
    /// Digits of the value are nobody's.
    var isSafe = false
    /// It is about a product, brand or page.
    var isThing = false
    /// Dotted numbers are versions.
    var isVersion = false
    /// A click identifier: never looked at.
    var isClickID = false
    /// Only codes of the classification of diseases count: pointers' deltas are called `dx`, too.
    var isDiseaseCode = false

    /// Whether it says nothing about persons.
    var isEmpty: Bool { classes.isEmpty && weak.isEmpty }

    func has(_ one: PersonalClass) -> Bool { classes.has(one) || weak.has(one) }
}

/// Reads keys, and remembers what it read: keys repeat. Owned by one thread.
struct KeyReader: ~Copyable {
    private struct Slot {
        var hash: UInt64 = 0
        var meaning = KeyMeaning()
    }

    /// Keys that are remembered, a power of two; a later one takes the place of another.
    private static let slots = 4096
    /// A longer key is not looked up.
    static let keyBytesMaximum = 256

    private let words: WordTable
    private var memory: [Slot]
    private var text = NormalText(capacity: KeyReader.keyBytesMaximum)
    private var tokens = TokenList(capacity: KeyReader.keyBytesMaximum)

    init(words: WordTable) {
        self.words = words
        memory = Array(repeating: Slot(), count: Self.slots)
    }

    /// What a key says; it is decoded as values are.
    mutating func meaning(of key: ByteView) -> KeyMeaning {
        guard !key.isEmpty, key.count <= Self.keyBytesMaximum else { return KeyMeaning() }
        var hash = WordHash.seed ^ UInt64(key.count)
        for index in 0..<key.count { hash = WordHash.step(hash, UInt32(key[index])) }
        hash |= 1
        let slot = Int(truncatingIfNeeded: hash >> 32) & (Self.slots - 1)
        if memory[slot].hash == hash { return memory[slot].meaning }
        let meaning = read(key)
        memory[slot] = Slot(hash: hash, meaning: meaning)
        return meaning
    }

    private mutating func read(_ key: ByteView) -> KeyMeaning {
        text.load(key)
        tokens.cut(text.bytes, 0..<text.count, camel: true)
        var meaning = KeyMeaning()
        var index = 0
        while index < tokens.count {
            index += take(index, into: &meaning)
        }
        if meaning.classes.isEmpty, meaning.weak.isEmpty { readRunTogether(into: &meaning) }
        if meaning.isThing || meaning.isVersion { meaning.forgetNames() }
        return meaning
    }

    /// Reads the phrase at a token and returns how many tokens it has.
    private func take(_ index: Int, into meaning: inout KeyMeaning) -> Int {
        guard let (phrase, count) = phrase(at: index) else { return 1 }
        let roles = phrase.roles
        let isWhole = index == 0 && count == tokens.count
        if isWhole {
            if roles.contains(.clickID) { meaning.isClickID = true }
        }
        if roles.contains(.safe) { meaning.isSafe = true }
        if roles.contains(.thing) { meaning.isThing = true }
        if roles.contains(.version) { meaning.isVersion = true }
        if !phrase.keys.isEmpty || !phrase.weakKeys.isEmpty {
            if isAboutField(index, count) { return count }
            meaning.classes.formUnion(phrase.keys)
            meaning.weak.formUnion(phrase.weakKeys)
            if roles.contains(.pin) { meaning.isPin = true }
            if roles.contains(.diseaseCodeCue), count == 1, tokens[index].letters == 2 {
                meaning.isDiseaseCode = true
            }
        }
        return count
    }

    private func phrase(at index: Int) -> (Phrase, Int)? {
        for candidate in words.candidates(tokens[index].hash) {
            let phrase = words.phrase(candidate)
            let count = Int(phrase.count)
            guard index + count <= tokens.count else { continue }
            var isEqual = true
            for offset in 1..<max(1, count)
            where tokens[index + offset].hash != words.tail(phrase, offset - 1) { isEqual = false }
            if isEqual { return (phrase, count) }
        }
        return nil
    }

    /// `phone_model`, `has_phone`, `ssn_required`: the key is about the field, not its content.
    private func isAboutField(_ index: Int, _ count: Int) -> Bool {
        if index > 0, let before = words.single(tokens[index - 1].hash),
            before.roles.contains(.metaBefore), index == 1
        {
            return true
        }
        for later in (index + count)..<max(index + count, tokens.count) {
            if let phrase = words.single(tokens[later].hash), phrase.roles.contains(.metaAfter) {
                return true
            }
        }
        return false
    }

    /// `customeremail`: a word for whose it is, and a telling word of at least four letters.
    private func readRunTogether(into meaning: inout KeyMeaning) {
        for index in 0..<tokens.count where tokens[index].kind == .word {
            let token = tokens[index]
            guard token.letters >= 7, words.single(token.hash) == nil else { continue }
            if isAboutField(index, 1) { continue }
            split(token, into: &meaning)
        }
    }

    private func split(_ token: Token, into meaning: inout KeyMeaning) {
        var front = WordHash()
        for cut in token.range.dropLast(3) {
            guard text.bytes[cut] < 0x80 else { return }
            _ = front.add(folded: UInt32(text.bytes[cut]))
            guard let owner = words.single(front.value), owner.roles.contains(.owner) else {
                continue
            }
            var rest = WordHash()
            for index in cut + 1..<Int(token.end) {
                _ = rest.add(folded: UInt32(text.bytes[index]))
            }
            guard let phrase = words.single(rest.value) else { continue }
            meaning.classes.formUnion(phrase.keys)
            meaning.weak.formUnion(phrase.weakKeys)
        }
    }
}

extension KeyMeaning {
    fileprivate mutating func forgetNames() {
        if isThing {
            weak.remove(PersonalClasses(.personName))
            weak.remove(PersonalClasses(.health))
        }
        if isVersion { classes.remove(PersonalClasses(.ipAddress)) }
    }
}
