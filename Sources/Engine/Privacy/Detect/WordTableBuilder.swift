/// Gathers entries of the word lists into the arrays of a `WordTable`. Runs once, at the start.
struct WordTableBuilder: ~Copyable {
    struct Made {
        var heads: [(hash: UInt64, first: Int32, count: Int32)] = []
        var phrases: [Phrase] = []
        var tails: [UInt64] = []
        var stems: Set<UInt64> = []
        var endings: Set<UInt64> = []
        var streetEndings: Set<UInt64> = []
        var firstWords = Array(repeating: UInt64(0), count: 1024)
        var firstLetters = Array(repeating: UInt64(0), count: 1024)
        var lastLetters = Array(repeating: UInt64(0), count: 1024)
        var longest = 1
    }

    private var known: [[UInt64]: Phrase] = [:]
    private var made = Made()
    private var tokens = TokenList(capacity: 64)

    mutating func add(_ entry: WordLists.Entry) {
        for spelling in Self.spellings(entry) {
            let bytes = Array(spelling.utf8)
            tokens.cut(bytes, 0..<bytes.count)
            guard tokens.count > 0 else { continue }
            switch entry.section {
            case .healthStem: addStem(bytes)
            case .healthEnding: made.endings.insert(ending(bytes, for: true))
            case .streetEnding: made.streetEndings.insert(ending(bytes, for: false))
            default: addPhrase(entry)
            }
            if case .key = entry.section, tokens.count > 1 { addRunTogether(entry) }
        }
    }

    private mutating func addPhrase(_ entry: WordLists.Entry) {
        let hashes = (0..<tokens.count).map { tokens[$0].hash }
        let hasMarks = (0..<tokens.count).contains { tokens[$0].hasMarks }
        known[hashes, default: Phrase()].take(entry, hasMarks: hasMarks)
    }

    /// A key of several words may be written as one.
    private mutating func addRunTogether(_ entry: WordLists.Entry) {
        let bytes = Array(entry.term.utf8.filter { $0 != 32 })
        tokens.cut(bytes, 0..<bytes.count)
        addPhrase(entry)
    }

    // MARK: - Beginnings and endings

    private mutating func addStem(_ bytes: [UInt8]) {
        var hash = WordHash()
        var (index, letters) = (0, 0)
        while index < bytes.count {
            let scalar = DecodedScalar(bytes, index, bytes.count)
            _ = hash.add(folded: scalar.value)
            letters += 1
            if letters == WordTable.stemLetters { WordTable.setBit(&made.firstLetters, hash.value) }
            index += scalar.length
        }
        made.stems.insert(hash.value)
    }

    /// Endings are hashed from the last letter on.
    private mutating func ending(_ bytes: [UInt8], for health: Bool) -> UInt64 {
        var hash = WordHash()
        var letters = 0
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars.reversed() {
            _ = hash.add(folded: scalar.value)
            letters += 1
            if health, letters == WordTable.endingLetters {
                WordTable.setBit(&made.lastLetters, hash.value)
            }
        }
        return hash.value
    }

    // MARK: - Spellings

    /// With and without the letters that are typed where umlauts are not at hand.
    private static func spellings(_ entry: WordLists.Entry) -> [String] {
        guard ["de", "da", "nb", "sv", "fi", "hu"].contains(entry.language) else {
            return [entry.term]
        }
        var typed = ""
        for scalar in entry.term.unicodeScalars {
            switch scalar {
            case "ä", "æ": typed += "ae"
            case "ö", "ø": typed += "oe"
            case "ü": typed += "ue"
            case "å": typed += "aa"
            default: typed.unicodeScalars.append(scalar)
            }
        }
        return typed == entry.term ? [entry.term] : [entry.term, typed]
    }

    // MARK: - Arrays

    consuming func finish() -> Made {
        settleMarks()
        var byHead: [UInt64: [[UInt64]]] = [:]
        for hashes in known.keys { byHead[hashes[0], default: []].append(hashes) }
        for head in byHead.keys.sorted() {
            let all = (byHead[head] ?? []).sorted { $0.isBefore($1) }
            made.heads.append((head, Int32(made.phrases.count), Int32(all.count)))
            for hashes in all { place(hashes) }
        }
        return made
    }

    /// `cáncer` names an illness, `cancer` may be a star sign: where one folded word is both, the
    /// sure one needs its accents.
    private mutating func settleMarks() {
        for (hashes, phrase) in known
        where phrase.roles.contains(.needsMarks) && !phrase.roles.contains(.healthUnsure) {
            known[hashes]?.roles.remove(.needsMarks)
        }
    }

    private mutating func place(_ hashes: [UInt64]) {
        guard var phrase = known[hashes] else { return }
        phrase.count = UInt8(clamping: hashes.count)
        phrase.tail = Int32(made.tails.count)
        made.tails += hashes.dropFirst()
        made.longest = max(made.longest, hashes.count)
        made.phrases.append(phrase)
        if phrase.mattersWithoutDigits { WordTable.setBit(&made.firstWords, hashes[0]) }
    }
}

extension [UInt64] {
    /// Longer phrases first.
    fileprivate func isBefore(_ other: [UInt64]) -> Bool {
        count == other.count ? lexicographicallyPrecedes(other) : count > other.count
    }
}

extension Phrase {
    fileprivate mutating func take(_ entry: WordLists.Entry, hasMarks: Bool) {
        switch entry.section {
        case .key(let one):
            if entry.isWeak {
                weakKeys.insert(PersonalClasses(one))
            } else {
                keys.insert(PersonalClasses(one))
            }
            takeAsCue(one, entry)
        case .cue(let one):
            if entry.isWeak {
                weakCues.insert(PersonalClasses(one))
            } else {
                cues.insert(PersonalClasses(one))
            }
            if one == .personName, entry.isWeak { roles.insert(.weakName) }
        case .role(let role):
            roles.insert(role)
            if role == .health, hasMarks { roles.insert(.needsMarks) }
        case .month: month = UInt8(entry.language) ?? 0
        case .healthStem, .healthEnding, .streetEnding, .secretPrefix: break
        }
    }

    /// What names a field of numbers announces them in a text as well, when it is long enough to be
    /// no chance.
    private mutating func takeAsCue(_ one: PersonalClass, _ entry: WordLists.Entry) {
        switch one {
        case .phone, .usSSN, .usITIN, .usEIN, .ukNINO, .nationalID, .passport, .driverLicence,
            .birthDate:
            guard entry.term.utf8.count >= 4 else { return }
            if entry.isWeak {
                weakCues.insert(PersonalClasses(one))
            } else {
                cues.insert(PersonalClasses(one))
            }
        default: return
        }
    }

    /// Whether a text without many digits must be looked at because of it.
    fileprivate var mattersWithoutDigits: Bool {
        let classes: PersonalClasses = [
            PersonalClasses(.personName), PersonalClasses(.streetAddress),
            PersonalClasses(.credential), PersonalClasses(.passport),
            PersonalClasses(.driverLicence),
        ]
        return !cues.union(weakCues).isDisjoint(with: classes)
            || !roles.isDisjoint(with: [.health, .healthUnsure, .diseaseCodeCue, .secretSegment])
    }
}
