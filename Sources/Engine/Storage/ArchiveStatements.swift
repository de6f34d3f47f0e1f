import Bytes
import Records

/// The archive's statements. Literals only; values travel as parameters or COPY.
enum ArchiveStatements {
    /// A partition that someone else moved, or that went back, is not changed: the count tells.
    static let movePositions: StaticString = """
        UPDATE heliograph.position AS target SET "offset" = step.reached
        FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS step (partition, expected, reached)
        WHERE target.partition = step.partition AND target."offset" = step.expected
        """

    static let restorePositions: StaticString = """
        INSERT INTO heliograph.position (partition, "offset")
        SELECT partition, 0 FROM generate_series(0, 255) AS partition
        ON CONFLICT (partition) DO NOTHING
        """

    static let readPositions: StaticString =
        "SELECT partition, \"offset\" FROM heliograph.position ORDER BY partition"

    /// `OFFSET 0` keeps PostgreSQL from looking for a visitor's sessions among everybody's of the time.
    /// Marks, too, what the day of the session's beginning says, where it may have begun before, and
    /// the visitor's next session, which may have been the first one so far: not for a session of the
    /// last hours, because a next one that lies in another day is in one that is not over yet.
    static let mergeSessions: StaticString = """
        WITH given AS (
            SELECT * FROM unnest(
                $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                $6::bigint[], $7::bigint[], $8::bigint[], $9::float8[], $10::boolean[])
            AS given (site, session_id, visitor_id, started_at, ended_at, events, page_views,
                active_milliseconds, score_maximum, bot)
        ), merged AS (
            INSERT INTO heliograph.session AS held (
                site, session_id, visitor_id, started_at, ended_at, events, page_views,
                active_milliseconds, score_maximum, bot)
            SELECT * FROM given
            ON CONFLICT (site, session_id) DO UPDATE SET
                started_at = least(held.started_at, excluded.started_at),
                ended_at = greatest(held.ended_at, excluded.ended_at),
                events = held.events + excluded.events,
                page_views = held.page_views + excluded.page_views,
                active_milliseconds = held.active_milliseconds + excluded.active_milliseconds,
                score_maximum = greatest(held.score_maximum, excluded.score_maximum),
                bot = held.bot OR excluded.bot
            RETURNING *
        ), changed AS (
            SELECT merged.*, merged.started_at = given.started_at AS is_moved,
                merged.page_views = given.page_views OR merged.bot AS is_other
            FROM merged JOIN given USING (site, session_id)
        ), touched AS (
            SELECT changed.site, span.quarter FROM changed, generate_series(
                date_bin('15 minutes', changed.started_at, 'epoch'),
                CASE WHEN is_moved THEN least(ended_at, started_at + interval '31 days')
                    ELSE started_at END,
                interval '15 minutes') AS span (quarter)
            UNION
            SELECT changed.site, date_bin('15 minutes', next.started_at, 'epoch')
            FROM changed CROSS JOIN LATERAL (
                SELECT min(later.started_at) AS started_at FROM (
                    SELECT own.started_at FROM heliograph.session AS own
                    WHERE own.site = changed.site AND own.visitor_id = changed.visitor_id
                        AND own.session_id <> changed.session_id OFFSET 0) AS later
                WHERE later.started_at >= changed.started_at) AS next
            WHERE (is_moved OR is_other) AND changed.started_at < now() - interval '20 hours'
                AND next.started_at IS NOT NULL
        )
        INSERT INTO heliograph.rollup_stale AS held (site, quarter)
        SELECT site, quarter FROM touched ORDER BY site, quarter
        ON CONFLICT (site, quarter) DO UPDATE SET marked_at = excluded.marked_at
        """

    /// Quarters of an hour since 1970-01-01.
    static let markStale: StaticString = """
        INSERT INTO heliograph.rollup_stale AS held (site, quarter)
        SELECT mark.site, to_timestamp(mark.number * 900)
        FROM unnest($1::text[], $2::bigint[]) AS mark (site, number) ORDER BY 1, 2
        ON CONFLICT (site, quarter) DO UPDATE SET marked_at = excluded.marked_at
        """

    static let copyHistory: StaticString = """
        COPY heliograph.score_history (
            at, journal_offset, score, confidence, likelihood, partition, bot, site, visitor_id, band,
            profile, reason, model, terms, profile_before, profile_terms) FROM STDIN (FORMAT binary)
        """

    static let historyColumnCount: Int16 = 16

    static let copyWithdrawals: StaticString = """
        COPY heliograph.withdrawal (received_at, journal_offset, partition, site, visitor_id)
        FROM STDIN (FORMAT binary)
        """

    static let withdrawalColumnCount: Int16 = 5

    static let copyLinks: StaticString = """
        COPY heliograph.identity_change (received_at, journal_offset, partition, joined, cause, site,
            visitor_id, identity) FROM STDIN (FORMAT binary)
        """

    static let linkColumnCount: Int16 = 8

    static let copyChoices: StaticString = """
        COPY heliograph.consent_record (
            at, received_at, journal_offset, partition, said, consent, flags, settings_version, digest,
            site, visitor_id, source, signals) FROM STDIN (FORMAT binary)
        """

    static let choiceColumnCount: Int16 = 13

    /// What waits to be sent and rests on an agreement that is gone: on advertising (bits 8 and 32)
    /// when the conversion was told with it, on anything when nothing is agreed to any more. Only what
    /// happened before the choice; what was sealed for it is destroyed.
    static let cancelDeliveries: StaticString = """
        UPDATE heliograph.delivery AS waiting
        SET state = 'cancelled', reason = 'consent-withdrawn', settled_at = now(),
            seal = NULL, page_seal = NULL, identify_seal = NULL, click_seal = NULL
        FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[])
                AS choice (site, visitor_id, at, consent),
            heliograph.conversion AS told
        WHERE waiting.site = choice.site AND waiting.visitor_id = choice.visitor_id
            AND waiting.state IN ('pending', 'retry', 'held') AND waiting.occurred_at <= choice.at
            AND told.site = waiting.site AND told.conversion_id = waiting.conversion_id
            AND (choice.consent & 1 = 0 OR told.consent & 40 & ~choice.consent <> 0)
        """

    /// The dates of the days of rejected events that there are.
    static let rejectedTables: StaticString = """
        SELECT substring(child.relname FROM '^rejected_event_([0-9]{8})$')
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'heliograph.rejected_event'::regclass
        """

    static let eventTables: StaticString = """
        SELECT substring(child.relname FROM '^event_([0-9]{8})$')
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'heliograph.event'::regclass
        """

    static let keepRefusedRow: StaticString = """
        INSERT INTO heliograph.refused_row (source, reason, message, row_bytes)
        VALUES ($1, $2, $3, $4)
        """

    static let trimRefusedRows: StaticString = """
        DELETE FROM heliograph.refused_row WHERE ctid IN (
            SELECT ctid FROM heliograph.refused_row ORDER BY refused_at DESC OFFSET $1)
        """
}

extension PostgresParameters {
    mutating func addPositions(_ batch: borrowing ArchiveBatch, expected: [UInt64]) {
        let moved = batch.moved
        addArray(type: PostgresType.int2Array, of: PostgresType.int2, count: moved.count) {
            buffer in
            for partition in moved { buffer.field(Int16(partition.index)) }
        }
        addOffsets(moved) { expected[Int($0.index)] }
        addOffsets(moved) { batch.target($0) ?? 0 }
    }

    private mutating func addOffsets(_ moved: [Partition], _ value: (Partition) -> UInt64) {
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: moved.count) {
            buffer in
            for partition in moved { buffer.field(Int64(bitPattern: value(partition))) }
        }
    }

    mutating func addSessions(_ sessions: ArraySlice<SessionChange>) {
        addTexts(sessions) { $0.site }
        addTexts(sessions) { $0.session }
        addTexts(sessions) { $0.visitor }
        addTimes(sessions) { $0.startedAt }
        addTimes(sessions) { $0.endedAt }
        addNumbers(sessions) { Int64($0.events) }
        addNumbers(sessions) { Int64($0.pageViews) }
        addNumbers(sessions) { $0.activeMilliseconds }
        addArray(type: PostgresType.float8Array, of: PostgresType.float8, count: sessions.count) {
            for session in sessions { $0.field(session.scoreMaximum) }
        }
        addArray(type: PostgresType.boolArray, of: PostgresType.bool, count: sessions.count) {
            for session in sessions { $0.field(session.bot) }
        }
    }

    mutating func addStale(_ quarters: Set<StaleQuarters.Quarter>) {
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: quarters.count) {
            buffer in
            for quarter in quarters { quarter.site.withBytes { buffer.field($0) } }
        }
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: quarters.count) {
            for quarter in quarters { $0.field(quarter.number) }
        }
    }

    mutating func addChoices(_ choices: [ConsentChoice]) {
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: choices.count) {
            buffer in
            for choice in choices { choice.site.withBytes { buffer.field($0) } }
        }
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: choices.count) {
            buffer in
            for choice in choices { choice.visitor.withBytes { buffer.field($0) } }
        }
        addArray(
            type: PostgresType.timestamptzArray,
            of: PostgresType.timestamptz,
            count: choices.count
        ) { for choice in choices { $0.timeField(epochMilliseconds: choice.at) } }
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: choices.count) {
            for choice in choices { $0.field(Int64(choice.consent.rawValue)) }
        }
    }

    private mutating func addTexts(
        _ sessions: ArraySlice<SessionChange>,
        _ value: (SessionChange) -> ShortText
    ) {
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: sessions.count) {
            buffer in
            for session in sessions { value(session).withBytes { buffer.field($0) } }
        }
    }

    private mutating func addTimes(
        _ sessions: ArraySlice<SessionChange>,
        _ value: (SessionChange) -> Int64
    ) {
        addArray(
            type: PostgresType.timestamptzArray,
            of: PostgresType.timestamptz,
            count: sessions.count
        ) { for session in sessions { $0.timeField(epochMilliseconds: value(session)) } }
    }

    private mutating func addNumbers(
        _ sessions: ArraySlice<SessionChange>,
        _ value: (SessionChange) -> Int64
    ) {
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: sessions.count) {
            for session in sessions { $0.field(value(session)) }
        }
    }
}
