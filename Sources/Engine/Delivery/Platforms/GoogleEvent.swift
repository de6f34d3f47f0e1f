import Records
import Settings

/// One conversion as GA4's Measurement Protocol takes it (conversions.md 2.3 to 2.7).
struct GoogleEvent {
    let conversion: Conversion
    let terms: DestinationGate.Terms
    let frame: DestinationFrame
    let google: GoogleAnalyticsSettings
    let money: ConversionMoney

    init(
        _ conversion: Conversion,
        _ frame: DestinationFrame,
        _ google: GoogleAnalyticsSettings
    ) {
        self.conversion = conversion
        terms = frame.terms(conversion)
        self.frame = frame
        self.google = google
        money = ConversionMoney(conversion)
    }

    static let idScalarsMaximum = 100
    private static let itemsMaximum = 200
    private static let parametersMaximum = 25
    private static let sessionMilliseconds: Int64 = 24 * 3_600_000

    private static let names = [
        "page_view": "page_view", "view_content": "view_item", "search": "search",
        "add_to_cart": "add_to_cart", "add_to_wishlist": "add_to_wishlist",
        "initiate_checkout": "begin_checkout", "add_payment_info": "add_payment_info",
        "purchase": "purchase", "lead": "generate_lead", "complete_registration": "sign_up",
        "contact": "contact", "schedule": "schedule", "start_trial": "start_trial",
        "subscribe": "subscribe", "submit_application": "submit_application",
        "find_location": "find_location", "customize_product": "customize_product",
        "donate": "donate",
    ]

    // MARK: - Checks

    /// What GA4 calls it; nil when it would be dropped for its name.
    var eventName: String? {
        let given = frame.givenName(conversion) ?? optional
        let name = given ?? Self.names[conversion.name] ?? conversion.name
        return GoogleNames.isEvent(name, isGiven: given != nil) ? name : nil
    }

    /// What the site wants called otherwise than the table says.
    private var optional: String? {
        switch conversion.name {
        case "contact" where google.contactIsLead: return "generate_lead"
        case "subscribe" where google.subscribeIsPurchase: return "purchase"
        case "donate" where google.donateIsPurchase: return "purchase"
        default: return nil
        }
    }

    /// Purchases are told apart by this, so each has one of its own.
    private var transactionID: String? {
        let order = conversion.orderID.flatMap { $0.isEmpty ? nil : $0 }
        switch conversion.name {
        case "purchase", "subscribe", "donate":
            return order ?? (eventName == "purchase" ? conversion.id : nil)
        default: return nil
        }
    }

    /// Why GA4 would drop or spoil it without saying so; nil when it would not.
    var refusal: String? {
        if conversion.id.isEmpty { return "without-id" }
        guard let eventName else { return "invalid-event-name" }
        if eventName == "purchase", let refusal = money.refusal { return refusal }
        let ids = [transactionID] + conversion.details.items.map(\.id)
        if ids.contains(where: { Self.isLong($0) }) { return "id-too-long" }
        return nil
    }

    private static func isLong(_ text: String?) -> Bool {
        (text?.unicodeScalars.count ?? 0) > idScalarsMaximum
    }

    /// What was shortened or left out.
    func remarks(nowMilliseconds: Int64) -> [String] {
        var remarks: [String] = []
        if let remark = money.remark { remarks.append(remark) }
        if eventName == "purchase", conversion.orderID?.isEmpty != false {
            remarks.append("event-id-for-order")
        }
        if conversion.contact.gaClientID.flatMap({ GoogleID.client($0) }) == nil {
            remarks.append("client-id-of-our-own")
        }
        remarks += Self.wanted[eventName ?? "", default: []].filter(lacks).map { "without-\($0)" }
        if isLate(nowMilliseconds) { remarks.append("late") }
        if isCut(nowMilliseconds) { remarks.append("texts-cut") }
        if conversion.details.items.count > Self.itemsMaximum { remarks.append("items-cut") }
        return remarks
    }

    /// What Google's own event builder asks for, and the protocol does not (conversions.md 2.7).
    private static let wanted: [String: [String]] = [
        "add_payment_info": ["items", "value"], "add_to_cart": ["items", "value"],
        "add_to_wishlist": ["items", "value"], "begin_checkout": ["items", "value"],
        "view_item": ["items", "value"], "purchase": ["items"], "generate_lead": ["value"],
        "search": ["search-term"],
    ]

    private func lacks(_ part: String) -> Bool {
        switch part {
        case "items": return conversion.details.items.isEmpty
        case "value": return money.value == nil
        default: return conversion.details.searchTerm?.isEmpty != false
        }
    }

    private func isCut(_ now: Int64) -> Bool {
        parameters(now).contains { parameter in
            guard case .text(let text) = parameter.value else { return false }
            return text.unicodeScalars.count > Self.limit(parameter.name)
        }
    }

    // MARK: - Session

    /// The GA4 session that the browser was in: its start in seconds.
    private var session: Int64? {
        let stream = GoogleID.stream(google.measurementID)
        guard let start = conversion.contact.gaSessions[stream].flatMap({ GoogleID.session($0) }),
            start * 1_000 <= conversion.occurredAtMilliseconds
        else { return nil }
        return start
    }

    /// Behind a session's first day its number would open a second session.
    private func isLate(_ now: Int64) -> Bool {
        session.map {
            max(now, conversion.occurredAtMilliseconds) - $0 * 1_000 > Self.sessionMilliseconds
        }
            ?? false
    }

    // MARK: - Writing

    /// The members in a fixed order.
    func write(_ json: inout JSONWriter, nowMilliseconds: Int64) {
        json.object { json in
            json.text("name", eventName ?? conversion.name)
            let time = frame.time(conversion, nowMilliseconds)
            json.integer("timestamp_micros", time * 1_000)
            json.object("params") { json in
                for parameter in parameters(nowMilliseconds) {
                    Self.write(parameter, Self.limit(parameter.name), &json)
                }
                writeItems(&json)
            }
        }
    }

    private enum Value {
        case text(String)
        case integer(Int64)
        case number(Double)
        case money(Money)
    }

    private typealias Parameter = (name: String, value: Value)

    /// Longer ones are cut, not refused (support article quoted in conversions.md 2.3).
    private static func limit(_ name: String) -> Int {
        switch name {
        case "page_location": return 1_000
        case "page_referrer": return 420
        case "page_title": return 300
        default: return 100
        }
    }

    private static func write(_ parameter: Parameter, _ limit: Int, _ json: inout JSONWriter) {
        switch parameter.value {
        case .text(let text) where parameter.name.hasPrefix("page_") && limit != 300:
            json.text(parameter.name, PageAddress.cut(text, scalarsMaximum: limit))
        case .text(let text): json.text(parameter.name, cut(text, limit))
        case .integer(let number): json.integer(parameter.name, number)
        case .number(let number): json.number(parameter.name, number)
        case .money(let money): json.money(parameter.name, money)
        }
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.unicodeScalars.count > limit else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
    }

    /// All but the items, at most as many as GA4 keeps; extras come last and are cut first.
    private func parameters(_ now: Int64) -> [Parameter] {
        let all = sessionParameters(now) + pageParameters + moneyParameters + detailParameters
        let items = conversion.details.items.isEmpty ? 0 : 1
        return Array((all + extraParameters).prefix(Self.parametersMaximum - items))
    }

    private func sessionParameters(_ now: Int64) -> [Parameter] {
        let looked = conversion.details.engagementMilliseconds ?? 1
        let engaged = min(max(1, looked), Self.sessionMilliseconds)
        var parameters: [Parameter] = []
        if isLate(now) {
            parameters.append(("late", .integer(1)))
        } else if let session {
            parameters.append(("session_id", .text("\(session)")))
        }
        parameters.append(("engagement_time_msec", .integer(engaged)))
        return parameters
    }

    private var pageParameters: [Parameter] {
        let isScrubbed = terms.isScrubbed
        let title = isScrubbed ? nil : conversion.title
        return texts([
            ("page_location", frame.page(conversion.pageURL, originOnly: isScrubbed)),
            ("page_referrer", frame.page(conversion.referrer, originOnly: isScrubbed)),
            ("page_title", title),
        ])
    }

    private func texts(_ pairs: [(String, String?)]) -> [Parameter] {
        pairs.compactMap { name, text in
            text.flatMap { $0.isEmpty ? nil : (name, .text($0)) }
        }
    }

    private var moneyParameters: [Parameter] {
        guard conversion.name != "page_view", let value = money.value,
            let currency = money.currency
        else { return [] }
        var parameters: [Parameter] = [("value", .money(value)), ("currency", .text(currency))]
        guard eventName == "purchase" else { return parameters }
        for (name, amount) in [
            ("tax", conversion.details.tax), ("shipping", conversion.details.shipping),
        ] {
            guard let amount, amount >= 0, let money = Currency.rounded(amount, currency) else {
                continue
            }
            parameters.append((name, .money(money)))
        }
        return parameters
    }

    /// What conversions.md 3 says of each event.
    private var detailParameters: [Parameter] {
        let details = conversion.details
        let names = terms.isScrubbed ? nil : details.contentName
        switch conversion.name {
        case "search":
            return texts([("search_term", terms.isScrubbed ? nil : details.searchTerm)])
        case "initiate_checkout": return texts([("coupon", details.coupon)])
        case "add_payment_info":
            return texts([("coupon", details.coupon), ("payment_type", details.method)])
        case "purchase":
            return texts([
                ("transaction_id", transactionID), ("coupon", details.coupon),
                ("affiliation", details.affiliation),
            ])
        case "lead": return texts([("lead_source", details.formID ?? names)])
        case "complete_registration":
            return texts([("method", details.method), ("status", details.status)])
        case "contact": return texts([("method", details.method)])
        case "schedule": return texts([("item_name", names)])
        case "start_trial": return texts([("item_id", details.plan)])
        case "subscribe":
            return texts([("item_id", details.plan), ("transaction_id", transactionID)])
        case "submit_application": return texts([("form_id", details.formID ?? names)])
        case "find_location": return texts([("store_id", details.storeID)])
        case "donate": return texts([("transaction_id", transactionID)])
        default: return []
        }
    }

    /// Booleans go as 1 and 0: GA4 has none.
    private var extraParameters: [Parameter] {
        frame.extras(conversion).compactMap { extra in
            guard GoogleNames.isParameter(extra.name), !Self.ownParameters.contains(extra.name)
            else { return nil }
            switch extra.value {
            case .text(let text): return text.isEmpty ? nil : (extra.name, .text(text))
            case .number(let number): return (extra.name, .number(number))
            case .flag(let flag): return (extra.name, .integer(flag ? 1 : 0))
            }
        }
    }

    /// Names of ours that a site's own may not take.
    private static let ownParameters: Set<String> = [
        "late", "session_id", "engagement_time_msec", "page_location", "page_referrer",
        "page_title", "value", "currency", "tax", "shipping", "items", "transaction_id", "coupon",
        "affiliation", "search_term", "payment_type", "lead_source", "method", "status",
        "item_name", "item_id", "form_id", "store_id", "user_id", "client_id",
    ]

    private static let withItems: Set<String> = [
        "view_content", "add_to_cart", "add_to_wishlist", "initiate_checkout", "add_payment_info",
        "purchase", "customize_product",
    ]

    private func writeItems(_ json: inout JSONWriter) {
        let isOwn = Self.names[conversion.name] == nil
        guard Self.withItems.contains(conversion.name) || isOwn else { return }
        let items = conversion.details.items.filter {
            $0.id?.isEmpty == false || name(of: $0) != nil
        }
        guard !items.isEmpty else { return }
        json.list("items") { json in
            for item in items.prefix(Self.itemsMaximum) { write(item, &json) }
        }
    }

    /// Of a page about health not even the product is named.
    private func name(of item: ConversionItem) -> String? {
        terms.isScrubbed || item.name?.isEmpty == true ? nil : item.name
    }

    private func write(_ item: ConversionItem, _ json: inout JSONWriter) {
        let limit = Self.idScalarsMaximum
        json.object { json in
            json.text("item_id", item.id.flatMap { $0.isEmpty ? nil : $0 })
            json.text("item_name", name(of: item).map { Self.cut($0, limit) })
            if !terms.isScrubbed {
                json.text("item_brand", item.brand.map { Self.cut($0, limit) })
                json.text("item_category", item.category.map { Self.cut($0, limit) })
                json.text("item_variant", item.variant.map { Self.cut($0, limit) })
            }
            json.text("coupon", item.coupon.map { Self.cut($0, limit) })
            json.number("discount", item.discount)
            json.number("price", item.price)
            json.number("quantity", item.quantity)
        }
    }
}
