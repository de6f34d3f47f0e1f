import Bytes
import Journal
import Loop
import Records
import Scoring
import Settings
import Units

/// The folds of the partitions that one worker owns, and how they come from checkpoints.
///
/// The same set serves the live worker, recovery, and the archive's own refolding: a record goes in,
/// an effect comes out. Owned by one thread.
final class FoldSet {
    let models: ModelTimeline
    /// The first offset of each partition that its fold's model does not score.
    private var modelEnds = [UInt64](repeating: .max, count: Partition.count)
    /// How often the models had changed when they were last looked at.
    private(set) var modelChanges: Int
    private(set) var folds: [Owned<PartitionFold>?]
    /// The states of each fold that are not in memory.
    let shelves: [ColdShelf?]
    /// Whether a checkpoint was there that could not be used as it is.
    private(set) var isPastPassedOver = false
    /// Whether the record last applied waits for a state that cannot be read now: nothing has changed,
    /// and it is to be applied again.
    private(set) var isStuck = false
    /// Examples whose outcome came to be known from this sequence on are kept.
    private var examplesFrom = UInt64.max
    let worker: Int
    private let workers: Int

    /// Empty folds for the partitions of worker number `worker` of `workers`.
    init(models: ModelTimeline, worker: Int, of workers: Int) {
        self.models = models
        modelChanges = models.changes
        let model = models.latest
        self.worker = worker
        self.workers = workers
        let shelves = (0..<Partition.count).map { index in
            index % workers == worker ? ColdShelf() : nil
        }
        self.shelves = shelves
        folds = shelves.map { shelf in
            shelf.map { Self.attached(PartitionFold(model: model), to: $0) }
        }
        refreshModels()
    }

    /// Folds by one model for everything that ever was.
    convenience init(model: ScoringModel, worker: Int, of workers: Int) {
        self.init(models: ModelTimeline(model), worker: worker, of: workers)
    }

    /// The newest model.
    var model: ScoringModel { models.latest }

    /// Takes up what has changed in the list of models: each fold gets the one for its next record.
    func refreshModels() {
        modelChanges = models.changes
        for partition in partitions {
            place(partition, next: fold(partition).value.offset + 1)
        }
    }

    private func place(_ partition: Partition, next offset: UInt64) {
        let fold = fold(partition)
        let found = models.model(partition, at: offset)
        if fold.value.model !== found.model { fold.value.score(by: found.model) }
        modelEnds[Int(partition.index)] = found.until
    }

    private static func attached(
        _ fold: consuming PartitionFold,
        to shelf: ColdShelf
    ) -> Owned<PartitionFold> {
        let owned = Owned(fold)
        owned.value.attach { key, buffer in shelf.recall(key, &buffer) }
        return owned
    }

    /// From now on a record whose state cannot be read is the caller's to bring again.
    func stopWaitingForDisk() {
        for shelf in shelves { shelf?.waitsForDisk = false }
    }

    /// The cold files of one of this set's partitions.
    func shelf(_ partition: Partition) -> ColdShelf {
        guard let shelf = shelves[Int(partition.index)] else {
            invariantFailed("cold files of a partition of somebody else", #fileID, #line)
        }
        return shelf
    }

    /// The partitions of this set.
    var partitions: [Partition] {
        (0..<Partition.count).filter { $0 % workers == worker }.map { Partition(UInt8($0)) }
    }

    /// The fold of one of this set's partitions.
    func fold(_ partition: Partition) -> Owned<PartitionFold> {
        guard let fold = folds[Int(partition.index)] else {
            invariantFailed("a record reached a worker that does not own it", #fileID, #line)
        }
        return fold
    }

    /// Whether this set owns the partition.
    func owns(_ partition: Partition) -> Bool { folds[Int(partition.index)] != nil }

    /// Folds a record. Nil when it has been folded before, changes nothing, or waits: see `isStuck`.
    func apply(_ header: RecordHeader, _ slice: Slice) -> FoldEffect? {
        let fold = fold(header.partition)
        isStuck = false
        guard header.offset > fold.value.offset else { return nil }
        if modelChanges != models.changes { refreshModels() }
        if header.offset >= modelEnds[Int(header.partition.index)] {
            place(header.partition, next: header.offset)
        }
        let effect = fold.value.apply(header, slice)
        isStuck = fold.value.offset != header.offset
        return effect
    }

    /// Passes a record that is no visitor's and changes nothing but the position.
    func pass(_ header: RecordHeader) {
        let fold = fold(header.partition)
        if header.offset > fold.value.offset { fold.value.pass(header) }
    }

    /// Forgets a visitor, in memory and among the states that have left it.
    func erase(_ header: RecordHeader, _ erasure: Erasure) {
        let fold = fold(header.partition)
        guard header.offset > fold.value.offset else { return }
        if let key = fold.value.erase(header, erasure) { shelf(header.partition).erase(key) }
    }

    /// Parts a visitor from its person, or joins it again. Nil when it has been done before, changes
    /// nothing, or waits: see `isStuck`.
    func part(_ header: RecordHeader, _ order: Erasure) -> FoldEffect? {
        let fold = fold(header.partition)
        isStuck = false
        guard header.offset > fold.value.offset else { return nil }
        let effect = fold.value.part(header, order)
        isStuck = fold.value.offset != header.offset
        return effect
    }

    /// Takes a record that is no slice: one without a visitor changes nothing but the position.
    @discardableResult
    func pass(_ record: JournalRecord) -> FoldEffect? {
        if !record.isErased, let order = Erasure(record) {
            if record.header.kind == .parting { return part(record.header, order) }
            erase(record.header, order)
        } else {
            pass(record.header)
        }
        return nil
    }

    /// Loads of each partition the newest checkpoint that stands at or before `bounds`. Those of other
    /// fold rules are passed over, unless `keepingOldSums`, and so are those whose cold files are not
    /// all there.
    func load(
        _ checkpoints: PartitionCheckpoints,
        atOrBefore bounds: [UInt64],
        keepingOldSums: Bool = false
    ) throws(SystemCallError) {
        var buffer = ByteBuffer(capacity: 1 << 20, limit: 1 << 30)
        for partition in partitions {
            var loader = CheckpointLoader(
                checkpoints: checkpoints,
                partition: partition,
                model: model,
                takesWhatThereIs: keepingOldSums
            )
            let bound = bounds[Int(partition.index)]
            let loaded = try loader.load(atOrBefore: bound, &buffer, into: shelf(partition))
            if loader.isAnyPassedOver { isPastPassedOver = true }
            guard let loaded else { continue }
            folds[Int(partition.index)] = Self.attached(loaded.take(), to: shelf(partition))
            fold(partition).value.wantExamples(from: examplesFrom)
            place(partition, next: fold(partition).value.offset + 1)
        }
    }

    /// From now on examples whose outcome came to be known by the record of `sequence` or a later one are
    /// kept; those before are not needed any more.
    func wantExamples(from sequence: UInt64) {
        examplesFrom = sequence
        for partition in partitions { fold(partition).value.wantExamples(from: sequence) }
    }

    /// Appends what a checkpoint of the partition holds.
    func serialize(_ partition: Partition, into buffer: inout ByteBuffer) {
        let fold = fold(partition)
        ColdList(key: fold.value.key, serials: shelf(partition).serials).write(to: &buffer)
        fold.value.serialize(into: &buffer)
    }

    /// Where the journal must be read from; partitions of others are not wanted at all.
    var start: JournalStart {
        .offsets(
            folds.map { fold in
                guard let fold else { return UInt64.max }
                return fold.value.offset + 1
            }
        )
    }

    /// Visitors in all partitions, and the bytes they take.
    var size: (visitors: Int, bytes: Int) {
        folds.reduce((0, 0)) { sum, fold in
            guard let fold else { return sum }
            return (sum.0 + fold.value.visitorCount, sum.1 + fold.value.memoryBytes)
        }
    }

    /// Examples whose outcome is not known yet, and those that wait to be learned from.
    var examples: (open: Int, closed: Int) {
        folds.reduce((0, 0)) { sum, fold in
            guard let found = fold?.value.examples else { return sum }
            return (sum.0 + found.open, sum.1 + found.closed)
        }
    }

    /// Bytes that live minutes take in all partitions, and how many were let go for lack of room.
    var minutes: (bytes: Int, letGo: Int) {
        folds.reduce((0, 0)) { sum, fold in
            guard let fold else { return sum }
            return (sum.0 + fold.value.minuteBytes, sum.1 + fold.value.minutesLetGo)
        }
    }
}

extension Erasure {
    /// The order that a record carries; nil when it is of another kind.
    init?(_ record: JournalRecord) {
        guard record.header.kind == .erasure || record.header.kind == .parting else { return nil }
        self.init(record.payload)
    }
}

extension JournalReader {
    /// Loads into empty `folds` the checkpoints at or before `bounds` and goes to where these stand.
    ///
    /// When the journal no longer reaches back so far, checkpoints of other fold rules are better than
    /// no past at all. When even that does not help, as after the journal's folder was lost, the
    /// reading begins with the oldest record there is. False in that case.
    mutating func begin(
        _ folds: FoldSet,
        _ checkpoints: PartitionCheckpoints,
        atOrBefore bounds: [UInt64]
    ) throws -> Bool {
        try folds.load(checkpoints, atOrBefore: bounds)
        if try reaches(folds) { return true }
        if folds.isPastPassedOver {
            try folds.load(checkpoints, atOrBefore: bounds, keepingOldSums: true)
            if try reaches(folds) { return true }
        }
        try seek(.oldest)
        return false
    }

    /// Goes to where the folds stand. False when the journal does not reach back to there.
    private mutating func reaches(_ folds: FoldSet) throws(JournalError) -> Bool {
        do throws(JournalError) {
            try seek(folds.start)
            return true
        } catch {
            guard error == .positionGone else { throw error }
            return false
        }
    }
}
