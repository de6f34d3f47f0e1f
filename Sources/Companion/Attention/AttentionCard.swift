import Telemetry

/// Something that needs somebody, worked out from what is stored: never stored itself.
struct AttentionCard: Sendable, Equatable {
    /// How soon somebody should look.
    enum Severity: String, Encodable, Sendable {
        case critical, warning, chance

        /// What one order of magnitude more of those concerned does not outweigh.
        fileprivate var urgency: Double {
            switch self {
            case .critical: 100
            case .warning: 10
            case .chance: 1
            }
        }
    }

    /// A place of the Hub that tells more.
    struct Link: Encodable, Sendable, Equatable {
        let page: String
        /// What the page is narrowed to.
        var filter: [String: String] = [:]
    }

    /// The rule, and what of the site it is about: the same over readings.
    let id: String
    let rule: AttentionRule
    let severity: Severity
    let title: String
    let why: String
    /// When it began, epoch milliseconds; nil where nobody can say.
    var since: Int64?
    /// What was measured, and what is usual or allowed, both in the rule's unit.
    let value: Double
    let usual: Double?
    /// How many visitors, conversions or events it concerns.
    let affected: Int64
    let link: Link
    /// How sure it is that it is no chance, 0 to 1; 1 where something is counted and not judged.
    var confidence: Double = 1
    /// What somebody has done with it, and it came back nevertheless.
    var earlier: String?

    /// Impact by urgency: orders of magnitude of those concerned, by severity, less with age.
    func weight(now: Int64) -> Double {
        var magnitude = 1.0
        var rest = Double(max(0, affected))
        while rest >= 1 { (magnitude, rest) = (magnitude + min(1, rest / 10), rest / 10) }
        let days = Double(max(0, now - (since ?? now))) / 86_400_000
        return severity.urgency * magnitude / (1 + days)
    }

    /// The card with the moment that its weight is of.
    struct Document: Encodable {
        let card: AttentionCard
        let now: Int64

        enum CodingKeys: String, CodingKey {
            case id, rule, severity, title, why, since, value, usual, affected, weight, link,
                actions
            case confidence, earlier
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(card.id, forKey: .id)
            try container.encode(card.rule, forKey: .rule)
            try container.encode(card.severity, forKey: .severity)
            try container.encode(card.title, forKey: .title)
            try container.encode(card.why, forKey: .why)
            let since = card.since.map { RFC3339.text(epochMilliseconds: $0) }
            try container.encode(since, forKey: .since)
            try container.encode(card.value, forKey: .value)
            try container.encode(card.usual, forKey: .usual)
            try container.encode(card.affected, forKey: .affected)
            try container.encode(card.weight(now: now), forKey: .weight)
            try container.encode(card.link, forKey: .link)
            try container.encode(AttentionAct.allCases.map(\.rawValue), forKey: .actions)
            try container.encode(card.confidence, forKey: .confidence)
            try container.encode(card.earlier, forKey: .earlier)
        }
    }
}

/// What can be done with a card.
enum AttentionAct: String, CaseIterable, Sendable {
    case snooze, dismiss, done

    /// As it is stored.
    var state: String {
        switch self {
        case .snooze: "snoozed"
        case .dismiss: "dismissed"
        case .done: "done"
        }
    }
}

/// What somebody has done with a card.
struct AttentionPutOff: Sendable, Equatable {
    let state: String
    /// Epoch milliseconds; nil stands for as long as it concerns less than twice as many.
    let until: Int64?
    let affected: Int64

    /// Whether the card is not to be shown now.
    func hides(_ card: AttentionCard, now: Int64) -> Bool {
        if let until { return now < until }
        return card.affected < max(2, affected * 2)
    }

    /// The cards to show, the weightiest first.
    static func shown(
        _ cards: [AttentionCard],
        _ putOff: [String: AttentionPutOff],
        now: Int64
    ) -> [AttentionCard] {
        let wanted = cards.compactMap { card -> AttentionCard? in
            guard let one = putOff[card.id] else { return card }
            if one.hides(card, now: now) { return nil }
            var copy = card
            copy.earlier = one.state
            return copy
        }
        return wanted.sorted {
            ($1.weight(now: now), $0.id) < ($0.weight(now: now), $1.id)
        }
    }
}
