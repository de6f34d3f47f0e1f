import Bytes
import Journal
import Records
import Telemetry

/// Records as JSON Lines: each wanted one becomes a line in `output`.
struct JournalLines: ~Copyable {
    /// Records between two writes.
    static let recordsPerStep = 1_024

    private let filter: JournalFilter
    private(set) var output = ByteBuffer(capacity: 1 << 20, limit: Int(Int32.max))
    private var count = 0
    /// Whether nothing more is wanted.
    private(set) var isDone = false

    init(_ filter: JournalFilter) { self.filter = filter }

    /// The output has been written.
    mutating func flushed() { output.reset() }

    mutating func take(_ record: JournalRecord) {
        if isDone { return }
        if filter.isBehindEnd(record.header) {
            isDone = true
            return
        }
        guard filter.takes(record.header) else { return }
        let start = output.count
        guard write(record) else { return output.truncate(to: start) }
        output.append("}\n")
        count += 1
        isDone = count >= filter.limit
    }

    /// False when the record is not wanted after all.
    private mutating func write(_ record: JournalRecord) -> Bool {
        write(record.header, record)
        if record.isErased {
            output.append(",\"erased\":true")
            return filter.takes(site: .empty, visitor: .empty)
        }
        switch record.header.kind {
        case .slice:
            text("kind", ByteView("slice"))
            guard let slice = Slice(record.payload) else { return unreadable() }
            write(slice, duplicates: record.header.duplicates)
            return filter.takes(site: slice.site, visitor: slice.visitor)
        case .rejected:
            text("kind", ByteView("rejected"))
            guard let rejection = Rejection(record.payload) else { return unreadable() }
            write(rejection)
            return filter.takes(site: rejection.site, visitor: .empty)
        case .erasure, .parting:
            text("kind", ByteView(record.header.kind == .erasure ? "erasure" : "parting"))
            guard let erasure = Erasure(record.payload) else { return unreadable() }
            text("site", erasure.site)
            text("visitor", erasure.visitor)
            return filter.takes(site: erasure.site, visitor: erasure.visitor)
        }
    }

    /// A payload of another version: shown as far as its header goes.
    private mutating func unreadable() -> Bool {
        output.append(",\"readable\":false")
        return filter.takes(site: .empty, visitor: .empty)
    }

    private mutating func write(_ header: RecordHeader, _ record: JournalRecord) {
        output.append("{\"sequence\":")
        output.append(decimal: Int64(clamping: header.sequence))
        number("partition", Int64(header.partition.index))
        number("offset", Int64(clamping: header.offset))
        number("segment", Int64(clamping: record.segment))
        number("byte", Int64(record.endByte - record.raw.count))
        moment("received_at", header.receivedAt)
    }

    // MARK: - Slices

    private mutating func write(_ slice: Slice, duplicates: UInt64) {
        text("site", slice.site)
        text("visitor", slice.visitor)
        present("session", slice.session)
        present("window", slice.window)
        present("user", slice.user)
        present("batch", slice.batch)
        present("address", slice.address)
        number("consent", Int64(slice.consent.rawValue))
        flag("bot", slice.flags.contains(.bot))
        flag("without_device", slice.flags.contains(.withoutDevice))
        flag("touch", slice.flags.contains(.touch))
        flag("opens_page", slice.flags.contains(.opensPage))
        text("device", Self.name(slice.deviceClass))
        number("settings", Int64(slice.settingsVersion))
        if !slice.context.isEmpty { json("context", slice.context) }
        output.append(",\"events\":[")
        let isWhole = slice.forEachEvent { index, event in
            if index > 0 { output.append(",") }
            write(event, isRepeat: duplicates >> UInt64(index) & 1 == 1)
        }
        output.append("]")
        flag("events_damaged", !isWhole)
    }

    private static func name(_ device: Slice.DeviceClass) -> ByteView {
        switch device {
        case .unknown: return ByteView("unknown")
        case .desktop: return ByteView("desktop")
        case .phone: return ByteView("phone")
        case .tablet: return ByteView("tablet")
        }
    }

    private mutating func write(_ event: SliceEvent, isRepeat: Bool) {
        output.append("{\"type\":\"")
        output.append(text: event.kind.code)
        output.append("\"")
        if event.messageID.isEmpty {
            number("n", Int64(event.number))
        } else {
            text("message_id", event.messageID)
        }
        present("name", event.name)
        number("page", Int64(event.page))
        moment("occurred_at", event.occurredAt)
        flag("moved", event.flags.contains(.moved))
        flag("repeat", isRepeat)
        json("properties", event.properties)
        output.append("}")
    }

    // MARK: - What was refused

    private mutating func write(_ rejection: Rejection) {
        text("reason", rejection.reason)
        text("place", rejection.place)
        present("site", rejection.site)
        present("key", rejection.key)
        text("format", ByteView(rejection.format.name))
        text("path", rejection.path)
        present("id", rejection.id)
        present("address", rejection.address)
        present("user_agent", rejection.userAgent)
        flag("whole_batch", rejection.flags.contains(.wholeBatch))
        flag("truncated", rejection.flags.contains(.truncated))
        flag("replayable", rejection.flags.contains(.replayable))
        flag("masked", rejection.flags.contains(.masked))
        flag("withheld", rejection.flags.contains(.withheld))
        number("bytes_sent", Int64(rejection.originalLength))
        text("bytes", rejection.bytes)
    }

    // MARK: - Members

    private mutating func key(_ name: StaticString) {
        output.append(",\"")
        output.append(name)
        output.append("\":")
    }

    /// Bytes that are no UTF-8 become U+FFFD: a line is always JSON.
    private mutating func text(_ name: StaticString, _ value: ByteView) {
        key(name)
        output.append(text: LogText.json(value.text))
    }

    private mutating func present(_ name: StaticString, _ value: ByteView) {
        if !value.isEmpty { text(name, value) }
    }

    private mutating func number(_ name: StaticString, _ value: Int64) {
        key(name)
        output.append(decimal: value)
    }

    private mutating func flag(_ name: StaticString, _ value: Bool) {
        guard value else { return }
        key(name)
        output.append("true")
    }

    private mutating func moment(_ name: StaticString, _ epochMilliseconds: Int64) {
        key(name)
        output.append(text: "\"\(RFC3339.text(epochMilliseconds: epochMilliseconds))\"")
    }

    /// Bytes that are JSON go out as they are, but for line ends between their tokens. What is not JSON
    /// goes out as a text.
    private mutating func json(_ name: StaticString, _ value: ByteView) {
        guard Self.isJSON(value) else { return text(name, value) }
        key(name)
        for index in 0..<value.count {
            let byte = value[index]
            output.append(byte == 10 || byte == 13 ? UInt8(ascii: " ") : byte)
        }
    }

    private static func isJSON(_ bytes: ByteView) -> Bool {
        var cursor = JSONCursor(bytes)
        do throws(JSONError) {
            _ = try cursor.skip()
            try cursor.end()
            return true
        } catch {
            return false
        }
    }
}
