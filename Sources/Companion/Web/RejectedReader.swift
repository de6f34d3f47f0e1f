import Foundation
import Telemetry

/// What was refused, as the companion shows it.
struct RejectedDocument: Encodable, Equatable {
    let id: String
    let receivedAt: String
    let reason: String
    let place: String
    let site: String?
    let key: String?
    let format: String
    let path: String
    let event: String?
    let address: String?
    /// Bytes that the sender's event or batch had.
    let bytes: Int
    let wholeBatch: Bool
    let truncated: Bool
    let replayable: Bool
    let masked: Bool
    let withheld: Bool
    let replayedAt: String?
    let outcome: String?
    /// The bytes as text, sanitised; of a single one only.
    var body: String?

    enum CodingKeys: String, CodingKey {
        case id, reason, place, site, key, format, path, event, address, bytes, truncated
        case replayable, masked, withheld, outcome, body
        case receivedAt = "received_at"
        case wholeBatch = "whole_batch"
        case replayedAt = "replayed_at"
    }

    /// A row of `RejectedReader`'s questions; nil when it is not one.
    init?(_ row: ArchiveRow) {
        guard row.count >= 15, let position = RejectedPosition(row),
            let flags = row[12].flatMap(Int.init), let bytes = row[11].flatMap(Int.init),
            let reason = row[3], let place = row[4], let format = row[7], let path = row[8]
        else { return nil }
        id = position.id
        receivedAt = RFC3339.text(epochMilliseconds: position.receivedAt)
        (self.reason, self.place, site, key) = (reason, place, row[5], row[6])
        (self.format, self.path, event, address) = (format, path, row[9], row[10])
        self.bytes = bytes
        wholeBatch = flags & 1 != 0
        truncated = flags & 2 != 0
        replayable = flags & 4 != 0
        masked = flags & 8 != 0
        withheld = flags & 16 != 0
        replayedAt = row[13].flatMap(Int64.init).map { RFC3339.text(epochMilliseconds: $0) }
        outcome = row[14]
        guard row.count > 15, let text = row[15] else { return }
        // PostgreSQL breaks base64 into lines.
        let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters)
        body = data.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Where a refused event stands in the list, newest first.
struct RejectedPosition: Equatable {
    let receivedAt: Int64
    let partition: UInt8
    let offset: UInt64

    init(receivedAt: Int64, partition: UInt8, offset: UInt64) {
        (self.receivedAt, self.partition, self.offset) = (receivedAt, partition, offset)
    }

    init?(_ row: ArchiveRow) {
        guard let partition = row[0].flatMap(UInt8.init), let offset = row[1].flatMap(UInt64.init),
            let receivedAt = row[2].flatMap(Int64.init)
        else { return nil }
        self.init(receivedAt: receivedAt, partition: partition, offset: offset)
    }

    /// `<partition>-<offset>`, its name in addresses.
    var id: String { "\(partition)-\(offset)" }

    /// Parts of such a name; nil when it is not one.
    static func parts(of id: String) -> (partition: UInt8, offset: UInt64)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let partition = UInt8(parts[0]), let offset = UInt64(parts[1]),
            offset <= UInt64(Int64.max)
        else { return nil }
        return (partition, offset)
    }

    /// Opaque to clients: base64url of the numbers, so that nobody builds upon what is in it.
    var cursor: String {
        Data("1.\(receivedAt).\(partition).\(offset)".utf8).base64URL
    }

    init?(cursor: String) {
        guard cursor.utf8.count <= 96, let data = Data(base64URL: cursor) else { return nil }
        let parts = String(decoding: data, as: UTF8.self)
            .split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "1", let receivedAt = Int64(parts[1]),
            (0...Self.latest).contains(receivedAt), let partition = UInt8(parts[2]),
            let offset = UInt64(parts[3]), offset <= UInt64(Int64.max)
        else { return nil }
        self.init(receivedAt: receivedAt, partition: partition, offset: offset)
    }

    /// The end of the year 9999, epoch milliseconds.
    private static let latest: Int64 = 253_402_300_799_999
}

/// Reads what was refused from PostgreSQL.
struct RejectedReader: Sendable {
    let archive: ArchiveReaders

    /// What is asked for.
    struct Question {
        var site: String?
        var reason: String?
        var limit: Int
        var after: RejectedPosition?
    }

    /// One page, newest first, and the cursor of the next; nil at the end.
    func page(_ question: Question) async throws -> ([RejectedDocument], String?) {
        // One more than asked for tells whether there is a next page.
        let parameters: [String?] = [
            question.site, question.reason, question.after.map { "\($0.receivedAt)" },
            question.after.map { "\($0.partition)" }, question.after.map { "\($0.offset)" },
            "\(question.limit + 1)",
        ]
        let rows = try await archive.ask([ArchiveQuery(Self.page, parameters)])[0]
        let shown = rows.prefix(question.limit)
        let last = rows.count > question.limit ? shown.last.flatMap { RejectedPosition($0) } : nil
        return (shown.compactMap { RejectedDocument($0) }, last?.cursor)
    }

    /// One of them with its bytes; nil when there is none.
    func one(partition: UInt8, offset: UInt64) async throws -> RejectedDocument? {
        let query = ArchiveQuery(Self.one, ["\(partition)", "\(offset)"])
        return try await archive.ask([query])[0].first.flatMap { RejectedDocument($0) }
    }

    private static let page: StaticString = """
        SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, reason,
            place, site, key, format, path, event_id, address, bytes_sent, flags,
            (extract(epoch FROM replayed_at) * 1000)::bigint, outcome
        FROM heliograph.rejected_event
        WHERE ($1::text IS NULL OR site = $1) AND ($2::text IS NULL OR reason = $2)
            AND ($3::bigint IS NULL OR (received_at, partition, journal_offset)
                < ('epoch'::timestamptz + $3::bigint * interval '1 millisecond', $4::smallint,
                    $5::bigint))
        ORDER BY received_at DESC, partition DESC, journal_offset DESC LIMIT $6::bigint
        """

    private static let one: StaticString = """
        SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, reason,
            place, site, key, format, path, event_id, address, bytes_sent, flags,
            (extract(epoch FROM replayed_at) * 1000)::bigint, outcome, encode(bytes, 'base64')
        FROM heliograph.rejected_event
        WHERE partition = $1::smallint AND journal_offset = $2::bigint
        ORDER BY received_at DESC LIMIT 1
        """
}
