/// How often something may happen, as an operator sets it; 0 a second means without limit.
public struct RateSetting: Sendable, Equatable {
    /// Units a second.
    public var perSecond: Int
    /// Units at once.
    public var burst: Int

    /// A rate from its parts; without a burst, that of some seconds.
    public init(perSecond: Int, burst: Int? = nil) {
        self.perSecond = perSecond
        self.burst = burst ?? max(1, perSecond * Limits.burstSecondsDefault)
    }

    /// No limit.
    public static let unlimited = RateSetting(perSecond: 0)
}

/// Limits on senders, whatever site they send to.
public struct SenderLimits: Sendable, Equatable {
    /// Requests of one address; IPv6 addresses count by their first 64 bits. The loopback address is
    /// a proxy or a test and has no limit.
    public var address = RateSetting(perSecond: Limits.addressRequestsPerSecondDefault)
    /// Events of one visitor.
    public var visitor = RateSetting(perSecond: Limits.visitorEventsPerSecondDefault)

    /// The defaults.
    public init() {}

    init(_ section: YAMLSection) {
        address = section.rate("address_requests", default: address)
        visitor = section.rate("visitor_events", default: visitor)
    }
}

/// Limits on what one site may bring.
public struct SiteLimits: Sendable, Equatable {
    /// Events of the site.
    public var events = RateSetting.unlimited
    /// Events of the site in a day of UTC; 0 means without limit.
    public var eventsPerDay = 0

    /// No limits.
    public init() {}

    init(_ section: YAMLSection) {
        events = section.rate("events", default: events)
        eventsPerDay = section.integer("events_per_day", in: 0...1 << 39, default: 0)
    }

    /// For the hash of the settings.
    var canonicalFields: [String] {
        ["limits", "\(events.perSecond)", "\(events.burst)", "\(eventsPerDay)"]
    }
}

extension YAMLSection {
    /// `NAME_per_second` and `NAME_burst`.
    func rate(_ name: String, default fallback: RateSetting) -> RateSetting {
        let maximum = Limits.rateMaximum
        let perSecond = integer(
            "\(name)_per_second",
            in: 0...maximum,
            default: fallback.perSecond
        )
        var rate = RateSetting(perSecond: perSecond)
        rate.burst = integer("\(name)_burst", in: 1...maximum, default: min(rate.burst, maximum))
        return rate
    }
}
