import Bytes

/// The schema `heliograph`: numbered migrations, and the days of the event table.
///
/// Invariants: every change of the schema happens under one advisory lock, so that programs that
/// start together do not migrate twice. A migration is applied in one transaction with its number.
enum PostgresSchema {
    /// A numbered SQL file of `Migrations/`, compiled into the program.
    struct Migration {
        let number: Int64
        let text: String
    }

    static let migrations = [
        Migration(
            number: 1,
            text: String(decoding: PackageResources._001_schema_sql, as: UTF8.self)
        )
    ]

    /// Brings the schema up to date. Harmless when repeated.
    static func migrate(_ connection: PostgresConnection) throws(PostgresFailure) {
        try withLock(connection) { () throws(PostgresFailure) in
            try connection.run("CREATE SCHEMA IF NOT EXISTS heliograph")
            try connection.run(
                """
                CREATE TABLE IF NOT EXISTS heliograph.migration (
                    number bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())
                """
            )
            let applied = try appliedNumbers(connection)
            for migration in migrations where !applied.contains(migration.number) {
                try apply(migration, connection)
            }
        }
    }

    static func appliedNumbers(
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> Set<Int64> {
        let rows = try connection.rows("SELECT number FROM heliograph.migration")
        return Set((0..<rows.count).compactMap { rows.integer($0, 0) })
    }

    private static func apply(
        _ migration: Migration,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) {
        try connection.run("BEGIN")
        do {
            try connection.run(text: migration.text)
            var parameters = PostgresParameters()
            parameters.add(type: PostgresType.int8) { $0.append(bigEndian: migration.number) }
            _ = try connection.run(
                "INSERT INTO heliograph.migration (number) VALUES ($1)",
                parameters
            )
            try connection.run("COMMIT")
        } catch {
            try? connection.run("ROLLBACK")
            throw error
        }
    }

    /// The lock's number spells `helio` in ASCII; PostgreSQL frees it when the connection ends.
    private static func withLock(
        _ connection: PostgresConnection,
        _ body: () throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) {
        _ = try connection.rows("SELECT pg_advisory_lock(448378203503)")
        defer { _ = try? connection.rows("SELECT pg_advisory_unlock(448378203503)") }
        try body()
    }

    /// Makes the partition of a day, and tries to make that of the day after, so that midnight finds
    /// its table ready. Making one waits for readers of the event table; the second does not insist.
    static func createDay(
        _ day: Int32,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) {
        try withLock(connection) { () throws(PostgresFailure) in
            try connection.run(text: EventTable(day: day).createStatement)
            try connection.run("SET lock_timeout = '500ms'")
            try? connection.run(text: EventTable(day: day &+ 1).createStatement)
            try connection.run("SET lock_timeout = 0")
        }
    }
}

/// The partition of `heliograph.event` that holds one day. Its name and bounds are made of an integer
/// and nothing else: these are the only identifiers that are put into SQL at run time.
struct EventTable {
    let year: Int
    let month: Int
    let dayOfMonth: Int

    /// The civil date of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
    init(day: Int32) {
        let shifted = Int(day) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        following = day
    }

    private let following: Int32

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private var date: String {
        Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(dayOfMonth, 2)
    }

    /// Such as `heliograph.event_20260314`.
    var name: String {
        "heliograph.event_" + Self.padded(year, 4) + Self.padded(month, 2)
            + Self.padded(dayOfMonth, 2)
    }

    var createStatement: String {
        let next = EventTable(day: following &+ 1)
        return "CREATE TABLE IF NOT EXISTS " + name
            + " PARTITION OF heliograph.event FOR VALUES FROM ('" + date + " 00:00:00+00') TO ('"
            + next.date + " 00:00:00+00')"
    }

    var copyStatement: String { "COPY " + name + Self.columns + " FROM STDIN (FORMAT binary)" }

    private static let columns =
        " (n, occurred_at, received_at, journal_offset, page, partition, consent, bot, site, visitor_id,"
        + " session_id, window_id, message_id, user_id, type, name, address, context, properties)"

    static let columnCount: Int16 = 19
}
