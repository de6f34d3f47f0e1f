import Glibc

/// A symmetric positive definite matrix as its lower Cholesky factor: what a Gaussian's precision is
/// asked for.
struct LearnFactor: Sendable {
    let size: Int
    /// Row by row; what is above the diagonal is not looked at.
    private var rows: [Double]

    /// Factors `matrix`, of which the lower half is read; nil when it is not positive definite.
    init?(_ matrix: [Double], size: Int) {
        self.size = size
        rows = matrix
        for column in 0..<size {
            var pivot = rows[column * size + column]
            for k in 0..<column { pivot -= rows[column * size + k] * rows[column * size + k] }
            guard pivot > 0, pivot.isFinite else { return nil }
            let root = pivot.squareRoot()
            rows[column * size + column] = root
            for row in column + 1..<max(column + 1, size) { eliminate(row, column, root) }
        }
    }

    private mutating func eliminate(_ row: Int, _ column: Int, _ root: Double) {
        var value = rows[row * size + column]
        for k in 0..<column { value -= rows[row * size + k] * rows[column * size + k] }
        rows[row * size + column] = value / root
    }

    /// L⁻¹ x.
    func halfSolve(_ x: [Double]) -> [Double] {
        var result = x
        for row in 0..<size {
            var value = result[row]
            for k in 0..<row { value -= rows[row * size + k] * result[k] }
            result[row] = value / rows[row * size + row]
        }
        return result
    }

    /// A⁻¹ x.
    func solve(_ x: [Double]) -> [Double] {
        var result = halfSolve(x)
        for row in stride(from: size - 1, through: 0, by: -1) {
            var value = result[row]
            for k in row + 1..<max(row + 1, size) { value -= rows[k * size + row] * result[k] }
            result[row] = value / rows[row * size + row]
        }
        return result
    }

    /// xᵀ A⁻¹ x: the variance along x when A is a precision.
    func variance(along x: [Double]) -> Double {
        halfSolve(x).reduce(0) { $0 + $1 * $1 }
    }

    /// The same of evidence, without an array of its own.
    func variance(along features: LearnFeatures) -> Double {
        var solved = features.values
        var sum = 0.0
        for row in 0..<LearnFeatures.count {
            var value = solved[row]
            let start = row * size
            for k in 0..<row { value -= rows[start + k] * solved[k] }
            value /= rows[start + row]
            solved[row] = value
            sum += value * value
        }
        return sum
    }
}
