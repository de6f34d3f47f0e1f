/// Reads the word lists that are built into the engine (`Words/*.txt`; their format is told there).
enum WordLists {
    /// What the words below a heading are.
    enum Section {
        case key(PersonalClass)
        case cue(PersonalClass)
        case role(WordRoles)
        case month
        case healthStem
        case healthEnding
        case streetEnding
        case secretPrefix
    }

    /// One word or phrase.
    struct Entry {
        var section: Section
        /// The label of its line: a language, or the number of a month.
        var language: String
        var term: String
        /// Written with a question mark behind it.
        var isWeak: Bool
    }

    static let all: [Entry] =
        entries(PackageResources.keys_txt) + entries(PackageResources.cues_txt)
        + entries(PackageResources.health_txt) + entries(PackageResources.places_txt)
        + entries(PackageResources.names_txt) + entries(PackageResources.parameters_txt)

    /// Beginnings of secrets that services hand out, with the case they have.
    static let secretPrefixes: [[UInt8]] = all.compactMap { entry in
        if case .secretPrefix = entry.section { return Array(entry.term.utf8) }
        return nil
    }

    private static func entries(_ file: [UInt8]) -> [Entry] {
        var (entries, section): ([Entry], Section?) = ([], nil)
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                section = self.section(line.dropFirst().prefix { $0 != "]" }.split(separator: " "))
            } else if let section, let colon = line.firstIndex(of: ":") {
                let language = String(line[..<colon])
                for term in line[line.index(after: colon)...].split(separator: ",") {
                    entries.append(entry(term, section, language))
                }
            }
        }
        return entries
    }

    private static func entry(_ term: Substring, _ section: Section, _ language: String) -> Entry {
        var term = term.drop { $0 == " " }
        while term.last == " " { term.removeLast() }
        let isWeak = term.last == "?"
        if isWeak { term.removeLast() }
        return Entry(section: section, language: language, term: String(term), isWeak: isWeak)
    }

    /// Nil for a heading that nobody knows; a test holds that there is none.
    static func section(_ words: [Substring]) -> Section? {
        guard let first = words.first else { return nil }
        let name = words.joined(separator: " ")
        if words.count == 2, first == "key" || first == "cue" {
            guard let one = PersonalClass.allCases.first(where: { "\($0.name)" == words[1] }) else {
                return nil
            }
            return first == "key" ? .key(one) : .cue(one)
        }
        if let role = roles[name] { return .role(role) }
        return others[name]
    }

    private static let others: [String: Section] = [
        "month": .month, "health stem": .healthStem, "health ending": .healthEnding,
        "street ending": .streetEnding, "secret prefix": .secretPrefix,
    ]

    private static let roles: [String: WordRoles] = [
        "health sure": .health, "health unsure": .healthUnsure, "health cue": .healthCue,
        "disease code cue": .diseaseCodeCue, "meta after": .metaAfter, "meta before": .metaBefore,
        "harmless": .harmless, "safe": .safe, "thing": .thing, "street after": .streetAfter,
        "street before": .streetBefore, "street mark": .streetMark, "particle": .particle,
        "no name": .noName, "connector": .connector, "owner": .owner,
        "secret segment": .secretSegment, "click id": .clickID, "pin": .pin,
        "common value": .commonValue, "version": .version,
    ]
}
