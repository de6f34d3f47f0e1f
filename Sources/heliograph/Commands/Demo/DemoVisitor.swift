/// One visit of a visitor, as it is planned.
struct DemoVisitPlan {
    /// What becomes of the visit in the end.
    enum Outcome {
        case nothing, purchase
        /// Begins the form and leaves it.
        case leavesForm
        /// Would have bought, but the form was broken.
        case broken
        /// Is still in the form.
        case inForm
    }

    let visitor: Int
    let number: Int
    let begin: Int64
    let source: DemoSource
    let outcome: Outcome
}

/// Somebody who comes to the demo shop, once or on several days: made from seed and number alone, so that
/// nobody has to be kept.
struct DemoVisitor {
    /// Every so many-th visitor is a program; of others two in a row are one person.
    private static let botEvery = 31
    private static let personEvery = 29
    /// Of this many visitors one is in the shop now, about to decide; and some always are.
    private static let prospectEvery = 240
    private static let prospectsMinimum = 6
    private static let visitsMaximum = 6

    let number: Int
    let seed: UInt64
    let device: String
    let isBot: Bool
    /// In the shop within the last hours, close to a decision.
    let isProspect: Bool
    /// Known by name from the first visit on; shared by the two browsers of one person.
    let user: String?
    let manner: DemoManner
    let machine: DemoMachine
    let language: (name: String, zoneMinutes: Int)
    let consent: Int

    init(number: Int, of visitors: Int, seed: UInt64) {
        var dice = DemoDice(seed: seed, "visitor", number)
        (self.number, self.seed, device) = (number, seed, dice.id())
        isBot = number % Self.botEvery == 5
        let prospects = max(Self.prospectsMinimum, visitors / Self.prospectEvery)
        let isLate = number >= visitors - prospects && !isBot
        let isPerson = [6, 7].contains(number % Self.personEvery) && !isBot && !isLate
        isProspect = isLate
        user = isPerson ? Self.user(number - number % Self.personEvery, seed) : nil
        let manners = isLate ? DemoManner.all.filter { $0.buys > 0.03 } : DemoManner.all
        manner = isLate ? dice.pick(manners) : dice.pick(manners) { $0.share }
        let isPhone = dice.chance(manner.phones)
        let machines = isPhone ? DemoMachine.phones : DemoMachine.desktops
        machine = dice.pick(isBot ? DemoMachine.bots : machines) { $0.share }
        let language = dice.pick(DemoMachine.languages) { $0.2 }
        self.language = (language.0, language.1)
        consent = isPerson || isLate || isBot ? 63 : Self.consent(&dice)
    }

    /// The id of a person, as a server would make it: digits that tell nothing.
    static func user(_ number: Int, _ seed: UInt64) -> String {
        var dice = DemoDice(seed: seed, "user", number)
        return "h1:"
            + (0..<4).map { _ in
                let digits = String(dice.next(), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }

    /// Some refuse everything, some take what is needed to count them, most take all.
    private static func consent(_ dice: inout DemoDice) -> Int {
        let choices = [(63, 60.0), (15, 14), (7, 12), (1, 6), (0, 8)]
        return dice.pick(choices) { $0.1 }.0
    }

    // MARK: - Visits

    /// When this visitor comes, how, and what becomes of it; the first visit first.
    func plans(_ calendar: DemoCalendar) -> [DemoVisitPlan] {
        var dice = DemoDice(seed: seed, "plans", number)
        var plans: [DemoVisitPlan] = []
        var time = isProspect ? calendar.lately(&dice) : calendar.arrival(&dice)
        while plans.count < Self.visitsMaximum, time < calendar.end {
            let plan = plan(plans.count, time, calendar, &dice)
            plans.append(plan)
            let isDone = plan.outcome == .purchase && !dice.chance(0.3)
            if isBot || isDone || !dice.chance(manner.returns) { break }
            time = calendar.again(time, &dice)
        }
        if isProspect { plans.append(lastPlan(plans.count, calendar, &dice)) }
        return plans
    }

    private func plan(
        _ number: Int,
        _ time: Int64,
        _ calendar: DemoCalendar,
        _ dice: inout DemoDice
    ) -> DemoVisitPlan {
        // While the campaign runs, about as many come from it as from everywhere else.
        let isCampaign = number == 0 && calendar.campaign.contains(time) && dice.chance(0.45)
        let first = isCampaign ? DemoSources.campaign : DemoSources.usual
        let source = number == 0 ? dice.pick(first) { $0.share } : dice.pick(DemoSources.again)
        return DemoVisitPlan(
            visitor: self.number,
            number: number,
            begin: time,
            source: source,
            outcome: outcome(number, time, source, calendar, &dice)
        )
    }

    private func outcome(
        _ number: Int,
        _ time: Int64,
        _ source: DemoSource,
        _ calendar: DemoCalendar,
        _ dice: inout DemoDice
    ) -> DemoVisitPlan.Outcome {
        let isIncident = calendar.incident.contains(time)
        let wants = dice.chance(manner.buys * source.readiness * (number == 0 ? 1 : 1.6))
        let leaves = dice.chance(manner.leavesForm)
        if isBot || isProspect { return .nothing }
        if isIncident, wants || leaves { return dice.chance(0.88) ? .broken : .purchase }
        if wants { return .purchase }
        return leaves ? .leavesForm : .nothing
    }

    private func lastPlan(
        _ number: Int,
        _ calendar: DemoCalendar,
        _ dice: inout DemoDice
    ) -> DemoVisitPlan {
        // Every other one is in the shop at this very moment.
        let minutes = dice.chance(0.5) ? dice.number(2...5) : dice.number(7...110)
        return DemoVisitPlan(
            visitor: self.number,
            number: number,
            begin: calendar.end - Int64(minutes) * 60_000,
            source: DemoSources.again[0],
            outcome: .inForm
        )
    }
}
