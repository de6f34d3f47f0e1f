import Records
import TestSupport

/// Made-up behaviour of every kind, for property tests.
struct RandomRecords {
    var dice: Dice
    var offset: UInt64 = 0
    /// Visitors that the records are of.
    var visitors = 3

    init(seed: UInt64) { dice = Dice(seed: seed) }

    /// `count` records of few visitors over some hours or weeks. `orderFree` leaves out what the
    /// README names as depending on order: conversions, forms left, new sessions and pages,
    /// pointer dynamics and consent.
    mutating func records(_ count: Int, orderFree: Bool) -> [PackedRecord] {
        let span = dice.chance(0.5) ? 3_600_000 : 20 * 86_400_000
        return (0..<count).map { _ in record(span: span, orderFree: orderFree) }
    }

    mutating func record(span: Int, orderFree: Bool) -> PackedRecord {
        var record = TestRecord()
        offset += 1
        record.offset = offset
        record.receivedAt = Scenes.noon + Int64(dice.roll(0...span))
        record.visitor = "visitor-\(dice.roll(1...visitors))"
        record.session = orderFree ? "one" : dice.chance(0.2) ? "" : "session-\(dice.roll(1...6))"
        record.consent = orderFree ? [.measurement, .profiling] : consent()
        record.flags = dice.chance(0.2) ? [.touch] : []
        for _ in 0...dice.roll(0...3) {
            record.events.append(event(receivedAt: record.receivedAt, orderFree: orderFree))
        }
        if !orderFree && dice.chance(0.1) { record.duplicates = UInt64(dice.roll(0...15)) }
        return record.packed()
    }

    private mutating func consent() -> Consent {
        if dice.chance(0.05) { return [.measurement] }
        return dice.chance(0.5) ? .all : [.measurement, .storage, .profiling]
    }

    mutating func event(receivedAt: Int64, orderFree: Bool) -> TestEvent {
        let time = receivedAt - Int64(dice.roll(0...(dice.chance(0.1) ? 6 * 86_400_000 : 60_000)))
        switch dice.roll(0...(orderFree ? 4 : 7)) {
        case 0, 1: return TestEvent(.pageSummary, at: time, summary(tagged: !orderFree))
        case 2: return TestEvent(.click, at: time, click())
        case 3: return TestEvent(.navigation, at: time, #"{"ty":"\#(pick(["b", "f", "u", "l"]))"}"#)
        case 4: return TestEvent(.form, at: time, form(left: !orderFree))
        case 5: return TestEvent(.pageView, at: time, pageView())
        case 6:
            return TestEvent(
                .custom,
                at: time,
                name: pick(["add_to_cart", "purchase", "view_item", "other"])
            )
        default: return TestEvent(.consent, at: time, #"{"bits":\#(pick([63, 63, 47, 3]))}"#)
        }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[dice.roll(0...values.count - 1)]
    }

    private mutating func numbers(_ maxima: [Int]) -> String {
        "[" + maxima.map { "\(dice.roll(0...$0))" }.joined(separator: ",") + "]"
    }

    private mutating func pageView() -> String {
        let page = pick([
            "", "/pricing", "/products", "/product/\(dice.roll(1...30))", "/about", "/faq?x=1",
        ])
        return #"{"u":"https://shop.example\#(page)","h":2400,"wc":500}"#
    }

    private mutating func click() -> String {
        let label = pick(["Start trial", "Add to cart", "learn more", "Compare plans"])
        return #"{"a":"\#(label)","g":"button","x":10,"y":20,"f":\#(dice.roll(0...3))}"#
    }

    private mutating func form(left: Bool) -> String {
        let phase = dice.roll(1...(left ? 4 : 3))
        let rows = (0..<dice.roll(0...4)).map { row in
            "[\"field\(row)\"," + numbers([6000, 20000, 30, 3, 2, 2]).dropFirst()
        }
        return #"{"f":"\#(pick(["checkout", "newsletter", "survey"]))","ph":\#(phase),"cp":"#
            + #"\#(dice.roll(0...100)),"sb":\#(phase == 3 ? 1 : 0),"ff":[\#(rows.joined(separator: ","))]}"#
    }

    private mutating func summary(tagged: Bool) -> String {
        var parts: [String] = []
        if dice.chance(0.9) {
            parts.append("\"vz\":" + numbers([60000, 60000, 50000, 3, 3, 20000, 2, 70000]))
        }
        if dice.chance(0.8) {
            parts.append("\"sc\":" + numbers([9000, 5000, 4000, 3000, 8, 3, 5, 100]))
        }
        if dice.chance(0.8) { parts.append("\"S\":[" + sections(tagged) + "]") }
        if dice.chance(0.5) {
            parts.append("\"rd\":" + numbers([20000, 40000, 100, 100, 100, 60000]))
        }
        if dice.chance(0.5) {
            parts.append("\"mo\":" + numbers([400, 20000, 30000, 100, 9, 20, 20, 60, 120, 3]))
        }
        if dice.chance(0.2) { parts.append("\"tp\":" + numbers([9, 3, 5, 2, 2, 2, 900, 2])) }
        if dice.chance(0.3) { parts.append("\"kb\":" + numbers([4, 60, 300, 90, 60, 2, 2, 1])) }
        if dice.chance(0.7) { parts.append("\"ck\":" + numbers([9, 6, 4, 2, 2, 2, 9000, 2000])) }
        if dice.chance(0.4) { parts.append("\"ct\":[" + numbers([9, 7000, 4, 1, 9000, 3]) + "]") }
        if dice.chance(0.7) { parts.append("\"pt\":" + totals()) }
        return "{\"q\":1," + parts.joined(separator: ",") + (parts.isEmpty ? "\"z\":0}" : "}")
    }

    private mutating func totals() -> String {
        let first = dice.chance(0.5)
        let before = first ? [0, 0, 0, 0] : [dice.roll(0...30000), dice.roll(1...60), 2, 1]
        let now = [before[0] + 20000, min(100, before[1] + 30), before[2] + 2, before[3] + 1]
        return "[" + (now + before).map(String.init).joined(separator: ",") + "]"
    }

    private mutating func sections(_ tagged: Bool) -> String {
        (0..<dice.roll(0...6)).map { row in
            let category = tagged ? pick(["pricing", "faq", "specs", "", "other"]) : "other"
            let numbers = numbers([4, 40000, 100, 300, 3, 5]).dropFirst()
            return "[\(row),\"\(category)\",\(numbers)"
        }.joined(separator: ",")
    }
}
