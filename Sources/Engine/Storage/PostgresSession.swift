import Bytes
import Records

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

    /// The positions that the schema stands at; index is the partition. Changes nothing.
    func readPositions() throws(PostgresFailure) -> [UInt64] {
        let rows = try rows(ArchiveStatements.readPositions)
        var found = [UInt64](repeating: 0, count: Partition.count)
        for row in 0..<rows.count {
            guard let index = rows.integer(row, 0), let offset = rows.integer(row, 1) else {
                continue
            }
            found[Int(index)] = UInt64(clamping: offset)
        }
        return found
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
