import Glibc
public import Records
public import Settings

/// Whether what was learned is to be believed: it must have foretold, before it knew them, the examples
/// of late no worse than the rule did.
public struct LearnGuard: Equatable, Sendable {
    /// After so long an example counts half in the comparison.
    private static let halfLifeMilliseconds = 30 * 86_400_000.0
    /// Probabilities are held so far from 0 and 1 before their logarithm is taken.
    private static let margin = 1e-6

    /// Examples of late, each counting less with time.
    public private(set) var examples = 0.0
    /// Conversions among them.
    public private(set) var conversions = 0.0
    private var ruleLoss = 0.0
    private var learnedLoss = 0.0

    /// Nothing was compared yet.
    public init() {}

    /// What is to be used now.
    public func verdict(_ rules: LearningRules) -> LikelihoodSource {
        guard examples >= rules.examplesMinimum, conversions >= rules.conversionsMinimum else {
            return .thin
        }
        return learnedLoss <= ruleLoss ? .learned : .drifted
    }

    /// Mean log loss of the rule and of what was learned, of late.
    public var losses: (rule: Double, learned: Double) {
        examples > 0 ? (ruleLoss / examples, learnedLoss / examples) : (0, 0)
    }

    /// Lets time pass.
    mutating func fade(milliseconds: Double) {
        let share = Shapes.powerOfTwo(-max(0, milliseconds) / Self.halfLifeMilliseconds)
        examples *= share
        conversions *= share
        ruleLoss *= share
        learnedLoss *= share
    }

    /// Compares both foretellings of an example whose outcome is known now.
    mutating func take(rule: Double, learned: Double, converted: Bool) {
        examples += 1
        conversions += converted ? 1 : 0
        ruleLoss += Self.loss(rule, converted)
        learnedLoss += Self.loss(learned, converted)
    }

    private static func loss(_ probability: Double, _ converted: Bool) -> Double {
        let held = max(margin, min(1 - margin, probability))
        return -log(converted ? held : 1 - held)
    }
}

extension LearnGuard {
    /// For files.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&examples)
        coder.field(&conversions)
        coder.field(&ruleLoss)
        coder.field(&learnedLoss)
    }
}
