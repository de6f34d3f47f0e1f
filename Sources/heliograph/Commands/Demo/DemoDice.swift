import Foundation

/// Repeatable chance: the same seed, name and number give the same throws on every machine.
struct DemoDice: RandomNumberGenerator {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    /// What the ids of a made past begin with, for people who look at rows.
    private static let idPrefix = "demo"
    private static let idLetters = 18

    private var state: UInt64

    /// FNV-1a over what is named, so that dice of neighbouring numbers have nothing in common.
    init(seed: UInt64, _ name: String, _ number: Int = 0) {
        state = 0xcbf2_9ce4_8422_2325
        for byte in "\(seed)/\(name)/\(number)".utf8 {
            state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to 1.
    mutating func share() -> Double { Double(next() >> 11) / Double(1 << 53) }

    mutating func chance(_ probability: Double) -> Bool { share() < probability }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A value scattered around `usual`, never below 0.
    mutating func about(_ usual: Double, spread: Double = 0.2) -> Double {
        // The sum of four throws is near enough to a bell, and has an end.
        let bell = (share() + share() + share() + share() - 2) * 1.7
        return max(0, usual * (1 + spread * bell))
    }

    /// A whole number with this mean: so many, or one more.
    mutating func count(_ mean: Double) -> Int {
        Int(mean) + (chance(mean - mean.rounded(.down)) ? 1 : 0)
    }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[number(0...list.count - 1)] }

    mutating func pick<Element>(_ list: [Element], by weight: (Element) -> Double) -> Element {
        var left = share() * list.reduce(0) { $0 + weight($1) }
        for element in list {
            left -= weight(element)
            if left < 0 { return element }
        }
        return list[list.count - 1]
    }

    /// An id in the form that the SDK's have.
    mutating func id() -> String {
        Self.idPrefix + String((0..<Self.idLetters).map { _ in pick(Self.letters) })
    }
}
