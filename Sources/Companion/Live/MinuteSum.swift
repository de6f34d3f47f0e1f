import Bytes

/// A minute of a site: the sum over the fields that the partitions write.
struct MinuteSum: Equatable, Sendable {
    /// The counters that are numbers, in the order of `numbers`.
    enum Counter: Int, CaseIterable {
        case events, pageViews, sessions, visitors, cold, warm, hot, conversions
        case valueThousandths, automatedEvents, otherPageViews

        /// The name in Redis.
        var name: StaticString {
            switch self {
            case .events: "events"
            case .pageViews: "page_views"
            case .sessions: "sessions"
            case .visitors: "visitors"
            case .cold: "cold"
            case .warm: "warm"
            case .hot: "hot"
            case .conversions: "conversions"
            case .valueThousandths: "value_thousandths"
            case .automatedEvents: "automated_events"
            case .otherPageViews: "other_page_views"
            }
        }
    }

    private var numbers = [Int64](repeating: 0, count: Counter.allCases.count)
    private(set) var channels: [String: Int64] = [:]
    private(set) var pages: [String: Int64] = [:]

    subscript(counter: Counter) -> Int64 { numbers[counter.rawValue] }

    /// Adds another minute.
    mutating func add(_ other: MinuteSum) {
        for index in numbers.indices { numbers[index] &+= other.numbers[index] }
        channels.merge(other.channels, uniquingKeysWith: &+)
        pages.merge(other.pages, uniquingKeysWith: &+)
    }

    /// Adds a partition's field. What is not the object that the engine writes adds nothing; what a
    /// later version adds to it is passed over.
    mutating func add(field: [UInt8]) {
        var sum = MinuteSum()
        field.withUnsafeBytes { bytes in
            if sum.read(ByteView(bytes)) { add(sum) }
        }
    }

    private mutating func read(_ text: ByteView) -> Bool {
        var cursor = JSONCursor(text)
        var isFirst = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) { try readMember(key, &cursor) }
            try cursor.end()
            return true
        } catch {
            return false
        }
    }

    private mutating func readMember(
        _ key: ByteView,
        _ cursor: inout JSONCursor
    ) throws(JSONError) {
        if let counter = Counter.allCases.first(where: { key.equals($0.name) }) {
            numbers[counter.rawValue] = try cursor.integer()
        } else if key.equals("channels") {
            channels = try Self.parts(&cursor)
        } else if key.equals("pages") {
            pages = try Self.parts(&cursor)
        } else {
            _ = try cursor.skip()
        }
    }

    private static func parts(_ cursor: inout JSONCursor) throws(JSONError) -> [String: Int64] {
        var parts: [String: Int64] = [:]
        var isFirst = true
        var plain = ByteBuffer(capacity: 64, limit: 1024)
        try cursor.beginObject()
        while let key = try cursor.nextKey(&isFirst) {
            plain.reset()
            JSONText.unescape(key, into: &plain)
            parts[plain.view.text, default: 0] &+= try cursor.integer()
        }
        return parts
    }
}
