import Settings

/// Reads what shops and other trackers say of a conversion under many names, and writes it as the members
/// of `ConversionDetails`. Nothing else of an event's properties goes on.
enum ConversionDetailsReader {
    /// Value, currency and order number beside the details.
    struct Result {
        var value: Double?
        var currency = ""
        var orderID = ""
        var details = "{}"

        /// The details with what the browser's own pixels did: bits of `ConversionTwin`.
        func details(twins: Int) -> String {
            guard (1...ConversionTwin.allBits).contains(twins) else { return details }
            return details == "{}"
                ? "{\"twins\":\(twins)}" : "\(details.dropLast()),\"twins\":\(twins)}"
        }
    }

    private static let values = ["value", "revenue", "total", "amount"]
    private static let orders = ["order_id", "transaction_id", "orderId", "orderID"]
    private static let baskets = ["items", "products", "contents"]

    /// Names that details are sent under, by the member they become.
    private static let texts: [(member: String, names: [String])] = [
        ("coupon", ["coupon"]),
        ("affiliation", ["affiliation"]),
        ("search_term", ["search_term", "query", "search_string"]),
        ("method", ["method", "payment_method", "payment_type", "signup_method"]),
        ("status", ["status", "registration_status"]),
        ("plan", ["plan", "plan_name"]),
        ("content_name", ["content_name", "form_name", "service"]),
        ("content_category", ["content_category", "category"]),
        ("form_id", ["form_id"]),
        ("store_id", ["store_id"]),
    ]
    private static let numbers: [(member: String, names: [String])] = [
        ("tax", ["tax"]), ("shipping", ["shipping"]), ("predicted_ltv", ["predicted_ltv"]),
        ("engagement_milliseconds", ["engagement_time_msec"]),
    ]
    private static let itemTexts: [(member: String, names: [String])] = [
        ("id", ["product_id", "item_id", "sku", "id", "content_id"]),
        ("name", ["name", "item_name", "title"]),
        ("brand", ["brand", "item_brand"]),
        ("category", ["category", "item_category"]),
        ("variant", ["variant", "item_variant"]),
        ("coupon", ["coupon"]),
    ]
    private static let itemNumbers: [(member: String, names: [String])] = [
        ("price", ["price", "item_price"]), ("quantity", ["quantity", "qty"]),
        ("discount", ["discount"]),
    ]

    /// What `properties` say of a conversion called by `rule`, or by the usual names without one.
    static func read(
        _ properties: JSONValue,
        rule: ConversionRuleView,
        siteCurrency: String
    ) -> Result {
        var result = Result()
        let basket = items(properties)
        result.value = rule.value(properties) { first(properties, values)?.amount }
            .flatMap { $0 >= 0 && $0 <= Limits.conversionValueMaximum ? $0 : nil }
        result.orderID = short(first(properties, rule.orderNames(orders))) ?? ""
        if result.value != nil || !basket.isEmpty {
            result.currency = currency(properties, rule) ?? siteCurrency
        }
        result.details = details(properties, basket, rule.extras)
        return result
    }

    /// Three letters in upper case; nil for what is no code.
    private static func currency(_ properties: JSONValue, _ rule: ConversionRuleView) -> String? {
        guard let text = first(properties, rule.currencyNames)?.text else { return nil }
        let code = text.uppercased()
        let isCode = code.utf8.count == 3 && code.utf8.allSatisfy { (65...90).contains($0) }
        return isCode ? code : nil
    }

    private static func details(
        _ properties: JSONValue,
        _ items: [JSONValue],
        _ extras: [String]
    ) -> String {
        var json = JSONWriter()
        json.object { json in
            if !items.isEmpty {
                json.list("items") { json in for item in items { write(item, to: &json) } }
            }
            for (member, names) in texts { json.text(member, short(first(properties, names))) }
            for (member, names) in numbers {
                json.number(member, first(properties, names)?.amount)
            }
            if !extras.isEmpty {
                json.object("extras") { write(extras, of: properties, to: &$0) }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// The basket's items. A property `id` of an event is seldom a product's, so a single item must be
    /// called by one of the other names.
    private static func items(_ properties: JSONValue) -> [JSONValue] {
        let listed = first(properties, baskets)?.elements ?? []
        let single = ["product_id", "sku", "item_id"].contains { properties[$0] != nil }
        let items = listed.isEmpty && single ? [properties] : listed
        return items.prefix(Limits.conversionItemsMaximum).filter { item in
            (itemTexts + itemNumbers).contains { first(item, $0.names)?.text != nil }
        }
    }

    private static func write(_ item: JSONValue, to json: inout JSONWriter) {
        json.object { json in
            for (member, names) in itemTexts { json.text(member, short(first(item, names))) }
            for (member, names) in itemNumbers { json.number(member, first(item, names)?.amount) }
        }
    }

    private static func write(
        _ names: [String],
        of properties: JSONValue,
        to json: inout JSONWriter
    ) {
        for name in names {
            switch properties[name] {
            case .text(let text): json.text(name, short(text))
            case .number: json.number(name, properties[name]?.amount)
            case .flag(let flag): json.flag(name, flag)
            default: continue
            }
        }
    }

    private static func first(_ object: JSONValue, _ names: [String]) -> JSONValue? {
        for name in names {
            if let value = object[name], value != .null { return value }
        }
        return nil
    }

    /// The text of a text or number.
    private static func short(_ value: JSONValue?) -> String? { short(value?.text) }

    /// At most as many bytes as are kept, cut between characters.
    private static func short(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        if text.utf8.count <= Limits.conversionTextBytesMaximum { return text }
        var end = text.startIndex
        var bytes = 0
        for index in text.unicodeScalars.indices {
            bytes += UTF8.width(text.unicodeScalars[index])
            if bytes > Limits.conversionTextBytesMaximum { break }
            end = text.unicodeScalars.index(after: index)
        }
        return String(text.unicodeScalars[..<end])
    }
}

extension JSONValue {
    /// A finite number, also one that was sent as text.
    var amount: Double? {
        guard let number = text.flatMap(Double.init), number.isFinite else { return nil }
        return number
    }

    /// Whether it is `true`, or 1 as senders of few bytes write it.
    var isTrue: Bool { self == .flag(true) || self == .number("1") }
}
