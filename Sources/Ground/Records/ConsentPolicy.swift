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
}
