import Bytes

/// What PostgreSQL holds of a past that was brought in (`heliograph demo seed`). Blocking; owned by one
/// thread.
public final class HistoryArchive {
    private let connection: PostgresConnection
    private var parameters = PostgresParameters()

    /// Connects.
    public init(conninfo: String) throws(ArchiveError) {
        do {
            connection = try PostgresConnection(conninfo: conninfo)
            try connection.run("SET client_min_messages = error; SET timezone = 'UTC'")
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// Events of the site's past that are stored.
    public func events(site: String) throws(ArchiveError) -> Int {
        let rows = try rows(
            """
            SELECT count(*) FROM heliograph.event
            WHERE site = $1 AND coalesce(flags, 0) & 16384 <> 0
            """,
            site
        )
        return Int(rows.integer(0, 0) ?? 0)
    }

    /// Whether anything of the site came by itself.
    public func hasLiveEvents(site: String) throws(ArchiveError) -> Bool {
        let rows = try rows(
            """
            SELECT 1 FROM heliograph.event
            WHERE site = $1 AND coalesce(flags, 0) & 16384 = 0 LIMIT 1
            """,
            site
        )
        return rows.count > 0
    }

    /// Windows and numbers of the site's past that are stored.
    public func storedEvents(
        site: String
    ) throws(ArchiveError) -> [(window: String, number: Int)] {
        let rows = try rows(
            """
            SELECT window_id, n FROM heliograph.event
            WHERE site = $1 AND coalesce(flags, 0) & 16384 <> 0 AND window_id IS NOT NULL
            """,
            site
        )
        return (0..<rows.count).map { (rows.text($0, 0), Int(rows.integer($0, 1) ?? 0)) }
    }

    private func rows(
        _ statement: StaticString,
        _ site: String
    ) throws(ArchiveError) -> any PostgresRows {
        parameters.reset()
        parameters.add(text: site)
        do {
            return try connection.run(statement, parameters)
        } catch {
            throw .unavailable(error.message)
        }
    }
}
