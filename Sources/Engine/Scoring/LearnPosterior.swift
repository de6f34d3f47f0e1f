import Glibc
public import Records
public import Settings
import Units

extension Likelihood {
    /// Standard deviations to the 5 % and 95 % points.
    private static let intervalDeviations = 1.6448536269514722

    /// Bounds around log-odds of `middle`.
    init(_ middle: Double, _ variance: Double, probability: Double, _ source: LikelihoodSource) {
        let reach = Self.intervalDeviations * variance.squareRoot()
        self.init(
            probability: probability,
            low: Shapes.logistic(middle - reach),
            high: Shapes.logistic(middle + reach),
            source: source
        )
    }
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
    /// The weights that are most likely.
    public private(set) var mean: [Double]
    private var precision: [Double]
    private var factor: LearnFactor
    private var priorMean: [Double]
    private var priorPrecision: [Double]

    /// The rule's weights, as uncertain as `rules` say.
    public init(_ model: ScoringModel, _ rules: LearningRules) {
        let size = Self.size
        mean = model.priorMean
        priorMean = mean
        priorPrecision = ScoringModel.priorPrecision(rules)
        precision = [Double](repeating: 0, count: size * size)
        for index in 0..<size { precision[index * size + index] = priorPrecision[index] }
        factor = Self.factor(precision)
    }

    /// The same as the model's own file says.
    public init(_ model: ScoringModel) { self.init(model, model.learning) }

    /// Another rule is in force: what was learned stays, and is drawn to that one from now on.
    mutating func change(prior model: ScoringModel) {
        priorMean = model.priorMean
        priorPrecision = ScoringModel.priorPrecision(model.learning)
    }

    private static func factor(_ matrix: [Double]) -> LearnFactor {
        guard let factor = LearnFactor(matrix, size: size) else {
            invariantFailed("a precision is not positive definite", #fileID, #line)
        }
        return factor
    }

    // MARK: - Asking

    /// How likely a conversion is with this evidence. The uncertainty of the weights draws it towards
    /// one half (MacKay's approximation of the predictive integral). Allocates nothing.
    public func likelihood(_ features: LearnFeatures) -> Likelihood {
        var middle = 0.0
        let values = features.values.span
        for index in 0..<Self.size { middle += mean[index] * values[index] }
        let variance = factor.variance(along: features)
        let shrunk = middle / (1 + Double.pi * variance / 8).squareRoot()
        return Likelihood(middle, variance, probability: Shapes.logistic(shrunk), .learned)
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
                for j in 0..<Self.size { matrix[i * Self.size + j] += heft * (row[i] * row[j]) }
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

extension LearnPosterior {
    /// For files: the mean, and the lower half of the precision row by row.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        for row in 0..<Self.size {
            coder.field(&mean[row])
            for column in 0...row {
                coder.field(&precision[row * Self.size + column])
                precision[column * Self.size + row] = precision[row * Self.size + column]
            }
        }
    }

    /// After reading: makes ready for answers. False when what was read is no Gaussian.
    mutating func refactor() -> Bool {
        guard mean.allSatisfy(\.isFinite),
            let factor = LearnFactor(precision, size: Self.size)
        else { return false }
        self.factor = factor
        return true
    }
}
