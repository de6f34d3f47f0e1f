/// An outside server-side API that a site tells of its conversions, as the settings describe it.
///
/// Secrets are not here: only where they are. Whoever opens a connection loads them.
public struct DestinationSettings: Sendable, Equatable {
    /// What only one kind of destination has.
    public enum Platform: Sendable, Equatable {
        /// Meta's Conversions API.
        case meta(MetaSettings)
        /// GA4's Measurement Protocol.
        case googleAnalytics(GoogleAnalyticsSettings)
        /// A server of the operator's own.
        case webhook(WebhookSettings)
    }

    /// What becomes of a conversion of which nobody knows whether it has arrived.
    public enum Ambiguous: String, CaseIterable, Sendable {
        /// It is sent again, with the same id.
        case retry
        /// It stays in doubt: rather lost than counted twice.
        case hold
    }

    /// Name, unique within the site; part of outbox rows and metrics.
    public var name: String
    /// What only its kind has.
    public var platform: Platform
    /// Conversions it is told of; empty takes all.
    public var conversions: [String] = []
    /// What the platform is to call conversions, by our names.
    public var eventNames: [String: String] = [:]
    /// Members of a conversion's `extras` that it is told of.
    public var extras: [String] = []
    /// Scheme, host and port instead of the platform's own.
    public var endpoint: String?
    /// PEM file with the certificate authorities to trust instead of the system's.
    public var authoritiesFile: String?
    /// See `Ambiguous`.
    public var ambiguous = Ambiguous.retry
    /// Whether conversions are kept and none is sent.
    public var isPaused = false
    /// From the first byte of a connection's making until it stands.
    public var connectMilliseconds = Limits.destinationConnectMillisecondsDefault
    /// From the request until its answer has been read.
    public var answerMilliseconds = Limits.destinationAnswerMillisecondsDefault

    /// A destination with the defaults for all that is not given.
    public init(name: String, platform: Platform) {
        self.name = name
        self.platform = platform
    }

    /// Whether it is an advertisement platform: told only with consent to linking, and never of a
    /// site for children or about health.
    public var isAdvertising: Bool {
        if case .meta = platform { return true }
        return false
    }

    /// Whether it is told of conversions called `conversion`.
    public func takes(conversion: String) -> Bool {
        conversions.isEmpty || conversions.contains(conversion)
    }

    /// For the hash of the settings: what decides which conversions it is told of.
    var canonicalFields: [String] {
        ["destination", name, "\(isAdvertising)"] + conversions.sorted()
    }
}

/// What Meta's Conversions API needs.
public struct MetaSettings: Sendable, Equatable {
    /// What becomes of conversions whose visitor opted out of sale and sharing.
    public enum OptedOut: String, CaseIterable, Sendable {
        /// They are not sent.
        case withhold
        /// They are sent for limited data use.
        case limit
    }

    /// What becomes of conversions whose visitor denied personalisation alone.
    public enum Unpersonalised: String, CaseIterable, Sendable {
        /// They are sent for attribution only.
        case attribute
        /// They are not sent.
        case withhold
    }

    /// Number of the pixel or data set.
    public var pixel: String
    /// The access token's place.
    public var token: SecretSource
    /// The app secret's place, for apps that ask for a proof.
    public var appSecret: SecretSource?
    /// Version in the path.
    public var version = "v25.0"
    /// The mark of a platform in front of this engine.
    public var partnerAgent: String?
    /// See `OptedOut`.
    public var optedOut = OptedOut.withhold
    /// See `Unpersonalised`.
    public var unpersonalised = Unpersonalised.attribute
    /// Country of limited data use: 0 lets Meta find out, 1 is the United States.
    public var limitedCountry = 0
    /// State of limited data use: 0 lets Meta find out.
    public var limitedState = 0

    /// A pixel with the defaults for all that is not given.
    public init(pixel: String, token: SecretSource) {
        self.pixel = pixel
        self.token = token
    }

    /// The states that Meta knows by number.
    static let limitedStates = [0] + Array(1_000...1_013)
}

/// What GA4's Measurement Protocol needs.
public struct GoogleAnalyticsSettings: Sendable, Equatable {
    /// Where Google takes the request.
    public enum Region: String, CaseIterable, Sendable {
        case europe = "eu"
        case global
    }

    /// Number of the web stream, `G-…`.
    public var measurementID: String
    /// The API secret's place.
    public var secret: SecretSource
    /// See `Region`.
    public var region = Region.europe
    /// Whether hashed contact data goes along. The property's owner must have accepted Google's policy.
    public var sendsUserData = false
    /// Whether `contact` is called `generate_lead`.
    public var contactIsLead = false
    /// Whether `subscribe` is called `purchase`.
    public var subscribeIsPurchase = false
    /// Whether `donate` is called `purchase`.
    public var donateIsPurchase = false

    /// A stream with the defaults for all that is not given.
    public init(measurementID: String, secret: SecretSource) {
        self.measurementID = measurementID
        self.secret = secret
    }
}

/// What a signed webhook needs.
public struct WebhookSettings: Sendable, Equatable {
    /// The address, checked by `WebhookAddress`.
    public var url: String
    /// The place of the secret that signs.
    public var secret: SecretSource
    /// Hashes of contact data that go along, by Meta's keys.
    public var contact: [String] = []
    /// Whether it may be on this machine, without TLS: for tests.
    public var allowsLoopback = false

    /// A webhook with the defaults for all that is not given.
    public init(url: String, secret: SecretSource) {
        self.url = url
        self.secret = secret
    }

    /// The keys that `contact` may name.
    static let contactKeys = [
        "em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id",
    ]
}
