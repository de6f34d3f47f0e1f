import Bytes
import Units

/// What an address says about its page, by the rules of the scoring file.
enum PagePath {
    private static let slash = UInt8(ascii: "/")

    /// The path of an address: without scheme and authority, query, fragment and slashes at its end.
    static func path(of url: ByteView) -> ByteView {
        let start = afterAuthority(url)
        var end = start
        while end < url.count, url[end] != UInt8(ascii: "?"), url[end] != UInt8(ascii: "#") {
            end &+= 1
        }
        while end > start, url[end &- 1] == slash { end &-= 1 }
        return end == start ? ByteView("/") : url[start..<end]
    }

    /// Behind `scheme://authority`; 0 when the address begins with a path.
    private static func afterAuthority(_ url: ByteView) -> Int {
        var index = 0
        while index < url.count, url[index] != UInt8(ascii: ":") {
            if isDelimiter(url[index]) { return 0 }
            index &+= 1
        }
        guard index &+ 2 < url.count, url[index &+ 1] == slash, url[index &+ 2] == slash else {
            return 0
        }
        index &+= 3
        while index < url.count, !isDelimiter(url[index]) { index &+= 1 }
        return index
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte == slash || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// 32 bits that tell the pages of a session apart.
    static func hash(of path: ByteView) -> UInt32 {
        UInt32(truncatingIfNeeded: path.hash128(key: FixedKeys.path).low)
    }
}

extension ScoringModel {
    /// The rule of a page: of its whole path, else of a word, from the last segment to the first.
    func page(_ path: ByteView) -> PageRule {
        if let index = pathTable.value(of: path) { return pageRules[index] }
        var end = path.count
        while end > 0 {
            var start = end
            while start > 0, path[start &- 1] != UInt8(ascii: "/") { start &-= 1 }
            if let index = wordTable.firstValue(in: path[start..<end]) { return pageRules[index] }
            end = start &- 1
        }
        return PageRule()
    }

    /// The content category that a section's name is, or that a word of it stands for.
    func category(ofSection name: ByteView, _ site: UInt64) -> Int? {
        categoryTable.value(of: name) ?? categoryWords.section(name, of: site)
    }

    /// The rule of a form by its name.
    func form(_ name: ByteView) -> FormRule {
        formRules[formTable.value(of: name) ?? ModelTables.formOther]
    }
}
