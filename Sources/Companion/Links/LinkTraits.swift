/// What the rows of a browser say that may be held against another's, as `heliograph.link_traits`
/// gives it. Nothing in it is shown to anybody.
struct LinkTraits: Codable, Sendable, Equatable {
    /// One visit: from and to, epoch milliseconds.
    struct Visit: Sendable, Equatable {
        let begun: Int64
        let ended: Int64
    }

    var visitor: String
    /// Networks it was seen on, the most frequent first; addresses that were cut before they were kept.
    var networks: [String] = []
    /// In the order in which they began.
    var visits: [Visit] = []
    /// Ids of advertisements' clicks that led it here, each with the parameter's name.
    var clicks: [String] = []
    /// Orders, each with the conversion's name.
    var orders: [String] = []
    var language: String?
    var zone: String?
    /// Device, system and browser in words.
    var machine: String?
    /// Size and density of its window.
    var screen: String?
    /// The person that it is read as part of.
    var identity: String?
    /// The person that somebody parted it from.
    var parted: String?
}

extension LinkTraits.Visit: Codable {
    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        (begun, ended) = (try list.decode(Int64.self), try list.decode(Int64.self))
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(begun)
        try list.encode(ended)
    }
}
