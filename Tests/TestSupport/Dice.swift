/// A small random generator whose seed a failing test prints (SplitMix64, Steele, Lea and Flood).
public struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Dice that always fall the same way for the same seed.
    public init(seed: UInt64) { state = seed }

    /// Sixty-four random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A whole number from `range`.
    public mutating func roll(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// True with probability `share`.
    public mutating func chance(_ share: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < share
    }

    /// A number with a normal distribution around 0 (Box and Muller would need two; the sum of
    /// twelve uniform ones is close enough for tests).
    public mutating func normal() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}
