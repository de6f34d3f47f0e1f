public import Records

/// One conversion as destinations are told of it: what the archive stored, with the sealed parts opened.
///
/// Nothing here is spread from an event's properties: every field was named by the site's settings or
/// is canonical, and has passed the privacy stage.
public struct Conversion: Sendable, Equatable {
    /// Site name.
    public var site = ""
    /// Id of the event, the same that the browser's pixel was given: `<window>-<n>` or a message id.
    public var id = ""
    /// Canonical name, such as `purchase`, or the site's own for a conversion by rule.
    public var name = ""
    /// When it happened, epoch milliseconds.
    public var occurredAtMilliseconds: Int64 = 0
    /// What the visitor had agreed to when it happened.
    public var consent = Consent()
    /// Flags of the record.
    public var flags = Slice.Flags()
    /// Whether the event tells of health.
    public var isSensitive = false
    /// Whether an automated browser.
    public var isBot = false
    /// Visitor id.
    public var visitor = ""
    /// Pseudonym of the user; empty before identify.
    public var user = ""
    /// Money in major units, nil when the event has none.
    public var value: Double?
    /// ISO 4217 code; nil without a value.
    public var currency: String?
    /// The shop's number of the order.
    public var orderID: String?
    /// Address of the page, scrubbed.
    public var pageURL: String?
    /// Where the visitor came from, scrubbed.
    public var referrer: String?
    /// Title of the page, scanned.
    public var title: String?
    /// What else the canonical event has.
    public var details = ConversionDetails()
    /// What the visitor allowed ad platforms to know; empty without consent.
    public var contact = Contact()

    /// A conversion of which nothing is known.
    public init() {}
}

/// What a canonical event may have beside value and order; stored as the JSON object
/// `heliograph.conversion.details` under these names in snake case.
public struct ConversionDetails: Sendable, Equatable {
    /// What was bought or looked at; key `items`.
    public var items: [ConversionItem] = []
    /// `coupon`
    public var coupon: String?
    /// `affiliation`
    public var affiliation: String?
    /// `tax`, major units
    public var tax: Double?
    /// `shipping`, major units
    public var shipping: Double?
    /// `predicted_ltv`, major units
    public var predictedLifetimeValue: Double?
    /// `search_term`
    public var searchTerm: String?
    /// `method`: of payment, sign-up or contact
    public var method: String?
    /// `status` of a registration
    public var status: String?
    /// `plan` of a trial or subscription
    public var plan: String?
    /// `content_name`: form, service or page that it is about
    public var contentName: String?
    /// `content_category`
    public var contentCategory: String?
    /// `form_id`
    public var formID: String?
    /// `store_id`
    public var storeID: String?
    /// `engagement_milliseconds`: how long the page had been looked at; GA4 wants it
    public var engagementMilliseconds: Int64?
    /// `extras`: what the site declared beyond, scalars only, at most ten
    public var extras: [(name: String, value: ExtraValue)] = []

    /// A scalar of the site's own.
    public enum ExtraValue: Sendable, Equatable {
        case text(String)
        case number(Double)
        case flag(Bool)
    }

    /// Details of which nothing is known.
    public init() {}

    /// Equal in every field, extras in order.
    public static func == (left: Self, right: Self) -> Bool {
        left.items == right.items && left.coupon == right.coupon
            && left.affiliation == right.affiliation && left.tax == right.tax
            && left.shipping == right.shipping
            && left.predictedLifetimeValue == right.predictedLifetimeValue
            && left.searchTerm == right.searchTerm && left.method == right.method
            && left.status == right.status && left.plan == right.plan
            && left.contentName == right.contentName
            && left.contentCategory == right.contentCategory && left.formID == right.formID
            && left.storeID == right.storeID
            && left.engagementMilliseconds == right.engagementMilliseconds
            && left.extras.elementsEqual(right.extras, by: ==)
    }
}

/// One line of a basket; keys `id`, `name`, `brand`, `category`, `variant`, `price`, `quantity`, `coupon`,
/// `discount`.
public struct ConversionItem: Sendable, Equatable {
    /// The shop's number of the product.
    public var id: String?
    /// Its name.
    public var name: String?
    /// Its brand.
    public var brand: String?
    /// Its category.
    public var category: String?
    /// Its variant.
    public var variant: String?
    /// Price of one, major units.
    public var price: Double?
    /// How many.
    public var quantity: Double?
    /// Coupon of this line.
    public var coupon: String?
    /// Discount of one, major units.
    public var discount: Double?

    /// An item of which nothing is known.
    public init() {}
}

/// What sealed blocks held, opened; see `Sources/Engine/Delivery/README.md` for their JSON.
public struct Contact: Sendable, Equatable {
    /// The visitor's address, whole.
    public var address: String?
    /// The browser's user agent.
    public var userAgent: String?
    /// Meta's browser id, cookie `_fbp`.
    public var fbp: String?
    /// Meta's click id, cookie `_fbc`.
    public var fbc: String?
    /// Click id of Meta's in the page's address, and when it was first seen, epoch milliseconds.
    public var fbclid: (id: String, firstSeenAtMilliseconds: Int64)?
    /// GA4's client id, from cookie `_ga`.
    public var gaClientID: String?
    /// Values of the cookies `_ga_<stream>` by stream.
    public var gaSessions: [String: String] = [:]
    /// SHA-256 hashes, 64 lower-case hexadecimal digits, by Meta's key: em ph fn ln ge db ct st zp
    /// country external_id.
    public var metaHashes: [String: [String]] = [:]
    /// GA4's `user_data`: sha256_email_address, sha256_phone_number, and of the address
    /// sha256_first_name, sha256_last_name, sha256_street, city, region, postal_code, country.
    public var googleFields: [String: [String]] = [:]

    /// Nothing is known.
    public init() {}

    /// Equal in every field.
    public static func == (left: Self, right: Self) -> Bool {
        left.address == right.address && left.userAgent == right.userAgent && left.fbp == right.fbp
            && left.fbc == right.fbc && left.fbclid?.id == right.fbclid?.id
            && left.fbclid?.firstSeenAtMilliseconds == right.fbclid?.firstSeenAtMilliseconds
            && left.gaClientID == right.gaClientID && left.gaSessions == right.gaSessions
            && left.metaHashes == right.metaHashes && left.googleFields == right.googleFields
    }
}
