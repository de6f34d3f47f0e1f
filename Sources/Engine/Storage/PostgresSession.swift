import Bytes

/// What the archive asks of a connection to PostgreSQL: the real one through libpq, or a simulated
/// one that loses answers when told to. Used a few times in each transaction, never for a row.
protocol PostgresSession: AnyObject {
    /// Whether the connection is still believed in.
    var isAlive: Bool { get }

    /// Runs one or more statements whose text this module made or shipped.
    func run(text: String) throws(PostgresFailure)

    /// Runs one statement and returns its rows.
    func rows(_ statement: StaticString) throws(PostgresFailure) -> any PostgresRows

    /// Runs one statement with binary parameters.
    func run(
        _ statement: StaticString,
        _ parameters: borrowing PostgresParameters
    ) throws(PostgresFailure) -> any PostgresRows

    /// Streams binary rows into `target`, the text of a COPY statement of this module.
    func copy(into target: String, rows: ByteView) throws(PostgresFailure)
}

extension PostgresSession {
    /// Runs one or more statements without parameters.
    func run(_ statement: StaticString) throws(PostgresFailure) {
        try run(text: statement.description)
    }
}

/// Rows of an answer, in text.
protocol PostgresRows: AnyObject {
    var count: Int { get }

    /// Rows that the statement changed.
    var changed: Int { get }

    func text(_ row: Int, _ column: Int) -> String
}

extension PostgresRows {
    func integer(_ row: Int, _ column: Int) -> Int64? { Int64(text(row, column)) }
}
