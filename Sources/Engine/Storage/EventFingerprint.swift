public import Bytes
public import Records
import Units

/// A hash of everything that the archive says of one event or score, made from the journal's record or
/// from PostgreSQL's row: equal when they say the same, whatever order rows are read in.
public struct EventFingerprint: ~Copyable {
    private static let key = HashKey(first: 0x6576_656e_742d_726f, second: 0x7773_2d64_6967_6573)

    private var buffer = ByteBuffer(capacity: 1024)
    private var json = JSONDigest()
    private var scratch = ByteBuffer(capacity: 512)

    /// A maker of fingerprints; its memory is reused.
    public init() {}

    /// Of an event of the journal. `session` is the one it was stored under.
    public mutating func of(
        _ event: SliceEvent,
        _ header: RecordHeader,
        _ slice: Slice,
        session: ByteView
    ) -> UInt64 {
        begin(header.position, header.receivedAt, event.occurredAt)
        buffer.append(littleEndian: Int64(event.number))
        buffer.append(littleEndian: Int64(event.page))
        buffer.append(littleEndian: Int64(slice.consent.rawValue))
        buffer.append(slice.flags.contains(.bot) ? 1 : 0)
        text(slice.site)
        text(slice.visitor)
        text(session)
        text(slice.window)
        text(event.messageID)
        text(slice.user)
        buffer.append(text: event.kind.code)
        text(event.name)
        text(slice.address)
        append(json: slice.context)
        append(json: event.properties.isEmpty ? ByteView("{}") : event.properties)
        return end()
    }

    /// Of a row with the columns of `EventRows.columns`.
    mutating func of(event row: inout CopyRow, at position: Position) -> UInt64 {
        let occurredAt = row.epochMilliseconds()
        let receivedAt = row.epochMilliseconds()
        begin(position, receivedAt, occurredAt)
        for _ in 0..<3 { buffer.append(littleEndian: row.integer() ?? 0) }
        buffer.append(UInt8(row.integer() ?? 0))
        for _ in 0..<6 { text(row.text()) }
        buffer.append(row.text())
        for _ in 0..<2 { text(row.text()) }
        for _ in 0..<2 { append(json: row.json()) }
        return end()
    }

    /// Of a point of a visitor's score history.
    public mutating func of(
        _ point: HistoryPoint,
        _ position: Position,
        isBot: Bool,
        site: ByteView,
        visitor: ByteView,
        model: ModelTag
    ) -> UInt64 {
        let reading = point.reading
        begin(position, reading.updatedAt, 0)
        for number in [reading.score, reading.confidence, reading.likelihood] {
            buffer.append(littleEndian: number.bitPattern)
        }
        buffer.append(isBot ? 1 : 0)
        text(site)
        text(visitor)
        let names = [reading.band.name, reading.profile.name, point.reason.name, model.name]
        for name in names + [point.changesProfile ? point.profileBefore.name : ""] {
            buffer.append(littleEndian: UInt32(name.utf8.count))
            buffer.append(text: name)
        }
        append(point.terms, model)
        if point.changesProfile { append(point.profileTerms, model) } else { append(json: .empty) }
        return end()
    }

    private mutating func append(_ terms: LargestTerms, _ model: ModelTag) {
        scratch.reset()
        scratch.append(terms, model)
        append(json: scratch.view)
    }

    mutating func of(history row: inout CopyRow, at position: Position) -> UInt64 {
        begin(position, row.epochMilliseconds(), 0)
        for _ in 0..<3 { buffer.append(littleEndian: UInt64(bitPattern: row.integer() ?? 0)) }
        buffer.append(UInt8(row.integer() ?? 0))
        for _ in 0..<7 { text(row.text()) }
        for _ in 0..<2 { append(json: row.json()) }
        return end()
    }

    private mutating func begin(_ position: Position, _ first: Int64, _ second: Int64) {
        buffer.reset()
        buffer.append(position.partition.index)
        buffer.append(littleEndian: position.offset)
        buffer.append(littleEndian: first)
        buffer.append(littleEndian: second)
    }

    private mutating func text(_ bytes: ByteView) {
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        buffer.append(bytes)
    }

    private mutating func append(json text: ByteView) {
        buffer.append(littleEndian: text.isEmpty ? 0 : json.of(text))
    }

    private func end() -> UInt64 { buffer.view.hash128(key: Self.key).low }
}
