public import Bytes

/// Everything a request says about its visitor's consent, as it was sent. Views of the request.
public struct ConsentSignals {
    /// The site's own word: bits of a beacon's `c` or of a server's `consent`; nil when there is none.
    public var said: Int64?
    /// The visitor chose `said` on this site, after whatever the browser says for all sites.
    public var isExplicit = false
    /// `Sec-GPC: 1`.
    public var hasPrivacyControl = false
    /// `DNT: 1`.
    public var asksNotToTrack = false
    /// String of IAB's Transparency and Consent Framework.
    public var tcf = ByteView.empty
    /// String of IAB's Global Privacy Platform.
    public var gpp = ByteView.empty
    /// IAB's `us_privacy`.
    public var usPrivacy = ByteView.empty
    /// Google's Consent Mode: a letter each (granted, denied, unknown) for analytics_storage,
    /// ad_storage, ad_user_data and ad_personalization.
    public var consentMode = ByteView.empty
    /// IANA name of the visitor's time zone.
    public var timeZone = ByteView.empty
    /// Two letters of ISO 3166-1; where a database says that the address lies.
    public var country = ByteView.empty

    /// Nothing is said.
    public init() {}

    /// Takes a member that travels in a beacon's `cp` or `x` and in events `cs`; false when it is none.
    public mutating func take(_ key: ByteView, text: ByteView) -> Bool {
        if key.equals("tc") {
            tcf = text
        } else if key.equals("gp") {
            gpp = text
        } else if key.equals("up") {
            usPrivacy = text
        } else if key.equals("gm") {
            consentMode = text
        } else if key.equals("z") {
            timeZone = text
        } else {
            return false
        }
        return true
    }
}
