public import Records

/// `config/scoring.yaml`, checked: everything about scoring that may be tuned.
public struct ScoringFile: Equatable, Sendable {
    /// How a sum becomes a value of 0 to 1.
    public enum Shape: Equatable, Sendable {
        /// The sum is a mean of values that are 0 to 1 already.
        case unit
        /// 1 - exp(-x / k).
        case saturation(k: Double)
        /// x^p / (x^p + k^p).
        case hill(k: Double, p: Double)
        /// 0 at `low`, 1 at `high`, straight between.
        case linear(low: Double, high: Double)
    }

    /// One signal's numbers.
    public struct SignalRule: Equatable, Sendable {
        /// Half-life of its sums.
        public var halfLifeMilliseconds: Double
        /// Kappa: the weight at which a mean or ratio counts half; 0 for sums.
        public var evidence: Double
        /// Prior mean of a ratio.
        public var priorMean: Double
        /// Prior strength of a ratio, in the unit of its weight; 0 for others.
        public var priorStrength: Double
        /// From the sum to 0 to 1.
        public var shape: Shape
        /// Beta: what a value of 1 adds to the log-odds of readiness.
        public var weight: Double
    }

    /// What a page says.
    public struct PageRule: Equatable, Sendable {
        /// Nearness to a decision, 0 to 1.
        public var stage: Double
        /// Index of its content category, if any.
        public var category: Int?
        /// Whether it shows something to choose.
        public var isOption: Bool
    }

    /// What a form says.
    public struct FormRule: Equatable, Sendable {
        /// How much its completion counts, 0 to 1.
        public var role: Double
        /// Stage once started.
        public var start: Double
        /// Stage once half of it is valid.
        public var later: Double
    }

    /// A usual value and a weight per profile, in the order of `Profile` without undetermined.
    public struct ProfileRow: Equatable, Sendable {
        /// Mu: the usual value, at which nothing is said.
        public var usual: Double
        /// Weights of the seven profiles.
        public var weights: [Double]
    }

    /// Thresholds of the bands.
    public struct Bands: Equatable, Sendable {
        /// Warm begins here.
        public var warm: Double
        /// Hot begins here.
        public var hot: Double
        /// A band is left this far below its threshold.
        public var hysteresis: Double
    }

    /// How profiles are told apart.
    public struct Profiles: Equatable, Sendable {
        /// Softness of the softmax.
        public var temperature: Double
        /// Log-odds of the seven profiles before any evidence.
        public var biases: [Double]
        /// A row per signal, in the order of `Signal`.
        public var signals: [ProfileRow]
        /// Names of the content categories.
        public var categories: [String]
        /// A row per category.
        public var categoryRows: [ProfileRow]
        /// Half-life of section dwell.
        public var categoryHalfLifeMilliseconds: Double
        /// Page views that make enough evidence.
        public var pageViewsMinimum: Double
        /// Active seconds that make enough evidence.
        public var activeSecondsMinimum: Double
        /// Signals that make enough evidence.
        public var signalsMinimum: Double
        /// Confidence that makes enough evidence.
        public var confidenceMinimum: Double
        /// Tagged dwell that proof-driven and authority-seeker need.
        public var taggedSecondsMinimum: Double
        /// Active seconds at which the evidence is half.
        public var activeSecondsHalf: Double
        /// Signals at which the evidence is full.
        public var signalsFull: Double
        /// Tagged dwell at which the evidence is full.
        public var taggedSecondsFull: Double
        /// Lead that takes the label when held twice in a row.
        public var lead: Double
        /// Lead that takes the label at once.
        public var leadAtOnce: Double
        /// Confidence below which the label is dropped.
        public var keep: Double
        /// Least time between two looks.
        public var lookMilliseconds: Double
    }

    /// The most words in one of the tables below.
    public static let wordsMaximum = 128
    /// The most content categories.
    public static let categoriesMaximum = 10
    /// The shortest half-life: with it, two days are few enough halvings for a double.
    public static let halfLifeMillisecondsMinimum = 600_000.0

    /// Log-odds of readiness before any evidence.
    public var intercept: Double
    /// Thresholds of the bands.
    public var bands: Bands
    /// A score that moved this far is worth keeping.
    public var historyStep: Double
    /// A rule per signal, in the order of `Signal`.
    public var signals: [SignalRule]
    /// Pages by whole path.
    public var pagePaths: [String: PageRule]
    /// Pages by a word of their path.
    public var pageWords: [String: PageRule]
    /// Content categories in sites' own words.
    public var categories: CategoryRules
    /// Stage of a click on a call to action whose label is not known.
    public var clickOther: Double
    /// Stage of a click on a call to action, by a word of its label.
    public var clickWords: [String: Double]
    /// Forms by name.
    public var forms: [String: FormRule]
    /// Every other form.
    public var formOther: FormRule
    /// Stages of custom events by name.
    public var eventStages: [String: Double]
    /// Custom events that end a buying decision.
    public var conversions: [String]
    /// How profiles are told apart.
    public var profiles: Profiles
    /// How a site's own conversions teach the likelihood.
    public var learning: LearningRules
    /// What the heads may be told.
    public var heads: HeadRules

    /// Reads and checks the file at `path`.
    public static func load(path: String) throws(SettingsError) -> ScoringFile {
        try parse(try SettingsText.read(path), file: path)
    }

    /// Reads and checks `text`; every problem is in the error, with its line in `file`.
    public static func parse(
        _ text: String,
        file: String
    ) throws(SettingsError) -> ScoringFile {
        try YAMLReader.read(text, file: file, ScoringFileReader.read)
    }
}

/// How a signal's observations come together (signal specification, section 2.1).
public enum SignalAggregate: Sendable {
    /// A decayed sum or count.
    case sum
    /// A decayed mean: sum and weight.
    case mean
    /// A ratio with a prior: numerator and denominator.
    case ratio
    /// A decayed maximum.
    case maximum
    /// Intent: a maximum and a sum.
    case blend
}

extension Signal {
    /// How the signal's observations come together.
    public var aggregate: SignalAggregate {
        switch self {
        case .scrollVelocity, .attentionFocus, .cursorEfficiency, .cursorMicroexpression,
            .cognitiveLoad, .decisionFatigue, .negativeAffect, .engagementQuality:
            return .mean
        case .scrollPause, .readingPattern, .clickCadence, .clickDecisiveness, .formFriction,
            .visibleAttention:
            return .ratio
        case .viewportEngagement, .sectionRevisit, .ctaHover, .touchGesture, .keyboardRhythm,
            .formAbandonment, .hesitationLoop, .tabSwitching, .frustrationClicks, .sessionDepth,
            .returnCadence:
            return .sum
        case .formProgress: return .maximum
        case .intentProximity: return .blend
        }
    }

    /// Whether the signal is a mean of values that are 0 to 1 by definition.
    public var isUnit: Bool {
        switch self {
        case .cursorMicroexpression, .cognitiveLoad, .decisionFatigue, .negativeAffect,
            .engagementQuality:
            return true
        default: return false
        }
    }
}
