/// What the rules look at, all of one site and one moment. Times in epoch milliseconds.
struct AttentionFacts: Sendable {
    /// How a destination is, and what has become of its deliveries.
    struct Destination: Sendable {
        var name: String
        /// `open`, `failing`, `paused` or `stopped`.
        var state = "open"
        var reason: String?
        var since: Int64?
        /// Waiting for their turn.
        var waiting: Int64 = 0
        /// Age of the oldest of those.
        var oldestSeconds: Int64 = 0
        /// Refused for good in the last hour, of those settled in it.
        var dead: Int64 = 0
        var settled: Int64 = 0
        /// Nobody knows whether they arrived, in the last day.
        var doubtful: Int64 = 0
        /// Conversions told in the last week, and those of them that had the browser's id of the
        /// platform; nil where the platform has none.
        var identified: (told: Int64, withID: Int64)?
    }

    /// What came within an hour.
    struct Hour: Sendable, Equatable {
        var accepted: Int64 = 0
        var refused: Int64 = 0

        /// Share of what was refused; nil when nothing came.
        var refusedShare: Double? {
            let all = accepted + refused
            return all == 0 ? nil : Double(refused) / Double(all)
        }
    }

    /// Sessions with a page view, and those of them with a conversion.
    struct Week: Sendable, Equatable {
        var sessions: Int64 = 0
        var converting: Int64 = 0
    }

    var now: Int64
    var destinations: [Destination] = []
    /// The last week's hours by how many hours ago they ended; hours without anything are absent.
    var hours: [Int: Hour] = [:]
    /// The commonest reason of the last hour's refusals, and how often it was given.
    var commonestRefusal: (reason: String, count: Int64)?
    /// When the newest stored event was received; nil when there was none in the last week.
    var lastReceived: Int64?
    var thisWeek = Week()
    var weekBefore = Week()
    /// Up to when everything that was received is in the rows; nil where nobody knows.
    var storedUpTo: Int64?
    /// Hot visitors of the last five minutes, and the highest score of theirs.
    var hotVisitors: Int64 = 0
    var hottestScore: Double = 0
}
