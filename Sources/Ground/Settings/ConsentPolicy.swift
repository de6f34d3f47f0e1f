public import Records

/// What a site has decided about consent: the section `consent` of a site.
public struct ConsentPolicy: BitwiseCopyable, Sendable, Equatable {
    /// What is taken when nothing is said.
    public enum Mode: String, CaseIterable, BitwiseCopyable, Sendable {
        /// The bits of `default`, or of `strict_default` in the EEA, the UK and Switzerland.
        case normal
        /// Nothing.
        case strict
    }

    /// What Global Privacy Control does.
    public enum PrivacyControl: String, CaseIterable, BitwiseCopyable, Sendable {
        case honour, ignore
    }

    /// What Do Not Track does.
    public enum DoNotTrack: String, CaseIterable, BitwiseCopyable, Sendable {
        case respect, ignore
    }

    /// Whose rules hold where it is unknown where the visitor is.
    public enum UnknownRegion: String, CaseIterable, BitwiseCopyable, Sendable {
        case other, strict
    }

    /// How visitors are told apart who allow nothing to be kept on their device.
    public enum Cookieless: String, CaseIterable, BitwiseCopyable, Sendable {
        /// By a name that is made anew each day of address, browser and language.
        case daily
        /// The same of the address's network only.
        case strict
        /// By the tab's session: whoever opens another tab is another visitor.
        case session
    }

    /// Bits taken when nothing is said.
    public var fallback = Consent.measurement
    /// Bits taken when nothing is said in the EEA, the UK and Switzerland.
    public var strictFallback = Consent()
    /// See `Mode`.
    public var mode = Mode.normal
    /// See `PrivacyControl`.
    public var privacyControl = PrivacyControl.honour
    /// See `DoNotTrack`.
    public var doNotTrack = DoNotTrack.respect
    /// See `UnknownRegion`.
    public var unknownRegion = UnknownRegion.other
    /// Whether measurement may rest on legitimate interest where a TCF string says so.
    public var acceptsLegitimateInterest = false
    /// Whether a TCF string must name the vendors that were disclosed, as version 2.3 wants it.
    public var requiresDisclosedVendors = false
    /// The vendor of the Global Vendor List that advertising needs consent for; 0 for none. 755 is Google.
    public var advertisingVendor: UInt16 = 755
    /// See `Cookieless`.
    public var cookieless = Cookieless.daily

    /// What a site has that decided nothing.
    public init() {}

    init(_ section: YAMLSection) {
        fallback = Self.bits(section, "default", fallback)
        strictFallback = Self.bits(section, "strict_default", strictFallback)
        mode = section.choice("mode", Mode.self, default: mode)
        privacyControl = section.choice("gpc", PrivacyControl.self, default: privacyControl)
        doNotTrack = section.choice("dnt", DoNotTrack.self, default: doNotTrack)
        unknownRegion = section.choice(
            "unknown_region",
            UnknownRegion.self,
            default: unknownRegion
        )
        acceptsLegitimateInterest = section.boolean(
            "legitimate_interest",
            default: acceptsLegitimateInterest
        )
        requiresDisclosedVendors = section.boolean(
            "require_disclosed_vendors",
            default: requiresDisclosedVendors
        )
        let vendor = section.integer("vendor_id", in: 0...65_535, default: Int(advertisingVendor))
        advertisingVendor = UInt16(clamping: vendor)
        cookieless = section.choice("cookieless", Cookieless.self, default: cookieless)
    }

    private static func bits(_ section: YAMLSection, _ key: String, _ fallback: Consent) -> Consent
    {
        let bits = section.integer(key, in: 0...63, default: Int(fallback.rawValue))
        return Consent(rawValue: UInt8(clamping: bits))
    }

    var canonicalFields: [String] {
        [
            "\(fallback.rawValue)", "\(strictFallback.rawValue)", mode.rawValue,
            privacyControl.rawValue, doNotTrack.rawValue, unknownRegion.rawValue,
            "\(acceptsLegitimateInterest)", "\(requiresDisclosedVendors)", "\(advertisingVendor)",
            cookieless.rawValue,
        ]
    }
}
