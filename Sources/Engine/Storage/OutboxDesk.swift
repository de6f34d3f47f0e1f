import Bytes

/// Which deliveries an operator means. Empty means all.
public struct OutboxFilter: Sendable {
    /// Numbers of rows.
    public var ids: [Int64] = []
    /// Site name.
    public var site = ""
    /// Name of the destination.
    public var destination = ""
    /// The platform's code.
    public var code = ""
    /// States of `heliograph.delivery`.
    public var states: [String] = []

    /// Everything.
    public init() {}
}

/// A delivery as an operator sees it.
public struct OutboxLine: Sendable {
    /// Number of the row.
    public var id: Int64
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// Id of the conversion.
    public var conversionID: String
    /// State of `heliograph.delivery`.
    public var state: String
    /// Requests that carried it.
    public var attempts: Int
    /// Those whose fate is unknown.
    public var doubts: Int
    /// When the conversion happened, as RFC 3339.
    public var occurredAt: String
    /// When it is due again.
    public var dueAt: String
    /// The platform's code.
    public var code: String
    /// Our reason.
    public var reason: String
    /// The platform's id of the request.
    public var trace: String
}

/// How many deliveries of a kind there are.
public struct OutboxCount: Sendable {
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// State of `heliograph.delivery`.
    public var state: String
    /// How many.
    public var rows: Int
    /// How many of them may have arrived.
    public var doubtful: Int
}

/// What operators do with deliveries by hand. Blocking; owned by one thread.
public final class OutboxDesk {
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

    /// Deliveries behind row `last`, the oldest first.
    public func lines(
        _ filter: OutboxFilter,
        after last: Int64,
        limit: Int
    ) throws(ArchiveError) -> [OutboxLine] {
        add(filter)
        parameters.add(integer: last)
        parameters.add(integer: Int64(limit))
        let rows = try ask(Self.list)
        return (0..<rows.count).map { row in
            OutboxLine(
                id: rows.integer(row, 0) ?? 0,
                site: rows.text(row, 1),
                destination: rows.text(row, 2),
                conversionID: rows.text(row, 3),
                state: rows.text(row, 4),
                attempts: Int(rows.integer(row, 5) ?? 0),
                doubts: Int(rows.integer(row, 6) ?? 0),
                occurredAt: rows.text(row, 7),
                dueAt: rows.text(row, 8),
                code: rows.text(row, 9),
                reason: rows.text(row, 10),
                trace: rows.text(row, 11)
            )
        }
    }

    /// How many there are, by site, destination and state.
    public func counts(_ filter: OutboxFilter) throws(ArchiveError) -> [OutboxCount] {
        add(filter)
        let rows = try ask(Self.count)
        return (0..<rows.count).map { row in
            OutboxCount(
                site: rows.text(row, 0),
                destination: rows.text(row, 1),
                state: rows.text(row, 2),
                rows: Int(rows.integer(row, 3) ?? 0),
                doubtful: Int(rows.integer(row, 4) ?? 0)
            )
        }
    }

    /// Makes them due now. Returns how many there were.
    public func sendAgain(_ filter: OutboxFilter) throws(ArchiveError) -> Int {
        add(filter)
        return try ask(Self.release).changed
    }

    /// Ends them unsent. Returns how many there were.
    public func cancel(_ filter: OutboxFilter) throws(ArchiveError) -> Int {
        add(filter)
        return try ask(Self.cancel).changed
    }

    private func add(_ filter: OutboxFilter) {
        parameters.reset()
        parameters.add(integers: filter.ids)
        parameters.add(text: filter.site)
        parameters.add(text: filter.destination)
        parameters.add(text: filter.code)
        parameters.add(texts: filter.states)
    }

    private func ask(_ statement: StaticString) throws(ArchiveError) -> any PostgresRows {
        do { return try connection.run(statement, parameters) } catch {
            throw .unavailable(error.message)
        }
    }

    private static let list: StaticString = """
        SELECT delivery_id, site, destination, conversion_id, state, attempts, doubts,
            to_char(occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            to_char(due_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), code, reason, trace
        FROM heliograph.delivery
        WHERE (cardinality($1::bigint[]) = 0 OR delivery_id = ANY($1)) AND ($2::text = '' OR site = $2)
            AND ($3::text = '' OR destination = $3) AND ($4::text = '' OR code = $4)
            AND (cardinality($5::text[]) = 0 OR state = ANY($5)) AND delivery_id > $6::bigint
        ORDER BY delivery_id LIMIT $7::bigint
        """

    private static let count: StaticString = """
        SELECT site, destination, state, count(*), count(*) FILTER (WHERE doubts > 0)
        FROM heliograph.delivery
        WHERE (cardinality($1::bigint[]) = 0 OR delivery_id = ANY($1)) AND ($2::text = '' OR site = $2)
            AND ($3::text = '' OR destination = $3) AND ($4::text = '' OR code = $4)
            AND (cardinality($5::text[]) = 0 OR state = ANY($5))
        GROUP BY site, destination, state ORDER BY site, destination, state
        """

    private static let release: StaticString = """
        UPDATE heliograph.delivery SET state = 'retry', due_at = now(), settled_at = NULL,
            reason = NULL
        WHERE (cardinality($1::bigint[]) = 0 OR delivery_id = ANY($1)) AND ($2::text = '' OR site = $2)
            AND ($3::text = '' OR destination = $3) AND ($4::text = '' OR code = $4)
            AND (cardinality($5::text[]) = 0 OR state = ANY($5))
            AND state IN ('held', 'dead', 'in_doubt', 'retry')
        """

    private static let cancel: StaticString = """
        UPDATE heliograph.delivery SET state = 'cancelled', settled_at = now(),
            reason = 'cancelled-by-operator', seal = NULL, page_seal = NULL, identify_seal = NULL,
            click_seal = NULL
        WHERE (cardinality($1::bigint[]) = 0 OR delivery_id = ANY($1)) AND ($2::text = '' OR site = $2)
            AND ($3::text = '' OR destination = $3) AND ($4::text = '' OR code = $4)
            AND (cardinality($5::text[]) = 0 OR state = ANY($5))
            AND state IN ('pending', 'retry', 'held', 'dead', 'in_doubt')
        """
}
