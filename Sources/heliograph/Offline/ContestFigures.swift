import Scoring

/// How well scores foretold what happened: over pairs of a probability and an outcome.
struct ContestFigures: Encodable {
    /// A tenth of the range of probabilities, and what happened there.
    struct Bin: Encodable {
        var from = 0.0
        var count = 0
        var predicted = 0.0
        var observed = 0.0
    }

    private(set) var examples = 0
    private(set) var conversions = 0
    /// The chance that one who converted had the higher score than one who did not; nil without both.
    private(set) var auc: Double?
    /// Mean squared error of the probability.
    private(set) var brier: Double?
    /// Mean distance between predicted and observed over the bins.
    private(set) var calibrationError: Double?
    /// How much more often the tenth with the highest scores converted than everybody.
    private(set) var lift: Double?
    private(set) var bins: [Bin] = []

    init(_ pairs: [(probability: Double, outcome: Bool)]) {
        examples = pairs.count
        conversions = pairs.count { $0.outcome }
        guard !pairs.isEmpty else { return }
        let count = Double(pairs.count)
        var measures = LearnMeasures()
        for pair in pairs { measures.take(pair.probability, pair.outcome) }
        (auc, brier) = (measures.areaUnderCurve, measures.brierScore)
        bins = Self.bins(pairs)
        calibrationError = bins.reduce(0) { sum, bin in
            sum + abs(bin.predicted - bin.observed) * Double(bin.count) / count
        }
        lift = Self.lift(pairs.sorted { $0.probability < $1.probability })
    }

    private static func bins(_ pairs: [(probability: Double, outcome: Bool)]) -> [Bin] {
        var bins = (0..<10).map { Bin(from: Double($0) / 10) }
        for pair in pairs {
            let place = max(0, min(9, Int(pair.probability * 10)))
            bins[place].count += 1
            bins[place].predicted += pair.probability
            bins[place].observed += pair.outcome ? 1 : 0
        }
        for place in bins.indices where bins[place].count > 0 {
            bins[place].predicted /= Double(bins[place].count)
            bins[place].observed /= Double(bins[place].count)
        }
        return bins.filter { $0.count > 0 }
    }

    /// Mann and Whitney's, with middle ranks for equal scores.
    /// Of those at the edge of the tenth with one and the same score, their mean counts.
    private static func lift(_ sorted: [(probability: Double, outcome: Bool)]) -> Double? {
        let conversions = sorted.count { $0.outcome }
        guard conversions > 0 else { return nil }
        let wanted = max(1, Double(sorted.count) / 10)
        var (left, found) = (wanted, 0.0)
        var end = sorted.count
        while left > 0, end > 0 {
            var start = end
            while start > 0, sorted[start - 1].probability == sorted[end - 1].probability {
                start -= 1
            }
            let share = min(1, left / Double(end - start))
            found += share * Double(sorted[start..<end].count { $0.outcome })
            left -= Double(end - start)
            end = start
        }
        return found / wanted / (Double(conversions) / Double(sorted.count))
    }
}
