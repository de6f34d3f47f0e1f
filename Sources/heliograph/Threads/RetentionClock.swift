import Settings
import Units

/// When rows and days that are older than they may be are taken away. Owned by the thread that does it.
///
/// What is taken does not come back, so a clock is believed only after an hour in which it went on like
/// the machine's own count: not right after a start, and not right after a jump.
struct RetentionClock {
    /// What a clock may be put right by within an hour.
    private static let driftMillisecondsMaximum: Int64 = 60_000
    private static let dayMilliseconds: Int64 = 86_400_000

    /// What both clocks said at the last look; nil before the first.
    private var last: (monotonic: Int64, wall: Int64)?

    /// Today, counted from 1970-01-01, when it is time to take away what is too old on it.
    mutating func due(at time: TimeSource) -> Int32? {
        let monotonic = time.monotonicNanoseconds() / 1_000_000
        let wall = time.epochMilliseconds()
        guard let last else {
            self.last = (monotonic, wall)
            return nil
        }
        let passed = monotonic - last.monotonic
        guard passed >= Limits.retentionEveryMilliseconds else { return nil }
        self.last = (monotonic, wall)
        guard abs(wall - last.wall - passed) <= Self.driftMillisecondsMaximum else { return nil }
        return Int32(clamping: wall / Self.dayMilliseconds)
    }
}
