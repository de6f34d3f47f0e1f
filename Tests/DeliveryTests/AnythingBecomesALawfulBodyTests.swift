// Goal: whatever a conversion holds, what passes `judge` becomes a body that the platform's rules allow.
// Method: random conversions from a printed seed (HELIOGRAPH_SEED repeats one); bodies are read back by
// Foundation and held against the rules written down here anew, not by the code that made them.
import Delivery
import Foundation
import Records
import Settings
import Testing

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func one<Value>(of values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &self)]
    }

    mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }

    mutating func text() -> String {
        let pieces = [
            "a", "Z", "9", " ", "\"", "\\", "\n", "\u{0}", "é", "😀", "e\u{301}", "\u{202e}",
        ]
        let length = chance(0.05) ? 1_200 : Int.random(in: 0...12, using: &self)
        return (0..<length).map { _ in one(of: pieces) }.joined()
    }

    mutating func number() -> Double {
        one(of: [
            0, 1, 0.1, 19.99, 1e9, 1e300, -1, .nan, .infinity, Double.leastNonzeroMagnitude,
            3.14159265,
        ])
    }

    mutating func optional<Value>(_ make: (inout Dice) -> Value) -> Value? {
        chance(0.6) ? make(&self) : nil
    }
}

private func anyConversion(_ dice: inout Dice) -> Conversion {
    var conversion = full(
        dice.one(of: ["purchase", "lead", "page_view", "own", "search", "donate", "x y"])
    )
    conversion.id = dice.chance(0.7) ? "w-\(dice.next())" : dice.text()
    conversion.occurredAtMilliseconds =
        noon + Int64.random(in: -800_000_000...400_000, using: &dice)
    conversion.consent = Consent(rawValue: UInt8.random(in: 0...63, using: &dice))
    conversion.flags = Slice.Flags(rawValue: UInt8.random(in: 0...127, using: &dice))
    conversion.isSensitive = dice.chance(0.1)
    conversion.value = dice.optional { $0.number() }
    conversion.currency = dice.optional {
        $0.one(of: ["EUR", "usd", "JPY", "KWD", "QQQ", "", "E€"])
    }
    conversion.orderID = dice.optional { $0.text() }
    conversion.pageURL = dice.optional { dice in
        dice.one(of: ["https://a.example/", "http://", "javascript:1"]) + dice.text()
    }
    conversion.title = dice.optional { $0.text() }
    conversion.contact = anyContact(&dice)
    fill(&conversion.details, &dice)
    return conversion
}

private func anyContact(_ dice: inout Dice) -> Contact {
    var contact = contact()
    if dice.chance(0.4) { contact.address = dice.text() }
    if dice.chance(0.4) { contact.userAgent = dice.optional { $0.text() } }
    if dice.chance(0.4) { contact.fbc = "fb.1.\(dice.next()).\(dice.text())" }
    if dice.chance(0.4) {
        contact.fbclid = dice.optional { ($0.text(), Int64(bitPattern: $0.next())) }
    }
    if dice.chance(0.4) { contact.fbp = dice.text() }
    if dice.chance(0.4) { contact.gaClientID = dice.text() }
    if dice.chance(0.4) { contact.metaHashes["em"] = [dice.text(), Digest.sha256("")] }
    return contact
}

private func fill(_ details: inout ConversionDetails, _ dice: inout Dice) {
    details.items = (0..<(dice.chance(0.02) ? 300 : Int.random(in: 0...3, using: &dice))).map { _ in
        var item = ConversionItem()
        item.id = dice.optional { $0.text() }
        item.name = dice.optional { $0.text() }
        item.price = dice.optional { $0.number() }
        item.quantity = dice.optional { $0.number() }
        return item
    }
    details.coupon = dice.optional { $0.text() }
    details.tax = dice.optional { $0.number() }
    details.contentName = dice.optional { $0.text() }
    details.engagementMilliseconds = Int64(bitPattern: dice.next())
    details.extras = ["size", "value", "ga_x", "late"].map { ($0, .text(dice.text())) }
}

private typealias Members = [String: Any]

private func isDigest(_ value: Any) -> Bool {
    (value as? String)?.wholeMatch(of: /[0-9a-f]{64}/) != nil
        && value as? String != Digest.sha256("")
}

private func metaViolations(_ text: String, now: Int64) -> [String] {
    guard let events = value(text, "data") as? [Members] else { return ["no data"] }
    return events.flatMap { event -> [String] in
        var wrong: [String] = []
        func hold(_ condition: Bool, _ rule: String) { if !condition { wrong.append(rule) } }
        let name = event["event_name"] as? String ?? ""
        hold((1...50).contains(name.unicodeScalars.count), "name")
        let time = event["event_time"] as? Int64 ?? 0
        hold(time <= now / 1_000 && time > now / 1_000 - 7 * 86_400, "time")
        let id = event["event_id"] as? String ?? ""
        hold(id.wholeMatch(of: /[A-Za-z0-9._:\-]{1,64}/) != nil, "id")
        let user = event["user_data"] as? Members ?? [:]
        for (key, found) in user
        where !["client_ip_address", "client_user_agent", "fbc", "fbp"].contains(key) {
            let list = found as? [Any] ?? []
            hold(!list.isEmpty && list.allSatisfy(isDigest), "hash \(key)")
        }
        let fbc = user["fbc"] as? String ?? "fb.1.1762902353123.x"
        hold(
            fbc.wholeMatch(of: /fb\.[0-9]\.[0-9]{13}\.[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]{2,8})?/)
                != nil,
            "fbc"
        )
        hold(!Set(user.keys).isSubset(of: ["client_user_agent"]), "nobody")
        if event["action_source"] as? String == "website" {
            hold((event["event_source_url"] as? String)?.hasPrefix("http") == true, "url")
            hold((user["client_user_agent"] as? String)?.isEmpty == false, "agent")
        }
        if event["data_processing_options"] != nil {
            let state = event["data_processing_options_state"] as? Int ?? 0
            hold(state != 0 || user["client_ip_address"] != nil, "limited nowhere")
            hold(event["data_processing_options_country"] is Int, "limited to no country")
        }
        let data = event["custom_data"] as? Members ?? [:]
        hold((data["value"] == nil) == (data["currency"] == nil), "half a value")
        hold(data["value"].map { ($0 as? Double ?? -1) >= 0 } ?? true, "value")
        hold(name != "Purchase" || data["value"] != nil, "purchase")
        hold((data["contents"] as? [Members] ?? []).count <= 100, "contents")
        hold((data["contents"] as? [Members] ?? []).allSatisfy { $0["id"] != nil }, "content id")
        return wrong
    }
}

private func googleViolations(_ text: String, now: Int64) -> [String] {
    guard let events = value(text, "events") as? [Members] else { return ["no events"] }
    var wrong: [String] = []
    func hold(_ condition: Bool, _ rule: String) { if !condition { wrong.append(rule) } }
    let client = value(text, "client_id") as? String ?? ""
    hold(client.wholeMatch(of: /[0-9]+\.[0-9]+/) != nil, "client")
    let consent = value(text, "consent") as? [String: String] ?? [:]
    hold(
        consent.count == 2 && consent.values.allSatisfy { ["GRANTED", "DENIED"].contains($0) },
        "consent"
    )
    hold(value(text, "user_data") == nil || value(text, "user_id") != nil, "user_data alone")
    hold(
        value(text, "user_data") == nil || consent["ad_user_data"] == "GRANTED",
        "user_data denied"
    )
    hold(text.utf8.count < 130_000, "size")
    for event in events {
        let name = event["name"] as? String ?? ""
        hold(name.wholeMatch(of: /[A-Za-z][A-Za-z0-9_]{0,39}/) != nil, "name")
        let micros = event["timestamp_micros"] as? Int64 ?? 0
        hold(micros <= now * 1_000 && micros >= (now - 72 * 3_600_000) * 1_000, "time")
        let params = event["params"] as? Members ?? [:]
        hold(params.count <= 25, "params")
        hold((1...86_400_000).contains(params["engagement_time_msec"] as? Int64 ?? 0), "engagement")
        hold((params["value"] == nil) == (params["currency"] == nil), "half a value")
        for (key, found) in params where key != "items" {
            hold(key.wholeMatch(of: /(?!ga_)[A-Za-z][A-Za-z0-9_]{0,39}/) != nil, "param \(key)")
            let most =
                ["page_location": 1_000, "page_referrer": 420, "page_title": 300][key] ?? 100
            hold(
                (found as? String ?? "x").unicodeScalars.count <= most && !(found is NSNull),
                "long \(key)"
            )
            hold((found as? String) != "", "empty \(key)")
        }
        let items = params["items"] as? [Members] ?? []
        hold(items.count <= 200, "items")
        hold(items.allSatisfy { $0["item_id"] != nil || $0["item_name"] != nil }, "item")
        if name == "purchase" {
            hold((params["transaction_id"] as? String)?.isEmpty == false, "order")
        }
    }
    return wrong
}

@Suite struct AnythingBecomesALawfulBodyTests {
    private static let seed =
        ProcessInfo.processInfo.environment["HELIOGRAPH_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0...9_999_999)

    @Test func whatPassesTheCheckIsLawful() throws {
        var dice = Dice(state: Self.seed)
        let (meta, google) = (
            try meta {
                $0.optedOut = .limit
                $1.extras = ["size", "value"]
            },
            try google { $1.extras = ["size", "ga_x", "late"] }
        )
        var passed = 0
        for _ in 0..<1_500 {
            let conversion = anyConversion(&dice)
            for (destination, check) in [(meta, metaViolations), (google, googleViolations)] {
                guard case .ready = destination.judge(conversion, nowMilliseconds: noon) else {
                    continue
                }
                passed += 1
                let text = body(destination, conversion)
                let wrong = check(text, noon)
                #expect(
                    wrong.isEmpty,
                    "seed \(Self.seed) \(destination.name) \(wrong) \(text.prefix(3_000))"
                )
            }
        }
        #expect(passed > 100, "seed \(Self.seed): too few passed to say anything")
    }
}
