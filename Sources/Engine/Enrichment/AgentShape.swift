import Bytes

/// How browsers write their user agents, and how nobody's browser does.
enum AgentShape {
    /// The openings that browsers use.
    static func beginsLikeBrowser(_ text: ByteView) -> Bool {
        guard text.count >= 10 else { return false }
        if text.starts(with: "Mozilla/5.0 (") || text.starts(with: "Mozilla/4.0 (") { return true }
        if text.starts(with: "Mozilla/5.0(") || text.starts(with: "Mozilla/5.0+(") { return true }
        return text.starts(with: "Opera/") && text[6].isASCIIDigit
    }

    /// Where a program introduces itself in a browser's user agent: a comment of its own behind
    /// `compatible;` or within the engine's, or a name that no browser ends with. Nil when all of
    /// it is as browsers write. What people's applications add on phones is not looked at: there
    /// it is a different name every week.
    static func introduction(_ text: ByteView, _ words: AgentWords, isDesktop: Bool) -> Int? {
        if let place = engineComment(text) ?? compatible(text) { return place }
        return isDesktop ? foreignEnding(text, words) : nil
    }

    /// `(KHTML, like Gecko; NAME)`: browsers write nothing else there, but old ones `Safari/…`.
    private static func engineComment(_ text: ByteView) -> Int? {
        guard let start = AgentTokens.find("like gecko", in: text) else { return nil }
        let end = start &+ 10
        guard text.has(end &+ 2) else { return nil }
        let separator = text[end]
        guard separator == UInt8(ascii: ";") || separator == UInt8(ascii: ",") else { return nil }
        let rest = text[end &+ 1..<text.count]
        if rest.starts(with: " Safari/") || rest.starts(with: "Safari/") { return nil }
        return end &+ 2
    }

    /// `compatible; NAME`: of browsers, only Internet Explorer and a few old ones wrote that.
    private static func compatible(_ text: ByteView) -> Int? {
        guard let start = AgentTokens.find("compatible;", in: text) else { return nil }
        var place = start &+ 11
        while text.has(place), text[place] == UInt8(ascii: " ") { place &+= 1 }
        let rest = text[min(place, text.count)..<text.count]
        for name: StaticString in [
            "msie", "konqueror", "ibrowse", "googletoolbar", "playstation", "nintendo", "u;",
        ] where AgentTokens.find(name, in: rest) == 0 {
            return nil
        }
        return place
    }

    /// A name without a version, or a comment, that ends the user agent and is no browser's.
    /// Browsers give their version, and WebKit's end with a product.
    private static func foreignEnding(_ text: ByteView, _ words: AgentWords) -> Int? {
        guard let engine = text.firstIndex(of: UInt8(ascii: ")")) else { return nil }
        let isComment = text[text.count &- 1] == UInt8(ascii: ")")
        if isComment, AgentTokens.find(" safari/", in: text) == nil { return nil }
        let opening = isComment ? UInt8(ascii: "(") : UInt8(ascii: " ")
        var start = text.count
        while start > engine, text[start &- 1] != opening { start &-= 1 }
        guard start > engine &+ 1 else { return nil }
        let ending = text[start..<text.count]
        if !isComment, hasDigit(ending) || ending.count < 3 { return nil }
        if isComment, !hasLetter(ending) { return nil }
        return words.knowsProduct(ending) ? nil : start
    }

    private static func hasLetter(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index].isASCIIAlphanumeric {
            if !text[index].isASCIIDigit { return true }
        }
        return false
    }

    private static func hasDigit(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index].isASCIIDigit { return true }
        return false
    }

    /// Whether `AI` stands in it as a word or as a part of a name in mixed case (`KlaviyoAIBot`).
    static func saysAI(_ text: ByteView) -> Bool {
        var start = 0
        while let found = text.firstIndex(of: UInt8(ascii: "A"), from: start) {
            if isAI(text, found) { return true }
            start = found &+ 1
        }
        return false
    }

    private static func isAI(_ text: ByteView, _ index: Int) -> Bool {
        guard text.has(index &+ 1), text[index &+ 1] == UInt8(ascii: "I") else { return false }
        if index > 0, isUppercase(text[index &- 1]) { return false }
        guard text.has(index &+ 2) else { return true }
        let after = text[index &+ 2]
        if isLowercase(after) { return false }
        guard isUppercase(after) else { return true }
        // `AISearchBot` begins another word, `AIRBOT` goes on with this one.
        return text.has(index &+ 3) && isLowercase(text[index &+ 3])
    }

    private static func isUppercase(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }
    private static func isLowercase(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }
}
