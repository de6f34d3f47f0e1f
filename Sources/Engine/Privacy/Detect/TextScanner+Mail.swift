import Bytes

// Addresses of e-mail (RFC 5322, generously), also with letters beyond ASCII and in disguise.

extension TextScanner {
    mutating func findMails(_ range: Range<Int>, _ context: TextContext) {
        var index = range.lowerBound
        while index < range.upperBound {
            if byte(index) == UInt8(ascii: "@") {
                index = max(index + 1, findMail(at: index..<index + 1, range, context))
            } else {
                index += 1
            }
        }
        findDisguised(range, context)
    }

    /// Adds the address around a sign and returns its end; 0 when there is none.
    private mutating func findMail(
        at sign: Range<Int>,
        _ range: Range<Int>,
        _ context: TextContext
    ) -> Int {
        let end = domainEnd(sign.upperBound, range.upperBound, context)
        let start = localStart(sign.lowerBound, range.lowerBound)
        steps += end - start
        guard start < sign.lowerBound, end > sign.upperBound else { return 0 }
        add(start..<end, .email)
        return end
    }

    private func localStart(_ sign: Int, _ limit: Int) -> Int {
        var index = sign
        let least = max(limit, sign - 96)
        if index > least, byte(index - 1) == UInt8(ascii: "\"") {
            var quote = index - 2
            while quote >= least, byte(quote) != UInt8(ascii: "\"") { quote -= 1 }
            return quote >= least ? quote : sign
        }
        while index > least, isLocal(byte(index - 1)) { index -= 1 }
        while index < sign, byte(index) == UInt8(ascii: ".") || byte(index) == UInt8(ascii: "'") {
            index += 1
        }
        return index
    }

    private func isLocal(_ byte: UInt8) -> Bool {
        if Characters.isAlphanumeric(byte) || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "^"),
            UInt8(ascii: "_"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "~"),
            UInt8(ascii: "-"), UInt8(ascii: "%"), UInt8(ascii: "|"), UInt8(ascii: "`"):
            return true
        default: return false
        }
    }

    /// Where a domain ends that begins at `start`; `start` when there is none. Under a key of
    /// addresses one label is enough.
    private func domainEnd(_ start: Int, _ limit: Int, _ context: TextContext) -> Int {
        var index = start
        var (labels, labelStart) = (1, start)
        let most = min(limit, start + 255)
        while index < most {
            let byte = byte(index)
            if byte == UInt8(ascii: ".") {
                guard index > labelStart, index + 1 < most, isLabel(self.byte(index + 1)) else {
                    break
                }
                labels += 1
                labelStart = index + 1
            } else if !isLabel(byte) && byte != UInt8(ascii: "-") {
                break
            }
            index += 1
        }
        while index > labelStart, byte(index - 1) == UInt8(ascii: "-") { index -= 1 }
        guard index > labelStart else { return start }
        if labels == 1 { return context.key.has(.email) && index - start > 1 ? index : start }
        return isTopLevel(labelStart..<index) ? index : start
    }

    private func isLabel(_ byte: UInt8) -> Bool {
        Characters.isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: "_")
    }

    /// Letters only, at least two, and no suffix of a file: `logo@2x.webp`, `react@18.2.0`.
    private func isTopLevel(_ label: Range<Int>) -> Bool {
        guard label.count >= 2 else { return false }
        if matches("xn--", at: label.lowerBound) { return true }
        for index in label where !Characters.isLetter(byte(index)) && byte(index) < 0x80 {
            return false
        }
        for suffix in Self.fileSuffixes
        where suffix.utf8CodeUnitCount == label.count && equalsFolded(suffix, at: label.lowerBound)
        {
            return false
        }
        return true
    }

    func equalsFolded(_ literal: StaticString, at index: Int) -> Bool {
        let literal = ByteView(literal)
        guard index + literal.count <= text.count else { return false }
        for offset in 0..<literal.count
        where asciiLowercase(byte(index + offset)) != literal[offset] { return false }
        return true
    }

    private static let fileSuffixes: [StaticString] = [
        "png", "jpg", "jpeg", "gif", "webp", "svg", "js", "mjs", "cjs", "css", "scss", "ts", "tsx",
        "jsx", "html", "htm", "json", "pdf", "mp4", "webm", "avif", "ico", "woff", "ttf", "map",
        "php", "zip", "xml", "txt", "csv", "tgz", "gz", "bmp", "tiff", "heic", "yml", "yaml", "md",
    ]

    // MARK: - In disguise

    /// `jane (at) example (dot) org`, `jane[at]example.org`, `jane AT example DOT org`.
    private mutating func findDisguised(_ range: Range<Int>, _ context: TextContext) {
        guard tokens.count >= 3 else { return }
        for index in 1..<tokens.count - 1 where isWord("at", index) {
            steps += 1
            let isBracketed = isBracketed(index)
            let end = disguisedEnd(index, isBracketed)
            guard end > 0 else { continue }
            let local = disguisedStart(index, range)
            guard local < Int(tokens[index].start) - 1 else { continue }
            add(local..<end, .email)
        }
    }

    /// The local part before a disguised sign, over dots in disguise.
    private func disguisedStart(_ index: Int, _ range: Range<Int>) -> Int {
        var local = localStart(skipSpace(before: opening(index)), range.lowerBound)
        var first = firstToken(at: local)
        while first >= 2, first < index, isWord("dot", first - 1),
            tokens[first].start - tokens[first - 1].end <= 3
        {
            let next = localStart(skipSpace(before: opening(first - 1)), range.lowerBound)
            guard next < local else { break }
            local = next
            first = firstToken(at: local)
        }
        return local
    }

    /// The end of the domain behind a disguised sign; 0 when there is none. A bare *at* needs a
    /// *dot*.
    private func disguisedEnd(_ index: Int, _ isBracketed: Bool) -> Int {
        var (next, dots, end) = (index + 1, 0, 0)
        while next < tokens.count, tokens[next].start - tokens[next - 1].end <= 3 {
            if isWord("dot", next), next + 1 < tokens.count {
                dots += 1
                next += 1
                guard tokens[next].kind == .word, tokens[next].letters >= 2 else { return 0 }
                end = Int(tokens[next].end)
            } else if next > index + 1 {
                guard isJoined(next) else { break }
                if byte(Int(tokens[next].start) - 1) == UInt8(ascii: ".") {
                    dots += isBracketed ? 1 : 0
                }
                end = Int(tokens[next].end)
            }
            next += 1
        }
        return dots > 0 ? end : 0
    }

    private func isJoined(_ index: Int) -> Bool {
        let between = tokens[index - 1].range.upperBound..<tokens[index].range.lowerBound
        guard between.count <= 1 else { return false }
        guard let only = between.first else { return true }
        return byte(only) == UInt8(ascii: ".") || byte(only) == UInt8(ascii: "-")
    }

    private func isWord(_ word: StaticString, _ index: Int) -> Bool {
        tokens[index].range.count == word.utf8CodeUnitCount
            && equalsFolded(word, at: Int(tokens[index].start))
    }

    private func isBracketed(_ index: Int) -> Bool {
        var before = Int(tokens[index].start) - 1
        while byte(before) == 32 { before -= 1 }
        return byte(before) == UInt8(ascii: "(") || byte(before) == UInt8(ascii: "[")
            || byte(before) == UInt8(ascii: "{") || byte(before) == UInt8(ascii: "<")
    }

    private func opening(_ index: Int) -> Int {
        var before = Int(tokens[index].start)
        var skipped = 0
        while skipped < 3, !Characters.isAlphanumeric(byte(before - 1)), byte(before - 1) < 0x80,
            before > 0, byte(before - 1) != 32
        {
            before -= 1
            skipped += 1
        }
        return before
    }

    private func skipSpace(before index: Int) -> Int {
        var index = index
        while index > 0, byte(index - 1) == 32 { index -= 1 }
        return index
    }
}
