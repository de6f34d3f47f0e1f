import Bytes
import Journal
import Loop
import Records
import Synchronization

/// Which cold files of each partition there are, and which of them the kept checkpoints need.
///
/// Whoever makes a file takes its serial here first. A file goes when the fold has moved past it and no
/// checkpoint lists it. Shared by the workers and the checkpoint thread; a partition's serials are
/// taken by the worker that owns it, its files removed by the checkpoint thread.
final class ColdRegistry: Sendable {
    private struct Shelf {
        var last: UInt64 = 0
        var present: Set<UInt64> = []
        /// By the offsets of the checkpoints.
        var listed: [UInt64: [UInt64]] = [:]
    }

    private let checkpoints: PartitionCheckpoints
    private let shelves = Mutex([Shelf](repeating: Shelf(), count: Partition.count))

    init(_ checkpoints: PartitionCheckpoints) { self.checkpoints = checkpoints }

    /// Finds out what there is, and removes what a crash has left behind. Before any thread runs.
    func learn() throws(SystemCallError) {
        try checkpoints.removeScratch()
        let serials = try checkpoints.coldSerials()
        for index in 0..<Partition.count {
            shelves.withLock { shelves in
                shelves[index].present = Set(serials[index])
                shelves[index].last = serials[index].max() ?? 0
            }
        }
    }

    /// Reads what the partition's checkpoints list. `offsets` are those of all there are.
    func note(_ partition: Partition, offsets: [UInt64]) throws(SystemCallError) {
        let index = Int(partition.index)
        let known = shelves.withLock { $0[index].listed }
        var listed: [UInt64: [UInt64]] = [:]
        for offset in offsets {
            listed[offset] =
                if let serials = known[offset] { serials } else {
                    try checkpoints.listed(partition, offset: offset)
                }
        }
        shelves.withLock { [listed] in $0[index].listed = listed }
    }

    /// A checkpoint will be written, perhaps over one that lists others.
    func forget(_ partition: Partition, offset: UInt64) {
        shelves.withLock { $0[Int(partition.index)].listed[offset] = nil }
    }

    /// A serial that no file has had since the start.
    func takeSerial(_ partition: Partition) -> UInt64 {
        shelves.withLock { shelves in
            let index = Int(partition.index)
            shelves[index].last += 1
            shelves[index].present.insert(shelves[index].last)
            return shelves[index].last
        }
    }

    /// The serial taken last.
    func lastSerial(_ partition: Partition) -> UInt64 {
        shelves.withLock { $0[Int(partition.index)].last }
    }

    /// Removes the files up to serial `bound` that no checkpoint lists. Returns how many.
    func collect(_ partition: Partition, upTo bound: UInt64) throws(SystemCallError) -> Int {
        let index = Int(partition.index)
        let unneeded = shelves.withLock { shelves in
            let listed = Set(shelves[index].listed.values.joined())
            return shelves[index].present.filter { $0 <= bound && !listed.contains($0) }
        }
        for serial in unneeded {
            do throws(SystemCallError) {
                try checkpoints.cold(partition).remove(serial)
            } catch {
                // A file whose writing failed has never had a name.
                if !error.isMissing { throw error }
            }
            shelves.withLock { _ = $0[index].present.remove(serial) }
        }
        return unneeded.count
    }
}
