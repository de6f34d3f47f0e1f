import Foundation
import Settings

/// A browser that may be the same person's: a guess, which changes no score and joins nobody.
struct LikelyLink: Encodable, Sendable, Equatable {
    let visitor: String
    /// 0 to 1.
    let confidence: Double
    /// What speaks for it and against it, the weightiest first.
    let reasons: [LinkEvidence]
}

/// One thing that two browsers have in common, or that sets them apart.
struct LinkEvidence: Encodable, Sendable, Equatable {
    enum Reason: String, Encodable, Sendable {
        case network, order, click, language, zone, succession, handover, overlap, rhythm, users
    }

    let reason: Reason
    /// What it adds to the log-odds.
    let adds: Double
    /// The same in words, without anything that names a place or a person.
    let detail: String
}

/// How likely two browsers are one person's: log-odds that add up, with weights set by judgement and
/// held against simulated households (Tests/CompanionTests). The same whichever of the two is asked.
enum LinkJudge {
    /// Log-odds of two browsers of which nothing is known but that they met.
    static let base = -4.0
    /// Two browsers alone on a network; the logarithm of the others is taken off.
    static let network = 3.2
    /// Networks that count: home, work and one more.
    static let networksCounted = 3
    static let order = 5.5
    static let click = 5.0
    static let (language, otherLanguage) = (0.3, -1.5)
    static let (zone, otherZone) = (0.2, -2.5)
    /// One begins after the other has ended for good, with the same machine: its cookies were cleared.
    static let succession = 2.0
    /// A visit that begins where one on the other browser has just ended, and visits at the same time.
    static let (handover, overlap) = (1.4, -0.9)
    /// Of these so many count.
    static let timesCounted = 3
    static let handoverMilliseconds: Int64 = 10 * 60_000
    static let overlapMilliseconds: Int64 = 2 * 60_000
    /// Slope and middle of the likeness of two days' rhythms, and the visits that make a rhythm.
    static let (rhythm, rhythmMiddle, rhythmVisits) = (3.0, 0.6, 4)
    /// Different users were identified on them.
    static let users = -3.0

    /// The links of the first browser to the others, the surest first.
    static func links(
        of one: LinkTraits,
        to others: [LinkTraits],
        crowds: [String: Int]
    ) -> [LikelyLink] {
        let links = others.compactMap { judge(one, $0, crowds) }
            .filter { $0.confidence >= Limits.linkConfidenceMinimum }
            .sorted { ($1.confidence, $0.visitor) < ($0.confidence, $1.visitor) }
        return Array(links.prefix(Limits.linksMaximum))
    }

    /// Nil where there is nothing to guess: they are one person already, or somebody parted them.
    static func judge(
        _ one: LinkTraits,
        _ other: LinkTraits,
        _ crowds: [String: Int]
    ) -> LikelyLink? {
        if one.visitor == other.visitor || isDecided(one, other) { return nil }
        let evidence = [
            networks(one, other, crowds), orders(one, other), clicks(one, other),
            language(one, other), zone(one, other), succession(one, other),
            handovers(one, other), overlaps(one, other), rhythm(one, other), users(one, other),
        ].compactMap { $0 }
        let odds = evidence.reduce(base) { $0 + $1.adds }
        let sure = min(1 / (1 + exp(-odds)), Limits.linkConfidenceMaximum)
        return LikelyLink(
            visitor: other.visitor,
            confidence: (sure * 1000).rounded() / 1000,
            reasons: evidence.sorted { abs($0.adds) > abs($1.adds) }
        )
    }

    private static func isDecided(_ one: LinkTraits, _ other: LinkTraits) -> Bool {
        let persons = [other.identity, other.parted].compactMap { $0 }
        return [one.identity, one.parted].contains { person in
            person.map(persons.contains) ?? false
        }
    }

    // MARK: - What they met by

    private static func networks(
        _ one: LinkTraits,
        _ other: LinkTraits,
        _ crowds: [String: Int]
    ) -> LinkEvidence? {
        let shared = one.networks.filter(other.networks.contains).compactMap { crowds[$0] }
            .filter { 2...Limits.linkCrowdMaximum ~= $0 }.sorted()
        guard let fewest = shared.first else { return nil }
        let adds = shared.prefix(networksCounted).reduce(0) { $0 + network - log(Double($1 - 1)) }
        let detail =
            "\(count(shared.count, "network")) in common, with \(fewest) browsers on the smallest"
        return LinkEvidence(reason: .network, adds: adds, detail: detail)
    }

    private static func orders(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard one.orders.contains(where: other.orders.contains) else { return nil }
        return LinkEvidence(reason: .order, adds: order, detail: "both told of the same order")
    }

    private static func clicks(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard one.clicks.contains(where: other.clicks.contains) else { return nil }
        return LinkEvidence(
            reason: .click,
            adds: click,
            detail: "both came by the same click on an advertisement"
        )
    }

    // MARK: - What they are like

    private static func language(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard let mine = one.language, let theirs = other.language else { return nil }
        return mine == theirs
            ? LinkEvidence(reason: .language, adds: language, detail: "the same language")
            : LinkEvidence(reason: .language, adds: otherLanguage, detail: "different languages")
    }

    private static func zone(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard let mine = one.zone, let theirs = other.zone else { return nil }
        return mine == theirs
            ? LinkEvidence(reason: .zone, adds: zone, detail: "the same time zone")
            : LinkEvidence(reason: .zone, adds: otherZone, detail: "different time zones")
    }

    private static func succession(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard one.machine != nil, one.machine == other.machine,
            one.screen != nil, one.screen == other.screen,
            isBefore(one, other) || isBefore(other, one)
        else { return nil }
        return LinkEvidence(
            reason: .succession,
            adds: succession,
            detail: "one began after the other had ended, with the same kind of machine and window"
        )
    }

    private static func isBefore(_ one: LinkTraits, _ other: LinkTraits) -> Bool {
        guard let end = one.visits.map(\.ended).max(), let begin = other.visits.map(\.begun).min()
        else { return false }
        return end < begin
    }

    private static func users(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard one.identity != nil, other.identity != nil else { return nil }
        return LinkEvidence(
            reason: .users,
            adds: users,
            detail: "different users were identified on them"
        )
    }

    private static func count(_ number: Int, _ thing: String) -> String {
        number == 1 ? "1 \(thing)" : "\(number) \(thing)s"
    }
}

// MARK: - When they are used

extension LinkJudge {
    private static func handovers(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        let times = pairs(one, other) { mine, theirs in
            0...handoverMilliseconds ~= theirs.begun - mine.ended
                || 0...handoverMilliseconds ~= mine.begun - theirs.ended
        }
        guard times > 0 else { return nil }
        return LinkEvidence(
            reason: .handover,
            adds: handover * Double(min(times, timesCounted)),
            detail: "\(count(times, "visit")) of one began within minutes of the other's end"
        )
    }

    private static func overlaps(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        let times = pairs(one, other) { mine, theirs in
            min(mine.ended, theirs.ended) - max(mine.begun, theirs.begun) > overlapMilliseconds
        }
        guard times > 0 else { return nil }
        return LinkEvidence(
            reason: .overlap,
            adds: overlap * Double(min(times, timesCounted)),
            detail: "\(count(times, "visit")) at the same time"
        )
    }

    private static func pairs(
        _ one: LinkTraits,
        _ other: LinkTraits,
        _ isSo: (LinkTraits.Visit, LinkTraits.Visit) -> Bool
    ) -> Int {
        one.visits.reduce(0) { sum, mine in
            sum + other.visits.count { isSo(mine, $0) }
        }
    }

    private static func rhythm(_ one: LinkTraits, _ other: LinkTraits) -> LinkEvidence? {
        guard min(one.visits.count, other.visits.count) >= rhythmVisits else { return nil }
        let (mine, theirs) = (hours(one), hours(other))
        let likeness = dot(mine, theirs) / (dot(mine, mine) * dot(theirs, theirs)).squareRoot()
        return LinkEvidence(
            reason: .rhythm,
            adds: rhythm * (likeness - rhythmMiddle),
            detail: likeness >= rhythmMiddle
                ? "visits at like hours of the day" : "visits at other hours of the day"
        )
    }

    /// Visits by hour of the day, each hour touching its neighbours.
    private static func hours(_ traits: LinkTraits) -> [Double] {
        var hours = [Double](repeating: 0, count: 24)
        for visit in traits.visits {
            let hour = Int(visit.begun / 3_600_000 % 24)
            hours[hour] += 2
            hours[(hour + 1) % 24] += 1
            hours[(hour + 23) % 24] += 1
        }
        return hours
    }

    private static func dot(_ one: [Double], _ other: [Double]) -> Double {
        zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
