public import Bytes
public import Records

/// What a request says about its sender, beside its events. Views are of the request's own bytes;
/// an absent header is an empty view.
public struct RequestFacts {
    /// `User-Agent`.
    public var userAgent = ByteView.empty
    /// `Sec-CH-UA`: the browser's brands.
    public var brands = ByteView.empty
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    public var mobileHint = ByteView.empty
    /// `Sec-CH-UA-Platform`, in quotes.
    public var platformHint = ByteView.empty
    /// `Accept-Language`.
    public var acceptLanguage = ByteView.empty
    /// `Accept-Encoding`.
    public var acceptEncoding = ByteView.empty
    /// `Sec-Fetch-Mode`.
    public var fetchMode = ByteView.empty
    /// `Origin`.
    public var origin = ByteView.empty
    /// The client's whole address, 4 or 16 bytes; looked up, never stored.
    public var address = ByteView.empty
    /// Sent by a server with a key of its own: nothing here tells anything about a visitor.
    public var isServer = false
    /// `navigator.webdriver`, from the context's `wd`.
    public var isDriven = false
    /// `Sec-Purpose`, `Purpose`, `X-Purpose` or `X-Moz` says prefetch, prerender or preview.
    public var isPrefetch = false
    /// The page was loaded in a secure context: only there browsers send `Sec-` headers.
    public var isSecure = false
    /// How closely may be kept where the visitor is.
    public var placeDetail = PlaceDetail.city
    /// What the events of the batch show.
    public var behaviour = BatchBehaviour()

    /// Nothing known.
    public init() {}
}

/// How closely may be kept where a visitor is.
public enum PlaceDetail: UInt8, BitwiseCopyable, Sendable {
    case country, region, city
}

/// What a batch's events show about who made them: fed event by event, a few words in size.
public struct BatchBehaviour: BitwiseCopyable, Sendable {
    private var last: Int64 = 0
    private var events = 0
    private var sum = 0.0
    private var squares = 0.0
    /// Gaps that must be seen before they are called regular.
    private static let gapsMinimum = 8
    /// Events closer than this were made by one act.
    private static let gapMillisecondsMinimum = 50.0
    /// Coefficient of variation below which gaps are a machine's.
    private static let variationMaximum = 0.05

    /// Nothing seen.
    public init() {}

    /// Takes the time of the next event, in milliseconds.
    public mutating func take(occurredAt: Int64) {
        if events > 0 {
            let gap = Double(occurredAt &- last)
            sum += gap
            squares += gap * gap
        }
        events &+= 1
        last = occurredAt
    }

    /// Whether events follow each other like clockwork.
    public var isMetronome: Bool {
        let gaps = Double(events &- 1)
        guard events > Self.gapsMinimum, sum >= Self.gapMillisecondsMinimum * gaps else {
            return false
        }
        let mean = sum / gaps
        let variance = max(0, squares / gaps - mean * mean)
        return variance < Self.variationMaximum * Self.variationMaximum * mean * mean
    }
}

/// What enrichment says about a sender.
public struct EnrichmentVerdict: BitwiseCopyable, Sendable {
    /// How sure it is that a program sent this.
    public enum Band: UInt8, BitwiseCopyable, Sendable {
        case human, suspect, bot
    }

    /// What sent the request.
    public internal(set) var agentClass = AgentClass.human
    /// 0 to 100: the points of all reasons.
    public internal(set) var botScore = 0
    /// The band of `botScore`.
    public internal(set) var band = Band.human
    /// Why; bits of `BotReasons`.
    public internal(set) var reasons: BotReasons = []
    /// The kind of machine.
    public internal(set) var device = AgentDevice.other
    /// The kind of machine as scoring knows it.
    public var deviceClass: Slice.DeviceClass { device.deviceClass }
}
