import Bytes
import Units

/// One delivery with its conversion, as a forwarder claims it. Texts are empty where there is nothing.
public struct OutboxRow: Sendable {
    /// Number of the row.
    public var id: Int64 = 0
    /// Site name.
    public var site = ""
    /// Name of the destination in the site's settings.
    public var destination = ""
    /// Id of the conversion.
    public var conversionID = ""
    /// Visitor id.
    public var visitor = ""
    /// Requests that carried it.
    public var attempts = 0
    /// What the row said of them when it was claimed.
    public var attemptsWhenClaimed = 0
    /// Those whose fate is unknown.
    public var doubts = 0
    /// Who had claimed it and never said what came of it; empty when nobody had.
    public var claimant = ""
    /// When it was put into the outbox, epoch milliseconds.
    public var createdAtMilliseconds: Int64 = 0
    /// Platform's code of the last attempt.
    public var code = ""
    /// Sealed blocks: of the record, the page, the identify and the click.
    public var seals: [[UInt8]] = []
    /// Nil when the conversion is gone.
    public var conversion: OutboxConversion?

    /// A row of nothing.
    public init() {}
}

/// What the archive stored of a conversion.
public struct OutboxConversion: Sendable {
    /// When it happened, epoch milliseconds.
    public var occurredAtMilliseconds: Int64 = 0
    /// Consent bits of the record.
    public var consent: UInt8 = 0
    /// Consent bits of the visitor's latest choice since; nil when there was none.
    public var consentSince: UInt8?
    /// Flags of the slice.
    public var flags: UInt8 = 0
    /// Whether it tells of health.
    public var isSensitive = false
    /// Whether an automated browser.
    public var isBot = false
    /// Canonical or own name.
    public var name = ""
    /// Pseudonym of the user.
    public var user = ""
    /// Money in major units.
    public var value: Double?
    /// Its currency.
    public var currency = ""
    /// The shop's order number.
    public var orderID = ""
    /// Address of the page.
    public var pageURL = ""
    /// Where the visitor came from.
    public var referrer = ""
    /// Title of the page.
    public var title = ""
    /// JSON object.
    public var details = ""
}

/// How many more of a destination's deliveries a forwarder can take.
public struct OutboxRoom: Sendable {
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// How many.
    public var rows: Int

    /// Room from its parts.
    public init(site: String, destination: String, rows: Int) {
        self.site = site
        self.destination = destination
        self.rows = rows
    }
}

/// What has become of a claimed delivery.
public struct OutboxSettlement: Sendable {
    /// States of `heliograph.delivery`.
    public enum State: String, Sendable, CaseIterable {
        case pending, retry, delivered, dead, expired, held, cancelled
        case inDoubt = "in_doubt"
    }

    /// Number of the row.
    public var id: Int64
    /// Its conversion: rows are numbered anew when a database is set back.
    public var conversionID: String
    /// See `State`.
    public var state: State
    /// Requests that carried it.
    public var attempts: Int
    /// Those whose fate is unknown.
    public var doubts: Int
    /// When it is due again, epoch milliseconds.
    public var dueAtMilliseconds: Int64
    /// The platform's code.
    public var code = ""
    /// Our reason.
    public var reason = ""
    /// The platform's id of the request.
    public var trace = ""
    /// What the platform remarked.
    public var remark = ""

    /// A settlement without code, reason, trace and remark.
    public init(_ row: OutboxRow, _ state: State, dueAtMilliseconds: Int64 = 0) {
        id = row.id
        conversionID = row.conversionID
        self.state = state
        attempts = row.attempts
        doubts = row.doubts
        self.dueAtMilliseconds = dueAtMilliseconds
    }
}

/// What waits for a destination.
public struct OutboxBacklog: Sendable {
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// Deliveries that are due or will be.
    public var waiting: Int
    /// When the oldest of them was put into the outbox, epoch milliseconds.
    public var oldestAtMilliseconds: Int64
}

/// How a destination is, as the forwarder that talks to it says.
public struct DestinationState: Sendable, Equatable {
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// `open`, `failing`, `paused` or `stopped`.
    public var state: String
    /// The platform's code.
    public var code: String
    /// What it means.
    public var reason: String

    /// A state from its parts.
    public init(site: String, destination: String, state: String, code: String, reason: String) {
        self.site = site
        self.destination = destination
        self.state = state
        self.code = code
        self.reason = reason
    }
}

/// How many delivered conversions had something that a platform knows people by.
public struct OutboxMatch: Sendable, Equatable {
    /// Site name.
    public var site: String
    /// Name of the destination.
    public var destination: String
    /// Such as `em`; `all` whatever they had.
    public var key: String
    /// How many more.
    public var conversions: Int

    /// A count from its parts.
    public init(site: String, destination: String, key: String, conversions: Int) {
        self.site = site
        self.destination = destination
        self.key = key
        self.conversions = conversions
    }
}

/// The outbox in PostgreSQL: forwarders claim deliveries, and say what became of them.
///
/// Any number of forwarders may work on it. A claim is a lease: it ends by itself, after which
/// another forwarder takes the row over, knowing that it was claimed. Blocking; owned by one thread.
public final class Outbox {
    private let connection: PostgresConnection
    private let claimant: String
    private var parameters = PostgresParameters()

    /// Connects. `claimant` names this forwarder in its claims.
    public init(conninfo: String, claimant: String) throws(ArchiveError) {
        self.claimant = claimant
        do {
            connection = try PostgresConnection(conninfo: conninfo)
            try connection.run("SET client_min_messages = error; SET timezone = 'UTC'")
            // A database without statistics would be read whole to find a few rows that are due.
            try connection.run("SET enable_seqscan = off; SET jit = off")
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// Claims deliveries that are due, at most as many as there is room for, with those before whose
    /// claimant went away.
    public func claim(
        _ rooms: [OutboxRoom],
        nowMilliseconds: Int64,
        leaseMilliseconds: Int64
    ) throws(ArchiveError) -> [OutboxRow] {
        if rooms.isEmpty { return [] }
        var rows = try claim(OutboxStatements.takeOver, rooms, nowMilliseconds, leaseMilliseconds)
        let left = rooms.map { room in
            var left = room
            left.rows -= rows.count { $0.site == room.site && $0.destination == room.destination }
            return left
        }
        rows += try claim(
            OutboxStatements.claim,
            left.filter { $0.rows > 0 },
            nowMilliseconds,
            leaseMilliseconds
        )
        return rows
    }

    private func claim(
        _ statement: StaticString,
        _ rooms: [OutboxRoom],
        _ now: Int64,
        _ lease: Int64
    ) throws(ArchiveError) -> [OutboxRow] {
        if rooms.isEmpty { return [] }
        parameters.reset()
        parameters.add(texts: rooms.map(\.site))
        parameters.add(texts: rooms.map(\.destination))
        parameters.add(integers: rooms.map { Int64($0.rows) })
        parameters.add(integer: now)
        parameters.add(text: claimant)
        parameters.add(integer: lease)
        let found = try ask(statement)
        return (0..<found.count).compactMap { OutboxRow(found, $0) }
    }

    /// Writes what became of claimed deliveries. Returns how many rows were still ours to write: a row
    /// whose lease had ended belongs to whoever claimed it since.
    public func settle(_ settlements: [OutboxSettlement]) throws(ArchiveError) -> Int {
        if settlements.isEmpty { return 0 }
        parameters.reset()
        parameters.add(integers: settlements.map(\.id))
        parameters.add(texts: settlements.map(\.conversionID))
        parameters.add(texts: settlements.map(\.state.rawValue))
        parameters.add(integers: settlements.map { Int64($0.attempts) })
        parameters.add(integers: settlements.map { Int64($0.doubts) })
        parameters.add(integers: settlements.map(\.dueAtMilliseconds))
        parameters.add(texts: settlements.map(\.code))
        parameters.add(texts: settlements.map(\.reason))
        parameters.add(texts: settlements.map(\.trace))
        parameters.add(texts: settlements.map(\.remark))
        parameters.add(text: claimant)
        return try ask(OutboxStatements.settle).changed
    }

    /// What waits, by destination.
    public func backlog() throws(ArchiveError) -> [OutboxBacklog] {
        parameters.reset()
        let rows = try ask(OutboxStatements.backlog)
        return (0..<rows.count).map { row in
            OutboxBacklog(
                site: rows.text(row, 0),
                destination: rows.text(row, 1),
                waiting: Int(rows.integer(row, 2) ?? 0),
                oldestAtMilliseconds: rows.integer(row, 3) ?? 0
            )
        }
    }

    /// Publishes how destinations are.
    public func report(_ states: [DestinationState]) throws(ArchiveError) {
        parameters.reset()
        parameters.add(texts: states.map(\.site))
        parameters.add(texts: states.map(\.destination))
        parameters.add(texts: states.map(\.state))
        parameters.add(texts: states.map(\.code))
        parameters.add(texts: states.map(\.reason))
        _ = try ask(OutboxStatements.report)
    }

    /// Adds to today's counts.
    public func count(_ matches: [OutboxMatch]) throws(ArchiveError) {
        parameters.reset()
        parameters.add(texts: matches.map(\.site))
        parameters.add(texts: matches.map(\.destination))
        parameters.add(texts: matches.map(\.key))
        parameters.add(integers: matches.map { Int64($0.conversions) })
        _ = try ask(OutboxStatements.count)
    }

    private func ask(_ statement: StaticString) throws(ArchiveError) -> any PostgresRows {
        do { return try connection.run(statement, parameters) } catch {
            throw .unavailable(error.message)
        }
    }
}

extension OutboxRow {
    fileprivate init?(_ rows: any PostgresRows, _ row: Int) {
        guard let id = rows.integer(row, 0) else { return nil }
        self.id = id
        site = rows.text(row, 1)
        destination = rows.text(row, 2)
        conversionID = rows.text(row, 3)
        visitor = rows.text(row, 4)
        attempts = Int(rows.integer(row, 5) ?? 0)
        attemptsWhenClaimed = attempts
        doubts = Int(rows.integer(row, 6) ?? 0)
        claimant = rows.text(row, 7)
        createdAtMilliseconds = rows.integer(row, 8) ?? 0
        code = rows.text(row, 9)
        seals = (10..<14).map { Hexadecimal.bytes(rows.text(row, $0)) }
        conversion = OutboxConversion(rows, row)
    }
}

extension OutboxConversion {
    fileprivate init?(_ rows: any PostgresRows, _ row: Int) {
        guard let occurredAt = rows.integer(row, 14) else { return nil }
        occurredAtMilliseconds = occurredAt
        consent = UInt8(truncatingIfNeeded: rows.integer(row, 15) ?? 0)
        flags = UInt8(truncatingIfNeeded: rows.integer(row, 16) ?? 0)
        isSensitive = rows.text(row, 17) == "t"
        isBot = rows.text(row, 18) == "t"
        name = rows.text(row, 19)
        user = rows.text(row, 20)
        value = Double(rows.text(row, 21))
        currency = rows.text(row, 22)
        orderID = rows.text(row, 23)
        pageURL = rows.text(row, 24)
        referrer = rows.text(row, 25)
        title = rows.text(row, 26)
        details = rows.text(row, 27)
        consentSince = rows.integer(row, 28).map { UInt8(truncatingIfNeeded: $0) }
    }
}

/// Bytes as PostgreSQL writes them in text.
enum Hexadecimal {
    static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { index in
            value(digits[index]) << 4 | value(digits[index + 1])
        }
    }

    /// PostgreSQL writes lower-case digits.
    private static func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit &- 48 : digit &- 87 }
}

extension PostgresParameters {
    mutating func add(integer: Int64) {
        add(type: PostgresType.int8) { $0.append(bigEndian: integer) }
    }

    mutating func add(integers: [Int64]) {
        addArray(type: PostgresType.int8Array, of: PostgresType.int8, count: integers.count) {
            for integer in integers { $0.field(integer) }
        }
    }

    mutating func add(texts: [String]) {
        addArray(type: PostgresType.textArray, of: PostgresType.text, count: texts.count) {
            for text in texts { $0.field(text) }
        }
    }
}
