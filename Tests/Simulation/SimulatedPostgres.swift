import Bytes
import Records

@testable import Storage

/// A PostgreSQL in memory that knows the archive's statements: transactions, COMMITs whose fate
/// nobody hears of, deaths in the middle of a COPY, and restores from an older copy.
final class SimulatedPostgres {
    /// What a server may do wrong on purpose, so that a test can see the judge find it.
    enum Plant {
        case none
        /// Positions move from wherever they are: nothing fences a repeated batch.
        case ignoresPositions
    }

    /// What becomes of a COMMIT.
    enum Fate: CaseIterable {
        case answered
        /// It happened; the answer is lost.
        case lostAfterwards
        /// It did not happen, and there is no answer.
        case lostBefore
        /// There is no answer, and it happens or not when somebody else wants the same rows.
        case leftOpen
    }

    struct SessionName: Hashable {
        let site: String
        let session: String
    }

    struct Content {
        var positions: [Int64]? = nil
        /// Rows as COPY brought them.
        var events: [[UInt8]] = []
        var rejected: [[UInt8]] = []
        var history: [[UInt8]] = []
        var withdrawals: [[UInt8]] = []
        var choices: [[UInt8]] = []
        var sessions: [SessionName: SessionChange] = [:]
        var tables: Set<String> = []
    }

    var content = Content()
    var isUp = true
    var plant = Plant.none
    /// The fate of the next COMMIT.
    var fate = Fate.answered
    /// The server dies in the middle of this COPY from now; 0 for none.
    var copiesUntilDeath = 0
    /// A transaction that was left open by a lost connection.
    fileprivate var open: Content?
    /// Whether an open transaction takes effect when it is met.
    var openTakesEffect = true
    fileprivate(set) var commits = 0
    var problem: String?

    /// The server dies and comes back: connections and open transactions are gone.
    func restart() {
        generation += 1
        open = nil
    }

    /// The server comes back with an older copy.
    func restore(_ old: Content) {
        restart()
        content = old
    }

    /// Counts restarts, so that connections know that they are gone.
    fileprivate(set) var generation = 0

    /// Whoever wants rows that an open transaction holds waits for its end.
    fileprivate func endOpen() {
        if openTakesEffect, let open { content = open }
        open = nil
    }

    func positions() -> [UInt64] {
        (content.positions ?? [Int64](repeating: 0, count: Partition.count)).map {
            UInt64(bitPattern: $0)
        }
    }
}

/// One connection of the archive.
final class SimulatedSession: PostgresSession {
    static let gone = PostgresFailure(code: "", message: "gone", isConnectionLost: true)

    private let server: SimulatedPostgres
    private let generation: Int
    private var isBroken = false
    /// The rows as this transaction sees them; nil outside of one.
    private var work: SimulatedPostgres.Content?

    init(_ server: SimulatedPostgres) throws(PostgresFailure) {
        self.server = server
        generation = server.generation
        guard server.isUp else { throw Self.gone }
    }

    var isAlive: Bool { !isBroken && server.isUp && generation == server.generation }

    private func reach() throws(PostgresFailure) {
        if isAlive { return }
        isBroken = true
        throw Self.gone
    }

    func run(text: String) throws(PostgresFailure) {
        try reach()
        switch text {
        case "BEGIN": work = server.content
        case "ROLLBACK": work = nil
        case "COMMIT": try commit()
        case ArchiveStatements.restorePositions.description:
            if server.content.positions == nil {
                server.content.positions = [Int64](repeating: 0, count: Partition.count)
            }
        default:
            if text.hasPrefix("CREATE TABLE IF NOT EXISTS heliograph.") {
                server.content.tables.insert(String(text.split(separator: " ")[5]))
            }
        }
    }

    private func commit() throws(PostgresFailure) {
        defer { (work, server.fate) = (nil, .answered) }
        guard let work else { return }
        server.commits += 1
        switch server.fate {
        case .answered: return server.content = work
        case .lostAfterwards: server.content = work
        case .lostBefore: break
        case .leftOpen: server.open = work
        }
        isBroken = true
        throw Self.gone
    }

    func rows(_ statement: StaticString) throws(PostgresFailure) -> any PostgresRows {
        try reach()
        switch statement.description {
        case ArchiveStatements.readPositions.description:
            return SimulatedRows(
                server.positions().enumerated().map { ["\($0.offset)", "\($0.element)"] }
            )
        case "SELECT number FROM heliograph.migration":
            return SimulatedRows(PostgresSchema.migrations.map { ["\($0.number)"] })
        default: return SimulatedRows([])
        }
    }

    func run(
        _ statement: StaticString,
        _ parameters: borrowing PostgresParameters
    ) throws(PostgresFailure) -> any PostgresRows {
        try reach()
        let lists = parameters.ranges.map { range in
            SimulatedValues.list(parameters.buffer.view[range.lowerBound..<range.upperBound])
        }
        switch statement.description {
        case ArchiveStatements.movePositions.description:
            return SimulatedRows([], changed: move(lists.map { $0.map(SimulatedValues.integer) }))
        case ArchiveStatements.mergeSessions.description: merge(lists)
        // What becomes of conversions and of whole days is tried against a real server.
        case ArchiveStatements.cancelDeliveries.description,
            ArchiveStatements.markStale.description,
            GainStatements.addConversions.description, GainStatements.addDeliveries.description,
            GainStatements.mergeContacts.description:
            break
        default: server.problem = "the simulated PostgreSQL does not know \(statement)"
        }
        return SimulatedRows([])
    }

    private func move(_ lists: [[Int64]]) -> Int {
        server.endOpen()
        work = server.content
        var changed = 0
        for (partition, (expected, reached)) in zip(lists[0], zip(lists[1], lists[2])) {
            let isExpected = work?.positions?[Int(partition)] == expected
            guard isExpected || server.plant == .ignoresPositions else { continue }
            work?.positions?[Int(partition)] = reached
            changed += 1
        }
        return changed
    }

    private func merge(_ lists: [[[UInt8]]]) {
        for row in lists[0].indices {
            let change = SimulatedValues.session(lists.map { $0[row] })
            let name = SimulatedPostgres.SessionName(
                site: change.site.withBytes { $0.text },
                session: change.session.withBytes { $0.text }
            )
            guard var held = work?.sessions[name] else {
                work?.sessions[name] = change
                continue
            }
            held.merge(change)
            work?.sessions[name] = held
        }
    }

    func copy(into target: String, rows: ByteView) throws(PostgresFailure) {
        try reach()
        if server.copiesUntilDeath > 0 {
            server.copiesUntilDeath -= 1
            if server.copiesUntilDeath == 0 {
                server.restart()
                return try reach()
            }
        }
        let bounds = CopyRows.boundaries(rows)
        let parsed = zip(bounds, bounds.dropFirst()).map { Array(rows[$0..<$1].buffer) }
        try place(parsed, String(target.split(separator: " ")[1]))
    }

    private func place(_ rows: [[UInt8]], _ table: String) throws(PostgresFailure) {
        if table == "heliograph.score_history" {
            work?.history += rows
            return
        }
        if table == "heliograph.withdrawal" {
            work?.withdrawals += rows
            return
        }
        if table == "heliograph.touch" { return }
        if table == "heliograph.consent_record" {
            work?.choices += rows
            return
        }
        guard server.content.tables.contains(table) else {
            throw PostgresFailure(code: "42P01", message: "no such table", isConnectionLost: false)
        }
        if table.contains(".event_") { work?.events += rows } else { work?.rejected += rows }
    }
}

/// Rows of an answer of the simulated server.
final class SimulatedRows: PostgresRows {
    private let texts: [[String]]
    let changed: Int

    init(_ texts: [[String]], changed: Int = 0) {
        self.texts = texts
        self.changed = changed
    }

    var count: Int { texts.count }

    func text(_ row: Int, _ column: Int) -> String { texts[row][column] }
}

/// Reads PostgreSQL's binary formats back, independently of the code that writes them.
enum SimulatedValues {
    /// The elements of a one-dimensional array.
    static func list(_ bytes: ByteView) -> [[UInt8]] {
        let all = Array(bytes.buffer)
        guard all.count >= 20 else { return [] }
        var position = 20
        return (0..<Int(integer(Array(all[12..<16])))).map { _ in
            let length = Int(integer(Array(all[position..<position + 4])))
            defer { position += 4 + length }
            return Array(all[position + 4..<position + 4 + length])
        }
    }

    /// A big-endian integer of 2, 4 or 8 bytes.
    static func integer(_ bytes: [UInt8]) -> Int64 {
        var value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let bits = UInt64(bytes.count * 8)
        if bits < 64, value >> (bits - 1) == 1 { value |= ~UInt64(0) << bits }
        return Int64(bitPattern: value)
    }

    /// A session's row from its columns in the order of the statement.
    static func session(_ columns: [[UInt8]]) -> SessionChange {
        var change = SessionChange()
        change.site = short(columns[0])
        change.session = short(columns[1])
        change.visitor = short(columns[2])
        change.startedAt = integer(columns[3])
        change.endedAt = integer(columns[4])
        change.events = Int32(integer(columns[5]))
        change.pageViews = Int32(integer(columns[6]))
        change.activeMilliseconds = integer(columns[7])
        change.scoreMaximum = Double(bitPattern: UInt64(bitPattern: integer(columns[8])))
        change.bot = columns[9] == [1]
        return change
    }

    private static func short(_ bytes: [UInt8]) -> ShortText {
        bytes.withUnsafeBytes { ShortText(ByteView($0)) ?? ShortText() }
    }

    /// The fields of one row of COPY; nil where a field is null.
    static func fields(_ row: [UInt8]) -> [[UInt8]?] {
        var position = 2
        return (0..<Int(integer(Array(row[0..<2])))).map { _ in
            let length = Int(integer(Array(row[position..<position + 4])))
            position += 4
            if length < 0 { return nil }
            defer { position += length }
            return Array(row[position..<position + length])
        }
    }
}
