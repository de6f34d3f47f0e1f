import Records
import Units

/// Decides when which partition is written to a checkpoint: each that has changed once in an interval,
/// spread evenly over it, and none while many wait to be written. A value without clocks of its own.
struct CheckpointSchedule {
    /// Checkpoints that may wait to be written before no more are made.
    static let backlogMaximum = 32

    private let partitions: [Partition]
    private let intervalMilliseconds: Int64
    private let spacingMilliseconds: Int64
    private var isDirty = [Bool](repeating: false, count: Partition.count)
    private var writtenAt: [Int64]
    private var cursor: Int
    private var lastAt: Int64

    /// Everything is due at once, in as many steps as ever, and begins anywhere: an engine that is
    /// killed again and again before an interval has passed still gets on, some partitions each time.
    init(partitions: [Partition], everyMilliseconds interval: Int, nowMilliseconds: Int64) {
        self.partitions = partitions
        intervalMilliseconds = Int64(interval)
        spacingMilliseconds = Int64(interval / max(partitions.count, 1))
        lastAt = nowMilliseconds
        writtenAt = Array(repeating: nowMilliseconds - Int64(interval), count: Partition.count)
        cursor = Int(nowMilliseconds % Int64(max(partitions.count, 1)))
    }

    /// The partition has changed since its last checkpoint.
    @inline(__always)
    mutating func touch(_ partition: Partition) { isDirty[Int(partition.index)] = true }

    /// The partition whose turn it is now, if any.
    mutating func next(nowMilliseconds now: Int64, backlog: Int) -> Partition? {
        guard backlog < Self.backlogMaximum, now - lastAt >= spacingMilliseconds else { return nil }
        for _ in 0..<partitions.count {
            let partition = partitions[cursor]
            cursor = (cursor + 1) % partitions.count
            let index = Int(partition.index)
            guard isDirty[index], now - writtenAt[index] >= intervalMilliseconds else { continue }
            isDirty[index] = false
            writtenAt[index] = now
            // Time that was missed is not made up for at once, so that a pause ends without a burst.
            lastAt = max(lastAt + spacingMilliseconds, now - spacingMilliseconds)
            return partition
        }
        lastAt = now
        return nil
    }

    /// The partitions that have changed since their last checkpoint.
    var dirtyPartitions: [Partition] { partitions.filter { isDirty[Int($0.index)] } }
}
