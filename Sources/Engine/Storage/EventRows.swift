public import Bytes
public import Records
import Units

/// Everything that PostgreSQL holds of the events, as of one moment: for verifying and for folding
/// anew. Blocking; owned by one thread.
public final class EventRows {
    private let connection: PostgresConnection

    /// Connects and takes a snapshot: whatever is written from now on is not seen.
    public init(conninfo: String) throws(ArchiveError) {
        do {
            connection = try PostgresConnection(conninfo: conninfo)
            try connection.run("SET client_min_messages = error; SET timezone = 'UTC'")
            // The float format does not matter to binary COPY; work_mem does to the sorting.
            try connection.run("SET work_mem = '64MB'")
            try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// How far each partition has been taken; index is the partition.
    public func positions() throws(ArchiveError) -> [UInt64] {
        try asking { () throws(PostgresFailure) in try connection.readPositions() }
    }

    /// How far each partition had been taken when points of history began to tell their terms; the
    /// older ones are fewer and say less.
    public func historyBegins() throws(ArchiveError) -> [UInt64] {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows(Self.explainedSince)
            var offsets = [UInt64](repeating: 0, count: Partition.count)
            for row in 0..<rows.count {
                let partition = Int(rows.integer(row, 0) ?? 0) % Partition.count
                offsets[partition] = UInt64(bitPattern: rows.integer(row, 1) ?? 0)
            }
            return offsets
        }
    }

    private static let explainedSince: StaticString =
        "SELECT partition, \"offset\" FROM heliograph.explained_since"

    /// Event rows, as PostgreSQL's statistics estimate them.
    public func estimatedCount() throws(ArchiveError) -> Int {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows(Self.estimate)
            return Int(rows.integer(0, 0) ?? 0)
        }
    }

    /// Rows that PostgreSQL refused and that are kept aside.
    public func refusedCount() throws(ArchiveError) -> Int {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows("SELECT count(*) FROM heliograph.refused_row")
            return Int(rows.integer(0, 0) ?? 0)
        }
    }

    /// How many ids of events there are, and how many of them stand in several rows that were received
    /// within a day: the window of deduplication is not longer, whatever it is set to.
    public func repeatedIDs() throws(ArchiveError) -> (ids: Int, repeated: Int) {
        try asking { () throws(PostgresFailure) in
            let rows = try connection.rows(Self.repeats)
            return (Int(rows.integer(0, 0) ?? 0), Int(rows.integer(0, 1) ?? 0))
        }
    }

    /// Every event row: its place and its fingerprint, in no order.
    public func fingerprints(
        _ body: (Position, UInt64) -> Void
    ) throws(ArchiveError) {
        try stream(Self.allEvents, body) { fingerprint, row, position in
            fingerprint.of(event: &row, at: position)
        }
    }

    /// Every point of the score history: its place and its fingerprint, in no order.
    public func historyFingerprints(
        _ body: (Position, UInt64) -> Void
    ) throws(ArchiveError) {
        try stream(Self.allHistory, body) { fingerprint, row, position in
            fingerprint.of(history: &row, at: position)
        }
    }

    private func stream(
        _ statement: StaticString,
        _ body: (Position, UInt64) -> Void,
        _ hash: (inout EventFingerprint, inout CopyRow, Position) -> UInt64
    ) throws(ArchiveError) {
        var fingerprint = EventFingerprint()
        try asking { () throws(PostgresFailure) in
            try connection.copyOut(statement) { row in
                let position = row.position()
                body(position, hash(&fingerprint, &row, position))
            }
        }
    }

    /// Every session row, in no order.
    public func sessions(_ body: (SessionChange) -> Void) throws(ArchiveError) {
        try asking { () throws(PostgresFailure) in
            try connection.copyOut(Self.allSessions) { row in body(SessionChange(&row)) }
        }
    }

    /// Rows as the records they came from: by partition, in it by offset. The payload is valid inside
    /// `body` only. Slices say what folding needs; batch ids and settings versions are not kept in
    /// rows.
    public func records(_ body: (RecordHeader, ByteView) -> Void) throws(ArchiveError) {
        let builder = EventRecordBuilder()
        try asking { () throws(PostgresFailure) in
            try connection.copyOut(Self.eventsInOrder) { row in builder.take(&row, body) }
        }
        builder.finish(body)
    }

    private func asking<Result>(
        _ body: () throws(PostgresFailure) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(PostgresFailure) { return try body() } catch { throw .unavailable(error.message) }
    }

    private static let estimate: StaticString = """
        SELECT coalesce(sum(greatest(child.reltuples, 0)), 0)::bigint
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'heliograph.event'::regclass
        """

    private static let repeats: StaticString = """
        SELECT count(*), count(*) FILTER (WHERE copies > 1 AND span < interval '24 hours')
        FROM (SELECT count(*) AS copies, max(received_at) - min(received_at) AS span
            FROM heliograph.event
            GROUP BY site, coalesce(message_id, window_id || '-' || n)) AS id
        """

    private static let allEvents: StaticString = """
        COPY (SELECT partition, journal_offset, occurred_at, received_at, n, page, consent, bot, site,
            visitor_id, session_id, window_id, message_id, user_id, type, name, address, context,
            properties FROM heliograph.event) TO STDOUT (FORMAT binary)
        """

    private static let allHistory: StaticString = """
        COPY (SELECT partition, journal_offset, at, score, confidence, likelihood, bot, site,
            visitor_id, band, profile, reason, coalesce(model, ''), coalesce(profile_before, ''),
            terms, profile_terms FROM heliograph.score_history)
        TO STDOUT (FORMAT binary)
        """

    private static let allSessions: StaticString = """
        COPY (SELECT site, visitor_id, session_id, started_at, ended_at, events, page_views,
            active_milliseconds, score_maximum, bot FROM heliograph.session)
        TO STDOUT (FORMAT binary)
        """

    /// Flags tell the place of an event in its record, see migration 5; for older rows its number must
    /// do. A withdrawal is a row without a type.
    private static let eventsInOrder: StaticString = """
        COPY (SELECT partition, journal_offset, occurred_at, received_at, n, page, consent, flags, site,
                visitor_id, session_id, window_id, message_id, user_id, type, name, address, context,
                properties
            FROM (SELECT partition, journal_offset, occurred_at, received_at, n, page, consent, flags,
                    site, visitor_id, session_id, window_id, message_id, user_id, type, name, address,
                    context, properties
                FROM heliograph.event
                UNION ALL
                SELECT partition, journal_offset, received_at, received_at, 0, 0, 0::smallint,
                    0::smallint, site, visitor_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                    NULL
                FROM heliograph.withdrawal) AS source
            ORDER BY partition, journal_offset, coalesce(flags >> 8, 0), n) TO STDOUT (FORMAT binary)
        """
}

extension CopyRow {
    mutating func position() -> Position {
        let partition = Partition(UInt8(truncatingIfNeeded: integer() ?? 0))
        return Position(partition: partition, offset: UInt64(bitPattern: integer() ?? 0))
    }
}

extension SessionChange {
    fileprivate init(_ row: inout CopyRow) {
        self.init()
        site = ShortText(row.text()) ?? ShortText()
        visitor = ShortText(row.text()) ?? ShortText()
        session = ShortText(row.text()) ?? ShortText()
        startedAt = row.epochMilliseconds()
        endedAt = row.epochMilliseconds()
        events = Int32(clamping: row.integer() ?? 0)
        pageViews = Int32(clamping: row.integer() ?? 0)
        activeMilliseconds = row.integer() ?? 0
        scoreMaximum = row.number()
        bot = row.integer() == 1
    }
}

/// Puts rows together to the records they came from. Owned by the reading thread.
final class EventRecordBuilder {
    private var writer = SliceWriter(limit: 4 << 20)
    private var position: Position?
    private var receivedAt: Int64 = 0
    private var events = 0

    /// Takes the next row; `body` gets the record before it, once it is whole.
    func take(_ row: inout CopyRow, _ body: (RecordHeader, ByteView) -> Void) {
        let next = row.position()
        if next != position { finish(body) }
        let occurredAt = row.epochMilliseconds()
        let received = row.epochMilliseconds()
        let number = UInt32(truncatingIfNeeded: row.integer() ?? 0)
        let page = UInt16(truncatingIfNeeded: row.integer() ?? 0)
        var head = SliceWriter.Head()
        head.consent = Consent(rawValue: UInt8(truncatingIfNeeded: row.integer() ?? 0))
        let flags = RowFlags(rawValue: Int16(truncatingIfNeeded: row.integer() ?? 0))
        (head.flags, head.deviceClass) = (flags.slice, flags.deviceClass)
        head.site = row.text()
        head.visitor = row.text()
        let session = row.text()
        head.session = flags.contains(.sessionMade) ? .empty : session
        head.window = row.text()
        let messageID = row.text()
        head.user = row.text()
        let type = row.field()
        let name = row.text()
        head.address = row.text()
        head.context = row.json()
        if next != position {
            (position, receivedAt) = (next, received)
            writer.begin(head)
        }
        writer.beginEvent(
            number: number,
            occurredAt: occurredAt,
            kind: type.flatMap { EventKind(code: $0) } ?? .consent,
            flags: flags.event,
            page: page,
            name: name,
            messageID: messageID
        )
        writer.buffer.append(row.json())
        writer.endEvent()
        events += 1
    }

    /// Hands on what is whole.
    func finish(_ body: (RecordHeader, ByteView) -> Void) {
        guard let position, writer.finish(eventCount: events) else { return }
        var header = RecordHeader(
            kind: .slice,
            partition: position.partition,
            receivedAt: receivedAt,
            payload: writer.buffer.view
        )
        header.offset = position.offset
        body(header, writer.buffer.view)
        (self.position, events) = (nil, 0)
    }
}
