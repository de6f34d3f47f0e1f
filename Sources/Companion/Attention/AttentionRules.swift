import Foundation

/// The closed list of rules. Names are a public contract.
enum AttentionRule: String, CaseIterable, Encodable, Sendable {
    case destinationDown = "destination-down"
    case deliveriesLate = "deliveries-late"
    case deliveriesDead = "deliveries-dead"
    case deliveriesInDoubt = "deliveries-in-doubt"
    case browserIDsMissing = "browser-ids-missing"
    case refusalsUp = "refusals-up"
    case silence
    case conversionsDown = "conversions-down"
    case storageBehind = "storage-behind"
    case hotNow = "hot-now"

    /// So far back the rule looks, in seconds: what was done about its card cannot show before.
    var windowSeconds: Int64 {
        switch self {
        case .deliveriesDead, .refusalsUp: 3_600
        case .deliveriesInDoubt: 86_400
        case .browserIDsMissing, .conversionsDown: 7 * 86_400
        case .destinationDown, .deliveriesLate, .silence, .storageBehind, .hotNow: 900
        }
    }

    // Beyond these a rule speaks.
    static let oldestWaitingSeconds: Int64 = 600
    static let deadShare = 0.005
    static let refusedShare = 0.01
    static let refusedTimesUsual = 3.0
    static let refusedMinimum: Int64 = 5
    static let idsMissingShare = 0.2
    static let silentGapsUsual = 3.0
    static let silentMinimumMilliseconds: Int64 = 300_000
    static let usualHourMinimum = 4.0
    static let conversionDrop = 0.3
    static let casesMinimum: Int64 = 50
    static let behindMilliseconds: Int64 = 60_000
    static let hereMilliseconds: Int64 = 300_000
    static let farBehindMilliseconds: Int64 = 600_000
    /// 99 % of chance drops are smaller than so many standard deviations.
    static let deviations = 2.326

    /// What every rule has to say about the facts, in the order of the rules.
    static func cards(_ facts: AttentionFacts) -> [AttentionCard] {
        allCases.flatMap { rule in
            switch rule {
            case .destinationDown: facts.destinations.compactMap { down($0, facts) }
            case .deliveriesLate: facts.destinations.compactMap { late($0, facts) }
            case .deliveriesDead: facts.destinations.compactMap(dead)
            case .deliveriesInDoubt: facts.destinations.compactMap(inDoubt)
            case .browserIDsMissing: facts.destinations.compactMap(idsMissing)
            case .refusalsUp: [refusals(facts)].compactMap { $0 }
            case .silence: [silence(facts)].compactMap { $0 }
            case .conversionsDown: [conversions(facts)].compactMap { $0 }
            case .storageBehind: [behind(facts)].compactMap { $0 }
            case .hotNow: [hot(facts)].compactMap { $0 }
            }
        }
    }

    // MARK: - Deliveries

    private static func isDown(_ one: AttentionFacts.Destination) -> Bool {
        one.state == "stopped" || one.state == "failing"
    }

    private static func link(_ one: AttentionFacts.Destination, _ state: String? = nil)
        -> AttentionCard.Link
    {
        let filter = ["destination": one.name].merging(state.map { ["state": $0] } ?? [:]) { $1 }
        return AttentionCard.Link(page: "deliveries", filter: filter)
    }

    private static func down(_ one: AttentionFacts.Destination, _ facts: AttentionFacts)
        -> AttentionCard?
    {
        guard isDown(one) else { return nil }
        let what = one.state == "stopped" ? "credentials refused" : "deliveries fail"
        return AttentionCard(
            id: "destination-down:\(one.name)",
            rule: .destinationDown,
            severity: .critical,
            title: "\(one.name): \(what)",
            why: "\(number(one.waiting)) wait · \(one.reason ?? "no reason was given")",
            since: one.since,
            value: Double(one.waiting),
            usual: 0,
            affected: one.waiting,
            link: link(one)
        )
    }

    private static func late(_ one: AttentionFacts.Destination, _ facts: AttentionFacts)
        -> AttentionCard?
    {
        guard !isDown(one), one.oldestSeconds > oldestWaitingSeconds else { return nil }
        return AttentionCard(
            id: "deliveries-late:\(one.name)",
            rule: .deliveriesLate,
            severity: .warning,
            title: "\(one.name): deliveries are late",
            why: "the oldest of \(number(one.waiting)) waits for \(duration(one.oldestSeconds))",
            since: facts.now - (one.oldestSeconds - oldestWaitingSeconds) * 1_000,
            value: Double(one.oldestSeconds),
            usual: Double(oldestWaitingSeconds),
            affected: one.waiting,
            link: link(one)
        )
    }

    private static func dead(_ one: AttentionFacts.Destination) -> AttentionCard? {
        guard one.settled > 0 else { return nil }
        let share = Double(one.dead) / Double(one.settled)
        guard share > deadShare else { return nil }
        return AttentionCard(
            id: "deliveries-dead:\(one.name)",
            rule: .deliveriesDead,
            severity: .warning,
            title: "\(one.name): refuses conversions",
            why: "\(number(one.dead)) of \(number(one.settled)) settled in the last hour "
                + "(\(percent(share)))",
            value: share,
            usual: deadShare,
            affected: one.dead,
            link: link(one, "dead")
        )
    }

    private static func inDoubt(_ one: AttentionFacts.Destination) -> AttentionCard? {
        guard one.doubtful > 0 else { return nil }
        return AttentionCard(
            id: "deliveries-in-doubt:\(one.name)",
            rule: .deliveriesInDoubt,
            severity: .warning,
            title: "\(one.name): \(number(one.doubtful)) in doubt",
            why: "nobody can say whether they arrived, of the last day",
            value: Double(one.doubtful),
            usual: 0,
            affected: one.doubtful,
            link: link(one, "in_doubt")
        )
    }

    private static func idsMissing(_ one: AttentionFacts.Destination) -> AttentionCard? {
        guard let (told, withID) = one.identified, told >= casesMinimum else { return nil }
        let share = 1 - Double(withID) / Double(told)
        guard share > idsMissingShare else { return nil }
        return AttentionCard(
            id: "browser-ids-missing:\(one.name)",
            rule: .browserIDsMissing,
            severity: .warning,
            title: "\(one.name): conversions without the browser's id",
            why: "\(percent(share)) of \(number(told)) in a week; the platform matches those badly",
            value: share,
            usual: idsMissingShare,
            affected: told - withID,
            link: link(one)
        )
    }

    // MARK: - Intake

    private static func refusals(_ facts: AttentionFacts) -> AttentionCard? {
        guard let hour = facts.hours[0], let share = hour.refusedShare,
            hour.refused >= refusedMinimum, share > refusedShare
        else { return nil }
        let usual = median(facts.hours.filter { $0.key > 0 }.compactMap(\.value.refusedShare)) ?? 0
        guard share > refusedTimesUsual * usual else { return nil }
        let most = facts.commonestRefusal
        return AttentionCard(
            id: "refusals-up",
            rule: .refusalsUp,
            severity: share > 0.5 ? .critical : .warning,
            title: "\(number(hour.refused)) events refused in the last hour",
            why: "\(percent(share)) of what came, usual is \(percent(usual))"
                + (most.map { "; most often: \($0.reason) (\(number($0.count)))" } ?? ""),
            value: share,
            usual: usual,
            affected: hour.refused,
            link: AttentionCard.Link(
                page: "quality",
                filter: most.map { ["reason": $0.reason] } ?? [:]
            )
        )
    }

    /// Held against the same hour of the days before; of a site without days before nothing is known.
    private static func silence(_ facts: AttentionFacts) -> AttentionCard? {
        guard let last = facts.lastReceived, let oldest = facts.hours.keys.max(), oldest >= 24
        else { return nil }
        let days = stride(from: 24, through: min(oldest, 7 * 24 - 1), by: 24)
        let hourly = median(days.map { Double(facts.hours[$0]?.accepted ?? 0) }) ?? 0
        guard hourly >= usualHourMinimum else { return nil }
        let usualGap = 3_600_000 / hourly
        // What is not in the rows yet is not missing.
        let gap = (facts.storedUpTo ?? facts.now) - last
        guard Double(gap) > silentGapsUsual * usualGap, gap > silentMinimumMilliseconds else {
            return nil
        }
        return AttentionCard(
            id: "silence",
            rule: .silence,
            severity: .critical,
            title: "No events for \(duration(gap / 1_000))",
            why:
                "at this hour \(number(Int64(hourly))) come usually; is the tag still on the page?",
            since: last,
            value: Double(gap) / 1_000,
            usual: usualGap / 1_000,
            affected: Int64(hourly * Double(gap) / 3_600_000),
            link: AttentionCard.Link(page: "quality")
        )
    }

    private static func behind(_ facts: AttentionFacts) -> AttentionCard? {
        guard let upTo = facts.storedUpTo, facts.now - upTo > behindMilliseconds else {
            return nil
        }
        let lag = facts.now - upTo
        return AttentionCard(
            id: "storage-behind",
            rule: .storageBehind,
            severity: lag > farBehindMilliseconds ? .critical : .warning,
            title: "Figures are \(duration(lag / 1_000)) behind",
            why: "PostgreSQL has not taken what came since; nothing is lost, the journal has it",
            since: upTo,
            value: Double(lag) / 1_000,
            usual: Double(behindMilliseconds) / 1_000,
            affected: 0,
            link: AttentionCard.Link(page: "quality")
        )
    }

    // MARK: - Visitors

    /// Only where the drop is large and no chance: two shares compared by their pooled deviation.
    private static func conversions(_ facts: AttentionFacts) -> AttentionCard? {
        let (now, before) = (facts.thisWeek, facts.weekBefore)
        guard now.sessions >= casesMinimum, before.sessions >= casesMinimum,
            before.converting > 0
        else { return nil }
        let share = Double(now.converting) / Double(now.sessions)
        let usual = Double(before.converting) / Double(before.sessions)
        let pooled =
            Double(now.converting + before.converting) / Double(now.sessions + before.sessions)
        let spread =
            (pooled * (1 - pooled) * (1 / Double(now.sessions) + 1 / Double(before.sessions)))
            .squareRoot()
        guard spread > 0, share < usual * (1 - conversionDrop) else { return nil }
        let score = (usual - share) / spread
        guard score > deviations else { return nil }
        return AttentionCard(
            id: "conversions-down",
            rule: .conversionsDown,
            severity: .warning,
            title: "Conversions are down by \(percent(1 - share / usual))",
            why: "\(percent(share)) of \(number(now.sessions)) sessions in seven days, "
                + "\(percent(usual)) in the seven before",
            value: share,
            usual: usual,
            affected: Int64((usual - share) * Double(now.sessions)),
            link: AttentionCard.Link(page: "conversions"),
            confidence: 1 - 0.5 * erfc(score / 2.0.squareRoot())
        )
    }

    private static func hot(_ facts: AttentionFacts) -> AttentionCard? {
        guard facts.hotVisitors > 0 else { return nil }
        let title =
            facts.hotVisitors == 1
            ? "A hot visitor is here now" : "\(facts.hotVisitors) hot visitors are here now"
        return AttentionCard(
            id: "hot-now",
            rule: .hotNow,
            severity: .chance,
            title: title,
            why: "the highest score is \(String(format: "%.1f", facts.hottestScore))",
            value: Double(facts.hotVisitors),
            usual: nil,
            affected: facts.hotVisitors,
            link: AttentionCard.Link(page: "visitors", filter: ["band": "hot"])
        )
    }

    // MARK: - Words

    static func median(_ values: [Double]) -> Double? {
        if values.isEmpty { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private static func number(_ value: Int64) -> String {
        value.formatted(.number.locale(Locale(identifier: "en_US_POSIX")).grouping(.automatic))
    }

    private static func percent(_ share: Double) -> String {
        String(format: share < 0.1 ? "%.1f %%" : "%.0f %%", share * 100)
    }

    private static func duration(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
