public import Bytes

/// Where other senders than the SDK bring events to: the path says the format and, in some, the call.
public enum WireEndpoint: UInt8, CaseIterable, Sendable {
    case batch, track, page, screen, identify, group, alias
    case browserBatch
    case trackPixel, pagePixel, image
    case events

    /// The endpoint at `path`; nil when there is none.
    public init?(path: ByteView) {
        for row in Self.rows where path.equals(row.path) {
            self = row.endpoint
            return
        }
        return nil
    }

    /// Whether events come in the query of a GET and the answer is an image whatever happens.
    public var isImage: Bool {
        self == .trackPixel || self == .pagePixel || self == .image
    }

    /// Whether the sender is told what became of each event.
    public var tellsVerdicts: Bool { self == .events }

    /// Whether the request comes from the visitor's own browser, though it has no `Origin`: then its
    /// address and user agent are the visitor's.
    public var isFromBrowser: Bool { isImage || self == .browserBatch }

    /// The call that the path names; nil when each event says itself what it is.
    public var call: EventCall? {
        switch self {
        case .track, .trackPixel: return .track
        case .page, .pagePixel: return .page
        case .screen: return .screen
        case .identify: return .identify
        case .group: return .group
        case .alias: return .alias
        case .batch, .browserBatch, .image, .events: return nil
        }
    }

    private struct Row {
        let path: StaticString
        let endpoint: WireEndpoint
    }

    /// In the order of how often they are asked for.
    private static let rows: [Row] = [
        Row(path: "/v1/batch", endpoint: .batch), Row(path: "/v1/events", endpoint: .events),
        Row(path: "/p.gif", endpoint: .image),
        Row(path: "/beacon/v1/batch", endpoint: .browserBatch),
        Row(path: "/v1/track", endpoint: .track), Row(path: "/v1/identify", endpoint: .identify),
        Row(path: "/v1/page", endpoint: .page), Row(path: "/v1/screen", endpoint: .screen),
        Row(path: "/v1/group", endpoint: .group), Row(path: "/v1/alias", endpoint: .alias),
        Row(path: "/v1/b", endpoint: .batch), Row(path: "/v1/import", endpoint: .batch),
        Row(path: "/batch", endpoint: .batch), Row(path: "/b", endpoint: .batch),
        Row(path: "/pixel/v1/track", endpoint: .trackPixel),
        Row(path: "/pixel/v1/page", endpoint: .pagePixel),
        // Some clients are given a host with a slash at its end, or put one at the path's.
        Row(path: "/v1/batch/", endpoint: .batch), Row(path: "//v1/batch", endpoint: .batch),
    ]
}
