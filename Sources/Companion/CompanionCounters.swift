import Synchronization
import Telemetry

/// The companion's counters. Its requests run on many threads, and a block has one writer, so
/// writers take turns; none of this is on an event's way.
final class CompanionCounters: Sendable {
    private let block: Mutex<CounterBlock>

    init(_ metrics: Metrics) { block = Mutex(metrics.makeBlock(thread: "hg-companion")) }

    func add(_ counter: Counter) { block.withLock { $0.add(counter) } }

    /// Shows the hub's open streams.
    func observe(_ hub: LiveHub, _ metrics: Metrics) {
        metrics.observe(.companionStreamsOpen) { Int64(hub.readerCounts.open) }
    }
}
