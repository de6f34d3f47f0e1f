import Bytes

// Names and postal addresses, which only words before them announce.

extension TextScanner {
    /// The most words of a name.
    private static let nameWordsMaximum = 5

    // MARK: - Names

    mutating func findNames(_ range: Range<Int>, _ context: TextContext) {
        findMachineLines(range)
        if context.key.isThing || context.isPath || context.place == .propertyName { return }
        for cue in nameCues { findName(behind: cue.end, isWeak: cue.isWeak, range) }
        findNamesBeforeMail(range)
    }

    private mutating func findName(behind end: Int, isWeak: Bool, _ range: Range<Int>) {
        if takeWithinRun(behind: end, isWeak: isWeak) { return }
        var first = firstToken(at: end)
        guard first < tokens.count, isAdjacent(end, Int(tokens[first].start)) else { return }
        while first < tokens.count, isConnector(first), !tokens[first].isCapitalised {
            guard first + 1 < tokens.count,
                isAdjacent(Int(tokens[first].end), Int(tokens[first + 1].start))
            else { return }
            first += 1
        }
        guard first < tokens.count, tokens[first].kind != .digits else { return }
        if tokens[first].isCaseless { return takeCaseless(first, isWeak: isWeak, range) }
        takeCapitalised(first, isWeak: isWeak, range)
    }

    /// Where no space stands between: the next four characters, or those up to a connecting one.
    private mutating func takeWithinRun(behind end: Int, isWeak: Bool) -> Bool {
        let index = firstToken(at: end) - 1
        guard index >= 0, tokens[index].kind == .unspaced, Int(tokens[index].end) > end else {
            return false
        }
        var (start, next, letters) = (end, end, 0)
        while next < Int(tokens[index].end), letters < 4 {
            let scalar = DecodedScalar(text.bytes, next, Int(tokens[index].end))
            var hash = WordHash()
            hash.add(scalar.value)
            let isConnector = words.single(hash.value)?.roles.contains(.connector) ?? false
            if isConnector || (0x3041...0x3096).contains(scalar.value) {
                if letters > 0 { break }
                start = next + scalar.length
            } else {
                letters += 1
            }
            next += scalar.length
        }
        if letters >= 2 { add(start..<next, .personName) }
        // Behind a particle at the run's end the name is a token of its own.
        return letters > 0
    }

    private func isConnector(_ index: Int) -> Bool {
        words.single(tokens[index].hash)?.roles.contains(.connector) ?? false
    }

    /// Spaces, a colon, a comma, a dot or quotes between an announcement and a name.
    private func isAdjacent(_ end: Int, _ start: Int) -> Bool {
        guard start - end <= 4 else { return false }
        for index in end..<max(end, start) {
            switch byte(index) {
            case 32, UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "\""),
                UInt8(ascii: "'"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "!"):
                continue
            case UInt8(ascii: "-"): if start - end > 1 { continue } else { return false }
            default: return byte(index) >= 0x80
            }
        }
        return true
    }

    private mutating func takeCapitalised(_ first: Int, isWeak: Bool, _ range: Range<Int>) {
        guard tokens[first].isCapitalised, !isNoName(first) else { return }
        var (last, count, index) = (first, 1, first + 1)
        while index < tokens.count, count < Self.nameWordsMaximum, isNameGap(index) {
            let token = tokens[index]
            if token.kind == .word, token.isCapitalised, !isNoName(index) {
                (last, count) = (index, count + 1)
            } else if !isParticle(index) {
                break
            }
            index += 1
        }
        steps += index - first
        let name = Int(tokens[first].start)..<Int(tokens[last].end)
        if isWeak, count == 1, !endsSentence(name.upperBound, range) { return }
        if tokens[first].letters == 1, count == 1 { return }
        add(name, .personName)
    }

    private func isNoName(_ index: Int) -> Bool {
        guard let phrase = words.single(tokens[index].hash) else { return false }
        return phrase.roles.contains(.noName)
    }

    private func isParticle(_ index: Int) -> Bool {
        guard index + 1 < tokens.count, tokens[index].letters <= 4,
            let phrase = words.single(tokens[index].hash)
        else { return false }
        return phrase.roles.contains(.particle)
    }

    /// One space, a dash, an apostrophe or an initial's dot within a name.
    private func isNameGap(_ index: Int) -> Bool {
        let (end, start) = (Int(tokens[index - 1].end), Int(tokens[index].start))
        switch start - end {
        case 1:
            let byte = byte(end)
            return byte == 32 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "'")
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "_")
        case 2:
            return byte(end) == UInt8(ascii: ".") && byte(end + 1) == 32
                && tokens[index - 1].letters <= 3
        default: return false
        }
    }

    private func endsSentence(_ end: Int, _ range: Range<Int>) -> Bool {
        if end >= range.upperBound { return true }
        switch byte(end) {
        case UInt8(ascii: ","), UInt8(ascii: "!"), UInt8(ascii: "."), UInt8(ascii: "?"),
            UInt8(ascii: ";"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: ")"):
            return true
        case 32:
            let next = byte(end + 1)
            return next == UInt8(ascii: "|") || next == UInt8(ascii: "-") || next == 0xe2
                || next == 0xc2 || next == UInt8(ascii: "(")
        default: return false
        }
    }

    /// Scripts without capitals: up to three words, or the first six characters of a run.
    private mutating func takeCaseless(_ first: Int, isWeak: Bool, _ range: Range<Int>) {
        var (last, index) = (first, first + 1)
        if isNoName(first) { return }
        while index < tokens.count, index - first < 3, tokens[index].isCaseless,
            tokens[index].start - tokens[index - 1].end <= 3,
            !endsSentence(Int(tokens[last].end), range)
        {
            last = index
            index += 1
        }
        let start = max(Int(tokens[first].start), nameStart(first))
        add(start..<Int(tokens[last].end), .personName)
    }

    /// Behind an announcement in the same run, connecting characters aside.
    private func nameStart(_ index: Int) -> Int { Int(tokens[index].start) }

    /// `Jane Doe <jane@example.com>`.
    private mutating func findNamesBeforeMail(_ range: Range<Int>) {
        guard !found.isEmpty else { return }
        for index in 0..<found.count where found[index].personalClass == .email {
            let sign = found[index].start - 1
            guard byte(sign) == UInt8(ascii: "<") || byte(sign) == UInt8(ascii: "(") else {
                continue
            }
            takeBackwards(from: sign)
        }
    }

    private mutating func takeBackwards(from sign: Int) {
        var last = firstToken(at: sign) - 1
        guard last >= 0, sign - Int(tokens[last].end) <= 2 else { return }
        let end = Int(tokens[last].end)
        var start = end
        for _ in 0..<Self.nameWordsMaximum {
            let token = tokens[last]
            guard token.kind != .digits, token.isCapitalised || token.isCaseless else { break }
            start = Int(token.start)
            guard last > 0, token.start - tokens[last - 1].end <= 2,
                byte(Int(tokens[last - 1].end)) != UInt8(ascii: ":")
            else { break }
            last -= 1
        }
        if start < end { add(start..<end, .personName) }
    }

    /// Machine-readable lines of passports (ICAO 9303), magnetic tracks of cards.
    private mutating func findMachineLines(_ range: Range<Int>) {
        var index = range.lowerBound
        while index + 30 < range.upperBound {
            let isTrack = byte(index) == UInt8(ascii: "%") && byte(index + 1) | 0x20 == 98
            if matches("<<", at: index) || isTrack {
                steps += 64
                var start = index
                while start > range.lowerBound, byte(start - 1) > 32 { start -= 1 }
                return add(start..<range.upperBound, isTrack ? .card : .passport)
            }
            index += 1
        }
    }

    // MARK: - Addresses

    mutating func findStreets(_ range: Range<Int>, _ context: TextContext) {
        if context.key.isThing || context.isPath || context.place == .propertyName { return }
        for end in streetCues {
            let start = streetStart(end, range)
            let sentence = start..<sentenceEnd(start, range)
            if hasNumber(sentence), hasStreetWord(sentence), !isFound(start..<start + 1) {
                add(trimmed(sentence), .streetAddress)
            }
        }
    }

    private func streetStart(_ cueEnd: Int, _ range: Range<Int>) -> Int {
        var index = cueEnd
        while index < range.upperBound,
            byte(index) <= 32 || byte(index) == UInt8(ascii: ":")
                || byte(index) == UInt8(ascii: ",") || byte(index) == UInt8(ascii: "-")
        { index += 1 }
        return index
    }

    /// To a line's end, a semicolon, a bar, or a full stop that is no abbreviation's.
    private func sentenceEnd(_ start: Int, _ range: Range<Int>) -> Int {
        var index = start
        while index < range.upperBound, index - start < 160 {
            let byte = byte(index)
            if byte == 10 || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "|")
                || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
            {
                break
            }
            if byte == UInt8(ascii: "."), index + 1 >= range.upperBound { break }
            index += 1
        }
        return index
    }

    func hasNumber(_ range: Range<Int>) -> Bool {
        for index in range where Characters.isDigit(byte(index)) { return true }
        return false
    }

    /// A kind of street among the words, or at the end of one.
    func hasStreetWord(_ range: Range<Int>) -> Bool {
        var index = firstToken(at: range.lowerBound)
        while index < tokens.count, tokens[index].start < range.upperBound {
            let token = tokens[index]
            index += 1
            if token.kind == .unspaced {
                if hasStreetMark(token) { return true }
                continue
            }
            guard token.kind == .word else { continue }
            if let phrase = words.single(token.hash),
                !phrase.roles.isDisjoint(with: [.streetAfter, .streetBefore])
            {
                return true
            }
            if token.letters >= 5, hasEnding(token, { words.isStreetEnding($0) }) { return true }
        }
        return false
    }

    private func hasStreetMark(_ token: Token) -> Bool {
        var index = Int(token.start)
        while index < Int(token.end) {
            var hash = WordHash()
            var (next, letters) = (index, 0)
            while next < Int(token.end), letters < 3 {
                let scalar = DecodedScalar(text.bytes, next, Int(token.end))
                hash.add(scalar.value)
                next += scalar.length
                letters += 1
                if words.single(hash.value)?.roles.contains(.streetMark) ?? false { return true }
            }
            index += DecodedScalar(text.bytes, index, Int(token.end)).length
        }
        return false
    }
}
