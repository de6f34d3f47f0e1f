/// Limits of conversions and of what is sealed for advertisement platforms.
extension Limits {
    /// Rules of a site.
    public static let conversionRulesMaximum = 64
    /// What a conversion may be called: what Meta and GA4 both take.
    public static let conversionNameBytesMaximum = 40
    /// The worth of a conversion in major units; what is beyond is a mistake of the sender's.
    public static let conversionValueMaximum = 1e12
    /// Items of a basket that are kept; Meta is told of 100, GA4 of 200.
    public static let conversionItemsMaximum = 200
    /// Bytes of a text in a conversion's details.
    public static let conversionTextBytesMaximum = 256
    /// Days before a conversion whose touches may share in it.
    public static let attributionDaysMaximum = 180
    /// Touches that share in a conversion: the first, and so many of the last. A transaction's time rests on
    /// it: a visitor who sends thousands of events must not keep the others' rows waiting.
    public static let attributionTouchesMaximum = 50
    /// A visitor's latest rows that a conversion's page is looked for in.
    public static let conversionPageRowsMaximum = 200
    /// Days that the key of a day's sealed blocks lives: Meta takes conversions of the last seven.
    public static let sealKeyDaysMaximum = 8
    /// Bytes of a platform's id of a click or browser. Meta's click ids have up to about 200.
    public static let clickIDBytesMaximum = 512
    /// Bytes that the sealed blocks of a slice may take.
    public static let sealedBytesMaximum = 8 * 1024
}
