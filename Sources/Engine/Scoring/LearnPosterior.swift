import Glibc
public import Settings
import Units

/// How likely a conversion is, and between which bounds with nine chances in ten.
public struct Likelihood: BitwiseCopyable, Equatable, Sendable {
    /// 0 to 1.
    public var probability: Double
    /// The 5 % point.
    public var low: Double
    /// The 95 % point.
    public var high: Double
}

/// What is known about the weights of the likelihood: a Gaussian that begins as the rule and that
/// conversions sharpen and move (README, likelihood).
///
/// Bayesian logistic regression by Laplace's approximation with the full precision matrix, not its
/// diagonal: signals go together, and 31 numbers make the whole matrix affordable (8 KB a site). A merge
/// finds the mode of prior times a batch's examples by Newton's method and keeps the curvature there,
/// so the order within a batch does not matter but for rounding.
public struct LearnPosterior: Sendable {
    private static let size = LearnFeatures.count
    private static let newtonStepsMaximum = 50
    private static let newtonTolerance = 1e-10
    private static let halvingsMaximum = 20
    /// Standard deviations to the 5 % and 95 % points.
    private static let intervalDeviations = 1.6448536269514722

    /// The weights that are most likely.
    public private(set) var mean: [Double]
    private var precision: [Double]
    private var factor: LearnFactor
    private let priorMean: [Double]
    private let priorPrecision: [Double]

    /// The rule's weights, as uncertain as `rules` say.
    public init(_ model: ScoringModel, _ rules: LearningRules) {
        var mean = [Double](repeating: 0, count: Self.size)
        let tightness = 1 / (rules.deviation * rules.deviation)
        var diagonal = [Double](repeating: tightness, count: Self.size)
        mean[0] = model.intercept
        diagonal[0] = 1 / (rules.interceptDeviation * rules.interceptDeviation)
        for index in LearnFeatures.signals { mean[index] = model.rules[index - 1].weight }
        self.init(mean: mean, diagonal: diagonal)
    }

    private init(mean: [Double], diagonal: [Double]) {
        var matrix = [Double](repeating: 0, count: Self.size * Self.size)
        for index in 0..<Self.size { matrix[index * Self.size + index] = diagonal[index] }
        (self.mean, precision, priorMean, priorPrecision) = (mean, matrix, mean, diagonal)
        factor = Self.factor(matrix)
    }

    private static func factor(_ matrix: [Double]) -> LearnFactor {
        guard let factor = LearnFactor(matrix, size: size) else {
            invariantFailed("a precision is not positive definite", #fileID, #line)
        }
        return factor
    }

    // MARK: - Asking

    /// How likely a conversion is with this evidence. The uncertainty of the weights draws it towards
    /// one half (MacKay's approximation of the predictive integral).
    public func likelihood(_ features: LearnFeatures) -> Likelihood {
        let x = Self.array(features)
        let middle = Self.dot(mean, x)
        let variance = factor.variance(along: x)
        let reach = Self.intervalDeviations * variance.squareRoot()
        return Likelihood(
            probability: Shapes.logistic(middle / (1 + Double.pi * variance / 8).squareRoot()),
            low: Shapes.logistic(middle - reach),
            high: Shapes.logistic(middle + reach)
        )
    }

    /// The same when the weights are taken for certain: what the rule itself says.
    public func rule(_ features: LearnFeatures) -> Likelihood {
        var likelihood = likelihood(features)
        likelihood.probability = Shapes.logistic(Self.dot(mean, Self.array(features)))
        return likelihood
    }

    /// How far a weight may be off: its standard deviation.
    public func deviation(of index: Int) -> Double {
        var unit = [Double](repeating: 0, count: Self.size)
        unit[index] = 1
        return factor.variance(along: unit).squareRoot()
    }

    // MARK: - Learning

    /// Draws what was learned towards the prior: its part counts `share` (0 to 1) from now on.
    public mutating func fade(to share: Double) {
        var matrix = precision
        var target = Self.times(precision, mean)
        for index in 0..<matrix.count { matrix[index] *= share }
        for index in 0..<Self.size {
            matrix[index * Self.size + index] += (1 - share) * priorPrecision[index]
            target[index] =
                share * target[index] + (1 - share) * priorPrecision[index] * priorMean[index]
        }
        guard let faded = LearnFactor(matrix, size: Self.size) else { return }
        (precision, factor, mean) = (matrix, faded, faded.solve(target))
    }

    /// Takes a batch of examples, each with this weight. What does not come to a finite end is left
    /// out as a whole: the weights stay.
    public mutating func learn(
        _ examples: [(features: LearnFeatures, converted: Bool)],
        weight: Double
    ) {
        guard !examples.isEmpty else { return }
        let batch = Batch(
            rows: examples.map { Self.array($0.features) },
            outcomes: examples.map { $0.converted ? 1 : 0 },
            weight: weight
        )
        var weights = mean
        for _ in 0..<Self.newtonStepsMaximum {
            let slope = slope(batch, weights)
            let curvature = curvature(batch, weights)
            guard let curve = LearnFactor(curvature, size: Self.size) else { return }
            let moved = improved(batch, weights, curve.solve(slope))
            let change = zip(moved, weights).map { abs($0 - $1) }.max() ?? 0
            weights = moved
            if change < Self.newtonTolerance { break }
        }
        let matrix = curvature(batch, weights)
        guard weights.allSatisfy(\.isFinite), let factor = LearnFactor(matrix, size: Self.size)
        else { return }
        (mean, precision, self.factor) = (weights, matrix, factor)
    }

    private struct Batch {
        let rows: [[Double]]
        let outcomes: [Double]
        let weight: Double
    }

    /// Newton's step, halved until it makes things better.
    private func improved(_ batch: Batch, _ weights: [Double], _ step: [Double]) -> [Double] {
        let before = cost(batch, weights)
        var scale = 1.0
        for _ in 0..<Self.halvingsMaximum {
            let moved = zip(weights, step).map { $0 + scale * $1 }
            if cost(batch, moved) <= before { return moved }
            scale /= 2
        }
        return weights
    }

    /// Minus the logarithm of what is to be made greatest.
    private func cost(_ batch: Batch, _ weights: [Double]) -> Double {
        let distance = zip(weights, mean).map { $0 - $1 }
        var cost = Self.dot(distance, Self.times(precision, distance)) / 2
        for (row, outcome) in zip(batch.rows, batch.outcomes) {
            let odds = Self.dot(weights, row)
            cost += batch.weight * (Self.softplus(odds) - outcome * odds)
        }
        return cost
    }

    private func slope(_ batch: Batch, _ weights: [Double]) -> [Double] {
        let distance = zip(mean, weights).map { $0 - $1 }
        var slope = Self.times(precision, distance)
        for (row, outcome) in zip(batch.rows, batch.outcomes) {
            let surprise = batch.weight * (outcome - Shapes.logistic(Self.dot(weights, row)))
            for index in 0..<Self.size { slope[index] += surprise * row[index] }
        }
        return slope
    }

    private func curvature(_ batch: Batch, _ weights: [Double]) -> [Double] {
        var matrix = precision
        for row in batch.rows {
            let p = Shapes.logistic(Self.dot(weights, row))
            let heft = batch.weight * p * (1 - p)
            for i in 0..<Self.size where row[i] != 0 {
                for j in 0..<Self.size { matrix[i * Self.size + j] += heft * row[i] * row[j] }
            }
        }
        return matrix
    }

    // MARK: - Arithmetic

    private static func array(_ features: LearnFeatures) -> [Double] {
        (0..<size).map { features.values[$0] }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in 0..<size { sum += a[index] * b[index] }
        return sum
    }

    private static func times(_ matrix: [Double], _ x: [Double]) -> [Double] {
        (0..<size).map { row in
            var sum = 0.0
            for column in 0..<size { sum += matrix[row * size + column] * x[column] }
            return sum
        }
    }

    /// log(1 + exp(x)) that does not overflow.
    private static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
