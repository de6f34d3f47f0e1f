/// How long to wait before the next attempt: doubling up to a cap, the second half of it random, so
/// that many clients of a returning server do not arrive together.
public struct Backoff: Sendable {
    private var failures: UInt64 = 0

    /// No failure yet.
    public init() {}

    /// The wait after one more failure; `random` is any random number.
    public mutating func next(random: UInt64) -> UInt64 {
        let doubled = StorageLimits.backoffFirstMilliseconds << min(failures, 16)
        let whole = min(doubled, StorageLimits.backoffLongestMilliseconds)
        failures += 1
        return whole / 2 + random % (whole / 2 + 1)
    }

    /// The attempt succeeded: the next failure starts from the first wait again.
    public mutating func succeeded() { failures = 0 }
}
