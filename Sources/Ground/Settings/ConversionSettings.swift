public import Bytes
import Units

/// One way for an event to be a conversion.
public struct ConversionRule: Sendable, Equatable {
    /// What makes it one.
    public enum Trigger: Sendable, Equatable {
        /// A custom event of this name.
        case event(String)
        /// A form of this name that was sent off.
        case form(String)
        /// A page whose path begins like this.
        case page(String)
        /// The visitor's score rose into the band hot.
        case becameHot
    }

    /// What an amount is read from.
    public enum Amount: Sendable, Equatable {
        /// The property of this name.
        case property(String)
        /// Always the same, in major units.
        case fixed(Double)
    }

    /// What makes it one.
    public var trigger: Trigger
    /// What it is called: a canonical name, such as `lead`, or the site's own.
    public var name: String
    /// Its worth; nil reads what shops usually call it.
    public var value: Amount?
    /// Property with the ISO 4217 code; nil reads `currency`, else takes the site's.
    public var currencyProperty: String?
    /// Property with the order's number; nil reads what shops usually call it.
    public var orderProperty: String?
    /// Properties that destinations may be told of under their own names.
    public var extras: [String] = []

    /// A rule with the usual properties.
    public init(trigger: Trigger, name: String) {
        self.trigger = trigger
        self.name = name
    }
}

/// Names that every destination knows how to tell.
public enum CanonicalConversion {
    /// All of them.
    public static let names: Set<String> = [
        "page_view", "view_content", "search", "add_to_cart", "add_to_wishlist",
        "initiate_checkout", "add_payment_info", "purchase", "lead", "complete_registration",
        "contact", "schedule", "start_trial", "subscribe", "submit_application", "find_location",
        "customize_product", "donate",
    ]

    /// What shops and other trackers call them, in lower case with `_` for spaces.
    static let usualNames: [String: String] = [
        "view_item": "view_content", "product_viewed": "view_content",
        "products_searched": "search",
        "product_added": "add_to_cart",
        "product_added_to_wishlist": "add_to_wishlist",
        "begin_checkout": "initiate_checkout", "checkout_started": "initiate_checkout",
        "payment_info_entered": "add_payment_info",
        "order_completed": "purchase",
        "generate_lead": "lead",
        "sign_up": "complete_registration", "signed_up": "complete_registration",
        "book_demo": "schedule",
        "trial_started": "start_trial",
    ]

    /// The canonical name of an event called `name`; nil when nobody else calls it like that. Views of
    /// pages count only where a rule says so: there are too many of them. Asking allocates nothing.
    public static func name(usually name: ByteView) -> String? {
        guard let found = folded[fingerprint(name)], found.spelled.count == name.count else {
            return nil
        }
        for (index, byte) in found.spelled.enumerated() where fold(name[index]) != byte {
            return nil
        }
        return found.canonical
    }

    private typealias Folded = (spelled: [UInt8], canonical: String)

    /// Every spelling that counts, by its fingerprint.
    private static let folded: [UInt64: Folded] = {
        var table: [UInt64: Folded] = [:]
        let itself = names.subtracting(["page_view"]).map { ($0, $0) }
        for (spelling, canonical) in itself + usualNames.map({ ($0.key, $0.value) }) {
            let bytes = Array(spelling.utf8)
            let known = table.updateValue((bytes, canonical), forKey: fingerprint(bytes))
            invariant(known == nil, "two names of conversions have one fingerprint")
        }
        return table
    }()

    private static func fold(_ byte: UInt8) -> UInt8 {
        let isSpace = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-")
        return isSpace ? UInt8(ascii: "_") : asciiLowercase(byte)
    }

    /// FNV-1a over the folded bytes; nobody gains by a collision, since what is found is compared.
    private static func fingerprint(_ name: ByteView) -> UInt64 {
        var word = fingerprintBasis
        for index in 0..<min(name.count, Limits.conversionNameBytesMaximum) {
            word = (word ^ UInt64(fold(name[index]))) &* fingerprintPrime
        }
        return word
    }

    private static func fingerprint(_ name: [UInt8]) -> UInt64 {
        name.reduce(fingerprintBasis) { ($0 ^ UInt64(fold($1))) &* fingerprintPrime }
    }

    private static let fingerprintBasis: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let fingerprintPrime: UInt64 = 0x100_0000_01b3
}

/// Reads a site's conversions.
enum ConversionReader {
    static func rules(_ site: YAMLSection) -> [ConversionRule] {
        let rules = site.sections("conversions") { read($0) }
        if rules.count > Limits.conversionRulesMaximum {
            site.problem("conversions", "may have at most \(Limits.conversionRulesMaximum) rules")
        }
        return rules.compactMap { $0 }
    }

    private static func read(_ section: YAMLSection) -> ConversionRule? {
        let trigger = trigger(section)
        let name = section.text("as", bytesMaximum: Limits.conversionNameBytesMaximum)
        if !Characters.isGoogleName(name) {
            section.problem("as", "must be a name such as lead: a letter, then letters, digits, _")
        }
        let value = amount(section)
        let currency = section.text("currency_property", bytesMaximum: 64, default: "")
        let order = section.text("order_property", bytesMaximum: 64, default: "")
        let extras = section.texts("keep", bytesMaximum: 64)
        if extras.count > Limits.conversionExtrasMaximum {
            section.problem("keep", "may list at most \(Limits.conversionExtrasMaximum) properties")
        }
        guard let trigger else { return nil }
        var rule = ConversionRule(trigger: trigger, name: name)
        rule.value = value
        if !currency.isEmpty { rule.currencyProperty = currency }
        if !order.isEmpty { rule.orderProperty = order }
        rule.extras = extras
        return rule
    }

    private static func trigger(_ section: YAMLSection) -> ConversionRule.Trigger? {
        let given = ["event", "form", "page", "band"].filter(section.has)
        guard given.count == 1, let kind = given.first else {
            section.problem("as", "needs one of event, form, page or band beside it")
            return nil
        }
        let text = section.text(kind, bytesMaximum: 256)
        switch kind {
        case "event": return .event(text)
        case "form": return .form(text)
        case "page":
            if !text.hasPrefix("/") { section.problem("page", "must be a path such as /thank-you") }
            return .page(text)
        default:
            if text == "hot" { return .becameHot }
            section.problem("band", "is \(text), must be hot")
            return nil
        }
    }

    private static func amount(_ section: YAMLSection) -> ConversionRule.Amount? {
        guard section.has("value") else { return nil }
        let text = section.text("value", bytesMaximum: 64)
        guard let number = Double(text) else { return .property(text) }
        if !number.isFinite || number < 0 || number > Limits.conversionValueMaximum {
            section.problem("value", "is \(text), must be an amount of money or a property's name")
        }
        return .fixed(number)
    }
}
