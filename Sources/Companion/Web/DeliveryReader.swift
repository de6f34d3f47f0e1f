import Foundation
import Settings

/// A delivery as the companion shows it.
struct DeliveryDocument: Encodable, Equatable {
    let id: String
    let destination: String
    let conversion: String
    let name: String?
    let state: String
    let attempts: Int
    let doubts: Int
    let occurredAt: String
    let createdAt: String
    let dueAt: String
    let settledAt: String?
    let code: String?
    let reason: String?
    let trace: String?
    let remark: String?

    enum CodingKeys: String, CodingKey {
        case id, destination, conversion, name, state, attempts, doubts, code, reason, trace, remark
        case occurredAt = "occurred_at"
        case createdAt = "created_at"
        case dueAt = "due_at"
        case settledAt = "settled_at"
    }

    /// A row of `DeliveryReader`'s page; nil when it is not one.
    init?(_ row: ArchiveRow) {
        guard row.count == 15, let id = row[0], let destination = row[1], let conversion = row[2],
            let state = row[4], let attempts = row[5].flatMap(Int.init),
            let doubts = row[6].flatMap(Int.init), let occurredAt = row[7], let createdAt = row[8],
            let dueAt = row[9]
        else { return nil }
        (self.id, self.destination, self.conversion) = (id, destination, conversion)
        (name, self.state, self.attempts, self.doubts) = (row[3], state, attempts, doubts)
        (self.occurredAt, self.createdAt, self.dueAt) = (occurredAt, createdAt, dueAt)
        (settledAt, code, reason) = (row[10], row[11], row[12])
        (trace, remark) = (row[13], row[14])
    }
}

/// How a destination is doing.
struct DestinationHealthDocument: Encodable, Equatable {
    let destination: String
    /// `open`, `failing`, `paused`, `stopped`, or `unknown` before a forwarder has spoken.
    var state = "unknown"
    var code: String?
    var reason: String?
    var since: String?
    /// Whether its credentials were refused.
    var tokenRefused = false
    /// Deliveries by state.
    var states: [String: Int] = [:]
    /// Requests carried so many deliveries, repetitions included.
    var sent = 0
    var accepted = 0
    var refused = 0
    var inDoubt = 0
    /// Taken two hours or more after they happened, which platforms value less.
    var late = 0
    var oldestPendingSeconds: Int?
    /// Share of the last week's delivered conversions that had something a platform knows people by.
    var matchKeys: [String: Double] = [:]
    /// How many of the last two days' conversions the browser's own pixel told, too; nil where the
    /// platform has no pixel.
    var pairing: PairingDocument?

    enum CodingKeys: String, CodingKey {
        case destination, state, code, reason, since, states, sent, accepted, refused, late, pairing
        case tokenRefused = "token_refused"
        case inDoubt = "in_doubt"
        case oldestPendingSeconds = "oldest_pending_seconds"
        case matchKeys = "match_keys"
    }
}

/// Conversions that reached a platform twice under one event id: from us, and from its pixel on the page.
/// The platform counts such a pair once, within 48 hours.
struct PairingDocument: Encodable, Equatable {
    /// Conversions that we delivered.
    let delivered: Int
    /// Those of them that the pixel told, too.
    let paired: Int
    /// Their share; nil when nothing was delivered.
    let rate: Double?
    /// Half of the pairs were apart by this or less: from the event in the browser to our delivery.
    let medianGapSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case delivered, paired, rate
        case medianGapSeconds = "median_gap_seconds"
    }

    /// A row's columns behind the destination; the pixel's own are those at `column` and two further on.
    init?(_ row: ArchiveRow, column: Int) {
        guard row.count == 6, let delivered = row[1].flatMap(Int.init),
            let paired = row[column].flatMap(Int.init)
        else { return nil }
        (self.delivered, self.paired) = (delivered, paired)
        rate =
            delivered == 0 ? nil : (Double(paired) / Double(delivered) * 10_000).rounded() / 10_000
        medianGapSeconds = row[column + 2].flatMap(Double.init)
    }
}

/// A platform's own script on the page, which may tell of the same conversions.
enum BrowserPixel: Sendable {
    case meta, google

    /// The column of `DeliveryReader.pairs` that counts it.
    var column: Int { self == .meta ? 2 : 3 }

    init?(_ platform: DestinationSettings.Platform) {
        switch platform {
        case .meta: self = .meta
        case .googleAnalytics: self = .google
        case .webhook: return nil
        }
    }
}

/// Reads the outbox from PostgreSQL.
struct DeliveryReader: Sendable {
    let archive: ArchiveReaders
    /// The sites' destinations whose platform has a pixel, by site and name.
    let pixels: [String: [String: BrowserPixel]]

    init(archive: ArchiveReaders, sites: [Site] = []) {
        self.archive = archive
        pixels = Dictionary(
            sites.map { site in
                let pairs = site.destinations.compactMap { destination in
                    BrowserPixel(destination.platform).map { (destination.name, $0) }
                }
                return (site.name, Dictionary(pairs) { first, _ in first })
            }
        ) { first, _ in first }
    }

    /// What is asked for.
    struct Question {
        var site: String
        var destination: String?
        var state: String?
        var limit: Int
        /// Number of the delivery that the last page ended with.
        var before: Int64?
    }

    /// One page, newest first, and the cursor of the next; nil at the end.
    func page(_ question: Question) async throws -> ([DeliveryDocument], String?) {
        let parameters: [String?] = [
            question.site, question.destination, question.state, question.before.map { "\($0)" },
            "\(question.limit + 1)",
        ]
        let rows = try await archive.ask([ArchiveQuery(Self.page, parameters)])[0]
        let shown = rows.prefix(question.limit).compactMap { DeliveryDocument($0) }
        return (shown, rows.count > question.limit ? shown.last?.id : nil)
    }

    /// Every destination of the site that has had a delivery.
    func health(site: String) async throws -> [DestinationHealthDocument] {
        let answers = try await archive.ask([
            ArchiveQuery(Self.counts, [site]), ArchiveQuery(Self.states, [site]),
            ArchiveQuery(Self.matches, [site]), ArchiveQuery(Self.pairs, [site]),
        ])
        var found: [String: DestinationHealthDocument] = [:]
        for row in answers[0] { Self.add(row, to: &found) }
        for row in answers[1] {
            guard let name = row[0] else { continue }
            var document = found[name] ?? DestinationHealthDocument(destination: name)
            document.state = row[1] ?? "unknown"
            (document.code, document.reason, document.since) = (row[2], row[3], row[4])
            document.tokenRefused = document.state == "stopped"
            found[name] = document
        }
        for row in answers[2] {
            guard let name = row[0], let key = row[1], let share = row[2].flatMap(Double.init)
            else {
                continue
            }
            found[name]?.matchKeys[key] = share
        }
        for row in answers[3] {
            guard let name = row[0], let pixel = pixels[site]?[name] else { continue }
            found[name]?.pairing = PairingDocument(row, column: pixel.column)
        }
        return found.values.sorted { $0.destination < $1.destination }
    }

    private static func add(
        _ row: ArchiveRow,
        to found: inout [String: DestinationHealthDocument]
    ) {
        guard row.count == 6, let name = row[0], let state = row[1],
            let rows = row[2].flatMap(Int.init)
        else { return }
        var document = found[name] ?? DestinationHealthDocument(destination: name)
        document.states[state] = rows
        document.sent += row[3].flatMap(Int.init) ?? 0
        switch state {
        case "delivered":
            document.accepted = rows
            document.late = row[4].flatMap(Int.init) ?? 0
        case "dead": document.refused = rows
        case "in_doubt": document.inDoubt = rows
        case "pending", "retry":
            let age = row[5].flatMap(Int.init) ?? 0
            document.oldestPendingSeconds = max(document.oldestPendingSeconds ?? 0, age)
        default: break
        }
        found[name] = document
    }

    private static let page: StaticString = """
        SELECT d.delivery_id, d.destination, d.conversion_id, c.name, d.state, d.attempts, d.doubts,
            to_char(d.occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(d.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(d.due_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            to_char(d.settled_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            d.code, d.reason, d.trace, d.remark
        FROM heliograph.delivery AS d
        LEFT JOIN heliograph.conversion AS c USING (site, conversion_id)
        WHERE d.site = $1 AND ($2::text IS NULL OR d.destination = $2)
            AND ($3::text IS NULL OR d.state = $3) AND ($4::bigint IS NULL OR d.delivery_id < $4)
        ORDER BY d.delivery_id DESC LIMIT $5::bigint
        """

    private static let counts: StaticString = """
        SELECT destination, state, count(*), sum(attempts),
            count(*) FILTER (WHERE settled_at - occurred_at >= interval '2 hours'),
            extract(epoch FROM now() - min(created_at))::bigint
        FROM heliograph.delivery WHERE site = $1 GROUP BY destination, state
        """

    private static let matches: StaticString = """
        SELECT k.destination, k.key, round(sum(k.conversions) / max(whole.conversions), 4)
        FROM heliograph.match_key AS k
        JOIN (SELECT destination, sum(conversions) AS conversions FROM heliograph.match_key
            WHERE site = $1 AND key = 'all' AND day > current_date - 7 GROUP BY destination) AS whole
            USING (destination)
        WHERE k.site = $1 AND k.key <> 'all' AND k.day > current_date - 7
        GROUP BY k.destination, k.key
        """

    /// `twins` holds a bit for each pixel: 1 Meta's, 2 Google's.
    private static let pairs: StaticString = """
        SELECT destination, count(*),
            count(*) FILTER (WHERE twins & 1 <> 0), count(*) FILTER (WHERE twins & 2 <> 0),
            round((percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)
                FILTER (WHERE twins & 1 <> 0))::numeric, 3),
            round((percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)
                FILTER (WHERE twins & 2 <> 0))::numeric, 3)
        FROM (SELECT d.destination, coalesce((c.details->>'twins')::int, 0) AS twins,
                extract(epoch FROM d.settled_at - d.occurred_at) AS gap
            FROM heliograph.delivery AS d JOIN heliograph.conversion AS c USING (site, conversion_id)
            WHERE d.site = $1 AND d.state = 'delivered'
                AND d.occurred_at > now() - interval '48 hours') AS told
        GROUP BY destination
        """

    private static let states: StaticString = """
        SELECT destination, state, code, reason,
            to_char(since, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        FROM heliograph.destination_state WHERE site = $1
        """
}
