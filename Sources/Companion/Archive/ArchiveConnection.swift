import CLibpq
import Glibc
import Settings
import Telemetry

/// PostgreSQL could not be asked. Says nothing about what is stored.
enum ArchiveFailure: Error, Equatable {
    /// There is no connection, and making one failed.
    case unreachable
    /// The connection broke before the answer.
    case broken
    /// PostgreSQL stopped the question because it took too long.
    case deadline
    /// PostgreSQL refused the question; the code is its SQLSTATE.
    case refused(String)
    /// Too many questions are waiting already.
    case busy
    /// The companion is stopping.
    case stopping
}

/// One question: literals, and values that travel apart from them.
struct ArchiveQuery: Sendable {
    let text: String
    let parameters: [String?]

    init(_ text: StaticString, _ parameters: [String?] = []) {
        self.text = text.description
        self.parameters = parameters
    }

    init(_ statement: QueryStatement) {
        (text, parameters) = (statement.text, statement.parameters)
    }
}

/// A row of an answer in text; nil where PostgreSQL has null.
typealias ArchiveRow = [String?]

/// A blocking connection to PostgreSQL, for reading only unless it is asked to write. Owned by the one
/// thread that made it.
struct ArchiveConnection: ~Copyable {
    /// What may be done through a connection.
    enum Mode: Sendable {
        case reads, writes
    }

    private let connection: OpaquePointer
    private let mode: Mode

    private init(owning connection: OpaquePointer, _ mode: Mode) {
        (self.connection, self.mode) = (connection, mode)
    }

    deinit { PQfinish(connection) }

    static func open(
        _ conninfo: Secret,
        _ mode: Mode = .reads
    ) throws(ArchiveFailure) -> ArchiveConnection {
        guard let opened = conninfo.expose({ connect($0) }) else { throw .unreachable }
        let connection = ArchiveConnection(owning: opened, mode)
        guard PQstatus(opened) == CONNECTION_OK else { throw .unreachable }
        PQsetNoticeProcessor(opened, { _, _ in }, nil)
        try connection.prepare()
        return connection
    }

    private static func connect(_ conninfo: String) -> OpaquePointer? {
        let seconds = max(2, Limits.storeConnectMilliseconds / 1_000)
        let settings = [
            ("dbname", conninfo), ("application_name", "heliograph-companion"),
            ("client_encoding", "UTF8"), ("connect_timeout", "\(seconds)"),
            ("tcp_user_timeout", "\(Limits.storeDeadlineMilliseconds)"),
        ]
        var keywords: [UnsafePointer<CChar>?] = settings.map { copy($0.0) } + [nil]
        var values: [UnsafePointer<CChar>?] = settings.map { copy($0.1) } + [nil]
        defer { for text in keywords + values { text?.deallocate() } }
        return PQconnectdbParams(&keywords, &values, 1)
    }

    private static func copy(_ text: String) -> UnsafePointer<CChar>? {
        let bytes = text.utf8.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return UnsafePointer(copy)
    }

    /// Whatever a question says, it changes nothing and ends in time. Days that were never analysed
    /// would be read whole: the planner knows nothing of them and does not trust block summaries.
    private func prepare() throws(ArchiveFailure) {
        try run("SET timezone = 'UTC'; SET search_path = pg_catalog; SET lock_timeout = 1000")
        // Compiling a statement takes longer than most of them.
        try run("SET jit = off")
        if mode == .reads {
            try run("SET default_transaction_read_only = on; SET enable_seqscan = off")
        }
        let milliseconds = String(Limits.archiveReadMilliseconds)
        _ = try ask(
            ArchiveQuery("SELECT set_config('statement_timeout', $1, false)", [milliseconds])
        )
    }

    /// Asks all questions in one transaction, so that the answers are of the same moment.
    func ask(_ queries: [ArchiveQuery]) throws(ArchiveFailure) -> [[ArchiveRow]] {
        try run(mode == .reads ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN")
        do throws(ArchiveFailure) {
            var answers: [[ArchiveRow]] = []
            for query in queries { answers.append(try ask(query)) }
            try run("COMMIT")
            return answers
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    /// Walks through the rows of a statement that declares the cursor `export_rows`, a batch at a time:
    /// `body` is given what fetches the next one, which is empty at the end. All are of one moment. A
    /// batch that is not wanted any more ends with `.deadline` soon, however long it would have taken.
    func walk<Value>(
        _ declaration: ArchiveQuery,
        isWanted: @escaping () -> Bool,
        _ body: (() throws(ArchiveFailure) -> [ArchiveRow]) throws(ArchiveFailure) -> Value
    ) throws(ArchiveFailure) -> Value {
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        do throws(ArchiveFailure) {
            try run("SET LOCAL enable_seqscan = on")
            let patience = ["\(Limits.exportBatchMilliseconds)"]
            _ = try ask(
                ArchiveQuery("SELECT set_config('statement_timeout', $1, true)", patience)
            )
            _ = try ask(declaration)
            let value = try body { () throws(ArchiveFailure) in
                try fetch("FETCH FORWARD 500 FROM export_rows", isWanted)
            }
            try run("COMMIT")
            return value
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    /// Asks without waiting in libpq, so that it can be called off.
    private func fetch(
        _ text: String,
        _ isWanted: () -> Bool
    ) throws(ArchiveFailure) -> [ArchiveRow] {
        guard PQsendQuery(connection, text) == 1 else { throw .broken }
        var isCancelled = false
        while PQisBusy(connection) == 1 {
            var waiting = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, Int32(Limits.exportLookMilliseconds))
            guard PQconsumeInput(connection) == 1 else { throw .broken }
            if isCancelled || isWanted() { continue }
            cancel()
            isCancelled = true
        }
        let result = PQgetResult(connection)
        defer { PQclear(result) }
        // Behind the answer comes its end.
        while let more = PQgetResult(connection) { PQclear(more) }
        try check(result)
        return rows(result)
    }

    private func cancel() {
        let handle = PQgetCancel(connection)
        defer { PQfreeCancel(handle) }
        var reason: [CChar] = Array(repeating: 0, count: 256)
        _ = PQcancel(handle, &reason, Int32(reason.count))
    }

    private func run(_ text: String) throws(ArchiveFailure) {
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        try check(result)
    }

    private func ask(_ query: ArchiveQuery) throws(ArchiveFailure) -> [ArchiveRow] {
        let copies = query.parameters.map { text in text.flatMap { Self.copy($0) } }
        defer { for copy in copies { copy?.deallocate() } }
        let result = PQexecParams(
            connection,
            query.text,
            Int32(copies.count),
            nil,
            copies,
            nil,
            nil,
            0
        )
        defer { PQclear(result) }
        try check(result)
        return rows(result)
    }

    private func rows(_ result: OpaquePointer?) -> [ArchiveRow] {
        (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                if PQgetisnull(result, row, column) == 1 { return nil }
                return PQgetvalue(result, row, column).map { String(cString: $0) }
            }
        }
    }

    private func check(_ result: OpaquePointer?) throws(ArchiveFailure) {
        let status = PQresultStatus(result)
        if status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK { return }
        if PQstatus(connection) != CONNECTION_OK { throw .broken }
        let field = result.flatMap { PQresultErrorField($0, Int32(UInt8(ascii: "C"))) }
        let code = field.map { String(cString: $0) } ?? ""
        // 57014 query_canceled, 55P03 lock_not_available: the answer would have come too late.
        if code == "57014" || code == "55P03" { throw .deadline }
        throw .refused(code)
    }
}
