/// Decides whether a conversion may be told to a destination, and on which terms.
///
/// Asked twice with the same frozen facts: by the archive, before it puts a delivery into the outbox,
/// and by the forwarder, right before it sends. What nobody was asked about was settled when the
/// record was made (`ConsentDecision`): here a bit is set or it is not.
public enum DestinationGate {
    /// Whose rules apply.
    public enum Kind: Sendable, Equatable {
        /// Meta's Conversions API: an ad platform.
        case meta
        /// GA4's Measurement Protocol: measurement, and advertising only where it is told so.
        case ga4
        /// A webhook of the site's own.
        case webhook
    }

    /// What a record says that matters here.
    public struct Facts: Sendable, Equatable {
        /// What the visitor had agreed to.
        public var consent: Consent
        /// Flags of the record: opt-out, child, region.
        public var flags: Slice.Flags
        /// Whether the event tells of somebody's health.
        public var isSensitive: Bool
        /// Whether an automated browser made it.
        public var isBot: Bool

        /// The facts of one conversion.
        public init(consent: Consent, flags: Slice.Flags, isSensitive: Bool, isBot: Bool) {
            self.consent = consent
            self.flags = flags
            self.isSensitive = isSensitive
            self.isBot = isBot
        }
    }

    /// What a site may choose for a destination.
    public struct Options: Sendable, Equatable {
        /// Visitors who opted out of sale are sent for limited use (Meta's data processing options)
        /// instead of not at all. Never in the EEA, the UK and Switzerland, where there is no such use.
        public var limitsOptedOut: Bool
        /// Visitors who allowed advertising but no personalisation are sent to Meta with its `opt_out`.
        public var sendsWithoutPersonalisation: Bool
        /// GA4 may have `user_data` of those who granted all.
        public var sendsUserData: Bool

        /// What a site has that chose nothing, where no parameter says otherwise.
        public init(
            limitsOptedOut: Bool = false,
            sendsWithoutPersonalisation: Bool = true,
            sendsUserData: Bool = false
        ) {
            self.limitsOptedOut = limitsOptedOut
            self.sendsWithoutPersonalisation = sendsWithoutPersonalisation
            self.sendsUserData = sendsUserData
        }
    }

    /// How a conversion may be told.
    public struct Terms: Sendable, Equatable {
        /// What platforms call consent to the use of data about a user for advertising.
        public var grantsAdUserData = false
        /// What platforms call consent to personalised advertising.
        public var grantsAdPersonalisation = false
        /// Hashes, address, user agent and ids of the platform's cookies may go along.
        public var mayHoldContact = false
        /// Click ids may go along.
        public var mayHoldClickIDs = false
        /// For limited use only (Meta's `LDU`).
        public var isLimited = false
        /// For measurement but not for showing advertisements to this person (Meta's `opt_out`).
        public var isOptedOut = false
        /// Of addresses only the origin, and no titles, names or search terms of the page.
        public var isScrubbed = false

        /// Terms that allow the bare event and nothing about the visitor.
        public init() {}
    }

    /// Why a conversion is not told; the texts are stored with it.
    public enum Reason: String, Sendable, Equatable, CaseIterable {
        case bot
        case minor
        case sensitive
        case optedOut = "opted-out"
        case withoutMeasurement = "without-measurement-consent"
        case withoutAdvertising = "without-advertising-consent"
        case withoutPersonalisation = "without-personalisation-consent"
    }

    /// What the gate says.
    public enum Verdict: Sendable, Equatable {
        /// It may be told like this.
        case allowed(Terms)
        /// It may not.
        case forbidden(Reason)
    }

    /// Whether a conversion with these facts may be told to a destination of this kind.
    public static func verdict(
        for kind: Kind,
        _ facts: Facts,
        options: Options = Options()
    ) -> Verdict {
        if facts.isBot { return .forbidden(.bot) }
        switch kind {
        case .meta: return meta(facts, options)
        case .ga4: return ga4(facts, options)
        case .webhook: return webhook(facts)
        }
    }

    private static func meta(_ facts: Facts, _ options: Options) -> Verdict {
        if facts.flags.contains(.minor) { return .forbidden(.minor) }
        if facts.isSensitive { return .forbidden(.sensitive) }
        if facts.flags.contains(.optedOut) { return metaOptedOut(facts, options) }
        guard facts.allowsAds else { return .forbidden(.withoutAdvertising) }
        guard facts.allowsPersonalisation || options.sendsWithoutPersonalisation else {
            return .forbidden(.withoutPersonalisation)
        }
        return .allowed(advertising(facts))
    }

    /// The bits of advertising are gone with the opt-out; limited use does not rest on them.
    private static func metaOptedOut(_ facts: Facts, _ options: Options) -> Verdict {
        guard options.limitsOptedOut, !facts.flags.contains(.strictRegion),
            facts.consent.contains(.measurement)
        else { return .forbidden(.optedOut) }
        var terms = Terms()
        terms.isLimited = true
        terms.mayHoldContact = true
        return .allowed(terms)
    }

    private static func ga4(_ facts: Facts, _ options: Options) -> Verdict {
        guard facts.consent.contains(.measurement) else { return .forbidden(.withoutMeasurement) }
        var terms = Terms()
        terms.isScrubbed = facts.isDelicate
        guard facts.mayAdvertise else { return .allowed(terms) }
        terms = advertising(facts)
        terms.isOptedOut = false
        terms.mayHoldContact = options.sendsUserData && facts.allowsPersonalisation
        return .allowed(terms)
    }

    /// The site's own machine: measurement suffices, and who advertises may know the contact.
    private static func webhook(_ facts: Facts) -> Verdict {
        guard facts.consent.contains(.measurement) else { return .forbidden(.withoutMeasurement) }
        var terms = facts.mayAdvertise ? advertising(facts) : Terms()
        terms.isOptedOut = false
        terms.isScrubbed = facts.isDelicate
        return .allowed(terms)
    }

    private static func advertising(_ facts: Facts) -> Terms {
        var terms = Terms()
        terms.grantsAdUserData = true
        terms.grantsAdPersonalisation = facts.allowsPersonalisation
        terms.mayHoldContact = true
        terms.mayHoldClickIDs = true
        terms.isOptedOut = !facts.allowsPersonalisation
        return terms
    }
}

extension DestinationGate.Facts {
    /// A child's, or one that tells of health: no advertising, and nothing that names a page.
    var isDelicate: Bool { isSensitive || flags.contains(.minor) }

    var allowsAds: Bool { consent.contains(.linking) }

    var allowsPersonalisation: Bool { consent.contains([.linking, .adPersonalisation]) }

    var mayAdvertise: Bool { allowsAds && !isDelicate && !flags.contains(.optedOut) }
}
