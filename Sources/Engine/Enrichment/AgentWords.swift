import Bytes
public import Settings

/// The words that tell programs from people: what is built in, plus an operator's own.
///
/// Built at start or reload and never changed: a listener holds one and is given another.
public final class AgentWords: Sendable {
    /// Points and bands of the bot score.
    public let rules: BotRules
    let automaton: WordAutomaton
    let meanings: [AgentMeaning]

    init(_ entries: [AgentEntry], rules: BotRules) {
        automaton = WordAutomaton(entries.map(\.word))
        meanings = entries.map(\.meaning)
        self.rules = rules
    }

    /// What is built in, without any file.
    public static func builtIn() throws(SettingsError) -> AgentWords {
        try parse("{}", file: "built-in")
    }

    /// What is built in, and on top of it the file at `path`.
    public static func load(path: String) throws(SettingsError) -> AgentWords {
        try parse(try SettingsText.read(path), file: path)
    }

    /// What is built in, and on top of it `text`; every problem is in the error with its line.
    public static func parse(_ text: String, file: String) throws(SettingsError) -> AgentWords {
        let own = try YAMLReader.read(text, file: file, AgentWordsFile.init)
        var entries = AgentTables.entries
        if own.keepsBuiltIn {
            let builtIn = try YAMLReader.read(
                String(decoding: PackageResources.bots_yaml, as: UTF8.self),
                file: "built-in bots.yaml",
                AgentWordsFile.init
            )
            entries += builtIn.entries
        }
        return AgentWords(entries + own.entries, rules: own.rules)
    }
}

/// A word and what it means.
struct AgentEntry {
    let word: WordAutomaton.Word
    let meaning: AgentMeaning
}

/// What it means that a word was found in a user agent.
enum AgentMeaning: Equatable, Sendable {
    /// A person's application whose name looks like a program's.
    case person
    /// A crawler or agent that works for a language model.
    case aiCrawler
    /// A fetcher of link previews and of images in messages.
    case preview
    /// An HTTP library or a command-line tool.
    case library
    /// A program known by name.
    case bot
    /// A browser without a window, or one driven by a test tool.
    case headless
    /// A hint that holds for most programs and hardly any person.
    case cue
    /// A hint that holds for many programs and for some applications on phones.
    case weakCue
    /// A template that was never filled in, or text that means to be run.
    case attack
    /// A product that people's browsers name beside their own.
    case product
    /// A hint at a language model, which alone makes no program of a browser.
    case aiHint
    /// A layout engine, without which there is no browser.
    case engine
    /// A browser: its index in `AgentTables.browsers`; lower ones are more specific.
    case browser(UInt8)
    /// An operating system: its index in `AgentTables.systems`; lower ones are more specific.
    case system(UInt8)
    /// A kind of machine.
    case machine(MachineHints)
}

/// What user agents say of the machine, as words found in them.
struct MachineHints: OptionSet, Sendable {
    let rawValue: UInt16
    static let television = MachineHints(rawValue: 1)
    static let console = MachineHints(rawValue: 2)
    static let tablet = MachineHints(rawValue: 4)
    static let phone = MachineHints(rawValue: 8)
    static let mobile = MachineHints(rawValue: 16)
    static let android = MachineHints(rawValue: 32)
    static let desktop = MachineHints(rawValue: 64)
    static let other = MachineHints(rawValue: 128)
}

/// A file of words as it is written: lists by meaning, points and bands.
struct AgentWordsFile {
    var entries: [AgentEntry] = []
    var keepsBuiltIn: Bool
    var rules: BotRules

    init(_ section: YAMLSection) {
        keepsBuiltIn = section.boolean("built_in", default: true)
        rules = BotRules(section)
        for (key, meaning) in Self.lists { read(section, key, meaning) }
        checkSize(section)
    }

    private static let lists: [(String, AgentMeaning)] = [
        ("people", .person), ("ai_crawlers", .aiCrawler), ("previews", .preview),
        ("libraries", .library), ("bots", .bot), ("headless", .headless), ("cues", .cue),
        ("weak_cues", .weakCue), ("products", .product), ("attacks", .attack),
        ("ai_hints", .aiHint),
    ]

    private mutating func read(_ section: YAMLSection, _ key: String, _ meaning: AgentMeaning) {
        for text in section.texts(key, bytesMaximum: Limits.agentWordBytesMaximum) {
            guard let word = Self.word(text) else {
                section.problem(
                    key,
                    "holds \"\(text)\"; a word is 1 to \(Limits.agentWordBytesMaximum) bytes of "
                        + "text, with ^ or < before it and $ or > behind it where it must begin "
                        + "or end the user agent or a word"
                )
                continue
            }
            entries.append(AgentEntry(word: word, meaning: meaning))
        }
    }

    private func checkSize(_ section: YAMLSection) {
        let bytes = entries.reduce(0) { $0 + $1.word.bytes.count }
        if entries.count > Limits.agentWordsMaximum || bytes > Limits.agentWordsBytesMaximum {
            section.problem(
                "bots",
                "and the other lists hold \(entries.count) words of \(bytes) bytes, at most "
                    + "\(Limits.agentWordsMaximum) of \(Limits.agentWordsBytesMaximum) are taken"
            )
            // The tables behind are sized for what is allowed, and the file is refused anyway.
        }
    }

    /// `^` and `$` stand for the ends of the user agent, `<` and `>` for those of a word.
    static func word(_ text: String) -> WordAutomaton.Word? {
        var bytes = Array(text.utf8)[...]
        var edges: WordAutomaton.Edges = []
        switch bytes.first {
        case UInt8(ascii: "^"): edges.insert(.textStart)
        case UInt8(ascii: "<"): edges.insert(.wordStart)
        default: break
        }
        if !edges.isEmpty { bytes = bytes.dropFirst() }
        switch bytes.last {
        case UInt8(ascii: "$"): edges.insert(.textEnd)
        case UInt8(ascii: ">"): edges.insert(.wordEnd)
        default: break
        }
        if edges.contains(.textEnd) || edges.contains(.wordEnd) { bytes = bytes.dropLast() }
        guard bytes.count >= 1, bytes.count <= Limits.agentWordBytesMaximum else { return nil }
        return WordAutomaton.Word(bytes: bytes.map(asciiLowercase), edges: edges)
    }
}
