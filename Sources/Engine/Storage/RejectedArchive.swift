import Bytes
import Units

/// A refused event or batch that can be sent again.
public struct RejectedRow: Sendable {
    /// Partition and offset of its record.
    public let partition: Int64
    /// See `partition`.
    public let offset: Int64
    /// When it came first, epoch milliseconds.
    public let receivedAt: Int64
    /// Code of the problem.
    public let reason: String
    /// Where the problem lay.
    public let place: String
    /// The site key as it was sent; empty when it is not known.
    public let key: String
    /// Wire format of the sender.
    public let format: String
    /// Path of the request.
    public let path: String
    /// The sender's user agent; empty when it is not known.
    public let userAgent: String
    /// A whole request body.
    public let body: [UInt8]
}

/// Which refused events are meant. Nil means all.
public struct RejectedFilter: Sendable {
    /// Of this site.
    public var site: String?
    /// Refused for this reason.
    public var reason: String?
    /// Received at this moment or later, epoch milliseconds.
    public var since: Int64?

    /// Everything that can be sent again.
    public init() {}
}

/// Reads refused events to send them again, and notes what became of them. Blocking; owned by one
/// thread.
public final class RejectedArchive {
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

    /// Rows behind `last`, the oldest first, that a replay has not brought in yet.
    public func rows(
        _ filter: RejectedFilter,
        after last: RejectedRow?,
        limit: Int
    ) throws(ArchiveError) -> [RejectedRow] {
        parameters.reset()
        parameters.add(text: filter.site ?? "")
        parameters.add(text: filter.reason ?? "")
        addInteger(filter.since ?? 0)
        addInteger(last?.receivedAt ?? -1)
        addInteger(last?.partition ?? 0)
        addInteger(last?.offset ?? 0)
        addInteger(Int64(limit))
        do {
            let rows = try connection.run(Self.waiting, parameters)
            return (0..<rows.count).compactMap { Self.row(rows, $0) }
        } catch {
            throw .unavailable(error.message)
        }
    }

    /// Notes what became of a row's replay. `accepted` is what keeps it from being sent again.
    public func mark(_ row: RejectedRow, outcome: String) throws(ArchiveError) {
        parameters.reset()
        addInteger(row.receivedAt)
        addInteger(row.partition)
        addInteger(row.offset)
        parameters.add(text: outcome)
        do { _ = try connection.run(Self.note, parameters) } catch {
            throw .unavailable(error.message)
        }
    }

    private func addInteger(_ number: Int64) {
        parameters.add(type: PostgresType.int8) { $0.append(bigEndian: number) }
    }

    private static func row(_ rows: any PostgresRows, _ index: Int) -> RejectedRow? {
        guard let partition = rows.integer(index, 0), let offset = rows.integer(index, 1),
            let receivedAt = rows.integer(index, 2)
        else { return nil }
        return RejectedRow(
            partition: partition,
            offset: offset,
            receivedAt: receivedAt,
            reason: rows.text(index, 3),
            place: rows.text(index, 4),
            key: rows.text(index, 5),
            format: rows.text(index, 6),
            path: rows.text(index, 7),
            userAgent: rows.text(index, 8),
            body: bytes(ofHexadecimal: rows.text(index, 9))
        )
    }

    private static func bytes(ofHexadecimal text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { index in
            value(digits[index]) << 4 | value(digits[index + 1])
        }
    }

    /// PostgreSQL writes lower-case digits.
    private static func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit &- 48 : digit &- 87 }

    /// Flag 4 is `Rejection.Flags.replayable`. Moments are whole milliseconds.
    private static let waiting: StaticString = """
        SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, reason,
            place, coalesce(key, ''), format, path, coalesce(user_agent, ''), encode(bytes, 'hex')
        FROM heliograph.rejected_event
        WHERE flags & 4 <> 0 AND outcome IS DISTINCT FROM 'accepted'
            AND ($1::text = '' OR site = $1) AND ($2::text = '' OR reason = $2)
            AND received_at >= 'epoch'::timestamptz + $3::bigint * interval '1 millisecond'
            AND (received_at, partition, journal_offset)
                > ('epoch'::timestamptz + $4::bigint * interval '1 millisecond', $5::bigint,
                    $6::bigint)
        ORDER BY received_at, partition, journal_offset LIMIT $7::bigint
        """

    private static let note: StaticString = """
        UPDATE heliograph.rejected_event SET replayed_at = now(), outcome = $4
        WHERE received_at = 'epoch'::timestamptz + $1::bigint * interval '1 millisecond'
            AND partition = $2::bigint AND journal_offset = $3::bigint
        """
}
