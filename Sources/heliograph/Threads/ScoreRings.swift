import Rings
import Settings

/// A ring from every worker to every listener, for scores that a beacon's sender waits for. Each end
/// is handed to one thread before it starts.
struct ScoreRings {
    /// By worker, then by listener.
    private(set) var senders: [[Owned<ScoreSender>]] = []
    /// By listener, then by worker.
    private(set) var receivers: [[Owned<RingConsumer>]]

    /// The rings of `workers` workers to the listeners that `wakers` wake.
    init(workers: Int, wakers: [Waker]) {
        receivers = wakers.map { _ in [] }
        for _ in 0..<workers {
            var ways: [Owned<ScoreSender>] = []
            for (listener, waker) in wakers.enumerated() {
                let ring = ByteRing.make(capacity: Limits.scoreRingBytes)
                receivers[listener].append(Owned(ring.consumer))
                ways.append(Owned(ScoreSender(ring: ring.producer, waker: waker)))
            }
            senders.append(ways)
        }
    }
}
