/// A whole past: who comes, when, and what is sent of each visit. The same seed, days, visitors and end
/// give the same bytes.
struct DemoHistory {
    let visitors: Int
    let seed: UInt64
    let key: String
    let calendar: DemoCalendar
    /// All visits, the earliest first.
    let plans: [DemoVisitPlan]

    init(_ mark: DemoMark, key: String) {
        (visitors, seed, self.key) = (mark.visitors, mark.seed, key)
        let calendar = DemoCalendar(days: mark.days, end: mark.end)
        self.calendar = calendar
        plans = (0..<mark.visitors)
            .flatMap { DemoVisitor(number: $0, of: mark.visitors, seed: mark.seed).plans(calendar) }
            .sorted { ($0.begin, $0.visitor) < ($1.begin, $1.visitor) }
    }

    /// What the SDK sent of a visit.
    func beacons(of plan: DemoVisitPlan) -> [DemoBeacon] {
        let visitor = DemoVisitor(number: plan.visitor, of: visitors, seed: seed)
        var visit = DemoVisit(visitor, plan, key: key, end: calendar.end)
        return visit.play()
    }
}
