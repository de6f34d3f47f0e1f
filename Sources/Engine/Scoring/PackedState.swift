public import Bytes
public import Records

/// A visitor's sums as the `state` field in Redis holds them: enough to read the score at any later
/// time, without the engine.
///
/// Version 1, integers little-endian: version, band, label, zero (1 byte each); times of the last
/// record and the last event, landmark, time a form was left (8 each); measured signals, page views
/// (4 each); then a mask of the sums that are not zero (8) and those as doubles.
public struct PackedState: Sendable {
    /// The format that this version writes and reads.
    public static let version: UInt8 = 1
    /// The longest packed state: head and all 58 sums.
    public static let bytesMaximum = 4 + 5 * 8 + 2 * 4 + 8 * 58

    /// Band after the record last folded.
    public private(set) var band: Band
    /// Profile after the record last folded.
    public private(set) var label: Profile
    /// `received_at` of the record last folded, epoch milliseconds.
    public private(set) var updatedAt: Int64
    /// Time of the last event, epoch milliseconds.
    public private(set) var seenAt: Int64
    var signals: SignalState

    init(_ state: borrowing VisitorState) {
        (band, label) = (state.band, state.label)
        (updatedAt, seenAt) = (state.updatedAt, state.seenAt)
        signals = state.signals
    }

    /// Reads a packed state; nil when the bytes are not one.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 4, bytes[0] == Self.version else { return nil }
        (band, label, updatedAt, seenAt) = (.cold, .undetermined, 0, 0)
        signals = SignalState()
        var reader = StateReader(bytes)
        var version: UInt8 = 0
        reader.field(&version)
        encode(&reader)
        guard reader.isAtEnd, isFinite else { return nil }
    }

    /// Appends the packed bytes: at most `bytesMaximum`.
    public func pack(into buffer: inout ByteBuffer) {
        var copy = self
        buffer.append(Self.version)
        copy.encode(&buffer)
    }

    mutating func take(seenAt: Int64) { self.seenAt = seenAt }

    private var isFinite: Bool {
        for index in 0..<Sum.count where !signals.sums[index].isFinite { return false }
        return true
    }

    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        var zero: UInt8 = 0
        coder.field(&band)
        coder.field(&label)
        coder.field(&zero)
        coder.field(&updatedAt)
        coder.field(&seenAt)
        coder.field(&signals.landmark)
        coder.field(&signals.formLeftAt)
        coder.field(&signals.measured)
        coder.field(&signals.pageViews)
        coder.sums(&signals.sums)
    }

    // MARK: - Reading

    /// The score as it is at `time` (epoch milliseconds), decayed since it was packed.
    public func reading(at time: Int64, _ model: ScoringModel) -> Reading {
        let evaluation = signals.evaluate(at: time, model)
        let classification = evaluation.classify(pageViews: signals.pageViews, model)
        return Reading.of(
            evaluation,
            classification,
            band: band.next(evaluation.score, model.steps),
            label: label,
            updatedAt: time,
            seenAt: seenAt,
            offset: 0,
            model
        )
    }

    /// What each signal adds to the score at `time`.
    public func terms(at time: Int64, _ model: ScoringModel) -> InlineArray<27, Term> {
        signals.evaluate(at: time, model).terms(model)
    }

    /// How likely each of the seven profiles is at `time`, in the order of `Profile` without
    /// undetermined.
    public func probabilities(at time: Int64, _ model: ScoringModel) -> InlineArray<7, Double> {
        signals.evaluate(at: time, model).classify(pageViews: signals.pageViews, model)
            .probabilities
    }

    /// A signal's sum and weight (0 for plain sums; the maximum for intent) at `landmark`.
    public func sums(of signal: Signal) -> (sum: Double, weight: Double) {
        let weight = Sum.weightIndex(of: signal)
        return (signals.sums[Int(signal.rawValue)], weight < 0 ? 0 : signals.sums[weight])
    }

    /// The time that sums are expressed at, epoch milliseconds; 0 when there are none.
    public var landmark: Int64 { signals.landmark }

    /// Page views folded.
    public var pageViews: UInt32 { signals.pageViews }
}

extension PartitionFold {
    /// Appends the packed state of the visitor at `index`: at most `PackedState.bytesMaximum` bytes.
    public func packState(_ index: Int32, into buffer: inout ByteBuffer) {
        table[Int(index)].pack(into: &buffer)
    }

    /// Reads a packed state; nil when the bytes are not one.
    public static func unpackState(_ bytes: ByteView) -> PackedState? { PackedState(bytes) }
}

extension VisitorState {
    borrowing func pack(into buffer: inout ByteBuffer) {
        PackedState(self).pack(into: &buffer)
    }
}
