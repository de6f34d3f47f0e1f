import Records

/// What live minutes need to know of a visitor so that nobody is counted twice in a minute, nor a
/// session twice.
struct VisitTrace: BitwiseCopyable, Sendable {
    /// An hour of minutes in which the visitor was counted.
    private struct Hour: BitwiseCopyable {
        /// Minutes back from the latest that are remembered.
        static let span: UInt32 = 64

        var latest: UInt32 = 0
        /// Bit i is set when the visitor was counted in the minute i before `latest`.
        var counted: UInt64 = 0

        init(_ minute: UInt32) { (latest, counted) = (minute, 1) }

        init() {}

        /// Whether the visitor was counted in the minute, as far as is remembered.
        func has(_ minute: UInt32) -> Bool {
            guard minute <= latest, latest - minute < Self.span else { return false }
            return counted & (1 << UInt64(latest - minute)) != 0
        }

        /// Whether the minute can be noted without forgetting another.
        func takes(_ minute: UInt32) -> Bool {
            if minute <= latest { return latest - minute < Self.span }
            return minute - latest <= UInt32(counted.leadingZeroBitCount % Int(Self.span))
        }

        /// Notes a minute that it takes.
        mutating func note(_ minute: UInt32) {
            if minute > latest {
                counted <<= UInt64(minute - latest)
                latest = minute
            }
            counted |= 1 << UInt64(latest - minute)
        }
    }

    /// The hour that records come for, and the one before, which clocks may go back to.
    private var hour = Hour()
    private var other = Hour()
    /// The minute that `band` is about, and one more than the band that the visitor counts for there;
    /// 0 for none.
    private var bandMinute: UInt32 = 0
    private var band: UInt8 = 0
    /// The last four sessions counted, by hash.
    private var sessions = InlineArray<4, UInt64>(repeating: 0)
    private var nextSession: UInt8 = 0

    /// Notes a record of the minute. True when the visitor is to be counted in it.
    mutating func enters(_ minute: UInt32) -> Bool {
        let isNew = notes(minute)
        if isNew, minute >= bandMinute || bandMinute - minute >= Hour.span {
            (bandMinute, band) = (minute, 0)
        }
        return isNew
    }

    private mutating func notes(_ minute: UInt32) -> Bool {
        if hour.has(minute) || other.has(minute) { return false }
        if !hour.takes(minute) {
            swap(&hour, &other)
            if !hour.takes(minute) { hour = Hour(minute) }
        }
        hour.note(minute)
        return true
    }

    /// Notes a session. True when it is none of the last four.
    mutating func begins(_ session: UInt64) -> Bool {
        for index in 0..<4 where sessions[index] == session { return false }
        sessions[Int(nextSession & 3)] = session
        nextSession = (nextSession &+ 1) & 3
        return true
    }

    /// Notes the band after a record of `minute`; the band that the visitor counted for there until
    /// now. In a minute before the latest the first band stays, and then the answer is `next`.
    mutating func changes(to next: Band?, in minute: UInt32, isNew: Bool) -> Band? {
        guard minute == bandMinute else { return isNew ? nil : next }
        let last = band == 0 ? nil : Band(rawValue: band - 1)
        band = next.map { $0.rawValue + 1 } ?? 0
        return last
    }

    /// For checkpoints: every field in a fixed order.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&hour.latest)
        coder.field(&hour.counted)
        coder.field(&other.latest)
        coder.field(&other.counted)
        coder.field(&bandMinute)
        coder.field(&band)
        for index in 0..<4 { coder.field(&sessions[index]) }
        coder.field(&nextSession)
    }
}
