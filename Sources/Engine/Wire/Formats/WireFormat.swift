public import Bytes

/// A wire format: how a tracker's request holds events.
///
/// To add one, add a file with a type of this protocol and a row in `WireEndpoint`; everything
/// behind it, from consent to the journal, sees `IncomingEvent` alone.
public protocol WireFormat {
    /// Finds key, time of sending and events in a request. Grammar is checked; the events are read
    /// later, one by one. What a format has to translate first it writes into `scratch`, and its
    /// views may point there.
    static func open(
        _ body: ByteView,
        _ request: WireRequest,
        _ scratch: inout ByteBuffer
    ) throws(WireError) -> WireBatch

    /// Reads one event.
    static func read(_ item: ByteView, of batch: WireBatch) -> Result<IncomingEvent, WireFault>
}

/// Why a whole request was refused; nothing of it takes effect.
public enum WireError: Error {
    /// Not JSON.
    case json(JSONError)
    /// A value of another type than the member wants.
    case wrongType(StaticString)
    /// A member that every request has is absent.
    case missing(StaticString)
    /// What was translated is larger than any request may be.
    case tooLarge
}

/// What a format may want to know of the request around the body.
public struct WireRequest {
    /// Which endpoint it came to.
    public var endpoint: WireEndpoint
    /// The query, as it came.
    public var query: ByteView
    /// `Content-Type`, empty when absent.
    public var contentType: ByteView
    /// `Referer`, empty when absent.
    public var referrer: ByteView

    /// A request to `endpoint`.
    public init(
        endpoint: WireEndpoint,
        query: ByteView = .empty,
        contentType: ByteView = .empty,
        referrer: ByteView = .empty
    ) {
        self.endpoint = endpoint
        self.query = query
        self.contentType = contentType
        self.referrer = referrer
    }
}

/// The envelope of a request's events.
public struct WireBatch {
    /// How the events lie in `items`.
    public enum Layout: UInt8, Sendable {
        /// The elements of an array.
        case array
        /// One value.
        case single
        /// A value a line, of which nothing has been checked.
        case lines
    }

    /// The key that the body gives, the inside of a JSON string; empty when it gives none.
    public var key = ByteView.empty
    /// When it was sent by the sender's clock, as it was written; empty when the sender does not say.
    public var sentAt = ByteView.empty
    /// What surrounds all events, unless an event says otherwise.
    public var context = WireContext()
    /// The events.
    public var items = ByteView.empty
    /// How they lie there.
    public var layout = Layout.single
    /// The call that the path names; nil when each event says itself what it is.
    public var call: EventCall?
    /// Whether an event may name neither a user nor a visitor: an image cannot know who looks at it.
    public var allowsNobody = false

    /// An envelope of nothing.
    public init() {}
}

/// Steps through the events of a batch.
public struct WireItems {
    private var cursor: JSONCursor
    private var isFirst = true
    private let layout: WireBatch.Layout

    /// Stands before the first event.
    public init(_ batch: WireBatch) {
        cursor = JSONCursor(batch.items)
        layout = batch.layout
        // An array's grammar was checked when the batch was opened, so this cannot fail.
        if layout == .array { try? cursor.beginArray() }
    }

    /// The bytes of the next event; nil at the end.
    public mutating func next() -> ByteView? {
        switch layout {
        case .array:
            guard (try? cursor.nextElement(&isFirst)) == true else { return nil }
            return try? cursor.skip()
        case .single:
            defer { isFirst = false }
            return isFirst ? cursor.bytes : nil
        case .lines: return nextLine()
        }
    }

    /// Empty lines separate nothing: they are passed over.
    private mutating func nextLine() -> ByteView? {
        let bytes = cursor.bytes
        while cursor.position < bytes.count {
            let start = cursor.position
            let end = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? bytes.count
            cursor.position = end + 1
            let line = bytes[start..<end].trimmed
            if !line.isEmpty { return line }
        }
        return nil
    }
}

extension ByteView {
    /// The bytes without white space at either end.
    var trimmed: ByteView {
        var (start, end) = (0, count)
        while start < end, isBlank(start) { start += 1 }
        while end > start, isBlank(end - 1) { end -= 1 }
        return self[start..<end]
    }

    private func isBlank(_ index: Int) -> Bool {
        switch self[index] {
        case 0x20, 0x09, 0x0a, 0x0d: return true
        default: return false
        }
    }
}
