import Bytes
import Settings

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
}

/// A word and what it means.
struct AgentEntry {
    let word: WordAutomaton.Word
    let meaning: AgentMeaning

    /// A word as lists write it; nil when there is nothing between its marks, or too much.
    init?(_ text: String, _ meaning: AgentMeaning) {
        guard let word = Self.word(text) else { return nil }
        self.word = word
        self.meaning = meaning
    }

    /// `^` and `$` stand for the ends of the user agent, `<` and `>` for those of a word.
    private static func word(_ text: String) -> WordAutomaton.Word? {
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
    /// A browser that is not written like the others.
    case plainBrowser
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
