import Bytes

extension TextScanner {
    /// Looks every token up and remembers what it announces. A phrase wins over its words.
    mutating func gatherWords(_ range: Range<Int>, _ context: TextContext) {
        cues.removeAll(keepingCapacity: true)
        unsure.removeAll(keepingCapacity: true)
        healthCues.removeAll(keepingCapacity: true)
        nameCues.removeAll(keepingCapacity: true)
        streetCues.removeAll(keepingCapacity: true)
        secretCues.removeAll(keepingCapacity: true)
        diseaseCues.removeAll(keepingCapacity: true)
        var index = 0
        while index < tokens.count {
            let token = tokens[index]
            if token.kind == .unspaced {
                gatherUnspaced(token, context)
                index += 1
            } else if let (phrase, count) = phrase(at: index) {
                take(phrase, token, tokens[index + count - 1].range.upperBound, context)
                index += count
            } else {
                if token.kind == .word { takeStem(token) }
                index += 1
            }
        }
    }

    /// The longest phrase that begins with a token, and how many tokens it has.
    func phrase(at index: Int) -> (Phrase, Int)? {
        for candidate in words.candidates(tokens[index].hash) {
            let phrase = words.phrase(candidate)
            if follows(phrase, index) { return (phrase, Int(phrase.count)) }
        }
        return nil
    }

    private func follows(_ phrase: Phrase, _ index: Int) -> Bool {
        let count = Int(phrase.count)
        guard index + count <= tokens.count else { return false }
        for offset in 1..<max(1, count) {
            let token = tokens[index + offset]
            let gap = token.start - tokens[index + offset - 1].end
            guard gap <= 3, token.hash == words.tail(phrase, offset - 1) else { return false }
        }
        return true
    }

    private mutating func take(
        _ phrase: Phrase,
        _ token: Token,
        _ end: Int,
        _ context: TextContext
    ) {
        let start = Int(token.start)
        if !phrase.cues.isEmpty || !phrase.weakCues.isEmpty {
            takeCue(phrase, start, end)
        }
        let roles = phrase.roles
        if roles.contains(.diseaseCodeCue) { diseaseCues.append(end) }
        if roles.contains(.healthCue) { healthCues.append(start..<end) }
        if roles.contains(.health), isSure(phrase, token) {
            if isBounded(start, end) { add(start..<end, .health) }
        } else if roles.contains(.healthUnsure) {
            unsure.append(start..<end)
        }
        if phrase.count == 1, token.kind == .word, roles.isEmpty { takeStem(token) }
    }

    private mutating func takeCue(_ phrase: Phrase, _ start: Int, _ end: Int) {
        let person = PersonalClasses(.personName)
        let secret = PersonalClasses(.credential)
        if phrase.cues.contains(person) || phrase.weakCues.contains(person) {
            nameCues.append((end, !phrase.cues.contains(person)))
        }
        if phrase.cues.contains(secret) || phrase.weakCues.contains(secret) {
            secretCues.append((end, !phrase.cues.contains(secret)))
        }
        if phrase.cues.contains(PersonalClasses(.streetAddress)) { streetCues.append(end) }
        cues.append(
            Cue(start: start, end: end, classes: phrase.cues, weak: phrase.weakCues)
        )
    }

    private func isSure(_ phrase: Phrase, _ token: Token) -> Bool {
        !phrase.roles.contains(.needsMarks) || token.hasMarks
    }

    /// A short word inside a code of letters and digits is chance.
    private func isBounded(_ start: Int, _ end: Int) -> Bool {
        if end - start >= 6 { return true }
        return !Characters.isAlphanumeric(byte(start - 1))
            && !Characters.isAlphanumeric(byte(end))
    }

    /// Terms in a run of characters without spaces: at each place the longest.
    private mutating func gatherUnspaced(_ token: Token, _ context: TextContext) {
        var index = Int(token.start)
        let end = Int(token.end)
        while index < end {
            var hash = WordHash()
            var (next, letters) = (index, 0)
            var best: (phrase: Phrase, end: Int)?
            while next < end, letters < 14 {
                let scalar = DecodedScalar(text.bytes, next, end)
                hash.add(scalar.value)
                next += scalar.length
                letters += 1
                if let phrase = words.single(hash.value), !phrase.isOnlyKey {
                    best = (phrase, next)
                }
            }
            steps += letters
            if let best {
                take(best.phrase, token.at(index), best.end, context)
                index = best.end
            } else {
                index += DecodedScalar(text.bytes, index, end).length
            }
        }
    }

    // MARK: - Parts of words

    private mutating func takeStem(_ token: Token) {
        guard token.letters >= 6 else { return }
        var hash = WordHash()
        var (index, letters) = (Int(token.start), 0)
        while index < Int(token.end), letters < 14 {
            let scalar = DecodedScalar(text.bytes, index, Int(token.end))
            _ = hash.add(folded: scalar.value)
            letters += 1
            if letters >= WordTable.stemLetters, words.isStem(hash.value) {
                return add(token.range, .health)
            }
            index += scalar.length
        }
        steps += letters
        if token.letters >= 7, hasEnding(token, { words.isEnding($0) }) {
            add(token.range, .health)
        }
    }

    /// Whether one of a word's endings is known; letters are taken from the last on.
    func hasEnding(_ token: Token, _ isKnown: (UInt64) -> Bool) -> Bool {
        var hash = WordHash()
        var (index, letters) = (Int(token.end), 0)
        while index > Int(token.start), letters < 14 {
            var start = index - 1
            while start > Int(token.start), text.bytes[start] & 0xc0 == 0x80 { start -= 1 }
            let scalar = DecodedScalar(text.bytes, start, index)
            _ = hash.add(folded: scalar.value)
            letters += 1
            index = start
            if letters >= 3, index > Int(token.start), isKnown(hash.value) { return true }
        }
        return false
    }
}

extension Phrase {
    /// Whether it says something about keys alone.
    var isOnlyKey: Bool { cues.isEmpty && weakCues.isEmpty && roles.isEmpty }
}

extension Token {
    /// The same run, seen from a later character on.
    func at(_ start: Int) -> Token {
        var copy = self
        copy.start = Int32(truncatingIfNeeded: start)
        return copy
    }
}
