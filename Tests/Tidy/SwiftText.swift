/// A Swift source seen two ways: `code` is the text with comments and the insides of string
/// literals blanked, line breaks kept, so that a word found there is really code; `literals` are
/// the strings, with the knowledge of whether anything is interpolated into them.
struct SwiftText {
    struct Literal {
        let line: Int
        let text: String
        let isInterpolated: Bool
    }

    let code: [UInt8]
    let literals: [Literal]

    init(_ source: String) {
        var scanner = Scanner(bytes: Array(source.utf8))
        scanner.scanCode(insideInterpolation: false)
        code = scanner.code
        literals = scanner.literals
    }

    /// The code's lines as text, from line 1 at index 0.
    var codeLines: [String] {
        code.split(separator: newline, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")
private let quote = UInt8(ascii: "\"")
private let pound = UInt8(ascii: "#")
private let slash = UInt8(ascii: "/")
private let star = UInt8(ascii: "*")
private let backslash = UInt8(ascii: "\\")
private let parenOpen = UInt8(ascii: "(")
private let parenClose = UInt8(ascii: ")")

/// One pass over the bytes; strings recurse into the code of their interpolations.
private struct Scanner {
    let bytes: [UInt8]
    var code: [UInt8]
    var literals: [SwiftText.Literal] = []
    var index = 0
    var line = 1

    init(bytes: [UInt8]) {
        self.bytes = bytes
        code = bytes
    }

    func byte(at offset: Int) -> UInt8 {
        index + offset < bytes.count ? bytes[index + offset] : 0
    }

    mutating func step(blank: Bool) {
        if bytes[index] == newline { line += 1 } else if blank { code[index] = space }
        index += 1
    }

    mutating func step(_ count: Int, blank: Bool) {
        for _ in 0..<count where index < bytes.count { step(blank: blank) }
    }

    mutating func scanCode(insideInterpolation: Bool) {
        var depth = 0
        while index < bytes.count {
            if skipComment() || skipString() { continue }
            if bytes[index] == parenOpen { depth += 1 }
            if bytes[index] == parenClose {
                if insideInterpolation && depth == 0 { return }
                depth -= 1
            }
            step(blank: false)
        }
    }

    mutating func skipComment() -> Bool {
        guard bytes[index] == slash else { return false }
        if byte(at: 1) == slash {
            while index < bytes.count && bytes[index] != newline { step(blank: true) }
            return true
        }
        guard byte(at: 1) == star else { return false }
        skipBlockComment()
        return true
    }

    mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if bytes[index] == slash && byte(at: 1) == star {
                depth += 1
                step(2, blank: true)
            } else if bytes[index] == star && byte(at: 1) == slash {
                depth -= 1
                step(2, blank: true)
            } else {
                step(blank: true)
            }
        } while depth > 0 && index < bytes.count
    }

    mutating func skipString() -> Bool {
        var pounds = 0
        while byte(at: pounds) == pound { pounds += 1 }
        guard byte(at: pounds) == quote else { return false }
        let isLong = byte(at: pounds + 1) == quote && byte(at: pounds + 2) == quote
        step(pounds, blank: true)
        scanLiteral(quotes: isLong ? 3 : 1, pounds: pounds)
        return true
    }

    mutating func scanLiteral(quotes: Int, pounds: Int) {
        let lineStart = line
        step(quotes, blank: true)
        let start = index
        var isInterpolated = false
        while index < bytes.count && !closes(quotes: quotes, pounds: pounds) {
            if isEscape(pounds: pounds) {
                step(1 + pounds, blank: true)
                if byte(at: 0) == parenOpen {
                    isInterpolated = true
                    step(blank: true)
                    scanCode(insideInterpolation: true)
                }
            }
            step(1, blank: true)
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        literals.append(.init(line: lineStart, text: text, isInterpolated: isInterpolated))
        step(quotes + pounds, blank: true)
    }

    func closes(quotes: Int, pounds: Int) -> Bool {
        for offset in 0..<quotes where byte(at: offset) != quote { return false }
        for offset in 0..<pounds where byte(at: quotes + offset) != pound { return false }
        return true
    }

    func isEscape(pounds: Int) -> Bool {
        guard bytes[index] == backslash else { return false }
        for offset in 0..<pounds where byte(at: 1 + offset) != pound { return false }
        return true
    }
}
