import ArgumentParser
import Bytes

/// `heliograph privacy`: what the engine takes for personal data.
struct PrivacyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "privacy",
        abstract: "Try what the engine takes for personal data.",
        subcommands: [PrivacyScanCommand.self]
    )
}

/// `heliograph privacy scan`: finds personal data, row by row.
struct PrivacyScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Find personal data in rows, as the engine does before it stores anything.",
        discussion: """
            Reads JSON Lines from standard input, each {"id": …, "where": "…", "text": "…"} with an \
            optional "key", the name of the property or parameter. "where" is url, query_value, path, \
            title, prop_value, prop_name, referrer or free_text. Writes one line per row: its id and \
            spans with class, action, and bounds in Unicode scalars (start, end) and in bytes of UTF-8 \
            (bstart, bend). A row that cannot be read is named with its line on standard error; the \
            others are written all the same, and the status is 65.
            """
    )

    @Flag(help: "Hold the result against the rows' own \"spans\"; the table goes to stderr.")
    var accuracy = false

    /// Written to standard output when this much has gathered.
    private static let flushBytes = 32 * 1024

    func run() throws {
        var rows = PrivacyRows()
        var (line, badRows) = (0, 0)
        while var text = readLine(strippingNewline: true) {
            line += 1
            if text.isEmpty { continue }
            let problem = text.withUTF8 {
                rows.take(ByteView(UnsafeRawBufferPointer($0)), comparing: accuracy)
            }
            if let problem {
                badRows += 1
                Console.note("line \(line): \(problem)")
            }
            if rows.output.count > Self.flushBytes { rows.flush { Console.write($0) } }
        }
        rows.flush { Console.write($0) }
        if accuracy { Console.note(rows.accuracy.table) }
        if badRows > 0 { throw ExitCode(65) }
    }
}
