/// How a site's own conversions teach the likelihood: the section `learning` of `scoring.yaml`.
public struct LearningRules: Equatable, Sendable {
    /// What is taken where a file has no such section.
    public static let standard = LearningRules()
    /// The most landmarks.
    public static let landmarksMaximum = 8

    /// Deviation of the prior of a weight, around the rule's own.
    public var deviation = 1.5
    /// The same of the intercept, which stands for how often people buy at all.
    public var interceptDeviation = 2.0
    /// After so many actions of a session its visitor becomes an example, rising.
    public var landmarks = [3, 5, 8, 13]
    /// How long after the landmark a conversion counts.
    public var horizonMilliseconds = 86_400_000.0
    /// How often examples become weights.
    public var mergeMilliseconds = 3_600_000.0
    /// After so long what was learned counts half.
    public var halfLifeMilliseconds = 180 * 86_400_000.0
    /// How much an example counts; less than 1 learns more slowly and is less sure.
    public var exampleWeight = 1.0
    /// Examples of late that must be there before what was learned is believed.
    public var examplesMinimum = 200.0
    /// Conversions among them that must be there.
    public var conversionsMinimum = 20.0

    /// The defaults.
    public init() {}

    static func read(_ section: YAMLSection, _ duration: (String) -> Double) -> LearningRules {
        var rules = LearningRules()
        rules.deviation = section.number("deviation", in: 0.01...10)
        rules.interceptDeviation = section.number("intercept_deviation", in: 0.01...10)
        rules.landmarks = readLandmarks(section)
        rules.horizonMilliseconds = duration("horizon")
        rules.mergeMilliseconds = duration("merge_every")
        rules.halfLifeMilliseconds = duration("half_life")
        rules.exampleWeight = section.number("example_weight", in: 0.01...1)
        let minimum = section.numbers("believed_from", count: 2, in: 0...1_000_000)
        (rules.examplesMinimum, rules.conversionsMinimum) = (minimum[0], minimum[1])
        return rules
    }

    private static func readLandmarks(_ section: YAMLSection) -> [Int] {
        let texts = section.texts("landmarks", bytesMaximum: 8)
        let numbers = texts.compactMap { Int($0) }.filter { 1...1_000 ~= $0 }
        let rises = zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }
        if numbers.count != texts.count || numbers.isEmpty || !rises
            || numbers.count > landmarksMaximum
        {
            section.problem(
                "landmarks",
                "must be 1 to \(landmarksMaximum) rising numbers of 1 to 1000"
            )
            return standard.landmarks
        }
        return numbers
    }
}
