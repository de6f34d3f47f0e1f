import Bytes
public import Records
public import Settings
import Units

/// A scoring file made ready for folding: flat tables, immutable, shared by all partitions.
public final class ScoringModel: Sendable {
    /// One signal's numbers, ready for use.
    struct Rule: BitwiseCopyable, Sendable {
        enum Shape: UInt8, BitwiseCopyable, Sendable { case unit, saturation, hill, linear }
        enum Aggregate: UInt8, BitwiseCopyable, Sendable { case sum, mean, ratio, blend }

        var aggregate = Aggregate.sum
        var shape = Shape.unit
        var first = 0.0
        var second = 0.0
        var evidence = 0.0
        var priorMean = 0.0
        var priorStrength = 0.0
        var weight = 0.0
        var weightIndex = -1
    }

    /// What a page says.
    struct PageRule: BitwiseCopyable, Sendable {
        var stage = 0.0
        var category = -1
        var isOption = false
    }

    /// What a form says.
    struct FormRule: BitwiseCopyable, Sendable {
        var role = 0.0
        var start = 0.0
        var later = 0.0
    }

    /// What decides whether a profile is believed.
    struct ProfileThresholds: BitwiseCopyable, Sendable {
        var temperature = 0.0
        var pageViewsMinimum = 0.0
        var activeSecondsMinimum = 0.0
        var signalsMinimum = 0.0
        var confidenceMinimum = 0.0
        var taggedSecondsMinimum = 0.0
        var activeSecondsHalf = 0.0
        var signalsFull = 0.0
        var taggedSecondsFull = 0.0
        var lead = 0.0
        var leadAtOnce = 0.0
        var keep = 0.0
        var lookMilliseconds: Int64 = 0
    }

    /// What decides bands and history.
    struct Steps: BitwiseCopyable, Sendable {
        var warm = 0.0
        var hot = 0.0
        var hysteresis = 0.0
        var history = 0.0
    }

    /// A number per profile, in the order of `Profile` without undetermined.
    typealias ProfileNumbers = InlineArray<7, Double>

    /// The most distinct half-lives: 27 signals, dwell, and the two of affect.
    static let classesMaximum = 32
    /// Definition of `frustrationRecent`: README, affect.
    static let frustrationHalfLifeMilliseconds = 600_000.0
    /// Definition of the affect baselines: README, affect.
    static let baselineHalfLifeMilliseconds = 3 * 86_400_000.0
    /// Grows when a definition in the README changes, so that old sums are known as such.
    static let definitionVersion = 1

    /// What stores call it: twelve hexadecimal digits of the hash of everything in the file.
    public let tag: ModelTag
    /// Hash of what decides the sums, as against what only reads them.
    public let foldRules: UInt64

    let intercept: Double
    let steps: Steps
    let profileNumbers: ProfileThresholds
    let halfLives: InlineArray<27, Double>
    let rules: InlineArray<27, Rule>
    let classOfSum: InlineArray<58, UInt8>
    let halvingsPerMillisecond: InlineArray<32, Double>
    let classCount: Int
    let biases: ProfileNumbers
    let usual: InlineArray<27, Double>
    let weights: InlineArray<27, ProfileNumbers>
    let categoryCount: Int
    let categoryUsual: InlineArray<10, Double>
    let categoryWeights: InlineArray<10, ProfileNumbers>
    let categoryTable: WordTable
    let pageRules: InlineArray<256, PageRule>
    let pathTable: WordTable
    let wordTable: WordTable
    let categoryWords: CategoryTable
    let clickOther: Double
    let clickStages: InlineArray<128, Double>
    let clickTable: WordTable
    let formRules: InlineArray<129, FormRule>
    let formTable: WordTable
    let eventStages: InlineArray<128, Double>
    let eventTable: WordTable
    let heads: HeadRules
    /// How a site's own conversions teach the likelihood.
    public let learning: LearningRules
    /// The landmarks among these, in a place of their own: they are looked at with every record.
    let landmarks: InlineArray<8, Int>
    let landmarkCount: Int

    /// Compiles a checked file.
    public init(_ file: ScoringFile) {
        let canonical = CanonicalScoring(file)
        tag = ModelTag(name: canonical.name, categories: file.profiles.categories)
        foldRules = canonical.foldRules
        intercept = file.intercept
        steps = ModelTables.steps(file)
        profileNumbers = ModelTables.thresholds(file.profiles)
        halfLives = InlineArray { file.signals[$0].halfLifeMilliseconds }
        rules = ModelTables.rules(file)
        let classes = ModelTables.halfLives(file)
        classOfSum = classes.classOfSum
        halvingsPerMillisecond = classes.halvingsPerMillisecond
        classCount = classes.count
        biases = ModelTables.numbers(file.profiles.biases)
        usual = InlineArray { file.profiles.signals[$0].usual }
        weights = InlineArray { ModelTables.numbers(file.profiles.signals[$0].weights) }
        categoryCount = file.profiles.categories.count
        let rows = file.profiles.categoryRows
        categoryUsual = InlineArray { $0 < rows.count ? rows[$0].usual : 0 }
        categoryWeights = InlineArray {
            $0 < rows.count ? ModelTables.numbers(rows[$0].weights) : InlineArray(repeating: 0)
        }
        categoryTable = ModelTables.words(file.profiles.categories)
        let pages = ModelTables.pages(file)
        (pageRules, pathTable, wordTable) = (pages.rules, pages.paths, pages.words)
        categoryWords = CategoryTable(file.categories)
        clickOther = file.clickOther
        let clicks = ModelTables.stages(file.clickWords, conversions: [])
        (clickStages, clickTable) = (clicks.stages, clicks.table)
        let forms = ModelTables.forms(file)
        (formRules, formTable) = (forms.rules, forms.table)
        let events = ModelTables.stages(file.eventStages, conversions: file.conversions)
        (eventStages, eventTable) = (events.stages, events.table)
        heads = file.heads
        learning = file.learning
        let landmarks = file.learning.landmarks
        self.landmarks = InlineArray { $0 < landmarks.count ? landmarks[$0] : 0 }
        landmarkCount = min(landmarks.count, LearningRules.landmarksMaximum)
    }

    /// The score's `model`.
    public var name: String { tag.name }

    /// Names of the content categories, in the order of their sums.
    public var categories: [String] { tag.categories }

    /// The half-life of a signal's sums, in milliseconds.
    public func halfLifeMilliseconds(of signal: Signal) -> Double {
        halfLives[Int(signal.rawValue)]
    }

    /// Whether a custom event of this name is a conversion.
    func isConversion(_ name: ByteView) -> Bool {
        guard let index = eventTable.value(of: name) else { return false }
        return eventStages[index] == ModelTables.conversionStage
    }
}
