import Delivery
import Foundation
import Records
import Settings
import Telemetry

/// 12 November 2025, in the middle of a day.
let noon: Int64 = 1_762_950_000_000

/// A visitor who agreed to everything and is known well, buying two things.
func purchase() -> Conversion {
    var conversion = named("purchase")
    conversion.value = 123.454
    conversion.currency = "eur"
    conversion.orderID = "10432"
    conversion.details.items = [shirt(), cap()]
    conversion.details.tax = 19.7
    conversion.details.shipping = 4.9
    conversion.details.coupon = "AUTUMN"
    conversion.details.affiliation = "shop"
    return conversion
}

func shirt() -> ConversionItem {
    var item = ConversionItem()
    (item.id, item.name, item.brand) = ("SKU1", "Shirt \"blue\"", "Acme")
    (item.category, item.variant, item.price, item.quantity) = ("tops", "M", 49.5, 2)
    return item
}

func cap() -> ConversionItem {
    var item = ConversionItem()
    (item.id, item.price) = ("SKU2", 24.454)
    return item
}

func named(_ name: String) -> Conversion {
    var conversion = Conversion()
    conversion.site = "shop"
    conversion.id = "w1a2b3-7"
    conversion.name = name
    conversion.occurredAtMilliseconds = noon
    conversion.consent = .all
    conversion.visitor = "v-1"
    conversion.user = "h:00ff"
    conversion.pageURL = "https://shop.example/checkout/complete?utm_source=x"
    conversion.referrer = "https://search.example/"
    conversion.title = "Thank you"
    conversion.contact = contact()
    return conversion
}

func contact() -> Contact {
    var contact = Contact()
    contact.address = "9.9.9.9"
    contact.userAgent = "UA/1.0"
    contact.fbp = "fb.1.1596403881668.1116446470"
    contact.fbclid = ("IwAR1a-b_c", noon - 60_000)
    contact.gaClientID = "123456789.1762940000"
    contact.gaSessions = ["ABC123": "GS2.1.s1762949000$o3$g1$t1762949990$j60$l0$h0"]
    contact.metaHashes = ["em": [Digest.sha256("buyer@example.com")]]
    contact.googleFields = [
        "sha256_email_address": [Digest.sha256("buyer@example.com")],
        "sha256_first_name": [Digest.sha256("anna")], "city": ["bonn"], "country": ["DE"],
    ]
    return contact
}

func shop(_ sensitivity: Site.Sensitivity = .none) -> Site {
    var site = Site(name: "shop", keys: ["k"], origins: [], allowsAnyOrigin: true)
    site.sensitivity = sensitivity
    return site
}

let secretVariable: SecretSource = {
    setenv("HELIOGRAPH_TEST_TOKEN", "EAAB_token", 1)
    return .environment("HELIOGRAPH_TEST_TOKEN")
}()

func meta(
    _ sensitivity: Site.Sensitivity = .none,
    _ change: (inout MetaSettings, inout DestinationSettings) -> Void = { _, _ in }
) throws -> any Destination {
    var meta = MetaSettings(pixel: "42", token: secretVariable)
    var settings = DestinationSettings(name: "meta", platform: .meta(meta))
    change(&meta, &settings)
    settings.platform = .meta(meta)
    return try Destinations.make(shop(sensitivity), settings)
}

func google(
    _ sensitivity: Site.Sensitivity = .none,
    _ change: (inout GoogleAnalyticsSettings, inout DestinationSettings) -> Void = { _, _ in }
) throws -> any Destination {
    var google = GoogleAnalyticsSettings(measurementID: "G-ABC123", secret: secretVariable)
    google.sendsUserData = true
    var settings = DestinationSettings(name: "ga4", platform: .googleAnalytics(google))
    change(&google, &settings)
    settings.platform = .googleAnalytics(google)
    return try Destinations.make(shop(sensitivity), settings)
}

func webhook(
    _ sensitivity: Site.Sensitivity = .none,
    contact: [String] = []
) throws -> any Destination {
    var webhook = WebhookSettings(url: "https://hooks.example.com/c", secret: secretVariable)
    webhook.contact = contact
    let settings = DestinationSettings(name: "own", platform: .webhook(webhook))
    return try Destinations.make(shop(sensitivity), settings)
}

/// The body that is sent.
func body(_ destination: any Destination, _ conversion: Conversion, now: Int64 = noon) -> String {
    let request = destination.request(for: [conversion], nowMilliseconds: now)
    return String(decoding: request.body, as: UTF8.self)
}

/// The value at a path of keys and list positions.
func value(_ text: String, _ path: Any...) -> Any? {
    var found: Any? = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    for step in path {
        if let key = step as? String { found = (found as? [String: Any])?[key] }
        if let index = step as? Int {
            let list = found as? [Any]
            found = list.flatMap { index < $0.count ? $0[index] : nil }
        }
    }
    return found
}

/// A conversion that has everything a conversion may have.
func full(_ name: String) -> Conversion {
    var conversion = purchase()
    conversion.name = name
    conversion.details.searchTerm = "blue shirt"
    conversion.details.method = "invoice"
    conversion.details.status = "done"
    conversion.details.plan = "pro"
    conversion.details.predictedLifetimeValue = 900
    conversion.details.contentName = "Consultation"
    conversion.details.contentCategory = "services"
    conversion.details.formID = "f-9"
    conversion.details.storeID = "bonn-1"
    conversion.details.engagementMilliseconds = 5_400
    conversion.details.extras = [("size", .text("XL")), ("gift", .flag(true)), ("not", .number(1))]
    return conversion
}
