public import Bytes
public import Records
import Rings
import Settings
import Units

/// How much a batch would be missed, from its most important event (design I6).
public enum Importance: UInt8, Comparable, BitwiseCopyable, Sendable {
    /// Nothing but summaries of pages: the next one says nearly the same.
    case summaries
    /// What visitors do.
    case ordinary
    /// Conversions, identification, consent: shed only with the last of the disk.
    case precious

    /// Of several, the greatest counts.
    public static func < (one: Importance, other: Importance) -> Bool {
        one.rawValue < other.rawValue
    }

    /// The importance of one event; `name` is that of a custom event.
    public init(_ kind: EventKind, name: ByteView) {
        switch kind {
        case .pageSummary: self = .summaries
        case .identify, .consent: self = .precious
        case .custom: self = Self.isConversion(name) ? .precious : .ordinary
        case .pageView, .click, .form, .navigation: self = .ordinary
        }
    }

    /// The importance of a slice: its most important event's.
    public init(_ slice: Slice) {
        var most = Importance.summaries
        slice.forEachEvent { _, event in
            most = max(most, Importance(event.kind, name: event.name))
        }
        self = most
    }

    /// The steps of a purchase and a lead, as the SDK's helpers and servers' trackers name them.
    private static func isConversion(_ name: ByteView) -> Bool {
        for word in conversions where name.equalsIgnoringCase(word) { return true }
        return false
    }

    private static let conversions: [StaticString] = [
        "purchase", "order_completed", "order completed", "begin_checkout", "checkout started",
        "add_payment_info", "add_to_cart", "product added", "generate_lead", "lead", "sign_up",
        "signed up", "subscribe", "start_trial", "refund", "order refunded",
    ]
}

/// How close the engine is to a limit, from the ring to the journal and the journal's disk.
public enum Pressure: UInt8, Comparable, BitwiseCopyable, Sendable {
    /// Everything is taken.
    case none
    /// Summaries of visitors not known as warm are shed.
    case high
    /// Only what is precious is taken.
    case severe

    /// Of two, the greater holds.
    public static func < (one: Pressure, other: Pressure) -> Bool { one.rawValue < other.rawValue }

    /// The pressure when `used` of `whole` are taken.
    public init(used: Int, of whole: Int) {
        let percent = whole > 0 ? used / max(1, whole / 100) : 0
        if percent >= Limits.sheddingSeverePercent {
            self = .severe
        } else {
            self = percent >= Limits.sheddingHighPercent ? .high : .none
        }
    }

    /// Whether a batch is shed. `isWarm` is asked only when it decides.
    public func sheds(_ importance: Importance, isWarm: () -> Bool) -> Bool {
        switch self {
        case .none: return false
        case .high: return importance == .summaries && !isWarm()
        case .severe: return importance != .precious
        }
    }
}

/// Which visitors have been warm or hot since the start, as workers tell and listeners ask: a bit for
/// each hash. Two visitors may share one, and then the summaries of both are kept.
public final class WarmVisitors: Sendable {
    private let words = AtomicWords(count: Limits.warmVisitorBits / 64)
    private let key = HashKey.random()

    /// Nobody is warm.
    public init() {}

    /// Notes that a visitor is warm.
    public func note(visitor: ByteView) {
        let (index, bit) = place(visitor)
        while true {
            let word = words.load(index)
            if word & bit != 0 || words.replace(index, word, by: word | bit) { return }
        }
    }

    /// Whether a visitor was noted.
    public func contains(visitor: ByteView) -> Bool {
        let (index, bit) = place(visitor)
        return words.load(index) & bit != 0
    }

    private func place(_ visitor: ByteView) -> (index: Int, bit: UInt64) {
        let hash = visitor.hash128(key: key).low
        let number = Int(hash & UInt64(Limits.warmVisitorBits - 1))
        return (number >> 6, 1 << UInt64(number & 63))
    }
}
