/// The five largest parts of a score or of a profile, by amount whatever its sign, small enough to
/// travel with every point of history.
public struct LargestTerms: BitwiseCopyable, Sendable {
    /// How many are kept.
    public static let maximum = 5

    /// One part: what it is of, and what it adds to the log-odds.
    public struct Term: BitwiseCopyable, Sendable, Equatable {
        /// A signal's number, or 27 and the number of a content category.
        public var code: UInt8 = 0
        /// What it adds, to seven digits.
        public var adds: Float = 0
    }

    private var terms = InlineArray<5, Term>(repeating: Term())
    /// How many there are.
    public private(set) var count = 0

    /// None.
    public init() {}

    /// The term at a place below `count`; the largest is the first.
    public subscript(_ place: Int) -> Term { terms[place] }

    /// Takes a part in if it is among the largest; of equal ones the first taken stays before. A part
    /// that adds nothing is none.
    public mutating func take(_ code: Int, _ adds: Double) {
        let adds = Float(adds)
        guard adds != 0 else { return }
        var place = count
        while place > 0, abs(adds) > abs(terms[place - 1].adds) { place -= 1 }
        guard place < Self.maximum else { return }
        var last = min(count, Self.maximum - 1)
        while last > place {
            terms[last] = terms[last - 1]
            last -= 1
        }
        terms[place] = Term(code: UInt8(truncatingIfNeeded: code), adds: adds)
        count = min(count + 1, Self.maximum)
    }
}

/// What stores call a scoring model and the parts of its scores.
public final class ModelTag: Sendable {
    /// The score's `model`.
    public let name: String
    /// The content categories by their number.
    public let categories: [String]

    /// A tag from its parts.
    public init(name: String, categories: [String]) {
        self.name = name
        self.categories = categories
    }

    /// What the code of a term stands for.
    public func name(of code: UInt8) -> String {
        if let signal = Signal(rawValue: code) { return signal.name }
        let category = Int(code) - Signal.count
        return category < categories.count ? "content:" + categories[category] : "unknown"
    }
}
