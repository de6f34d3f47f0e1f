public import Records

/// The numbers that make a score, for people to read.
public struct ScoringNumbers: Sendable {
    /// One signal's.
    public struct Row: Sendable {
        /// Which one.
        public let signal: Signal
        /// What it adds to the log-odds where its value is 1.
        public let weight: Double
        /// After so long half of what was measured counts.
        public let halfLifeMilliseconds: Double
    }

    /// The log-odds of somebody of whom nothing is known.
    public let intercept: Double
    /// The score at which the band warm begins.
    public let warm: Double
    /// The score at which the band hot begins.
    public let hot: Double
    /// A band is left so many points below where it begins.
    public let hysteresis: Double
    /// Every signal, in their own order.
    public let rows: [Row]
}

extension ScoringModel {
    /// What the scoring file says, without what was learned.
    public var numbers: ScoringNumbers {
        ScoringNumbers(
            intercept: intercept,
            warm: steps.warm,
            hot: steps.hot,
            hysteresis: steps.hysteresis,
            rows: Signal.allCases.map { signal in
                ScoringNumbers.Row(
                    signal: signal,
                    weight: rules[Int(signal.rawValue)].weight,
                    halfLifeMilliseconds: halfLifeMilliseconds(of: signal)
                )
            }
        )
    }
}
