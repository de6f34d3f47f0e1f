/// Who says how likely a conversion is.
public enum LikelihoodSource: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// What the site's own conversions have taught.
    case learned
    /// The rule, as too few examples or conversions have come of late.
    case thin
    /// The rule, as it has foretold the examples of late better.
    case drifted

    /// The name in files and answers.
    public var name: String { text.description }

    /// The same for writers of bytes.
    public var text: StaticString {
        switch self {
        case .learned: return "learned"
        case .thin: return "thin"
        case .drifted: return "drifted"
        }
    }
}

/// How likely a conversion is, between which bounds with nine chances in ten, and who says so.
public struct Likelihood: BitwiseCopyable, Equatable, Sendable {
    /// 0 to 1.
    public var probability: Double
    /// The 5 % point.
    public var low: Double
    /// The 95 % point.
    public var high: Double
    /// Who says so.
    public var source: LikelihoodSource

    /// A likelihood from its parts.
    public init(probability: Double, low: Double, high: Double, source: LikelihoodSource) {
        self.probability = probability
        self.low = low
        self.high = high
        self.source = source
    }
}
