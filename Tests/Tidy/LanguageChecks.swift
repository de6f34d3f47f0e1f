/// The mark that a type claims a thread safety which the compiler cannot see.
let uncheckedMark = "@unchecked Send" + "able"
let uncheckedCountMax = 6

/// Only rings and the loop hand memory between threads by hand, and each place says why it may.
func checkUncheckedSendable(_ file: SourceFile) -> [Finding] {
    guard file.isSwift else { return [] }
    let lines = file.lines
    return uncheckedLines(file).compactMap { number in
        guard file.isUnder("Sources/Ground/Rings", "Sources/Ground/Loop") else {
            return Finding(
                path: file.path,
                line: number,
                message: "\(uncheckedMark) outside Rings and Loop"
            )
        }
        let near = lines[max(0, number - 4)..<number]
        if near.contains(where: { $0.contains("Sendable because:") }) { return nil }
        let message = "say on the line above who makes it safe: \"Sendable because: …\""
        return Finding(path: file.path, line: number, message: message)
    }
}

func uncheckedLines(_ file: SourceFile) -> [Int] {
    matches(in: file) { $0.contains(uncheckedMark) }
}

/// Constructs that end the process when the world is not as hoped.
func checkForcing(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isUnder("Sources", "bench") else { return [] }
    return matches(in: file, where: forces).map {
        .init(path: file.path, line: $0, message: "try!, as! or a forced unwrap")
    }
}

/// A program's output is written by its commands; a stage reports through Telemetry.
func checkPrinting(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isUnder("Sources/Ground", "Sources/Engine", "Sources/Companion") else {
        return []
    }
    return matches(in: file) { calls("print", in: $0) || calls("debugPrint", in: $0) }.map {
        .init(path: file.path, line: $0, message: "printing outside a command")
    }
}

/// Foundation costs start-up time, memory and hidden locks on the path of an event.
func checkFoundation(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isUnder("Sources/Ground", "Sources/Engine") else { return [] }
    return matches(in: file) { imports($0).map { $0.hasPrefix("Foundation") } ?? false }.map {
        .init(path: file.path, line: $0, message: "Foundation is not for Ground and Engine")
    }
}

/// A stage of the engine stands on Ground alone; Ground stands on nothing above it.
func checkLayers(_ file: SourceFile, stages: Set<String>) -> [Finding] {
    let parts = file.path.split(separator: "/").map(String.init)
    guard file.isSwift, parts.count > 3, parts[0] == "Sources" else { return [] }
    let own = parts[2]
    let upper = stages.union(["Companion", "heliograph"])
    guard parts[1] == "Engine" || parts[1] == "Ground" else { return [] }
    return SwiftText(file.text).codeLines.enumerated().compactMap { number, line in
        guard let module = imports(line), module != own, upper.contains(module) else { return nil }
        let message = "\(own) imports \(module): stages meet in Pipeline.swift only"
        return .init(path: file.path, line: number + 1, message: message)
    }
}

func stages(of files: [SourceFile]) -> Set<String> {
    Set(
        files.compactMap { file in
            let parts = file.path.split(separator: "/")
            return parts.count > 3 && parts[0] == "Sources" && parts[1] == "Engine"
                ? String(parts[2]) : nil
        }
    )
}

private let statements = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ", "COPY ", "WITH ",
    "TRUNCATE ", "GRANT ", "SET ",
]
private let commands = [
    "GET ", "HSET ", "HGET ", "HGETALL ", "HMGET ", "EVAL ", "EVALSHA ", "PUBLISH ", "ZADD ",
    "ZREM ", "DEL ", "EXPIRE ", "MSET ", "XADD ", "SUBSCRIBE ", "HINCRBY ",
]

/// Values travel as parameters and argument vectors; text is never pasted into a statement. The
/// only names that may be pasted come from a closed list, and the line above says so.
func checkInjection(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isUnder("Sources", "bench") else { return [] }
    let lines = file.lines
    return SwiftText(file.text).literals.compactMap { literal in
        let text = literal.text.drop(while: \.isWhitespace)
        guard literal.isInterpolated,
            (statements + commands).contains(where: { text.hasPrefix($0) }),
            !lines[max(0, literal.line - 3)..<literal.line].contains(where: {
                $0.contains("Pasted because:")
            })
        else { return nil }
        let message = "interpolation in a statement: pass it as a parameter"
        return .init(path: file.path, line: literal.line, message: message)
    }
}

/// Line numbers whose code, without comments and strings, fulfils `condition`.
private func matches(in file: SourceFile, where condition: (String) -> Bool) -> [Int] {
    SwiftText(file.text).codeLines.enumerated().compactMap { condition($1) ? $0 + 1 : nil }
}

private func imports(_ line: String) -> String? {
    let words = line.split(separator: " ")
    guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
        words[..<position].allSatisfy({ $0.hasPrefix("@") || importModifiers.contains(String($0)) })
    else { return nil }
    let kinds = ["struct", "class", "enum", "func", "protocol", "let", "var", "typealias"]
    let named = words[(position + 1)...].first { !kinds.contains(String($0)) }
    return named.map { String($0.prefix { $0 != "." }) }
}

private let importModifiers = ["public", "package", "internal", "private", "fileprivate"]

private func calls(_ name: String, in line: String) -> Bool {
    var rest = line[...]
    while let range = rest.firstRange(of: name + "(") {
        let before = line[..<range.lowerBound].last
        if before.map({ !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }) ?? true {
            return !line.contains("func \(name)")
        }
        rest = rest[range.upperBound...]
    }
    return false
}

/// An exclamation mark right behind a name or a closing bracket, other than in `!=` and `!==`, and
/// other than in the type of a property that is set in its owner's initialiser, once callbacks that
/// capture the owner can be made.
private func forces(_ line: String) -> Bool {
    let isDeclaration = line.hasSuffix("!") && line.contains("var ") && !line.contains("=")
    let characters = Array(isDeclaration ? line.dropLast() : line[...])
    for index in characters.indices.dropFirst() where characters[index] == "!" {
        let before = characters[index - 1]
        let after = index + 1 < characters.count ? characters[index + 1] : " "
        let isPostfix = before.isLetter || before.isNumber || "_)]>".contains(before)
        if isPostfix && after != "=" { return true }
    }
    return false
}
