/// A platform's own script on the page that told the platform of a conversion, under the event id that
/// we tell it under, too.
public enum ConversionTwin: Int, CaseIterable, Sendable {
    /// `fbq`, of Meta.
    case meta = 1
    /// `gtag`, of Google.
    case google = 2

    /// The bits of all together.
    public static var allBits: Int { allCases.reduce(0) { $0 | $1.rawValue } }
}
