public import Bytes
public import Records

/// One event of a made-up record.
public struct TestEvent: Sendable {
    /// What kind of thing happened.
    public var kind: EventKind
    /// Corrected time, epoch milliseconds.
    public var occurredAt: Int64
    /// Number in the window.
    public var number: UInt32
    /// Page-view number in the window.
    public var page: UInt16
    /// Name of a custom event.
    public var name: String
    /// The event's own fields as JSON.
    public var properties: String
    /// What is known of it beside them.
    public var flags: SliceEvent.Flags = []

    /// An event with these fields.
    public init(
        _ kind: EventKind,
        at occurredAt: Int64,
        _ properties: String = "{}",
        name: String = "",
        number: UInt32 = 1,
        page: UInt16 = 1
    ) {
        self.kind = kind
        self.occurredAt = occurredAt
        self.properties = properties
        self.name = name
        self.number = number
        self.page = page
    }
}

/// One record from Swift literals: what the journal would hand to the stages behind it.
public struct TestRecord: Sendable {
    /// Site name.
    public var site = "demo"
    /// Visitor id.
    public var visitor = "visitor-1"
    /// The SDK's session id; empty for none.
    public var session = "session-1"
    /// Window id.
    public var window = "window-1"
    /// Hashed user id.
    public var user = ""
    /// Batch id.
    public var batch = "batch-1"
    /// Truncated address.
    public var address = "203.0.113.0"
    /// Context object as JSON; may be empty.
    public var context = ""
    /// What the visitor agreed to.
    public var consent: Consent = .all
    /// Flags of the slice.
    public var flags: Slice.Flags = []
    /// Kind of machine.
    public var deviceClass = Slice.DeviceClass.desktop
    /// When the beacon arrived, epoch milliseconds.
    public var receivedAt: Int64 = 1_790_000_000_000
    /// Bit i is set when event i is a repeat.
    public var duplicates: UInt64 = 0
    /// Number in the journal.
    public var sequence: UInt64 = 1
    /// Number in the partition.
    public var offset: UInt64 = 1
    /// The events, in their order.
    public var events: [TestEvent] = []

    /// A record of the demo site without events.
    public init() {}

    /// The slice's bytes, as `SliceWriter` makes them.
    public func payload() -> [UInt8] {
        var writer = SliceWriter(limit: 1 << 20)
        writeHead(&writer)
        for event in events {
            withView(event.name) { name in
                writer.beginEvent(
                    number: event.number,
                    occurredAt: event.occurredAt,
                    kind: event.kind,
                    flags: event.flags,
                    page: event.page,
                    name: name
                )
            }
            writer.buffer.append(text: event.properties)
            writer.endEvent()
        }
        precondition(writer.finish(eventCount: events.count), "a test record must fit")
        return Array(writer.buffer.view.buffer)
    }

    private func writeHead(_ writer: inout SliceWriter) {
        withView(site) { site in
            withView(visitor) { visitor in
                withView(session) { session in
                    withView(window) { window in
                        var head = SliceWriter.Head()
                        (head.site, head.visitor) = (site, visitor)
                        (head.session, head.window) = (session, window)
                        head.consent = consent
                        head.flags = flags
                        head.deviceClass = deviceClass
                        writeRest(&writer, head)
                    }
                }
            }
        }
    }

    private func writeRest(_ writer: inout SliceWriter, _ given: SliceWriter.Head) {
        var head = given
        withView(user) { user in
            withView(batch) { batch in
                withView(address) { address in
                    withView(context) { context in
                        (head.user, head.batch) = (user, batch)
                        (head.address, head.context) = (address, context)
                        writer.begin(head)
                    }
                }
            }
        }
    }

    /// The record ready to be folded or stored.
    public func packed() -> PackedRecord {
        let bytes = payload()
        let header = bytes.withUnsafeBytes { raw in
            var header = RecordHeader(
                kind: .slice,
                partition: withView(visitor) { Partition(visitor: $0) },
                receivedAt: receivedAt,
                payload: ByteView(raw)
            )
            header.sequence = sequence
            header.offset = offset
            header.duplicates = duplicates
            return header
        }
        return PackedRecord(header: header, payload: bytes)
    }
}

/// A record's header and the bytes of its slice.
public struct PackedRecord: Sendable {
    /// The header, as the journal fills it in.
    public var header: RecordHeader
    /// The slice's bytes.
    public let payload: [UInt8]

    /// A record from its parts.
    public init(header: RecordHeader, payload: [UInt8]) {
        self.header = header
        self.payload = payload
    }

    /// Hands header and slice to `body`; the slice is valid inside only.
    public func withSlice<Result>(_ body: (RecordHeader, Slice) -> Result) -> Result {
        payload.withUnsafeBytes { raw in
            guard let slice = Slice(ByteView(raw)) else { preconditionFailure("not a slice") }
            return body(header, slice)
        }
    }
}

/// Hands the bytes of a text to `body`; the view is valid inside only.
public func withView<Result>(_ text: String, _ body: (ByteView) -> Result) -> Result {
    var copy = text
    return copy.withUTF8 { body(ByteView(UnsafeRawBufferPointer($0))) }
}
