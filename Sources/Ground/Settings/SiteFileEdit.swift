/// Changes to the sites of a settings file that leave everything else, comments too, as it was.
///
/// Text in, text out: the caller checks the outcome with `HeliographSettings.parse` and writes it.
public struct SiteFileEdit {
    /// Why a file cannot be changed this way; the reason names what to do by hand.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// The reason.
        public let description: String
    }

    private var lines: [String]

    /// An edit of `text`.
    public init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last?.isEmpty == true { lines.removeLast() }
    }

    /// The text as it stands.
    public var text: String { lines.joined(separator: "\n") + "\n" }

    /// Adds a site behind the others.
    public mutating func add(name: String, key: String, origins: [String]) {
        if sitesLine == nil { lines += ["", "sites:"] }
        let range = blocks.last?.range ?? lines.count..<lines.count
        let indent = blocks.last?.indent ?? "  "
        let listed = origins.map { "\"\($0)\"" }.joined(separator: ", ")
        lines.insert(
            contentsOf: [
                "\(indent)- name: \(name)",
                "\(indent)  keys: [\(key)]",
                "\(indent)  origins: [\(listed)]",
            ],
            at: range.upperBound
        )
    }

    /// Puts `key` before the other keys of the site called `name`.
    public mutating func addKey(_ key: String, to name: String) throws(Failure) {
        let line = try keysLine(of: name)
        if let open = lines[line].firstIndex(of: "[") {
            let rest = lines[line][lines[line].index(after: open)...]
            let separator = rest.drop { $0 == " " }.first == "]" ? "" : ", "
            lines[line].insert(contentsOf: key + separator, at: lines[line].index(after: open))
        } else {
            let indent = itemIndent(after: line)
            lines.insert("\(indent)- \(key)", at: line + 1)
        }
    }

    /// Takes `key` from the site called `name`.
    public mutating func removeKey(_ key: String, of name: String) throws(Failure) {
        let line = try keysLine(of: name)
        guard let open = lines[line].firstIndex(of: "[") else {
            return try removeItem(key, after: line)
        }
        guard let close = lines[line].lastIndex(of: "]"), open < close else {
            throw Failure(description: "line \(line + 1): write the keys as [a, b] on one line")
        }
        let inside = lines[line].index(after: open)..<close
        let keys = lines[line][inside].split(separator: ",").map(Self.plain)
        lines[line].replaceSubrange(
            inside,
            with: keys.filter { $0 != key }.joined(separator: ", ")
        )
    }

    private mutating func removeItem(_ key: String, after line: Int) throws(Failure) {
        var index = line + 1
        while index < lines.count, let item = Self.item(lines[index]) {
            if Self.plain(Substring(item)) == key {
                lines.remove(at: index)
                return
            }
            index += 1
        }
        throw Failure(description: "line \(line + 1): no key \(key) below it")
    }

    // MARK: - Finding

    private struct Block {
        let range: Range<Int>
        let indent: String
    }

    private var sitesLine: Int? { lines.firstIndex { $0.hasPrefix("sites:") } }

    /// The lines of each site, without what stands between it and the next key of the file.
    private var blocks: [Block] {
        guard let start = sitesLine else { return [] }
        var end = start + 1
        while end < lines.count, !Self.beginsTopLevel(lines[end]) { end += 1 }
        while end > start + 1, Self.isBlankOrComment(lines[end - 1]) { end -= 1 }
        guard let first = (start + 1..<end).first(where: { Self.item(lines[$0]) != nil }) else {
            return []
        }
        let indent = String(lines[first].prefix { $0 == " " })
        let starts = (first..<end).filter { lines[$0].hasPrefix(indent + "- ") }
        return starts.indices.map { index in
            let upper = index + 1 < starts.count ? starts[index + 1] : end
            return Block(range: starts[index]..<upper, indent: indent)
        }
    }

    private func keysLine(of name: String) throws(Failure) -> Int {
        for block in blocks where isCalled(name, block) {
            for line in block.range where Self.key(lines[line]) == "keys" { return line }
        }
        throw Failure(
            description: "no site called \(name) with its name and keys on lines of their own"
        )
    }

    private func isCalled(_ name: String, _ block: Block) -> Bool {
        block.range.contains { line in
            guard Self.key(lines[line]) == "name", let colon = lines[line].firstIndex(of: ":")
            else { return false }
            return Self.plain(lines[line][lines[line].index(after: colon)...]) == name
        }
    }

    private func itemIndent(after line: Int) -> String {
        if line + 1 < lines.count, Self.item(lines[line + 1]) != nil {
            return String(lines[line + 1].prefix { $0 == " " })
        }
        return String(lines[line].prefix { $0 == " " || $0 == "-" }.map { _ in " " }) + "  "
    }

    private static func beginsTopLevel(_ line: String) -> Bool {
        guard let first = line.first else { return false }
        return first != " " && first != "#" && first != "-"
    }

    private static func isBlankOrComment(_ line: String) -> Bool {
        let text = line.drop { $0 == " " }
        return text.isEmpty || text.first == "#"
    }

    /// The text of a list's item; nil when the line is none.
    private static func item(_ line: String) -> String? {
        let text = line.drop { $0 == " " }
        return text.hasPrefix("- ") ? String(text.dropFirst(2)) : nil
    }

    /// The key that a line of a mapping begins with, also behind a list's dash.
    private static func key(_ line: String) -> String? {
        let text = line.drop { $0 == " " || $0 == "-" }
        guard text.first != "#", let colon = text.firstIndex(of: ":") else { return nil }
        return String(text[..<colon])
    }

    /// A scalar without spaces, quotes and a comment behind it.
    private static func plain(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        if let first = text.first, first == "\"" || first == "'" {
            return String(text.dropFirst().prefix { $0 != first })
        }
        if let hash = text.firstIndex(of: "#"), hash > text.startIndex,
            text[text.index(before: hash)] == " "
        {
            text = text[..<hash]
        }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
