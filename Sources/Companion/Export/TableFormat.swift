import Foundation

/// How a table is written into a file, and the one place that guards against formulas.
enum TableFormat: String, CaseIterable, Codable, Sendable {
    case csv, ndjson

    var mediaType: String {
        switch self {
        case .csv: "text/csv"
        case .ndjson: "application/x-ndjson"
        }
    }

    /// The format that `accept` names first; nil where it names none of them.
    init?(accept: String) {
        let named = accept.lowercased().split(separator: ",").lazy.map {
            $0.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces)
        }
        // Who takes anything gets what everybody gets.
        let first = named.first { name in
            name == "application/json" || name == "*/*"
                || Self.allCases.contains { $0.mediaType == name }
        }
        guard let found = Self.allCases.first(where: { $0.mediaType == first }) else { return nil }
        self = found
    }

    /// What comes before the rows.
    func head(_ names: [String]) -> String {
        self == .csv ? line(names.map(JSONValue.string), names) : ""
    }

    /// One row with its end.
    func line(_ cells: [JSONValue], _ names: [String]) -> String {
        switch self {
        case .csv: return cells.map(Self.cell).joined(separator: ",") + "\r\n"
        case .ndjson:
            let fields = zip(names, cells).map { name, cell in
                Self.json(.string(name)) + ":" + Self.json(cell)
            }
            return "{" + fields.joined(separator: ",") + "}\n"
        }
    }

    private static func json(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // A number that JSON has no words for is no figure.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// RFC 4180. Numbers stay bare; a text is quoted, and one that a spreadsheet would work out gets an
    /// apostrophe before it.
    static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: return ""
        case .bool(let truth): return truth ? "true" : "false"
        case .integer(let whole): return "\(whole)"
        case .number(let number): return number.isFinite ? json(.number(number)) : ""
        case .string(let text): return quoted(text)
        case .array, .object: return quoted(json(value))
        }
    }

    private static func quoted(_ text: String) -> String {
        let guarded = isFormula(text) ? "'" + text : text
        return "\"" + guarded.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    /// Whether a spreadsheet may take the text for something to work out: it begins, behind what is not
    /// seen, like a formula, also in the full-width forms, or with a tab or the end of a line.
    static func isFormula(_ text: String) -> Bool {
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == 0 && (scalar == "\t" || scalar == "\r" || scalar == "\n") { return true }
            if scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
                || scalar.value < 0x20 || scalar.value == 0x7f
            {
                continue
            }
            return "=+-@|%\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(scalar)
        }
        return false
    }
}
