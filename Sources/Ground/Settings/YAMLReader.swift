import Yams

/// One thing wrong with a settings file: where it is and what would be right.
public struct SettingsProblem: Equatable, Sendable, CustomStringConvertible {
    /// The file as the operator named it.
    public let file: String
    /// The line, from 1.
    public let line: Int
    /// What is wrong, in words that name the key and the fix.
    public let reason: String

    /// A problem from its parts.
    public init(file: String, line: Int, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// `file:line: reason`, as compilers write it.
    public var description: String { "\(file):\(line): \(reason)" }
}

/// Everything wrong with a settings file, in the order of its lines.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The problems; never empty.
    public let problems: [SettingsProblem]

    /// An error from at least one problem.
    public init(problems: [SettingsProblem]) {
        self.problems = problems.sorted { $0.line < $1.line }
    }

    /// A problem a line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// Checked reading of a YAML file: typed getters that collect every problem instead of stopping at
/// the first, so that an operator mends a file in one go.
///
/// A getter that finds nothing usable notes the problem and returns a harmless value; the caller
/// reads on and nothing of it is used, because `read` throws at the end.
public enum YAMLReader {
    /// The longest file that is read, in bytes.
    public static let fileBytesMaximum = 1 << 20

    /// Parses `text`, hands its top-level section to `body` and throws every problem found.
    public static func read<Value>(
        _ text: String,
        file: String,
        _ body: (YAMLSection) -> Value
    ) throws(SettingsError) -> Value {
        let notes = ProblemNotes(file: file)
        let node = try compose(text, notes)
        guard case .mapping(let mapping) = node else {
            throw SettingsError(problems: [notes.problem(1, "the file must be a mapping of keys")])
        }
        let section = YAMLSection(mapping, path: "", line: 1, notes)
        let value = body(section)
        section.finish()
        if notes.problems.isEmpty { return value }
        throw SettingsError(problems: notes.problems)
    }

    private static func compose(
        _ text: String,
        _ notes: ProblemNotes
    ) throws(SettingsError) -> Node {
        guard text.utf8.count <= fileBytesMaximum else {
            throw SettingsError(problems: [notes.problem(1, "the file is larger than 1 MiB")])
        }
        do {
            return try Yams.compose(yaml: text) ?? .mapping(Node.Mapping([]))
        } catch {
            throw SettingsError(problems: [notes.problem(line(of: error), reason(of: error))])
        }
    }

    private static func line(of error: any Error) -> Int {
        switch error as? YamlError {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            return mark.line
        case .duplicatedKeysInMapping(_, let context): return context.mark.line
        default: return 1
        }
    }

    private static func reason(of error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
            .composer(_, let problem, _, _):
            return "not valid YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, _):
            return "key \(duplicates.first ?? "") is given twice"
        default: return "not valid YAML"
        }
    }
}

/// Problems found so far, shared by a file's sections. Owned by one `YAMLReader.read`.
final class ProblemNotes {
    private let file: String
    private(set) var problems: [SettingsProblem] = []

    init(file: String) { self.file = file }

    func problem(_ line: Int, _ reason: String) -> SettingsProblem {
        SettingsProblem(file: file, line: line, reason: reason)
    }

    func add(_ line: Int, _ reason: String) { problems.append(problem(line, reason)) }
}
