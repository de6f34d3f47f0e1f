import Records

/// What the likelihood is learned from: a visitor's evidence at one moment.
///
/// 1 for the intercept, then e of the 27 signals, then three terms that the rule does not know:
/// how near a decision the visitor was at the most (M of signal 23, decayed), whether there was a
/// conversion before (half after 30 days), and how long the session is (sat(actions; 8)).
public struct LearnFeatures: BitwiseCopyable, Sendable {
    /// How many numbers there are.
    public static let count = 31
    static let signals = 1..<28
    static let stage = 28
    static let bought = 29
    static let length = 30
    private static let boughtHalfLifeMilliseconds = 30 * 86_400_000.0
    private static let lengthActions = 8.0

    /// Their names, in their order.
    public static let names =
        ["intercept"] + Signal.allCases.map(\.name) + ["stage", "bought", "session_length"]

    /// The numbers, each 0 to 1.
    public var values = InlineArray<31, Double>(repeating: 0)

    /// Evidence of nothing.
    public init() { values[0] = 1 }

    init(_ evaluation: borrowing Evaluation) {
        values[0] = 1
        for index in 0..<Signal.count { values[index + 1] = evaluation.values[index] }
    }
}

/// What evidence stands on beside a visitor's sums.
public struct LearnContext: BitwiseCopyable, Sendable {
    /// Time of the last conversion, epoch milliseconds; 0 without one.
    let convertedAt: Int64
    /// Actions of the session.
    let actions: Int
}

extension LearnContext {
    init(_ state: borrowing VisitorState) {
        self.init(convertedAt: state.convertedAt, actions: state.trend.actions)
    }
}

extension LearnFeatures {
    /// The evidence of sums at `time`.
    init(
        _ signals: borrowing SignalState,
        at time: Int64,
        _ context: LearnContext,
        _ model: ScoringModel
    ) {
        self.init(signals.evaluate(at: time, model), signals, at: time, context, model)
    }

    /// The same, where the sums are evaluated at `time` already.
    @inline(__always)
    init(
        _ evaluation: borrowing Evaluation,
        _ signals: borrowing SignalState,
        at time: Int64,
        _ context: LearnContext,
        _ model: ScoringModel
    ) {
        self.init(evaluation)
        let sum = Sum.intentMaximum.index
        let rate = model.halvingsPerMillisecond[Int(model.classOfSum[sum])]
        let factor = Shapes.powerOfTwo(Double(signals.landmark &- time) * rate)
        values[Self.stage] = min(1, signals.sums[sum] * factor)
        if context.convertedAt != 0 {
            values[Self.bought] = Self.bought(millisecondsAgo: time &- context.convertedAt)
        }
        values[Self.length] = Self.length(context.actions)
    }
}

extension VisitorState {
    /// The evidence as of the record last folded.
    @inline(__always)
    borrowing func features(actions: Int, _ model: ScoringModel) -> LearnFeatures {
        let context = LearnContext(convertedAt: convertedAt, actions: actions)
        return LearnFeatures(signals, at: updatedAt, context, model)
    }
}

extension LearnFeatures {
    fileprivate static func bought(millisecondsAgo: Int64) -> Double {
        Shapes.powerOfTwo(-max(0, Double(millisecondsAgo)) / boughtHalfLifeMilliseconds)
    }

    fileprivate static func length(_ actions: Int) -> Double {
        Shapes.saturation(Double(actions), lengthActions)
    }
}
