/// Which content category the pages and sections of a site belong to, in the site's own words: the
/// section `categories` of `scoring.yaml`. Values are indices of `profiles.categories`.
public struct CategoryRules: Equatable, Sendable {
    /// The words of one site, or of all.
    public struct Map: Equatable, Sendable {
        /// By whole path, or by its beginning where the key ends with `/*`.
        public var paths: [String: Int] = [:]
        /// By a word of a section's name, or of the heading that stands for one.
        public var headings: [String: Int] = [:]
    }

    /// What is taken where a file has no such section.
    public static let standard = CategoryRules()
    /// The most sites with words of their own.
    public static let sitesMaximum = 256

    /// For every site, after its own.
    public var all = Map()
    /// By site.
    public var sites: [String: Map] = [:]

    static func read(_ section: YAMLSection, _ categories: [String]) -> CategoryRules {
        var rules = CategoryRules()
        rules.all = readMap(section, categories)
        guard section.has("sites") else { return rules }
        section.section("sites") { sites in
            if sites.keys.count > sitesMaximum {
                section.problem("sites", "holds more than \(sitesMaximum)")
            }
            for name in sites.keys {
                rules.sites[name] = sites.section(name) { readMap($0, categories) }
            }
        }
        return rules
    }

    private static func readMap(_ section: YAMLSection, _ categories: [String]) -> Map {
        var map = Map()
        if section.has("paths") {
            map.paths = section.section("paths") { readTable($0, categories, pathProblem) }
        }
        if section.has("headings") {
            map.headings = section.section("headings") { readTable($0, categories, wordProblem) }
        }
        return map
    }

    private static func readTable(
        _ section: YAMLSection,
        _ categories: [String],
        _ keyProblem: (String) -> String?
    ) -> [String: Int] {
        ScoringFileReader.table(section) { key in
            if let problem = keyProblem(key) { section.problem(key, problem) }
            let name = section.text(key, bytesMaximum: 64)
            if let category = categories.firstIndex(of: name) { return category }
            if !name.isEmpty {
                section.problem(key, "is \(name), which profiles.categories does not have")
            }
            return 0
        }
    }

    private static func pathProblem(_ path: String) -> String? {
        let whole = path.hasSuffix("/*") ? path.dropLast(2) : path[...]
        let isPath = whole.hasPrefix("/") && !whole.hasSuffix("/") || path == "/" || path == "/*"
        if isPath, !whole.contains(where: "*?#".contains) { return nil }
        return "must be a path such as /prices, or a beginning such as /help/*"
    }

    private static func wordProblem(_ word: String) -> String? {
        let isWord =
            (1...32).contains(word.utf8.count)
            && word.utf8.allSatisfy { (97...122).contains($0 | 32) || (48...57).contains($0) }
        return isWord ? nil : "must be one word of at most 32 letters a to z and digits"
    }
}
