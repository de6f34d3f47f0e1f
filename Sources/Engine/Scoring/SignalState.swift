import Records

/// A visitor's decayed sums and the little that a reading needs beside them.
///
/// Forward decay (Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009): an observation x at t adds
/// x * 2^((t - landmark) / h). Under one landmark sums only add, so their order does not matter.
struct SignalState: BitwiseCopyable, Sendable {
    /// An event this much later than the landmark moves it. With the shortest half-life of 10 min
    /// these are 288 halvings, far from the 1023 a double can hold.
    static let landmarkMillisecondsMaximum: Int64 = 2 * 86_400_000

    /// The time that all sums are expressed at, epoch milliseconds; 0 before the first event.
    var landmark: Int64 = 0
    var sums = InlineArray<58, Double>(repeating: 0)
    /// When a form was left unfinished, epoch milliseconds; 0 when none waits for its timeout.
    var formLeftAt: Int64 = 0
    /// Bit s is set once something could have told about signal s that has no weight of its own.
    var measured: UInt32 = 0
    /// Page views folded.
    var pageViews: UInt32 = 0

    @inline(__always)
    mutating func measure(_ bits: UInt32) { measured |= bits }

    /// Multiplies every sum once, so that they stand at `landmark`.
    mutating func move(to newLandmark: Int64, _ model: ScoringModel) {
        let milliseconds = Double(landmark &- newLandmark)
        var factors = InlineArray<32, Double>(repeating: 1)
        for index in 0..<model.classCount {
            factors[index] = Shapes.powerOfTwo(milliseconds * model.halvingsPerMillisecond[index])
        }
        for index in 0..<Sum.count { sums[index] *= factors[Int(model.classOfSum[index])] }
        landmark = newLandmark
    }

    /// Everything as before the first event.
    mutating func reset() { self = SignalState() }
}

/// The moment of one event: the factors of its observations, each worked out once when needed.
struct Moment: BitwiseCopyable {
    /// The event's time, epoch milliseconds.
    var time: Int64 = 0
    private var milliseconds = 0.0
    private var known: UInt32 = 0
    private var factors = InlineArray<32, Double>(repeating: 0)

    /// Goes to `time`; moves the state's landmark when that is due.
    mutating func begin(_ time: Int64, _ state: inout SignalState, _ model: ScoringModel) {
        if state.landmark == 0 {
            state.landmark = time
        } else if time &- state.landmark > SignalState.landmarkMillisecondsMaximum {
            state.move(to: time, model)
        }
        if time == self.time && known != 0 && milliseconds == Double(time &- state.landmark) {
            return
        }
        self.time = time
        milliseconds = Double(time &- state.landmark)
        known = 0
    }

    @inline(__always)
    mutating func factor(ofSum index: Int, _ model: ScoringModel) -> Double {
        let type = Int(model.classOfSum[index])
        if known & (1 &<< UInt32(type)) == 0 { work(type, model) }
        return factors[type]
    }

    @inline(never)
    private mutating func work(_ type: Int, _ model: ScoringModel) {
        factors[type] = Shapes.powerOfTwo(milliseconds * model.halvingsPerMillisecond[type])
        known |= 1 &<< UInt32(type)
    }
}

/// One visitor's sums at one moment: where observations are added. Lives for one event.
///
/// The state and the moment are passed to each call and not held, so that nothing is copied.
extension SignalState {
    @inline(__always)
    mutating func add(_ x: Double, to sum: Sum, _ moment: inout Moment, _ model: ScoringModel) {
        add(x, toIndex: sum.index, &moment, model)
    }

    @inline(__always)
    mutating func add(
        _ x: Double,
        toIndex index: Int,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        if x != 0 { sums[index] += x * moment.factor(ofSum: index, model) }
    }

    @inline(__always)
    mutating func raise(_ sum: Sum, to x: Double, _ moment: inout Moment, _ model: ScoringModel) {
        sums[sum.index] = max(sums[sum.index], x * moment.factor(ofSum: sum.index, model))
    }

    /// What a sum is worth at the moment.
    @inline(__always)
    func value(_ sum: Sum, _ moment: inout Moment, _ model: ScoringModel) -> Double {
        let factor = moment.factor(ofSum: sum.index, model)
        return factor > 0 ? sums[sum.index] / factor : 0
    }
}
