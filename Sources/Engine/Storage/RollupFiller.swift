/// Works out the figures of whole days from their rows, one day in a transaction, see migration 14.
/// Blocking; owned by one thread. Killed at any moment it leaves a day as it was or as it should be.
public final class RollupFiller {
    private let connecting: () throws(PostgresFailure) -> PostgresConnection
    /// Nil before the first use, and after an error.
    private var connection: PostgresConnection?

    /// A filler that is not connected yet.
    public init(conninfo: String) {
        connecting = { () throws(PostgresFailure) in try PostgresConnection(conninfo: conninfo) }
    }

    /// Fills the first day of the site that is over and lacks its figures. Returns the day, such as
    /// `2026-11-21`; nil when there is none, or somebody else is filling or erasing.
    public func fillNext(site: String, zone: String) throws(ArchiveError) -> String? {
        do {
            let connection = try connected()
            guard try isTrue(connection.rows("SELECT pg_try_advisory_lock(448378203504)")) else {
                return nil
            }
            defer { _ = try? connection.rows("SELECT pg_advisory_unlock(448378203504)") }
            return try fill(site, zone, connection)
        } catch {
            // A new connection has neither a lock nor a transaction left over.
            connection = nil
            if Self.isPassing(error) { return nil }
            throw .unavailable(error.message)
        }
    }

    /// Somebody changed the day's rows meanwhile, which makes it wait for its next turn.
    private static func isPassing(_ failure: PostgresFailure) -> Bool {
        ["40001", "40P01", "55P03"].contains(failure.code)
    }

    private func connected() throws(PostgresFailure) -> PostgresConnection {
        if let connection, connection.isAlive { return connection }
        let opened = try connecting()
        try opened.run(
            """
            SET client_min_messages = error; SET timezone = 'UTC'; SET synchronous_commit = off;
            SET jit = off
            """
        )
        connection = opened
        return opened
    }

    private func isTrue(_ rows: any PostgresRows) -> Bool {
        rows.count == 1 && rows.text(0, 0) == "t"
    }

    /// The snapshot is taken behind the lock, so that nobody who was erased before is in it.
    private func fill(
        _ site: String,
        _ zone: String,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> String? {
        try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        var parameters = PostgresParameters()
        parameters.add(text: site)
        parameters.add(text: zone)
        let next = try connection.run(
            "SELECT coalesce(heliograph.next_rollup($1, $2)::text, '')",
            parameters
        )
        let day = next.text(0, 0)
        if !day.isEmpty {
            parameters.reset()
            parameters.add(text: site)
            parameters.add(text: day)
            parameters.add(text: zone)
            _ = try connection.run(
                "SELECT heliograph.fill_rollup($1, $2::text::date, $3)",
                parameters
            )
        }
        try connection.run("COMMIT")
        return day.isEmpty ? nil : day
    }
}
