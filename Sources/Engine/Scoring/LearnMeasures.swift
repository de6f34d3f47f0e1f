import Glibc

/// How good foretellings were whose outcome is known.
public struct LearnMeasures: Sendable {
    private static let bins = 10
    /// Probabilities are held so far from 0 and 1 before their logarithm is taken.
    private static let margin = 1e-6

    private var pairs: [(probability: Double, converted: Bool)] = []

    /// None yet.
    public init() {}

    /// Takes one.
    public mutating func take(_ probability: Double, _ converted: Bool) {
        pairs.append((probability, converted))
    }

    /// How many there are.
    public var count: Int { pairs.count }

    /// Share of conversions.
    public var baseRate: Double {
        pairs.isEmpty ? 0 : Double(pairs.count { $0.converted }) / Double(pairs.count)
    }

    /// How likely somebody who converts was foretold more than somebody who does not; ties count half.
    /// Nil without both kinds.
    public var areaUnderCurve: Double? {
        let sorted = pairs.sorted { $0.probability < $1.probability }
        let positives = Double(sorted.count { $0.converted })
        let negatives = Double(sorted.count) - positives
        guard positives > 0, negatives > 0 else { return nil }
        var (ranks, start) = (0.0, 0)
        while start < sorted.count {
            var end = start + 1
            while end < sorted.count, sorted[end].probability == sorted[start].probability {
                end += 1
            }
            let rank = Double(start + end + 1) / 2
            ranks += rank * Double(sorted[start..<end].count { $0.converted })
            start = end
        }
        return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    }

    /// Mean squared error.
    public var brierScore: Double {
        mean { probability, outcome in (probability - outcome) * (probability - outcome) }
    }

    /// Mean log loss.
    public var logLoss: Double {
        mean { probability, outcome in
            let held = max(Self.margin, min(1 - Self.margin, probability))
            return -log(outcome == 1 ? held : 1 - held)
        }
    }

    /// Expected calibration error: how far the foretold share is from the real one, over ten bins of equally
    /// many foretellings.
    public var calibrationError: Double {
        guard !pairs.isEmpty else { return 0 }
        let sorted = pairs.sorted { $0.probability < $1.probability }
        var error = 0.0
        for bin in 0..<Self.bins {
            let part = sorted[sorted.count * bin / Self.bins..<sorted.count * (bin + 1) / Self.bins]
            let foretold = part.reduce(0) { $0 + $1.probability }
            error += abs(foretold - Double(part.count { $0.converted }))
        }
        return error / Double(sorted.count)
    }

    private func mean(_ cost: (Double, Double) -> Double) -> Double {
        guard !pairs.isEmpty else { return 0 }
        let sum = pairs.reduce(0) { $0 + cost($1.probability, $1.converted ? 1 : 0) }
        return sum / Double(pairs.count)
    }
}
