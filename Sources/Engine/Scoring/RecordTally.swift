import Bytes
import Records
import Units

/// What a record's counted events are, before any is folded.
struct RecordTally: BitwiseCopyable {
    var events = 0
    var pageViews = 0
    var earliest = Int64.max
    var latest = Int64.min
    var hasSummary = false
    var tellsConsent = false
    var identifies = false

    init(_ header: RecordHeader, _ slice: Slice) {
        slice.forEachEvent { number, event in
            if header.counts(number) { take(event, header.time(of: event)) }
        }
    }

    @inline(__always)
    private mutating func take(_ event: SliceEvent, _ time: Int64) {
        events &+= 1
        earliest = min(earliest, time)
        latest = max(latest, time)
        switch event.kind {
        case .pageView: pageViews &+= 1
        case .pageSummary: hasSummary = true
        case .consent: tellsConsent = true
        case .identify: identifies = true
        default: break
        }
    }
}

extension RecordHeader {
    /// Whether event `number` of the slice is no repeat.
    @inline(__always)
    func counts(_ number: Int) -> Bool { duplicates & (1 << UInt64(number & 63)) == 0 }

    /// An event's time, held within what a record may tell of.
    @inline(__always)
    func time(of event: SliceEvent) -> Int64 {
        let earliest = receivedAt &- PartitionFold.lateMillisecondsMaximum
        return max(earliest, min(receivedAt, event.occurredAt))
    }
}

/// The bits that a consent event tells of.
enum ConsentBits {
    static func read(_ properties: ByteView) -> Consent? {
        var bits: Consent?
        let isValid = forEachKey(properties) { key, cursor throws(JSONError) in
            if key.equals("bits") {
                bits = Consent(rawValue: UInt8(min(255, try cursor.amount())))
            } else {
                _ = try cursor.skip()
            }
        }
        return isValid ? bits : nil
    }
}

/// Ids of sessions that no sender named.
enum SessionID {
    private static let alphabet: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// Twenty-two characters of base64url for 128 bits.
    static func text(of hash: Hash128) -> ShortText {
        let letters = ByteView(alphabet)
        var bytes = InlineArray<22, UInt8>(repeating: 0)
        for index in 0..<22 {
            let shift = 6 * index
            let low = shift < 64 ? hash.low >> UInt64(shift) : hash.high >> UInt64(shift - 64)
            let high = shift < 64 && shift > 58 ? hash.high << UInt64(64 - shift) : 0
            bytes[index] = letters[Int((low | high) & 63)]
        }
        return unsafe withUnsafeBytes(of: bytes) { unsafe ShortText(ByteView($0)) ?? ShortText() }
    }
}

extension VisitorState {
    /// A profiled record of another session than the last: its trend begins, and a session that is
    /// none of the last four counts as a return.
    mutating func openSession(
        _ hash: UInt64,
        _ setting: FoldSetting,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        trend = SessionTrend(session: hash)
        guard entersSession(hash), !setting.withoutDevice else { return }
        signals.add(1, to: .returnCadence, &moment, model)
    }
}
