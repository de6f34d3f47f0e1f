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
        ),
        Migration(
            number: 2,
            text: String(decoding: PackageResources._002_rejected_sql, as: UTF8.self)
        ),
        Migration(
            number: 3,
            text: String(decoding: PackageResources._003_event_lookup_sql, as: UTF8.self)
        ),
        Migration(
            number: 4,
            text: String(decoding: PackageResources._004_cheap_lookup_sql, as: UTF8.self)
        ),
        Migration(
            number: 5,
            text: String(decoding: PackageResources._005_rebuild_sql, as: UTF8.self)
        ),
        Migration(
            number: 6,
            text: String(decoding: PackageResources._006_conversions_sql, as: UTF8.self)
        ),
        Migration(
            number: 7,
            text: String(decoding: PackageResources._007_consent_sql, as: UTF8.self)
        ),
        Migration(
            number: 8,
            text: String(decoding: PackageResources._008_rights_sql, as: UTF8.self)
        ),
        Migration(
            number: 9,
            text: String(decoding: PackageResources._009_forward_sql, as: UTF8.self)
        ),
        Migration(
            number: 10,
            text: String(decoding: PackageResources._010_match_keys_sql, as: UTF8.self)
        ),
        Migration(
            number: 11,
            text: String(decoding: PackageResources._011_explained_history_sql, as: UTF8.self)
        ),
        Migration(
            number: 12,
            text: String(decoding: PackageResources._012_identity_sql, as: UTF8.self)
        ),
        Migration(
            number: 13,
            text: String(decoding: PackageResources._013_access_sql, as: UTF8.self)
        ),
        Migration(
            number: 14,
            text: String(decoding: PackageResources._014_rollup_sql, as: UTF8.self)
        ),
        Migration(
            number: 15,
            text: String(decoding: PackageResources._015_likely_links_sql, as: UTF8.self)
        ),
        Migration(
            number: 16,
            text: String(decoding: PackageResources._016_insight_sql, as: UTF8.self)
        ),
        Migration(
            number: 17,
            text: String(decoding: PackageResources._017_attention_sql, as: UTF8.self)
        ),
    ]

    /// Brings the schema up to date. Harmless when repeated.
    static func migrate(_ connection: any PostgresSession) throws(PostgresFailure) {
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
        _ connection: any PostgresSession
    ) throws(PostgresFailure) -> Set<Int64> {
        let rows = try connection.rows("SELECT number FROM heliograph.migration")
        return Set((0..<rows.count).compactMap { rows.integer($0, 0) })
    }

    private static func apply(
        _ migration: Migration,
        _ connection: any PostgresSession
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
        _ connection: any PostgresSession,
        _ body: () throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) {
        _ = try connection.rows("SELECT pg_advisory_lock(448378203503)")
        defer { _ = try? connection.rows("SELECT pg_advisory_unlock(448378203503)") }
        try body()
    }

    /// Makes the partitions of a day, and tries to make those of the day after, so that midnight finds
    /// its tables ready. Making one waits for readers of the table; the second day does not insist.
    static func createDay(
        _ day: Int32,
        _ connection: any PostgresSession
    ) throws(PostgresFailure) {
        try withLock(connection) { () throws(PostgresFailure) in
            for table in DayTable.all(day: day) {
                try connection.run(text: table.createStatement)
            }
            try connection.run("SET lock_timeout = '500ms'")
            for table in DayTable.all(day: day &+ 1) {
                try? connection.run(text: table.createStatement)
            }
            try connection.run("SET lock_timeout = 0")
        }
    }

    /// Drops the days of a table before `day`. Days that somebody reads now are left for the next time.
    /// Returns how many went.
    static func drop(
        _ parent: DayTable.Parent,
        before day: Int32,
        _ connection: any PostgresSession
    ) throws(PostgresFailure) -> Int {
        let bound = DayTable(parent, day: day).name
        var dropped = 0
        try withLock(connection) { () throws(PostgresFailure) in
            let rows = try connection.rows(
                parent == .event ? ArchiveStatements.eventTables : ArchiveStatements.rejectedTables
            )
            try connection.run("SET lock_timeout = '500ms'")
            for row in 0..<rows.count {
                // Made again from numbers: no name is taken out of the catalogue as it is.
                guard let date = Int32(rows.text(row, 0)),
                    let table = DayTable(parent, date: date), table.name < bound,
                    (try? connection.run(text: table.dropStatement)) != nil
                else { continue }
                dropped += 1
            }
            try connection.run("SET lock_timeout = 0")
        }
        return dropped
    }
}
