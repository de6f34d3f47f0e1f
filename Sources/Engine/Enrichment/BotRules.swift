/// Why a sender is not taken for a person, as bits of a mask.
public struct BotReasons: OptionSet, BitwiseCopyable, Sendable, Hashable {
    /// The bits as stored in `bq`.
    public let rawValue: UInt32
    /// Takes the bits as they are.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The user agent names a crawler, or is written as only programs do.
    public static let declaredBot = BotReasons(rawValue: 1 << 0)
    /// The user agent has not the shape of a browser's.
    public static let notABrowser = BotReasons(rawValue: 1 << 1)
    /// The user agent names an HTTP library.
    public static let library = BotReasons(rawValue: 1 << 2)
    /// The user agent names a fetcher of previews.
    public static let preview = BotReasons(rawValue: 1 << 3)
    /// The user agent names an AI crawler or agent.
    public static let aiCrawler = BotReasons(rawValue: 1 << 4)
    /// A browser without a window, by user agent or client hint.
    public static let headless = BotReasons(rawValue: 1 << 5)
    /// The user agent holds an unfilled template or text meant to be run.
    public static let attack = BotReasons(rawValue: 1 << 6)
    /// `navigator.webdriver` is true.
    public static let driven = BotReasons(rawValue: 1 << 7)
    /// Client hints are missing from, or contradict, a Chromium user agent.
    public static let hintsContradict = BotReasons(rawValue: 1 << 8)
    /// No `Accept-Language`.
    public static let withoutLanguage = BotReasons(rawValue: 1 << 9)
    /// No `Accept-Encoding`.
    public static let withoutEncoding = BotReasons(rawValue: 1 << 10)
    /// No `Sec-Fetch-Mode` from a browser that sends it.
    public static let withoutFetchMode = BotReasons(rawValue: 1 << 11)
    /// No `Origin` on a browser's beacon.
    public static let withoutOrigin = BotReasons(rawValue: 1 << 12)
    /// Events follow each other like clockwork.
    public static let metronome = BotReasons(rawValue: 1 << 13)
    /// Fetched ahead of a visit; says nothing about who asks and has no points.
    public static let prefetch = BotReasons(rawValue: 1 << 14)

    /// The headers that every browser sends; together they count at most `headersMaximum`.
    static let headers: BotReasons = [.withoutLanguage, .withoutEncoding, .withoutFetchMode]
}

/// What each reason adds to the bot score, and where its bands begin.
public struct BotRules: Sendable, Equatable {
    /// From here on a sender is suspect.
    public var suspect: Int
    /// From here on a sender is a bot.
    public var bot: Int
    /// The most that missing headers add.
    public var headersMaximum: Int
    /// Points by bit of `BotReasons`.
    var points: [Int]

    /// Names of the reasons in the section `points`, by bit, with the points they have there.
    static let reasons: [(name: String, points: Int)] = [
        ("declared_bot", 100), ("not_a_browser", 90), ("library", 90), ("preview", 100),
        ("ai_crawler", 100), ("headless", 100), ("attack", 100), ("driven", 70),
        ("hints_contradict", 30), ("without_language", 10), ("without_encoding", 10),
        ("without_fetch_mode", 10), ("without_origin", 20), ("metronome", 40),
        ("prefetch", 0),
    ]

    /// What holds where nothing is set.
    static let standard = BotRules(
        suspect: 40,
        bot: 80,
        headersMaximum: 25,
        points: reasons.map(\.points)
    )

    /// The score of `reasons`: their points added up, 0 to 100.
    public func score(_ reasons: BotReasons) -> Int {
        let headers = min(sum(reasons.intersection(.headers)), headersMaximum)
        return min(100, headers + sum(reasons.subtracting(.headers)))
    }

    /// The band that `score` lies in.
    func band(_ score: Int) -> EnrichmentVerdict.Band {
        score >= bot ? .bot : score >= suspect ? .suspect : .human
    }

    private func sum(_ reasons: BotReasons) -> Int {
        var rest = reasons.rawValue
        var total = 0
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            if bit < points.count { total &+= points[bit] }
            rest &= rest &- 1
        }
        return total
    }
}
