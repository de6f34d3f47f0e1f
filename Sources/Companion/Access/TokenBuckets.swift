import Settings
import Synchronization
import Units

/// How much each of many may do: so many a minute, and a burst beyond that. Any thread may ask.
final class TokenBuckets: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: Int64
    }

    private let perMillisecond: Double
    private let burst: Double
    private let time: TimeSource
    private let buckets = Mutex<[String: Bucket]>([:])

    init(perMinute: Int, burst: Int? = nil, time: TimeSource) {
        perMillisecond = Double(perMinute) / 60_000
        self.burst = Double(burst ?? perMinute)
        self.time = time
    }

    /// Takes one; seconds to wait when there is none.
    func take(_ name: String) -> Int? { change(name, by: 1) }

    /// Seconds to wait when there is none to take; takes none.
    func look(_ name: String) -> Int? { change(name, by: 0) }

    private func change(_ name: String, by count: Double) -> Int? {
        let now = time.monotonicNanoseconds() / 1_000_000
        return buckets.withLock { buckets in
            // Whoever was forgotten begins with a full bucket; callers are few, attackers are not.
            if buckets.count >= Limits.accessKnownMaximum { buckets = [:] }
            var bucket = buckets[name] ?? Bucket(tokens: burst, filledAt: now)
            let filled = bucket.tokens + Double(now - bucket.filledAt) * perMillisecond
            bucket = Bucket(tokens: min(burst, filled), filledAt: now)
            defer { buckets[name] = bucket }
            guard bucket.tokens >= 1 else {
                return max(1, Int(((1 - bucket.tokens) / perMillisecond / 1_000).rounded(.up)))
            }
            bucket.tokens -= count
            return nil
        }
    }
}
