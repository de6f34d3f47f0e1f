import CLibpq
import Glibc

/// Counts rows of `heliograph.event`, independently of what the engine says about itself.
struct EventTable: ~Copyable {
    private let connection: OpaquePointer
    private let countStatement: String

    /// The server process that serves this connection.
    let backendProcess: Int32

    private static let countByMilliseconds = """
        SELECT count(*) FROM heliograph.event WHERE site::text = $1 AND received_at >= $2::bigint
        """
    private static let countByTimestamp = """
        SELECT count(*) FROM heliograph.event
        WHERE site::text = $1 AND received_at >= to_timestamp($2::bigint / 1000.0)
        """
    /// A parallel count would take all cores from what is being measured.
    private static let useOneProcess = """
        SELECT set_config('max_parallel_workers_per_gather', '0', false)
        """
    private static let typeOfReceivedAt = """
        SELECT data_type FROM information_schema.columns
        WHERE table_schema = 'heliograph' AND table_name = 'event' AND column_name = 'received_at'
        """

    /// Connects and learns how the table keeps time.
    static func connect(_ conninfo: String) throws(BenchFailure) -> EventTable {
        guard let opened = PQconnectdb(conninfo) else { throw .postgres("no memory") }
        do throws(BenchFailure) {
            guard PQstatus(opened) == CONNECTION_OK else {
                throw .postgres(String(cString: PQerrorMessage(opened)))
            }
            guard let type = try value(opened, typeOfReceivedAt, []) else {
                throw .postgres("there is no table heliograph.event; is the engine up?")
            }
            _ = try value(opened, useOneProcess, [])
            return EventTable(opened, type == "bigint" ? countByMilliseconds : countByTimestamp)
        } catch {
            PQfinish(opened)
            throw error
        }
    }

    private init(_ connection: OpaquePointer, _ countStatement: String) {
        self.connection = connection
        self.countStatement = countStatement
        backendProcess = PQbackendPID(connection)
    }

    deinit { PQfinish(connection) }

    /// Rows of `site` that were received at or after a time.
    func count(site: String, sinceEpochMilliseconds since: Int64) throws(BenchFailure) -> Int {
        let text = try Self.value(connection, countStatement, [site, String(since)])
        guard let text, let count = Int(text) else { throw .postgres("no count came back") }
        return count
    }

    private static func value(
        _ connection: OpaquePointer,
        _ statement: String,
        _ parameters: [String]
    ) throws(BenchFailure) -> String? {
        let copies = parameters.map { strdup($0) }
        let pointers = copies.map { UnsafePointer<CChar>($0) }
        defer { for copy in copies { free(copy) } }
        let result = PQexecParams(
            connection,
            statement,
            Int32(parameters.count),
            nil,
            pointers,
            nil,
            nil,
            0
        )
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else {
            throw .postgres(String(cString: PQerrorMessage(connection)))
        }
        return PQntuples(result) > 0 ? String(cString: PQgetvalue(result, 0, 0)) : nil
    }
}
