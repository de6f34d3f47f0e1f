import Bytes
import Journal
import Loop
import Records
import Scoring
import Settings
import Units

/// How a fold's visitors leave memory, and what comes of it.
extension FoldSet {
    /// Visitors in memory.
    var visitorCount: Int {
        folds.reduce(0) { $0 + ($1?.value.visitorCount ?? 0) }
    }

    /// Of the partitions for which `isFree`, the one with the most visitors in memory.
    func largest(where isFree: (Partition) -> Bool) -> Partition? {
        var largest: (partition: Partition, count: Int)?
        for partition in partitions where isFree(partition) {
            let count = fold(partition).value.visitorCount
            if count > largest?.count ?? 0 { largest = (partition, count) }
        }
        return largest?.partition
    }

    /// Gathers the states of the partition's visitors unseen for longest: a third of all if they are not
    /// too many, so that each file is worth its while and nobody waits long meanwhile.
    func leavers(
        of partition: Partition,
        into batch: inout ColdBatch,
        isHeld: (Int32) -> Bool
    ) -> [PartitionFold.Leaver] {
        let fold = fold(partition)
        let share = fold.value.visitorCount / Limits.coldShare
        let count = min(max(1, share), Limits.coldLeaversMaximum)
        var gathered = ColdBatch()
        let leavers = fold.value.leavers(count, isHeld: isHeld) { key, time, offset, state in
            gathered.add(ColdEntry(key: key, time: time, offset: offset), state)
        }
        batch = gathered
        return leavers
    }

    /// Lets go of visitors whose states are in `file`.
    func release(
        _ leavers: [PartitionFold.Leaver],
        of partition: Partition,
        to file: ColdFile,
        isHeld: (Int32) -> Bool
    ) {
        shelf(partition).add(file)
        _ = fold(partition).value.release(leavers, isHeld: isHeld)
    }

    /// Brings the visitors in memory down to `maximum` at once, waiting for the disk: for folds that
    /// nobody else waits for.
    func trim(to maximum: Int, _ place: ColdPlace, now: Int64) throws(ColdError) {
        while visitorCount > maximum, let partition = largest(where: { _ in true }) {
            // First, so that files do not pile up where merging fails.
            try merge(partition, place, now: now)
            var batch = ColdBatch()
            let leavers = leavers(of: partition, into: &batch) { _ in false }
            let file = try place.write(partition, batch)
            release(leavers, of: partition, to: file) { _ in false }
        }
    }

    private func merge(
        _ partition: Partition,
        _ place: ColdPlace,
        now: Int64
    ) throws(ColdError) {
        let shelf = shelf(partition)
        guard let run = shelf.mergeRun else { return }
        let merged = try place.merge(
            partition,
            Array(shelf.files.prefix(run)),
            expiry: now - ColdState.keptMilliseconds
        )
        shelf.noteLoss(merged.damagedBlocks)
        shelf.replace(run, with: merged.file)
    }

    /// Everything outside memory.
    var coldSize: ColdSize {
        shelves.reduce(into: ColdSize()) { size, shelf in
            guard let shelf else { return }
            size.states += shelf.count
            size.diskBytes += shelf.diskBytes
            size.memoryBytes += shelf.memoryBytes
            size.reads += shelf.reads
            size.returned += shelf.returned
            size.lost += shelf.lost
        }
    }
}

/// Where a fold that waits for the disk puts its cold files. Owned by the fold's thread.
final class ColdPlace {
    private let checkpoints: PartitionCheckpoints
    private let registry: ColdRegistry?
    private var lastSerial: UInt64 = 0

    /// With a registry, files that checkpoints may list; without one, files that only this process can
    /// see, since their names are removed at once.
    init(_ checkpoints: PartitionCheckpoints, _ registry: ColdRegistry?) {
        self.checkpoints = checkpoints
        self.registry = registry
    }

    func write(_ partition: Partition, _ batch: ColdBatch) throws(ColdError) -> ColdFile {
        let serial = takeSerial(partition)
        let file = try files(partition).write(batch, serial: serial)
        hide(partition, serial)
        return file
    }

    func merge(
        _ partition: Partition,
        _ merged: [ColdFile],
        expiry: Int64
    ) throws(ColdError) -> (file: ColdFile, damagedBlocks: Int) {
        let serial = takeSerial(partition)
        let made = try files(partition).merge(merged, serial: serial, expiry: expiry)
        hide(partition, serial)
        return made
    }

    private func files(_ partition: Partition) -> ColdFiles {
        registry == nil ? checkpoints.scratch(partition) : checkpoints.cold(partition)
    }

    private func takeSerial(_ partition: Partition) -> UInt64 {
        if let registry { return registry.takeSerial(partition) }
        lastSerial += 1
        return lastSerial
    }

    /// A name that stays is removed at the next start.
    private func hide(_ partition: Partition, _ serial: UInt64) {
        if registry == nil { try? checkpoints.scratch(partition).remove(serial) }
    }
}

/// What a fold has outside memory.
struct ColdSize {
    var states = 0
    var diskBytes = 0
    var memoryBytes = 0
    var reads = 0
    var returned = 0
    var lost = 0
}
