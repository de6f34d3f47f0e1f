import BenchLoad
import CBench
import Dispatch
import Foundation
import Histogram
import Synchronization

/// What the watched beacons showed.
struct FreshnessOutcome: Sendable {
    /// From the send of a beacon to the reply in which Redis showed it.
    var times = latencyHistogram()
    /// How much of each time may be the probe's own: since it last looked and did not see it.
    var resolutions = latencyHistogram()
    /// Beacons that Redis did not show within the time limit; they count with that limit.
    var unseen = 0
    /// Set when the probe had to give up.
    var failure: String?
}

/// Watches sample beacons appear in Redis.
///
/// Watched visitors send nothing else, so a visitor hash whose `updated` (the receive time of
/// the last record folded) is at or after the send shows that this beacon was folded. The clock
/// is the same machine's. The probe asks only while a sample is pending, and stamps a sample
/// before the bytes are written, so that its errors make the figure larger and never smaller.
final class FreshnessProbe: Sendable {
    private let state = Mutex(Shared())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private let run: RunIdentity

    /// What the load thread tells the probe's thread.
    private struct Shared {
        var news: [News] = []
        var stops = false
        var outcome = FreshnessOutcome()
    }

    fileprivate enum News {
        case sent(Sample)
        case forgotten(UInt32)
    }

    fileprivate struct Sample {
        var visitor: UInt32
        var sentAtEpochMilliseconds: Int64
        var sentAtNanoseconds: Int64
        var unseenAtNanoseconds: Int64
    }

    enum Limits {
        /// Time between two looks at Redis.
        static let stepNanoseconds: Int64 = 250_000
        /// A sample that Redis has not shown after this time is given up.
        static let patienceNanoseconds: Int64 = 10_000_000_000
        /// Samples asked for in one look, oldest first.
        static let samplesPerLook = 32
    }

    /// Starts the probe's thread.
    init(address: RedisAddress, run: RunIdentity) throws(BenchFailure) {
        self.run = run
        // Fails here, before the load begins, when Redis cannot be reached.
        _ = try RedisReader.connect(address)
        let thread = Thread { [self] in watch(address) }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// The beacon of `visitor` is about to be written.
    func expect(_ visitor: UInt32) {
        let now = Clock.monotonicNanoseconds()
        let sample = Sample(
            visitor: visitor,
            sentAtEpochMilliseconds: Clock.epochMilliseconds(),
            sentAtNanoseconds: now,
            unseenAtNanoseconds: now
        )
        state.withLock { $0.news.append(.sent(sample)) }
        wakeUp.signal()
    }

    /// The beacon of `visitor` was not taken.
    func forget(_ visitor: UInt32) {
        state.withLock { $0.news.append(.forgotten(visitor)) }
        wakeUp.signal()
    }

    /// What was seen since the last call.
    func takeOutcome() -> FreshnessOutcome {
        state.withLock { shared in
            let outcome = shared.outcome
            shared.outcome = FreshnessOutcome()
            return outcome
        }
    }

    /// Ends the thread.
    func stop() {
        state.withLock { $0.stops = true }
        wakeUp.signal()
        finished.wait()
    }
}

// MARK: - The probe's thread

extension FreshnessProbe {
    private func watch(_ address: RedisAddress) {
        cbench_name_thread("bench-probe")
        cbench_precise_timers()
        do {
            try look(RedisReader.connect(address))
        } catch {
            state.withLock { $0.outcome.failure = "\(error)" }
        }
        finished.signal()
    }

    private func look(_ redis: consuming RedisReader) throws(BenchFailure) {
        var pending: [Sample] = []
        while true {
            guard takeNews(into: &pending) else { return }
            if pending.isEmpty {
                wakeUp.wait()
                continue
            }
            let start = Clock.monotonicNanoseconds()
            let seen = try ask(redis, &pending)
            let now = Clock.monotonicNanoseconds()
            let gone = giveUp(&pending, now)
            if !seen.isEmpty || !gone.isEmpty { publish(seen, gone, now) }
            let rest = Limits.stepNanoseconds - (now - start)
            if rest > 0 { Clock.sleep(nanoseconds: rest) }
        }
    }

    /// Takes what the load thread said; false when it said to stop.
    private func takeNews(into pending: inout [Sample]) -> Bool {
        let (news, stops) = state.withLock { shared in
            let news = shared.news
            shared.news.removeAll(keepingCapacity: true)
            return (news, shared.stops)
        }
        for item in news {
            switch item {
            case .sent(let sample): pending.append(sample)
            case .forgotten(let visitor): pending.removeAll { $0.visitor == visitor }
            }
        }
        return !stops
    }

    /// Asks for the oldest samples and takes those out that Redis shows.
    private func ask(
        _ redis: borrowing RedisReader,
        _ pending: inout [Sample]
    ) throws(BenchFailure) -> [Sample] {
        let askedAt = Clock.monotonicNanoseconds()
        let count = min(pending.count, Limits.samplesPerLook)
        for sample in pending[..<count] {
            redis.append(["HGET", "hg:demo:v:{\(run.device(sample.visitor).text)}", "updated"])
        }
        var seen: [Sample] = []
        var kept: [Sample] = []
        for var sample in pending[..<count] {
            let updated = try redis.reply().flatMap { Int64($0) } ?? 0
            if updated >= sample.sentAtEpochMilliseconds {
                seen.append(sample)
            } else {
                sample.unseenAtNanoseconds = askedAt
                kept.append(sample)
            }
        }
        pending.replaceSubrange(..<count, with: kept)
        return seen
    }

    private func giveUp(_ pending: inout [Sample], _ now: Int64) -> [Sample] {
        let tooOld = { (sample: Sample) in
            now - sample.sentAtNanoseconds > Limits.patienceNanoseconds
        }
        let gone = pending.filter(tooOld)
        if !gone.isEmpty { pending.removeAll(where: tooOld) }
        return gone
    }

    private func publish(_ seen: [Sample], _ gone: [Sample], _ now: Int64) {
        state.withLock { shared in
            for sample in seen {
                shared.outcome.times.record(nanoseconds: now - sample.sentAtNanoseconds)
                shared.outcome.resolutions.record(nanoseconds: now - sample.unseenAtNanoseconds)
            }
            for _ in gone { shared.outcome.times.record(nanoseconds: Limits.patienceNanoseconds) }
            shared.outcome.unseen += gone.count
        }
    }
}
