/// How long a function and a file may be: what does not fit on a page is not read.
let functionLinesMax = 70
let fileLinesMax = 500

/// Functions that were too long before the rule; a line may leave this list or its number may
/// fall, never the other way round. Written "path name": lines.
let longFunctionsAllowed: [String: Int] = [:]

struct FunctionLength: Equatable {
    let path: String
    let name: String
    let line: Int
    let lineCount: Int
}

/// Every function, initialiser and deinitialiser of a Swift file with its length in lines.
func functionLengths(_ file: SourceFile) -> [FunctionLength] {
    let code = SwiftText(file.text).code
    var lengths: [FunctionLength] = []
    var line = 1
    var index = 0
    while index < code.count {
        if code[index] == newline { line += 1 }
        if let name = declaredFunction(in: code, at: index),
            let body = bodyRange(in: code, from: index)
        {
            let lineCount = 1 + code[index...body.upperBound].count { $0 == newline }
            lengths.append(.init(path: file.path, name: name, line: line, lineCount: lineCount))
        }
        index += 1
    }
    return lengths
}

/// The functions that are too long, and the entries of `allowed` that could now be tightened.
func checkFunctionLengths(_ files: [SourceFile], allowed: [String: Int]) -> [Finding] {
    var slack = allowed
    var findings: [Finding] = []
    for function in files.flatMap(functionLengths) where function.lineCount > functionLinesMax {
        let key = "\(function.path) \(function.name)"
        slack[key] = allowed[key] == function.lineCount ? nil : slack[key]
        if function.lineCount > allowed[key, default: functionLinesMax] {
            let message =
                "\(function.name) has \(function.lineCount) lines, \(functionLinesMax) is most"
            findings.append(.init(path: function.path, line: function.line, message: message))
        }
    }
    return findings
        + slack.keys.sorted().map {
            Finding(
                path: "Tests/Tidy/LengthChecks.swift",
                line: 1,
                message: "tighten or drop: \($0)"
            )
        }
}

/// Python's functions, by indentation.
func checkPythonFunctionLengths(_ file: SourceFile) -> [Finding] {
    guard file.fileExtension == "py" else { return [] }
    var open: [(indent: Int, line: Int, last: Int)] = []
    var findings: [Finding] = []
    func close(_ indent: Int) {
        while let top = open.last, top.indent >= indent {
            open.removeLast()
            if top.last - top.line + 1 > functionLinesMax {
                let message =
                    "function of \(top.last - top.line + 1) lines, \(functionLinesMax) is most"
                findings.append(.init(path: file.path, line: top.line, message: message))
            }
        }
    }
    for (number, line) in file.lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
        let indent = line.prefix { $0 == " " }.count
        close(indent)
        let word = line.dropFirst(indent)
        if word.hasPrefix("def ") || word.hasPrefix("async def ") {
            open.append((indent, number + 1, number + 1))
        }
        for position in open.indices { open[position].last = number + 1 }
    }
    close(0)
    return findings
}

func checkFileLength(_ file: SourceFile) -> [Finding] {
    guard ["swift", "ts", "js", "mjs", "py", "c", "h", "sh", ""].contains(file.fileExtension),
        file.path != "LICENSE", file.lines.count - 1 > fileLinesMax
    else { return [] }
    let message = "\(file.lines.count - 1) lines, \(fileLinesMax) is most: split it by concern"
    return [.init(path: file.path, line: fileLinesMax + 1, message: message)]
}

private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default: false
    }
}

private func hasWord(_ word: String, in code: [UInt8], at index: Int) -> Bool {
    let bytes = Array(word.utf8)
    guard index + bytes.count < code.count, code[index] == bytes[0] else { return false }
    if index > 0 && isWord(code[index - 1]) { return false }
    return code[index..<index + bytes.count].elementsEqual(bytes)
        && !isWord(code[index + bytes.count])
}

/// The name of the function declared at `index`, if one is.
private func declaredFunction(in code: [UInt8], at index: Int) -> String? {
    for keyword in ["init", "deinit"] where hasWord(keyword, in: code, at: index) {
        return keyword
    }
    guard hasWord("func", in: code, at: index) else { return nil }
    let name = code[(index + 5)...].prefix {
        $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "<") && $0 != newline
    }
    return String(decoding: name, as: UTF8.self)
}

/// The braces of the body that follows a declaration, or nil for a requirement without one.
private func bodyRange(in code: [UInt8], from start: Int) -> ClosedRange<Int>? {
    var depth = 0
    var index = start
    while index < code.count {
        switch code[index] {
        case UInt8(ascii: "("): depth += 1
        case UInt8(ascii: ")"): depth -= 1
        case UInt8(ascii: "{") where depth == 0: return closingBrace(in: code, from: index)
        case UInt8(ascii: "}") where depth == 0: return nil
        case newline where depth == 0 && !continuesSignature(code[(index + 1)...]): return nil
        default: break
        }
        index += 1
    }
    return nil
}

private func continuesSignature(_ rest: ArraySlice<UInt8>) -> Bool {
    let token = rest.drop { $0 == UInt8(ascii: " ") || $0 == newline }.prefix(8)
    return ["{", "->", "where", "throws", "async", "rethrows", "("].contains {
        token.starts(with: $0.utf8)
    }
}

private func closingBrace(in code: [UInt8], from open: Int) -> ClosedRange<Int>? {
    var depth = 0
    for index in open..<code.count {
        if code[index] == UInt8(ascii: "{") { depth += 1 }
        if code[index] == UInt8(ascii: "}") { depth -= 1 }
        if depth == 0 { return open...index }
    }
    return nil
}
