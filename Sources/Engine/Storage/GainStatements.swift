import Bytes
import Records
import Settings

/// The archive's statements about conversions. Literals only; values travel as parameters or COPY.
enum GainStatements {
    static let copyTouches: StaticString = """
        COPY heliograph.touch (
            at, journal_offset, partition, site, visitor_id, session_id, channel, source, medium,
            campaign, click) FROM STDIN (FORMAT binary)
        """

    static let touchColumnCount: Int16 = 11

    /// Empty blocks change nothing, and a click id that is known keeps the moment of its first sight.
    static let mergeContacts: StaticString = """
        INSERT INTO heliograph.contact AS held (
            site, visitor_id, page_seal, identify_seal, click_seal, click_key, updated_at)
        SELECT given.site, given.visitor, nullif(given.page, ''), nullif(given.identify, ''),
            nullif(given.click, ''), nullif(given.key, ''), given.at
        FROM unnest(
            $1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[],
            $7::timestamptz[]) AS given (site, visitor, page, identify, click, key, at)
        ON CONFLICT (site, visitor_id) DO UPDATE SET
            page_seal = coalesce(excluded.page_seal, held.page_seal),
            identify_seal = coalesce(excluded.identify_seal, held.identify_seal),
            click_seal = CASE
                WHEN excluded.click_key IS NULL OR excluded.click_key = held.click_key
                THEN held.click_seal ELSE excluded.click_seal END,
            click_key = coalesce(excluded.click_key, held.click_key),
            updated_at = greatest(excluded.updated_at, held.updated_at)
        """

    /// Parameters of `addConversions` in their order: what follows `unnest` below.
    ///
    /// The page is the one that the event happened on, else the tab's latest, among the visitor's last
    /// rows of a day. A second conversion of the same name and order is kept and told nobody. Shares are
    /// given to the first touch and the last ones of the days before; where nothing is known, to nothing
    /// in particular. Limits bound how many rows and touches are looked at.
    static let addConversions: StaticString = """
        WITH given AS (
            SELECT *, row_number() OVER (
                PARTITION BY site, name, order_id ORDER BY occurred_at, conversion_id) AS copy
            FROM unnest(
                $1::timestamptz[], $2::timestamptz[], $3::bigint[], $4::smallint[], $5::smallint[],
                $6::smallint[], $7::boolean[], $8::boolean[], $9::text[], $10::text[], $11::text[],
                $12::text[], $13::text[], $14::text[], $15::text[], $16::float8[], $17::text[],
                $18::text[], $19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::text[])
            AS given (
                occurred_at, received_at, journal_offset, partition, consent, flags, sensitive, bot,
                site, conversion_id, name, visitor_id, user_id, session_id, window_id, value,
                currency, order_id, details, withheld, page, days, url)
        ), made AS (
            INSERT INTO heliograph.conversion (
                occurred_at, received_at, journal_offset, partition, consent, flags, sensitive, bot,
                site, conversion_id, name, visitor_id, user_id, session_id, value, currency,
                order_id, page_url, referrer, title, details, withheld)
            SELECT given.occurred_at, given.received_at, given.journal_offset, given.partition,
                given.consent, given.flags, given.sensitive, given.bot, given.site,
                given.conversion_id, given.name, given.visitor_id, nullif(given.user_id, ''),
                nullif(given.session_id, ''), nullif(given.value, 'NaN')::numeric,
                nullif(given.currency, ''), nullif(given.order_id, ''), coalesce(nullif(given.url, ''), page.u), page.r, page.ti,
                given.details::jsonb,
                CASE WHEN given.order_id <> '' AND (given.copy > 1 OR EXISTS (
                    SELECT FROM heliograph.conversion AS before
                    WHERE before.site = given.site AND before.name = given.name
                        AND before.order_id = given.order_id))
                THEN given.withheld::jsonb || '{"*": "order-repeated"}'::jsonb
                ELSE given.withheld::jsonb END
            FROM given LEFT JOIN LATERAL (
                SELECT properties ->> 'u' AS u, properties ->> 'r' AS r, properties ->> 'ti' AS ti
                FROM (
                    SELECT type, window_id, page, n, received_at, properties
                    FROM heliograph.event
                    WHERE given.window_id <> '' AND site = given.site
                        AND visitor_id = given.visitor_id
                        AND received_at BETWEEN given.received_at - interval '1 day'
                            AND given.received_at
                    ORDER BY received_at DESC, n DESC LIMIT $24::bigint
                ) AS view
                WHERE view.type = 'pv' AND view.window_id = given.window_id
                ORDER BY (view.page = given.page) DESC, view.received_at DESC, view.n DESC
                LIMIT 1
            ) AS page ON true
            ON CONFLICT (site, conversion_id) DO NOTHING
            RETURNING site, conversion_id, visitor_id, occurred_at
        ), path AS (
            SELECT made.site, made.conversion_id, made.occurred_at, touch.at, touch.channel,
                touch.source, touch.medium, touch.campaign,
                row_number() OVER forward AS place, row_number() OVER backward AS place_from_end
            FROM made JOIN given USING (site, conversion_id)
            CROSS JOIN LATERAL (
                (SELECT * FROM heliograph.touch
                WHERE site = made.site AND visitor_id = made.visitor_id
                    AND at <= made.occurred_at
                    AND at > made.occurred_at - make_interval(days => given.days::integer)
                ORDER BY at, journal_offset LIMIT 1)
                UNION
                (SELECT * FROM heliograph.touch
                WHERE site = made.site AND visitor_id = made.visitor_id
                    AND at <= made.occurred_at
                    AND at > made.occurred_at - make_interval(days => given.days::integer)
                ORDER BY at DESC, journal_offset DESC LIMIT $25::bigint)
            ) AS touch
            WINDOW forward AS (
                    PARTITION BY made.site, made.conversion_id
                    ORDER BY touch.at, touch.journal_offset),
                backward AS (
                    PARTITION BY made.site, made.conversion_id
                    ORDER BY touch.at DESC, touch.journal_offset DESC)
        ), weighed AS (
            SELECT path.*, count(*) OVER whole AS length,
                power(2, -extract(epoch FROM path.occurred_at - path.at) / 604800) AS freshness,
                min(place_from_end) FILTER (WHERE channel <> 'direct') OVER whole AS non_direct
            FROM path WINDOW whole AS (PARTITION BY site, conversion_id)
        ), shared AS (
            SELECT weighed.*, model.name AS model, CASE model.name
                WHEN 'first' THEN (place = 1)::integer
                WHEN 'last' THEN (place_from_end = 1)::integer
                WHEN 'last_non_direct' THEN (place_from_end = coalesce(non_direct, 1))::integer
                WHEN 'linear' THEN 1.0 / length
                WHEN 'time_decay' THEN freshness / sum(freshness) OVER (
                    PARTITION BY site, conversion_id, model.name)
                ELSE CASE WHEN length <= 2 THEN 1.0 / length
                    WHEN place = 1 OR place_from_end = 1 THEN 0.4
                    ELSE 0.2 / (length - 2) END
                END AS credit
            FROM weighed CROSS JOIN (VALUES ('first'), ('last'), ('last_non_direct'), ('linear'),
                ('time_decay'), ('position_based')) AS model (name)
        )
        INSERT INTO heliograph.attribution (
            site, conversion_id, model, touched_at, channel, source, medium, campaign, credit)
        SELECT site, conversion_id, model, at, channel, source, medium, campaign, credit
        FROM shared WHERE credit > 0
        UNION ALL
        SELECT made.site, made.conversion_id, model.name, NULL, 'unassigned', NULL, NULL, NULL, 1
        FROM made CROSS JOIN (VALUES ('first'), ('last'), ('last_non_direct'), ('linear'),
            ('time_decay'), ('position_based')) AS model (name)
        WHERE NOT EXISTS (
            SELECT FROM path
            WHERE path.site = made.site AND path.conversion_id = made.conversion_id)
        """

    /// The outbox: only for conversions that this very batch has made, and for no repeated order.
    static let addDeliveries: StaticString = """
        INSERT INTO heliograph.delivery (
            site, destination, conversion_id, visitor_id, occurred_at, seal, page_seal,
            identify_seal, click_seal)
        SELECT made.site, given.destination, made.conversion_id, made.visitor_id, made.occurred_at,
            nullif(given.seal, ''), contact.page_seal, contact.identify_seal, contact.click_seal
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::bytea[])
            AS given (site, conversion_id, destination, partition, journal_offset, seal)
        JOIN heliograph.conversion AS made USING (site, conversion_id, partition, journal_offset)
        LEFT JOIN heliograph.contact AS contact
            ON contact.site = made.site AND contact.visitor_id = made.visitor_id
        WHERE NOT made.withheld ? '*'
        ON CONFLICT (site, destination, conversion_id) DO NOTHING
        """
}

extension PostgresParameters {
    mutating func addContacts(_ contacts: [GainRows.Contact]) {
        addStrings(contacts) { $0.site }
        addStrings(contacts) { $0.visitor }
        addBytes(contacts) { $0.page }
        addBytes(contacts) { $0.identify }
        addBytes(contacts) { $0.click }
        addStrings(contacts) { $0.clickKey }
        addMoments(contacts) { $0.receivedAt }
    }

    mutating func addConversions(_ rows: ArraySlice<GainRows.Conversion>) {
        let rows = Array(rows)
        addMoments(rows) { $0.row.occurredAt }
        addMoments(rows) { $0.receivedAt }
        addLongs(rows) { Int64(bitPattern: $0.position.offset) }
        addShorts(rows) { Int16($0.position.partition.index) }
        addShorts(rows) { Int16($0.consent) }
        addShorts(rows) { Int16($0.flags) }
        addFlags(rows) { $0.row.isSensitive }
        addFlags(rows) { $0.isBot }
        addStrings(rows) { $0.site }
        addStrings(rows) { $0.row.id }
        addStrings(rows) { $0.row.name }
        addStrings(rows) { $0.visitor }
        addStrings(rows) { $0.user }
        addStrings(rows) { $0.session }
        addStrings(rows) { $0.window }
        addArray(type: PostgresType.float8Array, of: PostgresType.float8, count: rows.count) {
            for row in rows { $0.field(row.row.value ?? .nan) }
        }
        addStrings(rows) { $0.row.currency }
        addStrings(rows) { $0.row.orderID }
        addStrings(rows) { $0.row.details }
        addStrings(rows) { $0.withheldText }
        addLongs(rows) { Int64($0.row.page) }
        addLongs(rows) { Int64($0.row.attributionDays) }
        addStrings(rows) { $0.row.pageURL }
        addLong(Limits.conversionPageRowsMaximum)
        addLong(Limits.attributionTouchesMaximum)
    }

    mutating func addDeliveries(_ rows: ArraySlice<GainRows.Conversion>) {
        let pairs = rows.flatMap { row in row.row.destinations.map { (row, $0) } }
        addStrings(pairs) { $0.0.site }
        addStrings(pairs) { $0.0.row.id }
        addStrings(pairs) { $0.1 }
        addShorts(pairs) { Int16($0.0.position.partition.index) }
        addLongs(pairs) { Int64(bitPattern: $0.0.position.offset) }
        addBytes(pairs) { $0.0.seal }
    }

    private mutating func addStrings<Row>(_ rows: [Row], _ value: (Row) -> String) {
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: rows.count) {
            for row in rows { $0.field(value(row)) }
        }
    }

    private mutating func addBytes<Row>(_ rows: [Row], _ value: (Row) -> [UInt8]) {
        addArray(type: PostgresType.byteaArray, of: PostgresType.bytea, count: rows.count) {
            buffer in
            for row in rows {
                let bytes = value(row)
                buffer.append(bigEndian: Int32(bytes.count))
                for byte in bytes { buffer.append(byte) }
            }
        }
    }

    private mutating func addMoments<Row>(_ rows: [Row], _ value: (Row) -> Int64) {
        addArray(
            type: PostgresType.timestamptzArray,
            of: PostgresType.timestamptz,
            count: rows.count
        ) { for row in rows { $0.timeField(epochMilliseconds: value(row)) } }
    }

    private mutating func addLongs<Row>(_ rows: [Row], _ value: (Row) -> Int64) {
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: rows.count) {
            for row in rows { $0.field(value(row)) }
        }
    }

    private mutating func addLong(_ number: Int) {
        add(type: PostgresType.int8) { $0.append(bigEndian: Int64(number)) }
    }

    private mutating func addShorts<Row>(_ rows: [Row], _ value: (Row) -> Int16) {
        addArray(type: PostgresType.int2Array, of: PostgresType.int2, count: rows.count) {
            for row in rows { $0.field(value(row)) }
        }
    }

    private mutating func addFlags<Row>(_ rows: [Row], _ value: (Row) -> Bool) {
        addArray(type: PostgresType.boolArray, of: PostgresType.bool, count: rows.count) {
            for row in rows { $0.field(value(row)) }
        }
    }
}

extension GainRows.Conversion {
    /// Destinations with reasons as a JSON object. Names of destinations are checked words and reasons
    /// are our own, so neither needs escapes.
    var withheldText: String {
        let members = row.withheld.map { "\"\($0.destination)\":\"\($0.reason)\"" }
        return "{" + members.joined(separator: ",") + "}"
    }
}
