public import Records

/// One signal's part in a score: its value and what it adds to the log-odds of readiness.
public struct Term: BitwiseCopyable, Sendable {
    /// Which signal.
    public var signal: Signal
    /// 0 to 1, faded to 0 where there is little evidence.
    public var value: Double
    /// Weight times value, in log-odds.
    public var contribution: Double
}

/// A visitor's sums, read at one moment; README, reading.
struct Evaluation: BitwiseCopyable {
    /// e of each signal.
    var values = InlineArray<27, Double>(repeating: 0)
    /// Bit s is set when signal s takes part in profiles.
    var measured: UInt32 = 0
    /// K: signals with evidence enough to count.
    var evidence = 0.0
    /// Log-odds of readiness.
    var logOdds = 0.0
    /// A: decayed active seconds.
    var active = 0.0
    /// X: decayed seconds on tagged sections.
    var tagged = 0.0
    /// Decayed seconds on all sections.
    var dwell = 0.0
    /// Decayed seconds per category.
    var categories = InlineArray<10, Double>(repeating: 0)

    /// Readiness, 0 to 100.
    var score: Double { 100 * Shapes.logistic(logOdds) }
}

/// What one signal's sums come to at a moment.
struct Measure: BitwiseCopyable {
    /// What was measured, in the signal's own unit: a mean, a ratio drawn to its prior, a faded sum,
    /// or the nearest stage of intent.
    var amount = 0.0
    /// c of means and ratios; 1 for the others.
    var certainty = 0.0
    /// e: 0 to 1.
    var value = 0.0
    /// Whether anything was there to measure.
    var isKnown = false
}

extension SignalState {
    /// Value of a signal without own weight from which it counts as evidence for a profile.
    private static let evidenceValueMinimum = 0.05
    /// Evidence factor c from which a mean or ratio counts.
    private static let evidenceFactorMinimum = 0.3

    /// Reads the sums at `time`, epoch milliseconds; changes nothing.
    borrowing func evaluate(at time: Int64, _ model: ScoringModel) -> Evaluation {
        var evaluation = Evaluation()
        evaluation.logOdds = model.intercept
        if landmark == 0 { return evaluation }
        let milliseconds = Double(landmark &- time)
        var factors = InlineArray<32, Double>(repeating: 0)
        for index in 0..<model.classCount {
            factors[index] = Shapes.powerOfTwo(milliseconds * model.halvingsPerMillisecond[index])
        }
        var values = InlineArray<27, Double>(repeating: 0)
        var found = Evidence(logOdds: model.intercept)
        // As a span: an element of the array itself is read by copying all of it, for every signal.
        let sums = sums.span
        for index in 0..<Signal.count {
            let factor = factors[Int(model.classOfSum[index])]
            values[index] = read(sums, index, factor, time, &found, model)
        }
        evaluation.values = values
        evaluation.measured = found.measured
        evaluation.evidence = found.count
        evaluation.logOdds = found.logOdds
        weigh(&evaluation, sums, factors, model)
        return evaluation
    }

    /// What the signals read so far come to.
    private struct Evidence: BitwiseCopyable {
        var measured: UInt32 = 0
        var count = 0.0
        var logOdds: Double
    }

    /// Attention and categories.
    @inline(__always)
    private borrowing func weigh(
        _ evaluation: inout Evaluation,
        _ sums: Span<Double>,
        _ factors: borrowing InlineArray<32, Double>,
        _ model: ScoringModel
    ) {
        evaluation.active =
            sums[Sum.visibleAttention.index]
            * factors[Int(model.classOfSum[Sum.visibleAttention.index])]
        let dwellFactor = factors[Int(model.classOfSum[Sum.dwellAll.index])]
        evaluation.dwell = sums[Sum.dwellAll.index] * dwellFactor
        var categories = InlineArray<10, Double>(repeating: 0)
        var tagged = 0.0
        for index in 0..<model.categoryCount {
            let dwell = sums[Sum.dwellIndex(category: index)] * dwellFactor
            categories[index] = dwell
            tagged += dwell
        }
        evaluation.categories = categories
        evaluation.tagged = tagged
    }

    /// The value of a signal; 0 when there is nothing to measure.
    @inline(__always)
    private borrowing func read(
        _ sums: Span<Double>,
        _ index: Int,
        _ factor: Double,
        _ time: Int64,
        _ found: inout Evidence,
        _ model: ScoringModel
    ) -> Double {
        let rule = model.rules[index]
        let measure = measure(sums, index, factor, time, rule, model)
        switch rule.aggregate {
        case .mean, .ratio:
            guard measure.isKnown else { return 0 }
            found.measured |= 1 << UInt32(index)
            if measure.certainty >= Self.evidenceFactorMinimum { found.count += 1 }
        case .sum, .blend:
            found.measured |= measured & (1 << UInt32(index))
            if measure.value >= Self.evidenceValueMinimum { found.count += 1 }
        }
        found.logOdds += rule.weight * measure.value
        return measure.value
    }

    /// What a signal's sums, times `factor`, come to at `time`. `sums` are this state's.
    @inline(__always)
    borrowing func measure(
        _ sums: Span<Double>,
        _ index: Int,
        _ factor: Double,
        _ time: Int64,
        _ rule: ScoringModel.Rule,
        _ model: ScoringModel
    ) -> Measure {
        var sum = sums[index] * factor
        switch rule.aggregate {
        case .mean, .ratio:
            let weight = sums[rule.weightIndex] * factor
            guard weight > 0 else { return Measure() }
            let certainty = weight / (weight + rule.evidence)
            let amount = Self.quotient(sum, weight, rule)
            let value = certainty * Self.shaped(amount, rule)
            return Measure(amount: amount, certainty: certainty, value: value, isKnown: true)
        case .sum:
            if index == Sum.formAbandonment.index { sum += pendingAbandonment(time, model) }
            if index == Sum.returnCadence.index { sum = max(0, sum - 1) }
            let isKnown = measured & (1 << UInt32(index)) != 0
            return Measure(
                amount: sum,
                certainty: 1,
                value: Self.shaped(sum, rule),
                isKnown: isKnown
            )
        case .blend:
            let stage = min(1, sums[rule.weightIndex] * factor)
            let isKnown = measured & (1 << UInt32(index)) != 0
            return Measure(
                amount: stage,
                certainty: 1,
                value: 0.7 * stage + 0.3 * Shapes.saturation(sum, rule.first),
                isKnown: isKnown
            )
        }
    }

    /// A mean, or a ratio drawn to its prior; not below 0, where undone clicks could take it.
    @inline(__always)
    private static func quotient(
        _ sum: Double,
        _ weight: Double,
        _ rule: ScoringModel.Rule
    ) -> Double {
        let upper = sum + rule.priorStrength * rule.priorMean
        return max(0, upper / (weight + rule.priorStrength))
    }

    @inline(__always)
    private static func shaped(_ x: Double, _ rule: ScoringModel.Rule) -> Double {
        switch rule.shape {
        case .unit: return max(0, min(1, x))
        case .saturation: return Shapes.saturation(max(0, x), rule.first)
        case .linear: return Shapes.linear(x, rule.first, rule.second)
        case .hill: return Shapes.hill(max(0, x), rule.first, rule.second)
        }
    }

    /// README, forms left: what the timeout that has passed by `time` would have added.
    private borrowing func pendingAbandonment(_ time: Int64, _ model: ScoringModel) -> Double {
        let due = formLeftAt &+ VisitorState.formTimeoutMilliseconds
        guard formLeftAt != 0, time >= due else { return 0 }
        let type = Int(model.classOfSum[Sum.formAbandonment.index])
        return Shapes.powerOfTwo(Double(due &- time) * model.halvingsPerMillisecond[type])
    }
}

extension Evaluation {
    /// The signals and what they add, in the order of `Signal`.
    func terms(_ model: ScoringModel) -> InlineArray<27, Term> {
        InlineArray { index in
            Term(
                signal: Signal.at(index),
                value: values[index],
                contribution: model.rules[index].weight * values[index]
            )
        }
    }
}

extension Signal {
    /// The signal at an index below 27.
    static func at(_ index: Int) -> Signal { Signal(rawValue: UInt8(index)) ?? .scrollVelocity }
}
