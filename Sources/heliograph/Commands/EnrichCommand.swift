import ArgumentParser
import Bytes
import Enrichment
import Glibc
import Settings

/// `heliograph enrich`: what the engine makes of user agents, row by row.
struct EnrichCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrich",
        abstract: "Say what the engine makes of user agents.",
        discussion: """
            Reads JSON Lines from standard input, each {"id": …, "ua": "…"}, and writes one line per \
            row: id, class (human, bot, preview, library, ai-crawler), family, device, os and, where \
            known, os_version, browser and browser_version. A row that cannot be read is named with \
            its line on standard error; the others are written all the same, and the status is 65.
            """
    )

    @Flag(help: "Classify the user agent (`ua`) of each row.")
    var userAgents = false

    @Flag(help: "Hold the result against the rows' own class and family; the table goes to stderr.")
    var accuracy = false

    @Option(help: "File with words of your own, such as config/bots.yaml.")
    var words: String?

    func validate() throws {
        if !userAgents { throw ValidationError("say what to enrich: --user-agents") }
    }

    func run() throws {
        let known: AgentWords
        do {
            known = try words.map { path in try AgentWords.load(path: path) } ?? .builtIn()
        } catch {
            Console.fail("\(error)", status: 78)
        }
        var classifier = AgentRows(words: known)
        while let line = readLine(strippingNewline: true) { classifier.take(line) }
        classifier.flush()
        if accuracy { Console.note(classifier.accuracy.table) }
        if classifier.badRows > 0 { throw ExitCode(65) }
    }
}

/// Rows of user agents on their way through the classifier.
private struct AgentRows: ~Copyable {
    private let words: AgentWords
    private var line = 0
    private var output = ByteBuffer(capacity: 64 * 1024, limit: 1024 * 1024)
    private var userAgent = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    private(set) var badRows = 0
    private(set) var accuracy = AgentAccuracy()

    /// Written to standard output when this much has gathered.
    private static let flushBytes = 32 * 1024

    init(words: AgentWords) { self.words = words }

    mutating func take(_ text: String) {
        line += 1
        if text.isEmpty { return }
        var copy = text
        copy.withUTF8 { take(ByteView(UnsafeRawBufferPointer($0))) }
        if output.count > Self.flushBytes { flush() }
    }

    private mutating func take(_ bytes: ByteView) {
        let row: AgentRow
        do throws(JSONError) {
            row = try AgentRow(bytes)
        } catch {
            return refuse("byte \(error.offset + 1): \(error.reason)")
        }
        guard let raw = row.userAgent else { return refuse("there is no text \"ua\"") }
        guard let id = row.id else { return refuse("there is no \"id\"") }
        userAgent.reset()
        JSONText.unescape(raw, into: &userAgent)
        let agent = words.read(userAgent.view)
        accuracy.take(row, agent, family: agent.family(in: userAgent.view))
        write(agent, id)
    }

    private mutating func refuse(_ reason: String) {
        badRows += 1
        Console.note("line \(line): \(reason)")
    }

    private mutating func write(_ agent: UserAgent, _ id: ByteView) {
        output.append("{\"id\":")
        output.append(id)
        write("class", ByteView(agent.agentClass.name))
        write("family", agent.family(in: userAgent.view))
        write("device", ByteView(agent.device.name))
        write("os", ByteView(agent.system))
        if !agent.systemVersion(in: userAgent.view).isEmpty {
            output.append(",\"os_version\":\"")
            agent.appendSystemVersion(userAgent.view, into: &output)
            output.append("\"")
        }
        if agent.browser.utf8CodeUnitCount > 0 { write("browser", ByteView(agent.browser)) }
        if agent.browserMajor > 0 {
            output.append(",\"browser_version\":")
            output.append(decimal: Int64(agent.browserMajor))
        }
        output.append("}\n")
    }

    private mutating func write(_ key: StaticString, _ value: ByteView) {
        output.append(",\"")
        output.append(key)
        output.append("\":")
        JSONText.appendQuoted(value, into: &output)
    }

    mutating func flush() {
        Console.write(output.view)
        output.reset()
    }
}

/// One row of input: views of its line.
struct AgentRow {
    /// The id as it was written, quotes included.
    var id: ByteView?
    /// Text of the user agent, escapes not resolved.
    var userAgent: ByteView?
    /// The class that somebody gave the row.
    var label: ByteView?
    /// The family that somebody gave the row.
    var family: ByteView?

    init(_ bytes: ByteView) throws(JSONError) {
        var cursor = JSONCursor(bytes)
        var first = true
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) {
            let kind = try cursor.kind()
            let value = try cursor.skip()
            take(key, value, isText: kind == .string, isScalar: kind == .string || kind == .number)
        }
        try cursor.end()
    }

    private mutating func take(_ key: ByteView, _ value: ByteView, isText: Bool, isScalar: Bool) {
        if key.equals("id"), isScalar { id = value }
        guard isText else { return }
        let text = value[1..<value.count - 1]
        if key.equals("ua") { userAgent = text }
        if key.equals("class") { label = text }
        if key.equals("family") { family = text }
    }
}

/// How often the classifier agrees with labels, by class.
struct AgentAccuracy {
    private var counts: [[Int]]
    private var families: [(agreed: Int, all: Int)]
    private var unlabelled = 0

    init() {
        let classes = AgentClass.allCases.count
        counts = Array(repeating: Array(repeating: 0, count: classes), count: classes)
        families = Array(repeating: (0, 0), count: classes)
    }

    mutating func take(_ row: AgentRow, _ agent: UserAgent, family: ByteView) {
        guard let label = row.label,
            let labelled = AgentClass.allCases.first(where: { label.equals($0.name) })
        else {
            unlabelled += 1
            return
        }
        counts[Int(labelled.rawValue)][Int(agent.agentClass.rawValue)] += 1
        guard let wanted = row.family else { return }
        families[Int(labelled.rawValue)].all += 1
        if Self.letters(wanted) == Self.letters(family) {
            families[Int(labelled.rawValue)].agreed += 1
        }
    }

    /// Names are compared by letters and digits: lists write `Chrome Mobile`, `chrome-mobile`.
    private static func letters(_ name: ByteView) -> String {
        name.text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// The table that `--accuracy` prints.
    var table: String {
        var lines = [
            Self.line(["class", "rows", "recall", "precision", "family", "taken for"])
        ]
        for given in AgentClass.allCases { lines.append(line(given)) }
        let human = Int(AgentClass.human.rawValue)
        let people = counts[human].reduce(0, +)
        let programs = counts.joined().reduce(0, +) - people
        let missed = counts.indices.filter { $0 != human }.reduce(0) { $0 + counts[$1][human] }
        let flagged = people - counts[human][human]
        lines.append("non-human found  \(Self.percent(programs - missed, programs))")
        lines.append("humans flagged   \(Self.percent(flagged, people))")
        if unlabelled > 0 { lines.append("without label    \(unlabelled)") }
        return lines.joined(separator: "\n")
    }

    private func line(_ given: AgentClass) -> String {
        let row = Int(given.rawValue)
        let all = counts[row].reduce(0, +)
        let taken = counts.reduce(0) { $0 + $1[row] }
        let others = AgentClass.allCases.filter { $0 != given && counts[row][Int($0.rawValue)] > 0 }
        return Self.line([
            "\(given.name)", "\(all)", Self.percent(counts[row][row], all),
            Self.percent(counts[row][row], taken),
            Self.percent(families[row].agreed, families[row].all),
            others.map { "\($0.name) \(counts[row][Int($0.rawValue)])" }.joined(separator: ", "),
        ])
    }

    private static func line(_ cells: [String]) -> String {
        cells.map { $0.padding(toWidth: 12) }.joined().trimmedRight
    }

    private static func percent(_ part: Int, _ whole: Int) -> String {
        guard whole > 0 else { return "-" }
        let hundredths = (part * 10_000 + whole / 2) / whole
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
    }
}

extension String {
    fileprivate func padding(toWidth width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }

    fileprivate var trimmedRight: String {
        var copy = self
        while copy.last == " " { copy.removeLast() }
        return copy
    }
}
