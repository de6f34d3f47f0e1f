/// Plays a visit: pages, what is done on them, and what the SDK sends of it.
struct DemoVisit {
    /// A page view is summed up in two parts when it is longer.
    private static let partSeconds = 22.0
    /// What is shorter is no look at a section.
    private static let lookSeconds = 0.6
    private static let formFields = ["name", "email", "street", "postcode", "city"]

    private let visitor: DemoVisitor
    private let plan: DemoVisitPlan
    private let end: Int64
    private var dice: DemoDice
    private var tab: DemoTab
    private var basket: [DemoShop.Item] = []
    private var referrer: String

    init(_ visitor: DemoVisitor, _ plan: DemoVisitPlan, key: String, end: Int64) {
        (self.visitor, self.plan, self.end) = (visitor, plan, end)
        dice = DemoDice(seed: visitor.seed, "visit", visitor.number * 16 + plan.number)
        tab = DemoTab(visitor, key: key, begin: plan.begin, &dice)
        referrer = plan.source.referrer
    }

    /// The visit's beacons in their order; none of them came after the end of the past.
    mutating func play() -> [DemoBeacon] {
        var isFirst = true
        for page in way() {
            open(page, isFirst: isFirst)
            if visitor.isBot || visitor.consent == 0 { break }
            isFirst = false
            if page.path == DemoShop.checkout.path { checkOut() } else { stay(on: page) }
        }
        return tab.beacons.filter { $0.receivedAt < end }
    }

    // MARK: - The way

    private mutating func way() -> [DemoPage] {
        var way = dice.pick(visitor.manner.ways)
        // Who has been here before begins where they left off.
        if plan.number > 0, way.count > 2, dice.chance(0.5) { way.removeFirst() }
        way.removeAll { $0.path == DemoShop.checkout.path }
        if plan.outcome != .nothing {
            if !way.contains(where: { $0.path == DemoShop.pricing.path }), dice.chance(0.5) {
                way.append(DemoShop.pricing)
            }
            way.append(DemoShop.checkout)
        }
        return way
    }

    // MARK: - A page

    private mutating func open(_ page: DemoPage, isFirst: Bool) {
        tab.time += Int64(dice.number(350...1_600))
        tab.open()
        tab.time += Int64(dice.number(40...160))
        let address = DemoShop.origin + page.path
        tab.note(
            "pv",
            "\"u\":\"\(address)\(isFirst ? plan.source.query : "")\",\"r\":\"\(referrer)\","
                + "\"ti\":\"\(page.title)\",\"nt\":\"n\",\"h\":\(page.height),\"wc\":\(page.words)"
        )
        referrer = address
        if isFirst { enter() }
        tab.send(context: true, &dice)
    }

    private mutating func enter() {
        guard plan.number == 0, visitor.consent > 0, !visitor.isBot else { return }
        tab.note("cs", "\"bits\":\(visitor.consent),\"src\":\"banner\",\"ex\":1")
        if let user = visitor.user { tab.identify(user) }
    }

    /// Looks at the page, and does what people do there.
    private mutating func stay(on page: DemoPage) {
        act(on: page)
        watch(page, errorClicks: 0)
        if dice.chance(visitor.manner.turnsBackPerPage) {
            tab.note("nv", ago: 30, "\"ty\":\"u\",\"fr\":\"\(page.path)\",\"dw\":4200,\"lp\":1")
        }
        let presses = plan.outcome != .nothing || dice.chance(visitor.manner.decisive * 0.4)
        if presses, !page.button.isEmpty { press(page.button) }
        tab.send(&dice)
    }

    private mutating func press(_ label: String, flags: Int = 1, tag: String = "a") {
        tab.note(
            "ck",
            ago: 20,
            "\"a\":\"\(label)\",\"g\":\"\(tag)\",\"x\":\(dice.number(60...900)),"
                + "\"y\":\(dice.number(80...700)),\"hv\":\(dice.number(120...1_400)),\"f\":\(flags)"
        )
    }

    /// The page's summaries. Without leave to look at behaviour the SDK sends none, and time passes.
    private mutating func watch(_ page: DemoPage, errorClicks: Int) {
        let looks = looks(at: page)
        let seconds = looks.reduce(0) { $0 + $1.seconds }
        let parts = seconds > Self.partSeconds ? 2 : 1
        for part in 1...parts {
            let deadClicks = dice.count(visitor.manner.deadClicksPerPage / Double(parts))
            let summary = DemoSummary(
                page: page,
                manner: visitor.manner,
                looks: looks.map { $0.part(of: parts) },
                isTouch: visitor.machine.isTouch,
                part: part,
                parts: parts,
                deadClicks: deadClicks,
                errorClicks: part == parts ? errorClicks : 0
            )
            tab.time += Int64(summary.elapsedSeconds * 1_000)
            if visitor.consent & 4 != 0 {
                for _ in 0..<deadClicks { press(page.lure.label, flags: 16, tag: page.lure.tag) }
                tab.note("ps", summary.members(&dice))
            }
            if part < parts { tab.send(&dice) }
        }
    }

    private mutating func looks(at page: DemoPage) -> [DemoSummary.Look] {
        let manner = visitor.manner
        var looks: [DemoSummary.Look] = []
        for (index, section) in page.sections.enumerated() {
            let wanted = manner.looksFor[section.category]
            let seconds = dice.about(wanted ?? manner.sectionSeconds, spread: 0.25)
            if index == 0 || seconds >= Self.lookSeconds {
                looks.append(
                    DemoSummary.Look(
                        index: index,
                        section: section,
                        seconds: max(Self.lookSeconds, seconds),
                        isLookedFor: wanted != nil
                    )
                )
            }
        }
        return looks
    }

    // MARK: - What is done on a page

    private mutating func act(on page: DemoPage) {
        switch page.path {
        case DemoShop.product.path: actOnProduct()
        case DemoShop.pricing.path: actOnPrices()
        case DemoShop.trying.path: tab.tell("video_start", ago: 0, "\"video\":\"first-evening\"")
        case DemoShop.questions.path: ask()
        default: return
        }
    }

    private mutating func actOnProduct() {
        let lamps = DemoShop.items.filter { !$0.isPlan }
        let item = dice.pick(lamps) { $0.share }
        if plan.outcome != .nothing || dice.chance(0.07) {
            basket.append(item)
            tab.tell("add_to_cart", Self.properties(of: [item]))
        }
    }

    private mutating func actOnPrices() {
        guard basket.isEmpty, plan.outcome != .nothing || dice.chance(0.07) else { return }
        let item = dice.pick(DemoShop.items.filter(\.isPlan)) { $0.share }
        basket.append(item)
        tab.tell("select_plan", Self.properties(of: [item]))
    }

    /// Some ask for advice.
    private mutating func ask() {
        guard dice.chance(0.035) else { return }
        let fields = "[\"question\",1400,16000,84,1,0,0]"
        tab.note("fm", "\"f\":\"contact\",\"ph\":3,\"ff\":[\(fields)],\"cp\":100,\"sb\":1")
        tab.tell("lead", "\"form_id\":\"contact\",\"value\":15,\"currency\":\"EUR\"")
    }

    static func properties(of items: [DemoShop.Item], order: String? = nil) -> String {
        let rows = items.map { item in
            "{\"item_id\":\"\(item.id)\",\"item_name\":\"\(item.name)\",\"price\":\(item.price),"
                + "\"quantity\":1}"
        }
        let value = items.reduce(0) { $0 + $1.price }
        let number = order.map { "\"order_id\":\"\($0)\"," } ?? ""
        return number + "\"value\":\(value),\"currency\":\"EUR\",\"items\":["
            + rows.joined(separator: ",") + "]"
    }

    // MARK: - The form

    private mutating func checkOut() {
        if basket.isEmpty { basket = [dice.pick(DemoShop.items) { $0.share }] }
        tab.tell("begin_checkout", Self.properties(of: basket))
        form(phase: 1, percent: 0, errors: 0)
        tab.send(&dice)
        switch plan.outcome {
        case .nothing: return
        case .purchase: purchase()
        case .leavesForm: leave(percent: dice.number(20...60), errors: 0)
        case .broken: beBroken()
        case .inForm:
            watch(DemoShop.checkout, errorClicks: 0)
            form(phase: 2, percent: dice.number(60...85), errors: 0)
            tab.send(&dice)
        }
    }

    private mutating func form(phase: Int, percent: Int, errors: Int) {
        let count = phase == 1 ? 1 : max(1, Self.formFields.count * percent / 100)
        let friction = visitor.manner.frictionPerField
        let fields = Self.formFields.prefix(count).map { name in
            let isHard = dice.chance(friction)
            let mistakes = name == "email" ? dice.count(friction / 3) : 0
            return "[\"\(name)\",\(isHard ? 3_600 : dice.number(300...1_900)),"
                + "\(dice.number(1_500...9_000)),\(dice.number(4...26)),\(isHard ? 2 : 0),"
                + "\(dice.count(friction)),\(name == "postcode" ? errors : mistakes)]"
        }
        tab.note(
            "fm",
            "\"f\":\"checkout\",\"ph\":\(phase),\"ff\":[\(fields.joined(separator: ","))],"
                + "\"cp\":\(percent),\"sb\":\(phase == 3 ? 1 : 0)"
        )
    }

    private mutating func leave(percent: Int, errors: Int) {
        watch(DemoShop.checkout, errorClicks: errors)
        form(phase: 4, percent: percent, errors: errors)
        tab.send(&dice)
    }

    /// The release of that day takes no postcode: whoever tries again and again gives up.
    private mutating func beBroken() {
        let tries = dice.number(2...4)
        watch(DemoShop.checkout, errorClicks: 0)
        for number in 1...tries {
            tab.time += Int64(dice.number(700...2_400))
            // Call to action, and an error within a second of it; the third in a row is in rage.
            press("place-order", flags: number == 3 ? 1 | 8 | 32 : 1 | 32, tag: "button")
        }
        tab.tell("form_error", "\"form_id\":\"checkout\",\"field\":\"postcode\"")
        leave(percent: 80, errors: tries)
    }

    private mutating func purchase() {
        watch(DemoShop.checkout, errorClicks: 0)
        if dice.chance(0.12) { basket.append(dice.pick(DemoShop.items) { $0.share }) }
        press("place-order", tag: "button")
        form(phase: 3, percent: 100, errors: 0)
        let order = "D\(visitor.number)-\(plan.number)"
        tab.tell("purchase", Self.properties(of: basket, order: order))
        tab.identify(visitor.user ?? DemoVisitor.user(visitor.number, visitor.seed))
        tab.send(&dice)
        open(DemoShop.thanks, isFirst: false)
    }
}

extension DemoSummary.Look {
    /// A part of a look that is as long as the other parts.
    func part(of parts: Int) -> DemoSummary.Look {
        DemoSummary.Look(
            index: index,
            section: section,
            seconds: seconds / Double(parts),
            isLookedFor: isLookedFor
        )
    }
}
