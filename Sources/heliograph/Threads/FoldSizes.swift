import Scoring
import Settings
import Telemetry

/// What a worker's folds take up, told to the counters now and then. Owned by the worker's thread.
struct FoldSizes {
    /// Looks at every partition, so not at every tick.
    private static let everyMilliseconds: Int64 = 5_000

    let counters: CounterBlock
    /// The desk is all workers': one of them tells of it.
    let desk: IdentityDesk?
    private var dueAt: Int64 = 0
    /// What has been counted of visitors outside memory.
    private var coldCounted = ColdSize()

    init(_ counters: CounterBlock, desk: IdentityDesk?) {
        self.counters = counters
        self.desk = desk
    }

    /// Measures `folds` when it is time to; `now` in monotonic milliseconds.
    mutating func tell(_ folds: FoldSet, now: Int64) {
        guard now >= dueAt else { return }
        dueAt = now + Self.everyMilliseconds
        let size = folds.size
        counters.set(.visitorsTracked, size.visitors)
        counters.set(.visitorBytes, size.bytes)
        let minutes = folds.minutes
        counters.set(.liveMinuteBytes, minutes.bytes)
        counters.set(.liveMinutesLetGo, minutes.letGo)
        if let desk {
            counters.set(.identityCopies, desk.copies)
            counters.set(.identityCopiesLetGo, desk.letGo)
        }
        tellCold(folds.coldSize)
    }

    private mutating func tellCold(_ cold: ColdSize) {
        counters.set(.visitorsCold, cold.states)
        counters.set(.coldDiskBytes, cold.diskBytes)
        counters.set(.coldMemoryBytes, cold.memoryBytes)
        counters.add(.coldReads, cold.reads - coldCounted.reads)
        counters.add(.coldReturned, cold.returned - coldCounted.returned)
        counters.add(.coldLost, cold.lost - coldCounted.lost)
        coldCounted = cold
    }
}
