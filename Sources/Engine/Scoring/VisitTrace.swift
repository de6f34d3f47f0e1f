import Records

/// What live minutes need to know of a visitor so that nobody is counted twice in a minute, nor a
/// session twice.
struct VisitTrace: BitwiseCopyable, Sendable {
    /// Minutes back from the latest that are remembered.
    private static let minutesRemembered: UInt32 = 64

    /// The latest minute that the visitor was counted in.
    private var latest: UInt32 = 0
    /// Bit i is set when it was counted in the minute i before `latest`.
    private var counted: UInt64 = 0
    /// The last four sessions counted, by hash.
    private var sessions = InlineArray<4, UInt64>(repeating: 0)
    private var nextSession: UInt8 = 0
    /// One more than the band that the visitor counts for in `latest`; 0 for none.
    private var band: UInt8 = 0

    /// Notes a record of the minute. True when the visitor is to be counted in it: it was not yet,
    /// and the minute is not so long before its latest that nobody remembers.
    mutating func enters(_ minute: UInt32) -> Bool {
        if minute > latest {
            let shift = minute - latest
            counted = shift < Self.minutesRemembered ? counted << UInt64(shift) | 1 : 1
            (latest, band) = (minute, 0)
            return true
        }
        let back = latest - minute
        guard back < Self.minutesRemembered, counted & (1 << UInt64(back)) == 0 else {
            return false
        }
        counted |= 1 << UInt64(back)
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
        guard minute == latest else { return isNew ? nil : next }
        let last = band == 0 ? nil : Band(rawValue: band - 1)
        band = next.map { $0.rawValue + 1 } ?? 0
        return last
    }

    /// For checkpoints: every field in a fixed order.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&latest)
        coder.field(&counted)
        for index in 0..<4 { coder.field(&sessions[index]) }
        coder.field(&nextSession)
        coder.field(&band)
    }
}
