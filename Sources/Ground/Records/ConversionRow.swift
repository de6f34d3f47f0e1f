/// What the archive stores of a conversion, beside the event itself.
///
/// Made from a record alone, so that the same record always gives the same row.
public struct ConversionRow: Sendable, Equatable {
    /// The event's id, the same in the browser; of a conversion by score, one made of its position.
    public var id = ""
    /// Canonical or the site's own.
    public var name = ""
    /// When it happened, epoch milliseconds.
    public var occurredAt: Int64 = 0
    /// Whether the event tells of health.
    public var isSensitive = false
    /// Number of the page view that it happened on, in the window; 0 when there is none.
    public var page: UInt16 = 0
    /// Major units; nil when there is none.
    public var value: Double?
    /// ISO 4217; empty without a value.
    public var currency = ""
    /// The shop's number of the order; empty when there is none.
    public var orderID = ""
    /// Address of the page where the event itself tells it, scrubbed; empty takes the visit's page.
    public var pageURL = ""
    /// JSON object with the members of `ConversionDetails`.
    public var details = "{}"
    /// Days before the conversion whose touches may share in it.
    public var attributionDays = 30
    /// Destinations that are to be told.
    public var destinations: [String] = []
    /// Destinations that are not, with the reason.
    public var withheld: [(destination: String, reason: String)] = []

    /// A conversion of which nothing is known.
    public init() {}

    /// Equal in every member.
    public static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.name == right.name && left.occurredAt == right.occurredAt
            && left.isSensitive == right.isSensitive && left.page == right.page
            && left.value == right.value && left.currency == right.currency
            && left.orderID == right.orderID && left.details == right.details
            && left.pageURL == right.pageURL && left.attributionDays == right.attributionDays
            && left.destinations == right.destinations
            && left.withheld.elementsEqual(right.withheld, by: ==)
    }
}

/// A visit's beginning, or a click on an advertisement within it, as the archive stores it.
public struct TouchRow: Sendable, Equatable {
    /// When, epoch milliseconds.
    public var at: Int64 = 0
    /// Channel, such as `paid_search`.
    public var channel = ""
    /// Source; empty when unknown.
    public var source = ""
    /// Medium; empty when unknown.
    public var medium = ""
    /// Campaign; empty when unknown.
    public var campaign = ""
    /// Kind of the click id; empty when there is none.
    public var click = ""

    /// A touch of which nothing is known.
    public init() {}
}

/// What a record means for advertising: conversions, touches and sealed blocks to keep.
public struct RecordGains: Sendable, Equatable {
    /// Conversions, in the order of the events.
    public var conversions: [ConversionRow] = []
    /// Touches, in the order of the events.
    public var touches: [TouchRow] = []

    /// Nothing.
    public init() {}

    /// Whether there is nothing.
    public var isEmpty: Bool { conversions.isEmpty && touches.isEmpty }
}
