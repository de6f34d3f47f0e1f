import Bytes
import CLibpq
import Units

/// What PostgreSQL, or the way to it, did instead of obeying.
struct PostgresFailure: Error {
    /// The five-character SQLSTATE; empty when the connection broke.
    let code: String
    /// The server's first line, without values of rows.
    let message: String
    /// Whether the connection is of no more use.
    let isConnectionLost: Bool

    /// Classes 22 (data), 23 (constraints) and 54 (a value too large or too deep): the row is at fault,
    /// and sending it again would fail again.
    var isDataFault: Bool {
        code.hasPrefix("22") || code.hasPrefix("23") || code.hasPrefix("54")
    }
}

/// One blocking connection through libpq.
///
/// Owned by the thread that calls it. Statements are literals; values travel as parameters or COPY.
final class PostgresConnection: PostgresSession {
    private let connection: OpaquePointer

    /// Connects, or says why not. `conninfo` may hold a password and is never repeated in a message.
    init(conninfo: String) throws(PostgresFailure) {
        let settings: [(String, String)] = [
            ("dbname", conninfo), ("application_name", "heliograph-archive"),
            ("client_encoding", "UTF8"),
            ("connect_timeout", String(StorageLimits.archiveConnectSeconds)),
            ("keepalives_idle", "30"), ("tcp_user_timeout", "30000"),
        ]
        guard let opened = Self.open(settings) else {
            throw PostgresFailure(code: "", message: "out of memory", isConnectionLost: true)
        }
        guard PQstatus(opened) == CONNECTION_OK else {
            let message = Self.firstLine(PQerrorMessage(opened))
            PQfinish(opened)
            throw PostgresFailure(code: "", message: message, isConnectionLost: true)
        }
        connection = opened
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    private static func open(_ settings: [(String, String)]) -> OpaquePointer? {
        var keywords: [UnsafePointer<CChar>?] = settings.map { copyText($0.0) }
        var values: [UnsafePointer<CChar>?] = settings.map { copyText($0.1) }
        defer { (keywords + values).forEach { $0?.deallocate() } }
        keywords.append(nil)
        values.append(nil)
        return PQconnectdbParams(keywords, values, 1)
    }

    private static func copyText(_ text: String) -> UnsafePointer<CChar>? {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
        for (index, byte) in text.utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[text.utf8.count] = 0
        return UnsafePointer(copy)
    }

    static func firstLine(_ message: UnsafeMutablePointer<CChar>?) -> String {
        guard let message else { return "" }
        let whole = String(cString: message)
        return String(whole.prefix { $0 != "\n" && $0 != "\r\n" }.prefix(300))
    }

    /// Whether libpq still believes in the connection.
    var isAlive: Bool { PQstatus(connection) == CONNECTION_OK }

    /// The process that serves this connection.
    var serverProcess: Int32 { PQbackendPID(connection) }

    /// Runs statements whose text this module made or shipped: migrations and partition names.
    func run(text: String) throws(PostgresFailure) {
        _ = try finish(PQexec(connection, text))
    }

    /// Runs one statement and returns its rows.
    func rows(_ statement: StaticString) throws(PostgresFailure) -> any PostgresRows {
        try finish(PQexec(connection, statement.description))
    }

    /// Runs one statement with binary parameters.
    func run(
        _ statement: StaticString,
        _ parameters: borrowing PostgresParameters
    ) throws(PostgresFailure) -> any PostgresRows {
        let base = UnsafeRawPointer(parameters.buffer.view.buffer.baseAddress)
        let values = parameters.ranges.map { range in
            base.map { ($0 + range.lowerBound).assumingMemoryBound(to: CChar.self) }
        }
        let lengths = parameters.ranges.map { Int32($0.count) }
        let formats = [Int32](repeating: 1, count: values.count)
        return try finish(
            PQexecParams(
                connection,
                statement.description,
                Int32(values.count),
                parameters.types,
                values,
                lengths,
                formats,
                0
            )
        )
    }

    /// Streams binary rows, `signature` and trailer included by this call, into `target`.
    ///
    /// `target` is the text of a COPY statement made by `DayTable` or a literal of this module.
    func copy(into target: String, rows: ByteView) throws(PostgresFailure) {
        let started = PQexec(connection, target)
        defer { PQclear(started) }
        guard PQresultStatus(started) == PGRES_COPY_IN else { throw failure(started) }
        var frame = ByteBuffer(capacity: 32)
        frame.copySignature()
        var isSent = put(frame.view)
        var position = 0
        while isSent, position < rows.count {
            let end = min(rows.count, position + StorageLimits.copyChunkBytes)
            isSent = put(rows[position..<end])
            position = end
        }
        frame.reset()
        frame.copyTrailer()
        isSent = isSent && put(frame.view)
        if isSent { _ = PQputCopyEnd(connection, nil) }
        try finishCopy()
    }

    /// Begins a COPY to us; its rows come by `nextCopyBytes`.
    func beginCopyOut(_ statement: StaticString) throws(PostgresFailure) {
        let started = PQexec(connection, statement.description)
        defer { PQclear(started) }
        guard PQresultStatus(started) == PGRES_COPY_OUT else { throw failure(started) }
    }

    /// The next piece of a COPY to us, to be freed with `PQfreemem`; nil behind the last one.
    func nextCopyBytes() throws(PostgresFailure) -> CopyBytes? {
        var buffer: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(connection, &buffer, 0)
        if count > 0, let buffer {
            return CopyBytes(pointer: UnsafeMutableRawPointer(buffer), count: Int(count))
        }
        try finishCopy()
        return nil
    }

    private func put(_ bytes: ByteView) -> Bool {
        let base = bytes.buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        return PQputCopyData(connection, base, Int32(bytes.count)) == 1
    }

    private func finishCopy() throws(PostgresFailure) {
        var found: PostgresFailure?
        while let result = PQgetResult(connection) {
            if PQresultStatus(result) != PGRES_COMMAND_OK, found == nil { found = failure(result) }
            PQclear(result)
            if !isAlive { break }
        }
        if let found { throw found }
        if !isAlive { throw failure(nil) }
    }

    private func finish(_ result: OpaquePointer?) throws(PostgresFailure) -> any PostgresRows {
        let status = PQresultStatus(result)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
            let found = failure(result)
            PQclear(result)
            throw found
        }
        return PostgresResult(result)
    }

    private func failure(_ result: OpaquePointer?) -> PostgresFailure {
        let state = result.flatMap { PQresultErrorField($0, Int32(UInt8(ascii: "C"))) }
        let primary = result.flatMap { PQresultErrorField($0, Int32(UInt8(ascii: "M"))) }
        return PostgresFailure(
            code: state.map { String(cString: $0) } ?? "",
            message: Self.firstLine(primary ?? PQerrorMessage(connection)),
            isConnectionLost: !isAlive
        )
    }
}

/// The rows of an answer of libpq.
final class PostgresResult: PostgresRows {
    private let result: OpaquePointer?

    init(_ result: OpaquePointer?) { self.result = result }

    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }

    var changed: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    func text(_ row: Int, _ column: Int) -> String {
        invariant(row >= 0 && row < count, "row outside the answer")
        return PQgetvalue(result, Int32(row), Int32(column)).map { String(cString: $0) } ?? ""
    }
}
