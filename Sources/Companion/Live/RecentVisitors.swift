import Settings

/// The visitors of one site that were seen last, bounded.
struct RecentVisitors: Sendable {
    private var seenAt: [String: Int64] = [:]

    /// Notes that `visitor` was seen; an older moment than the known one changes nothing.
    mutating func note(_ visitor: String, at milliseconds: Int64) {
        seenAt[visitor] = max(milliseconds, seenAt[visitor] ?? .min)
        // Cutting only at twice the size makes the sort rare.
        if seenAt.count > Limits.companionRecentMaximum * 2 { cut() }
    }

    private mutating func cut() {
        let kept = sorted.prefix(Limits.companionRecentMaximum)
        seenAt = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    /// Newest first; of two seen at one moment, the order of their ids.
    private var sorted: [(key: String, value: Int64)] {
        seenAt.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
    }

    /// At most `limit` visitors, newest first.
    func newest(_ limit: Int) -> [String] { sorted.prefix(limit).map(\.key) }
}
