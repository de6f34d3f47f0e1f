let blobBytesMax = 1 << 20

/// What a repository of sources is made of; something new is added here on purpose, or is a mistake.
private let extensionsAllowed: Set<String> = [
    "swift", "h", "c", "modulemap", "md", "yaml", "yml", "json", "sql", "py", "ts", "js", "mjs",
    "css", "html", "svg", "png", "ico", "sh", "awk", "conf", "service", "txt", "tsv", "csv", "lua",
    "seeds", "webmanifest",
    // Files of earlier releases, for tests that read them.
    "hgj", "hgc", "bin",
]
private let namesAllowed: Set<String> = [
    "LICENSE", "NOTICE", ".gitignore", ".swift-format", "Dockerfile", "Dockerfile.dockerignore",
]

func checkSize(_ file: SourceFile) -> [Finding] {
    guard file.byteCount > blobBytesMax else { return [] }
    let message = "\(file.byteCount) bytes; what is larger than 1 MiB is generated, not committed"
    return [.init(path: file.path, line: 1, message: message)]
}

/// A file without extension is a script and says with what it runs, or is one of a few by name.
func checkKind(_ file: SourceFile) -> [Finding] {
    let name = file.path.split(separator: "/").last.map(String.init) ?? ""
    if namesAllowed.contains(name) || extensionsAllowed.contains(file.fileExtension) { return [] }
    if file.fileExtension.isEmpty && file.text.hasPrefix("#!") { return [] }
    return [.init(path: file.path, line: 1, message: "a kind of file not seen here before")]
}

// The words are put together from halves, so that these checks do not find themselves.
private let unfinishedMarks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
private let unfinishedPhrases = ["ot impl" + "emented", "ot yet impl" + "emented"]
private let optimiserHoles = ["-Oun" + "checked", "unsafe" + "Flags"]
private let machinePaths = ["/wo" + "rk/", "/ro" + "ot/", "/opt/sw" + "ift", "/home/us" + "er"]
private let registryHosts = [
    "py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com",
    "deb.deb" + "ian.org", "security.deb" + "ian.org", "archive.ubun" + "tu.com",
    "crates" + ".io", "proxy.gol" + "ang.org", "rubyg" + "ems.org", "docker" + ".io",
]

func checkUnfinished(_ file: SourceFile) -> [Finding] {
    findings(in: file, "unfinished work is an issue, not a comment") { line in
        unfinishedMarks.contains { containsWord($0, in: line) }
            || unfinishedPhrases.contains { line.contains($0) }
    }
}

/// Checks stay on in release builds: a deleted precondition is a silent corruption.
func checkOptimiserHoles(_ file: SourceFile) -> [Finding] {
    findings(in: file, "this switches the language's own checks off") { line in
        optimiserHoles.contains { line.contains($0) }
    }
}

func checkMachinePaths(_ file: SourceFile) -> [Finding] {
    findings(in: file, "a path of somebody's machine") { line in
        machinePaths.contains { startsPath($0, in: line) }
    }
}

func checkRegistryHosts(_ file: SourceFile) -> [Finding] {
    findings(in: file, "a package registry's host: name the package, not where it lies") { line in
        registryHosts.contains { line.contains($0) }
    }
}

private func findings(
    in file: SourceFile,
    _ message: String,
    where condition: (Substring) -> Bool
) -> [Finding] {
    file.lines.enumerated().compactMap { number, line in
        condition(line) ? .init(path: file.path, line: number + 1, message: message) : nil
    }
}

private func containsWord(_ word: String, in line: Substring) -> Bool {
    occurrences(of: word, in: line) { before, after in
        !(before?.isLetter ?? false) && !(after?.isLetter ?? false)
    }
}

/// An absolute path begins at the start of a word; the same letters inside a URL do not count.
private func startsPath(_ path: String, in line: Substring) -> Bool {
    occurrences(of: path, in: line) { before, _ in
        before.map { !($0.isLetter || $0.isNumber || "._-/}*".contains($0)) } ?? true
    }
}

private func occurrences(
    of text: String,
    in line: Substring,
    where condition: (Character?, Character?) -> Bool
) -> Bool {
    var rest = line
    while let range = rest.firstRange(of: text) {
        let after = range.upperBound < line.endIndex ? line[range.upperBound] : nil
        if condition(line[..<range.lowerBound].last, after) { return true }
        rest = rest[range.upperBound...]
    }
    return false
}
