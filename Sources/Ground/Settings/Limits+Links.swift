/// What is looked at, and shown, when browsers are held against each other.
extension Limits {
    /// How far back rows tell of a browser, milliseconds: thirty days.
    public static let linkWindowMilliseconds: Int64 = 30 * 86_400_000
    /// The newest rows of a browser in that time.
    public static let linkRowsMaximum = 500
    /// Networks of a browser, the most frequent.
    public static let linkNetworksMaximum = 6
    /// Visits, clicks and orders of a browser, each.
    public static let linkListMaximum = 24
    /// Browsers that were seen on a network, or told of an order; one that more share says nothing.
    public static let linkCrowdMaximum = 24
    /// Rows of a network that are counted; one with more says nothing.
    public static let linkScanMaximum = 20_000
    /// Browsers that are held against one.
    public static let linkCandidatesMaximum = 32
    /// Links in an answer, the surest.
    public static let linksMaximum = 5
    /// A link that is less sure than this is not shown.
    public static let linkConfidenceMinimum = 0.9
    /// No link is surer than this: nobody is known by habits alone.
    public static let linkConfidenceMaximum = 0.99
}
