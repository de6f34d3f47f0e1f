import Bytes

// Passwords, keys and tokens: by their shape, behind words that announce them, and in paths.

extension TextScanner {
    /// A token of a path behind *reset* or *invite* is a secret from this length on.
    private static let pathSecretLetters = 20

    mutating func findSecrets(_ range: Range<Int>, _ context: TextContext) {
        findShapedSecrets(range)
        findUserInformation(range)
        if context.place != .propertyName { findAnnouncedSecrets(range) }
        if context.isPath { findPathSecrets(range) }
    }

    // MARK: - Shapes

    private mutating func findShapedSecrets(_ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound {
            let end = secretEnd(index, range.upperBound)
            if end - index >= 8 { takeShaped(index..<end) }
            index = max(end, index + 1)
        }
    }

    /// Letters of tokens: base64 in both alphabets, dots between parts.
    private func isSecret(_ byte: UInt8) -> Bool {
        Characters.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".")
    }

    private func secretEnd(_ start: Int, _ limit: Int) -> Int {
        var index = start
        while index < limit, isSecret(byte(index)) { index += 1 }
        return index
    }

    private mutating func takeShaped(_ run: Range<Int>) {
        steps += run.count
        if let token = webToken(run) { return add(token, .credential) }
        if matches("-----BEGIN", at: run.lowerBound) {
            return add(run.lowerBound..<text.count, .credential)
        }
        for prefix in WordLists.secretPrefixes where hasPrefix(prefix, run) {
            let least = prefix.count <= 3 ? 24 : 14
            if run.count >= least, isMixed(run) || isCapitals(run) { return add(run, .credential) }
        }
    }

    private func hasPrefix(_ prefix: [UInt8], _ run: Range<Int>) -> Bool {
        guard run.count > prefix.count else { return false }
        for offset in 0..<prefix.count where byte(run.lowerBound + offset) != prefix[offset] {
            return false
        }
        return true
    }

    /// RFC 7519: three parts of base64url, of which the first two are objects, so that they begin
    /// with `eyJ`.
    private func webToken(_ run: Range<Int>) -> Range<Int>? {
        var start = run.lowerBound
        while start + 20 < run.upperBound, !matches("eyJ", at: start) { start += 1 }
        guard matches("eyJ", at: start) else { return nil }
        var dots = 0
        for index in start..<run.upperBound where byte(index) == UInt8(ascii: ".") { dots += 1 }
        return dots >= 2 ? start..<run.upperBound : nil
    }

    /// A digit among letters, or both cases.
    private func isMixed(_ range: Range<Int>) -> Bool {
        var (digits, lower, upper) = (0, 0, 0)
        for index in range {
            if Characters.isDigit(byte(index)) { digits += 1 }
            if Characters.isLower(byte(index)) { lower += 1 }
            if Characters.isUpper(byte(index)) { upper += 1 }
        }
        return digits > 0 && lower + upper > 0 || lower > 0 && upper > 1
    }

    /// Keys of cloud services may hold capitals alone.
    private func isCapitals(_ range: Range<Int>) -> Bool {
        range.count >= 20 && range.allSatisfy { Characters.isUpper(byte($0)) }
    }

    /// `scheme://user:password@host`.
    private mutating func findUserInformation(_ range: Range<Int>) {
        var index = range.lowerBound
        while index + 3 < range.upperBound {
            guard byte(index) == UInt8(ascii: ":"), matches("//", at: index + 1) else {
                index += 1
                continue
            }
            let start = index + 3
            var (end, sign) = (start, 0)
            while end < range.upperBound, byte(end) > 32, byte(end) != UInt8(ascii: "/"),
                byte(end) != UInt8(ascii: "?"), byte(end) != UInt8(ascii: "#")
            {
                if byte(end) == UInt8(ascii: "@") { sign = end }
                end += 1
            }
            if sign > start { add(start..<sign, .credential) }
            index = max(end, index + 1)
        }
    }

    // MARK: - Announced

    /// The first word behind *password is*; weak announcements want digits or signs in it.
    private mutating func findAnnouncedSecrets(_ range: Range<Int>) {
        for cue in secretCues {
            guard let start = secretStart(cue.end, range) else { continue }
            var end = start
            while end < range.upperBound, byte(end) > 32, byte(end) != UInt8(ascii: "\""),
                byte(end) != UInt8(ascii: ","), byte(end) != UInt8(ascii: "<"), !isNextPair(end)
            { end += 1 }
            while end > start, isSentenceEnd(byte(end - 1)), end - start > 1 { end -= 1 }
            let value = start..<end
            steps += value.count
            if isToken(value) { continue }
            if isSecretWord(value, isWeak: cue.isWeak) { add(value, .credential) }
        }
    }

    /// `&name=` behind a value of a form.
    private func isNextPair(_ index: Int) -> Bool {
        guard byte(index) == UInt8(ascii: "&") else { return false }
        var next = index + 1
        while next < index + 32, Characters.isAlphanumeric(byte(next)) || byte(next) == 95 {
            next += 1
        }
        return byte(next) == UInt8(ascii: "=")
    }

    private func isSentenceEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: ")")
            || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
    }

    /// Behind connecting words, colons and quotes.
    private func secretStart(_ cueEnd: Int, _ range: Range<Int>) -> Int? {
        var index = cueEnd
        for _ in 0..<3 {
            while index < range.upperBound, isLead(byte(index)) { index += 1 }
            let next = firstToken(at: index)
            guard next < tokens.count, Int(tokens[next].start) == index,
                let phrase = words.single(tokens[next].hash), phrase.roles.contains(.connector),
                !isSecretTail(Int(tokens[next].end))
            else { break }
            index = Int(tokens[next].end)
        }
        return index < range.upperBound ? index : nil
    }

    private func isSecretTail(_ index: Int) -> Bool {
        byte(index) > 32 && byte(index) != UInt8(ascii: ":") && byte(index) != UInt8(ascii: ",")
    }

    private func isLead(_ byte: UInt8) -> Bool {
        byte <= 32 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "=")
            || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ">")
    }

    /// A secret holds digits or signs, or is long and written oddly; plain words are prose.
    private func isSecretWord(_ range: Range<Int>, isWeak: Bool) -> Bool {
        guard range.count >= 3 else { return false }
        var (digits, letters, signs) = (0, 0, 0)
        for index in range {
            if Characters.isDigit(byte(index)) {
                digits += 1
            } else if Characters.isLetter(byte(index)) || byte(index) >= 0x80 {
                letters += 1
            } else {
                signs += 1
            }
        }
        if isWeak { return range.count >= 8 && digits > 0 && letters > 0 }
        if letters == 0 { return digits >= 3 && digits <= 12 && signs <= 1 }
        return digits > 0 && range.count >= 4 || signs > 0 && range.count >= 6 && !isWordLike(range)
    }

    /// Words with dashes or an apostrophe.
    private func isWordLike(_ range: Range<Int>) -> Bool {
        for index in range {
            let byte = byte(index)
            if !Characters.isLetter(byte), byte < 0x80, byte != UInt8(ascii: "-"),
                byte != UInt8(ascii: "'"), byte != UInt8(ascii: "/"), byte != UInt8(ascii: ":"),
                byte != UInt8(ascii: "?"), byte != UInt8(ascii: "!"), byte != UInt8(ascii: "|"),
                byte != UInt8(ascii: "("), byte != UInt8(ascii: "_"), byte != UInt8(ascii: ".")
            {
                return false
            }
        }
        return true
    }

    // MARK: - Paths

    private mutating func findPathSecrets(_ range: Range<Int>) {
        var (start, isSecret) = (range.lowerBound, false)
        var index = range.lowerBound
        while index <= range.upperBound {
            let isEnd = index == range.upperBound
            if isEnd || byte(index) == UInt8(ascii: "/") || byte(index) == UInt8(ascii: ";") {
                if isSecret { takePathSecret(start..<index) }
                isSecret = isSecretSegment(start..<index)
                if !isEnd, byte(index) == UInt8(ascii: ";") { takeMatrix(index + 1, range) }
                start = index + 1
            }
            index += 1
        }
    }

    private mutating func takePathSecret(_ segment: Range<Int>) {
        steps += segment.count
        guard segment.count >= Self.pathSecretLetters else { return }
        for index in segment where !isSecret(byte(index)) && byte(index) != UInt8(ascii: "=") {
            return
        }
        if isMixed(segment) { add(segment, .credential) }
    }

    private func isSecretSegment(_ segment: Range<Int>) -> Bool {
        guard !segment.isEmpty else { return false }
        var index = firstToken(at: segment.lowerBound)
        while index < tokens.count, tokens[index].start < segment.upperBound {
            if let (phrase, _) = phrase(at: index), phrase.roles.contains(.secretSegment) {
                return true
            }
            index += 1
        }
        return false
    }

    /// `;jsessionid=…` in a path is a pair like those of a query.
    private mutating func takeMatrix(_ start: Int, _ range: Range<Int>) {
        var (end, equals) = (start, 0)
        while end < range.upperBound, byte(end) != UInt8(ascii: "/"), byte(end) != UInt8(ascii: ";")
        {
            if byte(end) == UInt8(ascii: "="), equals == 0 { equals = end }
            end += 1
        }
        guard equals > start, end > equals + 1 else { return }
        let meaning = meaning(of: start..<equals)
        if meaning.has(.credential), end - equals > 8 { add(equals + 1..<end, .credential) }
    }
}
