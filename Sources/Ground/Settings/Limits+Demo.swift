/// What `heliograph demo seed` may be asked for.
extension Limits {
    /// Days of history when nothing is said: four weeks, and the four before to compare them with.
    public static let demoDaysDefault = 60
    /// The most days: what is older than refused events may be is not taken back.
    public static let demoDaysMaximum = rejectedDaysMaximum
    /// Visitors when nothing is said: about 135 thousand events.
    public static let demoVisitorsDefault = 12_000
    /// Fewer make no curve.
    public static let demoVisitorsMinimum = 40
    /// Beyond it `heliograph-bench` is the better tool.
    public static let demoVisitorsMaximum = 200_000
    /// Connections that history is sent over at the same time.
    public static let demoConnections = 16
    /// How long PostgreSQL may show no progress before the seed gives up waiting for its rows.
    public static let demoStoreSeconds = 60
}
