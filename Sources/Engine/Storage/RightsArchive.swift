import Bytes

/// What PostgreSQL holds of single persons: counted, handed out, taken away. Blocking; owned by one
/// thread. Statements are literals that call the functions of migration 8; ids travel as parameters.
public final class RightsArchive {
    /// Rows of a table.
    public struct Count: Equatable, Sendable {
        /// The table, a partition where it has any.
        public let store: String
        /// Rows.
        public let rows: Int

        /// A count from its parts.
        public init(store: String, rows: Int) { (self.store, self.rows) = (store, rows) }
    }

    /// A request as `heliograph.erasure` keeps it.
    public struct Request: Sendable {
        /// Names the request.
        public let id: String
        /// `erase`, `restrict` or `lift`.
        public let action: String
        /// Site name.
        public let site: String
        /// When it was made, epoch milliseconds.
        public let requestedAt: Int64
        /// Digests of its subjects.
        public let digests: [[UInt8]]

        /// A request from its parts.
        public init(
            id: String,
            action: String,
            site: String,
            requestedAt: Int64,
            digests: [[UInt8]]
        ) {
            (self.id, self.action, self.site) = (id, action, site)
            (self.requestedAt, self.digests) = (requestedAt, digests)
        }
    }

    private let connection: PostgresConnection

    /// Connects.
    public init(conninfo: String) throws(ArchiveError) {
        do {
            connection = try PostgresConnection(conninfo: conninfo)
            try connection.run("SET client_min_messages = error; SET timezone = 'UTC'")
        } catch {
            throw .unavailable(error.message)
        }
    }

    private func asking<Result>(
        _ body: () throws(PostgresFailure) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(PostgresFailure) { return try body() } catch { throw .unavailable(error.message) }
    }

    // MARK: - Who

    /// Visitors whose events carried one of the user ids, or one of the digests among their properties.
    public func visitors(
        site: String,
        users: [String],
        hashes: [String]
    ) throws(ArchiveError) -> [String] {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: site)
            parameters.add(lines: users)
            parameters.add(lines: hashes)
            let rows = try connection.run(
                """
                SELECT heliograph.visitors_of($1, string_to_array($2, chr(10)),
                    string_to_array($3, chr(10)))
                """,
                parameters
            )
            return (0..<rows.count).map { rows.text($0, 0) }
        }
    }

    /// Every visitor that any table knows: site and id.
    public func knownSubjects() throws(ArchiveError) -> [(site: String, visitor: String)] {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows(
                "SELECT DISTINCT site, visitor_id FROM heliograph.known_subjects()"
            )
            return (0..<rows.count).map { (rows.text($0, 0), rows.text($0, 1)) }
        }
    }

    /// Who is read as part of which person: the person's key, the visitor, since when, and why.
    public func members(site: String) throws(ArchiveError) -> [[String]] {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: site)
            let rows = try connection.run(
                """
                SELECT identity, visitor_id, to_char(since, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), cause
                FROM heliograph.identity_member WHERE site = $1 ORDER BY identity, since
                """,
                parameters
            )
            return (0..<rows.count).map { row in (0..<4).map { rows.text(row, $0) } }
        }
    }

    /// Rows of these visitors, by table.
    public func count(site: String, visitors: [String]) throws(ArchiveError) -> [Count] {
        try counts(
            "SELECT * FROM heliograph.count_subjects($1, string_to_array($2, chr(10)))",
            site,
            visitors
        )
    }

    /// Hands over every row of these visitors: its table and the row as JSON.
    public func export(
        site: String,
        visitors: [String],
        _ body: (String, String) -> Void
    ) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.run(
                "SELECT * FROM heliograph.export_subjects($1, string_to_array($2, chr(10)))",
                subjects(site, visitors)
            )
            for row in 0..<rows.count { body(rows.text(row, 0), rows.text(row, 1)) }
        }
    }

    private func subjects(_ site: String, _ visitors: [String]) -> PostgresParameters {
        var parameters = PostgresParameters()
        parameters.add(text: site)
        parameters.add(lines: visitors)
        return parameters
    }

    private func counts(
        _ statement: StaticString,
        _ site: String,
        _ visitors: [String]
    ) throws(ArchiveError) -> [Count] {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.run(statement, subjects(site, visitors))
            return (0..<rows.count).map { row in
                Count(store: rows.text(row, 0), rows: Int(rows.integer(row, 1) ?? 0))
            }
        }
    }

    // MARK: - Requests

    /// Notes a request; harmless when it is known.
    public func note(_ request: Request) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            for text in [request.id, request.action, request.site] { parameters.add(text: text) }
            parameters.add(type: PostgresType.int8) { $0.append(bigEndian: request.requestedAt) }
            try connection.run("BEGIN")
            _ = try connection.run(Self.noteRequest, parameters)
            for digest in request.digests {
                var row = PostgresParameters()
                row.add(text: request.id)
                row.add(type: PostgresType.bytea) { for byte in digest { $0.append(byte) } }
                _ = try connection.run(
                    "INSERT INTO heliograph.erasure_subject VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    row
                )
            }
            try connection.run("COMMIT")
        }
    }

    /// Takes every row of these visitors away and adds what there was to the request, in one
    /// transaction: after a crash nothing is counted twice or forgotten.
    public func erase(
        site: String,
        visitors: [String],
        request: String
    ) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in try connection.run("BEGIN") }
        let found = try counts(
            "SELECT * FROM heliograph.erase_subjects($1, string_to_array($2, chr(10)))",
            site,
            visitors
        )
        for count in found where count.rows > 0 { try add(count, to: request) }
        try asking { () throws(PostgresFailure) in try connection.run("COMMIT") }
    }

    /// Adds to what was found for a request.
    public func add(_ count: Count, to request: String) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: request)
            parameters.add(text: count.store)
            parameters.add(type: PostgresType.int8) { $0.append(bigEndian: Int64(count.rows)) }
            _ = try connection.run(Self.addFound, parameters)
        }
    }

    /// What was found for a request so far, and when it was completed, epoch milliseconds.
    public func found(_ request: String) throws(ArchiveError) -> (counts: [Count], at: Int64?) {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: request)
            let rows = try connection.run(Self.readFound, parameters)
            let counts = (0..<rows.count).compactMap { row -> Count? in
                guard let number = rows.integer(row, 1) else { return nil }
                return Count(store: rows.text(row, 0), rows: Int(number))
            }
            return (counts, rows.count > 0 ? rows.integer(0, 2) : nil)
        }
    }

    /// Notes that a request is done.
    public func complete(_ request: String) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: request)
            _ = try connection.run(
                """
                UPDATE heliograph.erasure SET completed_at = coalesce(completed_at, now())
                WHERE request_id = $1
                """,
                parameters
            )
        }
    }

    // MARK: - Bytes on disk

    /// Marks a moment for `isBehind`: what was deleted before it.
    public func markMoment() throws(ArchiveError) -> String {
        try asking { () throws(PostgresFailure) in
            try connection.rows("SELECT pg_current_xact_id()").text(0, 0)
        }
    }

    /// Whether every transaction that could still see what was deleted before the moment has ended: until
    /// then PostgreSQL would take those rows over into a rewritten table.
    public func isBehind(_ moment: String) throws(ArchiveError) -> Bool {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(text: moment)
            let rows = try connection.run(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND greatest(
                    age(backend_xmin), age(backend_xid)) > age($1::xid8::xid)
                """,
                parameters
            )
            return rows.integer(0, 0) == 0
        }
    }

    /// Rewrites tables that rows were deleted from, so that no page holds them any more. Returns what
    /// could not be done, as sentences.
    public func rewrite(_ tables: [String], _ progress: (String) -> Void) -> [String] {
        var problems: [String] = []
        for table in tables.sorted() where Self.isPlain(table) {
            progress(table)
            attempt("VACUUM (FULL, ANALYZE) " + table, &problems)
            // ANALYZE leaves the statistics of a table that has become empty as they were.
            attempt(
                "DELETE FROM pg_catalog.pg_statistic WHERE starelid = '" + table
                    + "'::regclass AND NOT EXISTS (SELECT 1 FROM " + table + ")",
                &problems
            )
        }
        return problems
    }

    /// Rewrites the statistics, which hold values that were common. To be called when everybody is
    /// behind the rewriting of the tables. Returns what could not be done.
    public func rewriteStatistics() -> [String] {
        var problems: [String] = []
        attempt("VACUUM FULL pg_catalog.pg_statistic", &problems)
        return problems
    }

    /// Puts the write-ahead log that tells of the rows out of use. Returns what could not be done.
    public func recycleLog() -> [String] {
        var problems: [String] = []
        for _ in 0..<2 {
            attempt("CHECKPOINT", &problems)
            attempt("SELECT pg_switch_wal()", &problems)
        }
        attempt("CHECKPOINT", &problems)
        return Array(Set(problems)).sorted()
    }

    /// A name that PostgreSQL gave without quotation marks, in the schema that is ours.
    private static func isPlain(_ name: String) -> Bool {
        name.hasPrefix("heliograph.")
            && name.dropFirst(11).utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == 95
            }
    }

    private func attempt(_ text: String, _ problems: inout [String]) {
        do throws(PostgresFailure) { try connection.run(text: text) } catch {
            problems.append("PostgreSQL, \(text): \(error.message)")
        }
    }

    // MARK: - Age

    /// Runs a statement whose one parameter is a number of days. Returns how many rows it changed.
    func change(_ statement: StaticString, days: Int) throws(ArchiveError) -> Int {
        try asking { () throws(PostgresFailure) in
            var parameters = PostgresParameters()
            parameters.add(type: PostgresType.int8) { $0.append(bigEndian: Int64(days)) }
            return try connection.run(statement, parameters).changed
        }
    }

    /// The age of each store's oldest row in days.
    public func oldestRows() throws(ArchiveError) -> [(store: String, days: Double)] {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows("SELECT store, days FROM heliograph.oldest_rows()")
            return (0..<rows.count).map { (rows.text($0, 0), Double(rows.text($0, 1)) ?? 0) }
        }
    }

    // MARK: - Statements

    private static let noteRequest: StaticString = """
        INSERT INTO heliograph.erasure (request_id, action, site, requested_at)
        VALUES ($1, $2, $3, 'epoch'::timestamptz + $4 * interval '1 millisecond')
        ON CONFLICT DO NOTHING
        """

    private static let addFound: StaticString = """
        UPDATE heliograph.erasure
        SET found = found || jsonb_build_object($2, coalesce((found ->> $2)::bigint, 0) + $3)
        WHERE request_id = $1
        """

    private static let readFound: StaticString = """
        SELECT key, value, (extract(epoch FROM completed_at) * 1000)::bigint
        FROM heliograph.erasure LEFT JOIN LATERAL jsonb_each_text(found) ON true
        WHERE request_id = $1
        """
}

extension PostgresParameters {
    /// A list of texts without line ends, as one text.
    fileprivate mutating func add(lines: [String]) {
        add(text: lines.joined(separator: "\n"))
    }
}
