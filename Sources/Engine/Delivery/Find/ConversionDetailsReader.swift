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
        ("id", ["id", "item_id", "product_id", "sku", "content_id"]),
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
        _ properties: JSONTree,
        rule: ConversionRuleView,
        siteCurrency: String
    ) -> Result {
        var result = Result()
        let basket = items(properties)
        result.value = rule.value(properties) { first(properties, values)?.number }
            .flatMap { $0 >= 0 && $0 <= Limits.conversionValueMaximum ? $0 : nil }
        result.orderID = id(first(properties, rule.orderNames(orders))) ?? ""
        if result.value != nil || !basket.isEmpty {
            result.currency = currency(properties, rule) ?? siteCurrency
        }
        result.details = details(properties, basket, rule.extras)
        return result
    }

    /// Three letters in upper case; nil for what is no code.
    private static func currency(_ properties: JSONTree, _ rule: ConversionRuleView) -> String? {
        guard let text = first(properties, rule.currencyNames)?.text else { return nil }
        let code = text.uppercased()
        let isCode = code.utf8.count == 3 && code.utf8.allSatisfy { (65...90).contains($0) }
        return isCode ? code : nil
    }

    private static func details(
        _ properties: JSONTree,
        _ items: [String],
        _ extras: [String]
    ) -> String {
        var writer = JSONObjectWriter(limit: Limits.recordBytesMaximum)
        if !items.isEmpty { writer.add("items", json: "[" + items.joined(separator: ",") + "]") }
        for (member, names) in texts { writer.add(member, short(first(properties, names)?.text)) }
        for (member, names) in numbers { writer.add(member, first(properties, names)?.number) }
        if let extras = self.extras(properties, extras) { writer.add("extras", json: extras) }
        return writer.finish() ?? "{}"
    }

    /// The basket's items as JSON objects. A property `id` of an event is seldom a product's, so a
    /// single item must be called by one of the other names.
    private static func items(_ properties: JSONTree) -> [String] {
        let listed = first(properties, baskets)?.elements ?? []
        let single = ["product_id", "sku", "item_id"].contains { properties[$0] != nil }
        let items = listed.isEmpty && single ? [properties] : listed
        return items.prefix(Limits.conversionItemsMaximum).compactMap(item)
    }

    private static func item(_ item: JSONTree) -> String? {
        var writer = JSONObjectWriter(limit: Limits.recordBytesMaximum)
        let known = item["product_id"] ?? item["item_id"] ?? item["sku"]
        for (member, names) in itemTexts {
            let value = member == "id" ? known ?? first(item, names) : first(item, names)
            writer.add(member, id(value))
        }
        for (member, names) in itemNumbers { writer.add(member, first(item, names)?.number) }
        let text = writer.finish()
        return text == "{}" ? nil : text
    }

    private static func extras(_ properties: JSONTree, _ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        var writer = JSONObjectWriter(limit: Limits.recordBytesMaximum)
        for name in names {
            switch properties[name] {
            case .string(let text): writer.add(name, short(text))
            case .number(let number): writer.add(name, number)
            case .boolean(let flag): writer.add(name, flag)
            default: continue
            }
        }
        return writer.finish()
    }

    private static func first(_ object: JSONTree, _ names: [String]) -> JSONTree? {
        for name in names {
            if let value = object[name], value != .null { return value }
        }
        return nil
    }

    private static func id(_ value: JSONTree?) -> String? { short(value?.identifier) }

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
