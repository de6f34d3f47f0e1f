import Glibc

/// The functions that turn amounts into 0 to 1 (signal specification, section 2.1).
enum Shapes {
    @inline(__always)
    static func saturation(_ x: Double, _ k: Double) -> Double {
        // Most sums of most visitors are 0, and exp is what a reading spends its time on.
        x == 0 ? 0 : 1 - exp(-x / k)
    }

    /// Hill's function with exponent 2, the only one that definitions use.
    @inline(__always)
    static func hill2(_ x: Double, _ k: Double) -> Double {
        let square = x * x
        return square / (square + k * k)
    }

    @inline(__always)
    static func linear(_ x: Double, _ low: Double, _ high: Double) -> Double {
        max(0, min(1, (x - low) / (high - low)))
    }

    @inline(__always)
    static func logistic(_ logOdds: Double) -> Double { 1 / (1 + exp(-logOdds)) }

    /// 2^halvings, held where a double can be multiplied by it without becoming infinite times zero.
    @inline(__always)
    static func powerOfTwo(_ exponent: Double) -> Double { exp2(max(-1000, min(1000, exponent))) }
}

extension Shapes {
    @inline(__always)
    static func hill(_ x: Double, _ k: Double, _ p: Double) -> Double {
        if p == 2 { return hill2(x, k) }
        let power = pow(x, p)
        return power / (power + pow(k, p))
    }
}
