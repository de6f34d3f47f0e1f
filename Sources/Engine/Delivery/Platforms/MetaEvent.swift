import Records
import Settings

/// One conversion as Meta's Conversions API takes it (conversions.md 1.3 to 1.6).
struct MetaEvent {
    let conversion: Conversion
    let terms: DestinationGate.Terms
    let frame: DestinationFrame
    let meta: MetaSettings
    let money: ConversionMoney
    /// Hashes and ids by Meta's key.
    let user: MetaUser

    init(
        _ conversion: Conversion,
        _ frame: DestinationFrame,
        _ meta: MetaSettings
    ) {
        self.conversion = conversion
        terms = frame.terms(conversion)
        self.frame = frame
        self.meta = meta
        money = ConversionMoney(conversion)
        user = MetaUser(conversion, terms)
    }

    // MARK: - Checks

    /// Why Meta would refuse it, and with it every other of its request; nil when it would not.
    var refusal: String? {
        if conversion.id.isEmpty { return "without-id" }
        if eventName == nil { return "invalid-event-name" }
        if conversion.name == "purchase", let refusal = money.refusal { return refusal }
        if !user.isEnough { return "unmatched" }
        // Without a state and an address to find one by, Meta cannot tell which law holds.
        if terms.isLimited, meta.limitedState == 0, !user.hasAddress {
            return "limited-without-address"
        }
        return nil
    }

    /// What was shortened, replaced or left out.
    var remarks: [String] {
        var remarks: [String] = []
        if let remark = money.remark { remarks.append(remark) }
        if !Self.isPlainID(conversion.id) { remarks.append("event-id-hashed") }
        if !isOfPage { remarks.append("without-page") }
        let items = conversion.details.items
        if items.contains(where: { $0.id == nil }) { remarks.append("items-without-id-left-out") }
        if items.count > Self.itemsMaximum { remarks.append("items-cut") }
        return remarks
    }

    private static let itemsMaximum = 100
    private static let nameScalarsMaximum = 50
    private static let idBytesMaximum = 64

    private static let names = [
        "page_view": "PageView", "view_content": "ViewContent", "search": "Search",
        "add_to_cart": "AddToCart", "add_to_wishlist": "AddToWishlist",
        "initiate_checkout": "InitiateCheckout", "add_payment_info": "AddPaymentInfo",
        "purchase": "Purchase", "lead": "Lead", "complete_registration": "CompleteRegistration",
        "contact": "Contact", "schedule": "Schedule", "start_trial": "StartTrial",
        "subscribe": "Subscribe", "submit_application": "SubmitApplication",
        "find_location": "FindLocation", "customize_product": "CustomizeProduct",
        "donate": "Donate",
    ]

    /// Names that leak from trackers' wire formats and mean nothing to anybody.
    private static let wireNames: Set<String> = ["page", "track", "identify", "screen", "group"]

    /// Case matters: the browser's pixel must say the same.
    var eventName: String? {
        let name = frame.givenName(conversion) ?? Self.names[conversion.name] ?? conversion.name
        let isPlain = name.unicodeScalars.allSatisfy(Self.isPrintable)
        guard (1...Self.nameScalarsMaximum).contains(name.unicodeScalars.count), isPlain,
            !Self.wireNames.contains(name)
        else { return nil }
        return name
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            return false
        default: return true
        }
    }

    private static func isPlainID(_ id: String) -> Bool {
        (1...idBytesMaximum).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                (48...58).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }

    /// The id that the browser has too; of a sender's odd one, its digest, so that repeats stay equal.
    private var eventID: String {
        Self.isPlainID(conversion.id) ? conversion.id : Digest.sha256(conversion.id)
    }

    /// Whether it can be told as an event of a website: that takes a page and a browser.
    private var isOfPage: Bool { pageURL != nil && user.userAgent != nil }

    private var pageURL: String? { frame.page(conversion.pageURL, originOnly: terms.isScrubbed) }

    // MARK: - Writing

    /// The members in a fixed order, so that a repetition has the same bytes.
    func write(_ json: inout JSONWriter, nowMilliseconds: Int64) {
        json.object { json in
            json.text("event_name", eventName ?? conversion.name)
            json.integer("event_time", frame.time(conversion, nowMilliseconds) / 1_000)
            json.text("event_id", eventID)
            json.text("action_source", isOfPage ? "website" : "system_generated")
            json.text("event_source_url", pageURL)
            json.text(
                "referrer_url",
                frame.page(conversion.referrer, originOnly: terms.isScrubbed)
            )
            if terms.isOptedOut { json.flag("opt_out", true) }
            if terms.isLimited { writeLimits(&json) }
            user.write(&json)
            writeCustomData(&json)
        }
    }

    private func writeLimits(_ json: inout JSONWriter) {
        json.texts("data_processing_options", ["LDU"])
        json.integer("data_processing_options_country", Int64(meta.limitedCountry))
        json.integer("data_processing_options_state", Int64(meta.limitedState))
    }

    /// What conversions.md 1.6 and 3 say of each event; a view of a page has nothing.
    private func writeCustomData(_ json: inout JSONWriter) {
        guard conversion.name != "page_view" else { return }
        var data = JSONWriter()
        data.object { data in
            data.money("value", money.value)
            data.text("currency", money.currency)
            writeItems(&data)
            writeDetails(&data)
            writeExtras(&data)
        }
        if data.bytes.count > 2 {
            json.raw("custom_data", String(decoding: data.bytes, as: UTF8.self))
        }
    }

    private static let withItems: Set<String> = [
        "view_content", "search", "add_to_cart", "add_to_wishlist", "initiate_checkout",
        "add_payment_info", "purchase", "customize_product",
    ]
    private static let withContentType: Set<String> = [
        "view_content", "search", "add_to_cart", "purchase",
    ]

    private var isOwn: Bool { Self.names[conversion.name] == nil }

    private func writeItems(_ json: inout JSONWriter) {
        let items = conversion.details.items.filter { $0.id?.isEmpty == false }
            .prefix(Self.itemsMaximum)
        guard Self.withItems.contains(conversion.name) || isOwn, !items.isEmpty else { return }
        json.texts("content_ids", items.compactMap(\.id))
        if Self.withContentType.contains(conversion.name) || isOwn {
            json.text("content_type", "product")
        }
        json.list("contents") { json in for item in items { Self.write(item, &json) } }
        if ["initiate_checkout", "purchase"].contains(conversion.name) {
            json.number("num_items", Self.count(items).rounded(.up))
        }
    }

    private static func quantity(_ item: ConversionItem) -> Double {
        guard let quantity = item.quantity, quantity.isFinite, quantity > 0, quantity < 1e9 else {
            return 1
        }
        return quantity
    }

    private static func count(_ items: ArraySlice<ConversionItem>) -> Double {
        items.reduce(0) { $0 + quantity($1) }
    }

    private static func write(_ item: ConversionItem, _ json: inout JSONWriter) {
        json.object { json in
            json.text("id", item.id)
            json.number("quantity", quantity(item))
            json.number("item_price", item.price.flatMap { $0 >= 0 ? $0 : nil })
            json.text("title", item.name)
            json.text("brand", item.brand)
            json.text("category", item.category)
        }
    }

    private func writeDetails(_ json: inout JSONWriter) {
        let details = conversion.details
        switch conversion.name {
        case "search": json.text("search_string", details.searchTerm)
        case "purchase": json.text("order_id", conversion.orderID)
        case "lead": json.text("content_name", details.formID ?? details.contentName)
        case "complete_registration": json.text("status", details.status)
        case "contact": json.text("content_category", details.method)
        case "start_trial", "subscribe":
            json.text("content_name", details.plan)
            json.number(
                "predicted_ltv",
                details.predictedLifetimeValue.flatMap { $0 >= 0 ? $0 : nil }
            )
        case "schedule", "submit_application": json.text("content_name", details.contentName)
        case "find_location": json.text("store_id", details.storeID)
        default:
            if isOwn {
                json.text("content_name", details.contentName)
                json.text("content_category", details.contentCategory)
            }
        }
    }

    /// Names that Meta gives a meaning; a site's own may not take them.
    private static let reserved: Set<String> = [
        "value", "currency", "content_ids", "contents", "content_type", "content_name",
        "content_category", "num_items", "order_id", "search_string", "predicted_ltv",
        "net_revenue", "status", "item_number", "delivery_category", "store_id",
    ]

    private func writeExtras(_ json: inout JSONWriter) {
        for extra in frame.extras(conversion) where !Self.reserved.contains(extra.name) {
            switch extra.value {
            case .text(let text): json.text(extra.name, text)
            case .number(let number): json.number(extra.name, number)
            case .flag(let flag): json.flag(extra.name, flag)
            }
        }
    }
}
