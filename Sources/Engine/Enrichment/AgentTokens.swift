import Bytes

/// Places within a user agent: names, versions, addresses.
enum AgentTokens {
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...32, UInt8(ascii: ";"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","),
            UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "|"):
            return true
        default: return false
        }
    }

    /// The run of bytes around `place` that no separator interrupts.
    private static func token(_ text: ByteView, at place: Int) -> Range<Int> {
        var start = place
        while start > 0, !isSeparator(text[start &- 1]) { start &-= 1 }
        var end = place
        while end < text.count, !isSeparator(text[end]) { end &+= 1 }
        return start..<end
    }

    /// Whether `place` lies in a web or mail address.
    static func isInAddress(_ text: ByteView, _ place: Int) -> Bool {
        let range = token(text, at: place)
        let bytes = text[range]
        if bytes.firstIndex(of: UInt8(ascii: "@")) != nil { return true }
        var at = 0
        while let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: at) {
            if bytes.holds(3, at: colon), bytes[colon..<colon &+ 3].equals("://") { return true }
            at = colon &+ 1
        }
        let start = bytes.isEmpty || bytes[0] != UInt8(ascii: "+") ? 0 : 1
        return bytes[start..<bytes.count].starts(with: "www.")
    }

    /// The name at `place`: the token around it up to its version.
    static func name(_ text: ByteView, at place: Int) -> Range<Int> {
        guard place >= 0, place < text.count else { return likelyName(text) }
        if isInAddress(text, place) { return likelyName(text) }
        let range = token(text, at: place)
        var start = range.lowerBound
        while start < place, isSign(text[start]) { start &+= 1 }
        // A word behind a slash, as in `WeSEE:Ads/PictureBot`: the name is what was found.
        if let slash = lastSlash(text, start..<place) { start = slash &+ 1 }
        var end = place
        while end < range.upperBound, text[end] != UInt8(ascii: "/") { end &+= 1 }
        return phrase(text, start..<end)
    }

    /// The name with the plain words around it, as in `Xenu Link Sleuth 1.2`.
    private static func phrase(_ text: ByteView, _ name: Range<Int>) -> Range<Int> {
        var (start, end) = (name.lowerBound, name.upperBound)
        for _ in 0..<wordsAroundMaximum {
            guard let word = wordBefore(text, start) else { break }
            start = word
        }
        for _ in 0..<wordsAroundMaximum {
            guard let word = wordBehind(text, end) else { break }
            end = word
        }
        return start..<end
    }

    private static let wordsAroundMaximum = 3

    /// Where the plain word begins that stands, with a space between, before `start`.
    private static func wordBefore(_ text: ByteView, _ start: Int) -> Int? {
        guard start > 1, text[start &- 1] == UInt8(ascii: " ") else { return nil }
        var first = start &- 1
        while first > 0, isNameByte(text[first &- 1]) { first &-= 1 }
        let isWhole = first == 0 || isSeparator(text[first &- 1])
        return isWhole && first < start &- 2 ? first : nil
    }

    /// Where the plain word ends that stands, with a space between, behind `end`.
    private static func wordBehind(_ text: ByteView, _ end: Int) -> Int? {
        guard text.has(end), text[end] == UInt8(ascii: " ") else { return nil }
        var last = end &+ 1
        while text.has(last), isNameByte(text[last]) { last &+= 1 }
        let isWhole =
            !text.has(last) || isSeparator(text[last]) || text[last] == UInt8(ascii: "/")
        return isWhole && last > end &+ 2 ? last : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "'")
            || (byte.isASCIIAlphanumeric && !byte.isASCIIDigit)
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "'")
    }

    private static func lastSlash(_ text: ByteView, _ range: Range<Int>) -> Int? {
        var index = range.upperBound
        while index > range.lowerBound {
            index &-= 1
            if text[index] == UInt8(ascii: "/") { return index }
        }
        return nil
    }

    /// The name of a program that was told by its shape: what stands behind `compatible;`, else the
    /// first token that is not `Mozilla`.
    static func likelyName(_ text: ByteView) -> Range<Int> {
        if let found = find("compatible;", in: text) {
            let range = firstToken(text, from: found &+ 11)
            if !range.isEmpty { return range }
        }
        let first = firstToken(text, from: 0)
        if text[first].equals("Mozilla") {
            let second = firstToken(text, from: afterToken(text, first.upperBound))
            if !second.isEmpty { return second }
        }
        return first
    }

    private static func afterToken(_ text: ByteView, _ start: Int) -> Int {
        var index = start
        while index < text.count, !isSeparator(text[index]) { index &+= 1 }
        return index
    }

    /// The first token at or behind `start` that is no address, up to its version.
    private static func firstToken(_ text: ByteView, from start: Int) -> Range<Int> {
        var index = start
        while index < text.count {
            while index < text.count, isSeparator(text[index]) || isSign(text[index]) {
                index &+= 1
            }
            if index >= text.count { break }
            let range = token(text, at: index)
            if !isInAddress(text, index) {
                var end = index
                while end < range.upperBound, text[end] != UInt8(ascii: "/") { end &+= 1 }
                return index..<end
            }
            index = range.upperBound
        }
        return 0..<0
    }

    /// Where `word`, written in lower case, first stands, without regard to case.
    static func find(_ word: StaticString, in text: ByteView) -> Int? {
        let wanted = ByteView(word)
        guard text.count >= wanted.count else { return nil }
        for start in 0...text.count &- wanted.count {
            var length = 0
            while length < wanted.count, asciiLowercase(text[start &+ length]) == wanted[length] {
                length &+= 1
            }
            if length == wanted.count { return start }
        }
        return nil
    }

    /// The digits, dots and underscores at `end`, or behind one sign that stands there.
    static func version(_ text: ByteView, after end: Int) -> Range<Int> {
        var start = end
        if text.has(start), isVersionSign(text[start]) { start &+= 1 }
        guard text.has(start), text[start].isASCIIDigit else { return 0..<0 }
        var stop = start
        while text.has(stop), isVersionByte(text[stop]), stop &- start < 24 { stop &+= 1 }
        while text[stop &- 1] == UInt8(ascii: ".") || text[stop &- 1] == UInt8(ascii: "_") {
            stop &-= 1
        }
        return start..<stop
    }

    private static func isVersionSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    private static func isVersionByte(_ byte: UInt8) -> Bool {
        byte.isASCIIDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }

    /// The number at `place`, or behind one sign there; 0 when there is none. At most six digits.
    static func number(_ text: ByteView, at place: Int) -> Int {
        var index = place
        if text.has(index), isVersionSign(text[index]) { index &+= 1 }
        var value = 0
        while text.has(index), text[index].isASCIIDigit, value < 100_000 {
            value = value &* 10 &+ Int(text[index] &- UInt8(ascii: "0"))
            index &+= 1
        }
        return value
    }

    /// The number behind `word`; 0 when it does not occur.
    static func major(_ text: ByteView, after word: StaticString) -> Int {
        guard let start = find(word, in: text) else { return 0 }
        return number(text, at: start &+ word.utf8CodeUnitCount)
    }
}
