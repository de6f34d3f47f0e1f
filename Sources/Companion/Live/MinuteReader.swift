import Settings
import Telemetry
import Units

/// The last minutes of a site, as the API shows them.
struct MinutesDocument: Encodable, Sendable {
    struct Bands: Encodable, Sendable {
        let cold: Int64
        let warm: Int64
        let hot: Int64
    }

    struct Minute: Encodable, Sendable {
        /// Minutes since 1970, as in the key in Redis.
        let minute: Int64
        let startedAt: String
        let events: Int64
        let pageViews: Int64
        let sessions: Int64
        let visitors: Int64
        let bands: Bands
        let conversions: Int64
        let valueThousandths: Int64
        let automatedEvents: Int64

        enum CodingKeys: String, CodingKey {
            case minute, events, sessions, visitors, bands, conversions
            case startedAt = "started_at"
            case pageViews = "page_views"
            case valueThousandths = "value_thousandths"
            case automatedEvents = "automated_events"
        }
    }

    /// No visitors: one of two minutes would be among them twice.
    struct Totals: Encodable, Sendable {
        let events: Int64
        let pageViews: Int64
        let sessions: Int64
        let conversions: Int64
        let valueThousandths: Int64
        let automatedEvents: Int64
        let channels: [String: Int64]
        let pages: [Page]
        let otherPageViews: Int64

        enum CodingKeys: String, CodingKey {
            case events, sessions, conversions, channels, pages
            case pageViews = "page_views"
            case valueThousandths = "value_thousandths"
            case automatedEvents = "automated_events"
            case otherPageViews = "other_page_views"
        }
    }

    struct Page: Encodable, Sendable {
        let path: String
        let pageViews: Int64

        enum CodingKeys: String, CodingKey {
            case path
            case pageViews = "page_views"
        }
    }

    let site: String
    /// When Redis was asked, epoch milliseconds.
    let asOf: Int64
    /// The oldest first; the last one still goes on.
    let minutes: [Minute]
    let totals: Totals

    enum CodingKeys: String, CodingKey {
        case site, minutes, totals
        case asOf = "as_of"
    }

    init(site: String, asOf: Int64, first: Int64, sums: [MinuteSum]) {
        (self.site, self.asOf) = (site, asOf)
        minutes = sums.enumerated().map { Minute(first + Int64($0), $1) }
        totals = Totals(sums.reduce(into: MinuteSum()) { $0.add($1) })
    }
}

extension MinutesDocument.Minute {
    fileprivate init(_ number: Int64, _ sum: MinuteSum) {
        minute = number
        startedAt = RFC3339.text(epochMilliseconds: number * 60_000)
        events = sum[.events]
        pageViews = sum[.pageViews]
        sessions = sum[.sessions]
        visitors = sum[.visitors]
        bands = MinutesDocument.Bands(cold: sum[.cold], warm: sum[.warm], hot: sum[.hot])
        conversions = sum[.conversions]
        valueThousandths = sum[.valueThousandths]
        automatedEvents = sum[.automatedEvents]
    }
}

extension MinutesDocument.Totals {
    fileprivate init(_ sum: MinuteSum) {
        events = sum[.events]
        pageViews = sum[.pageViews]
        sessions = sum[.sessions]
        conversions = sum[.conversions]
        valueThousandths = sum[.valueThousandths]
        automatedEvents = sum[.automatedEvents]
        channels = sum.channels
        let sorted = sum.pages.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = sorted.prefix(Limits.companionPagesMaximum)
        pages = shown.map { MinutesDocument.Page(path: $0.key, pageViews: $0.value) }
        let hidden = sorted.dropFirst(shown.count).reduce(0) { $0 + $1.value }
        otherPageViews = sum[.otherPageViews] + hidden
    }
}

/// Sums live minutes up from Redis.
struct MinuteReader: Sendable {
    let redis: RedisReaders
    let keys: LiveKeys
    let time: TimeSource

    /// The last `count` minutes of a site, the present one among them; nobody's minutes are zeros.
    func minutes(site: Int, last count: Int) async throws -> MinutesDocument {
        let now = time.epochMilliseconds()
        let first = now / 60_000 - Int64(count) + 1
        let commands = (0..<Int64(count)).map {
            ["HVALS", keys.minute(first + $0, site: site)]
        }
        let sums = try await redis.ask(commands).map(Self.sum)
        return MinutesDocument(site: keys.sites[site], asOf: now, first: first, sums: sums)
    }

    private static func sum(_ reply: RedisReply) -> MinuteSum {
        var sum = MinuteSum()
        for case .bytes(let field) in reply.elements { sum.add(field: field) }
        return sum
    }
}
