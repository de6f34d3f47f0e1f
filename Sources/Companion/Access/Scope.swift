/// What a credential may do. Names are a public contract.
public enum Scope: String, CaseIterable, Sendable, Codable {
    /// Aggregates, sites, minutes, queries.
    case readStats = "read:stats"
    /// Data of single visitors; every read of one is noted.
    case readVisitors = "read:visitors"
    /// The live stream.
    case readLive = "read:live"
    /// What destinations were told.
    case readDeliveries = "read:deliveries"
    /// Refused events and the way of single events.
    case readQuality = "read:quality"
    /// Answers as files.
    case export = "export"
    /// Putting away what needs attention.
    case writeAttention = "write:attention"
    /// Goals: what is wanted of figures.
    case writeViews = "write:views"
    /// Requests of privacy law.
    case erase = "erase"
    /// Tokens and the audit log.
    case admin = "admin"

    /// Every scope that reads.
    public static let reading: Set<Scope> = [
        .readStats, .readVisitors, .readLive, .readDeliveries, .readQuality,
    ]

    /// The scopes that a word stands for: a scope's own name, `read`, or the name of a role; nil when it
    /// stands for none.
    public static func named(_ word: String) -> Set<Scope>? {
        switch word {
        case "read": return reading
        case "viewer": return [.readStats, .readLive]
        case "analyst":
            return [
                .readStats, .readLive, .readVisitors, .readQuality, .export, .writeAttention,
                .writeViews,
            ]
        case "operator": return reading.union([.writeAttention])
        case "owner": return Set(allCases)
        default: return Scope(rawValue: word).map { [$0] }
        }
    }

    /// The words that `named` knows.
    public static let words =
        ["read", "viewer", "analyst", "operator", "owner"] + allCases.map(\.rawValue)
}
