import Bytes
import Journal
import Loop
import Records
import Scoring
import Storage
import Units

/// Folds what there is of the past anew, as the engine would, outside of it: from the journal where it
/// reaches back to the beginning, else from checkpoints, or from PostgreSQL's rows and then the journal.
final class OfflineFold {
    /// What the fold stands on where the journal begins.
    enum Origin: String {
        /// The journal holds everything.
        case beginning
        /// Checkpoints, and the journal behind them.
        case checkpoints
        /// Rows of PostgreSQL, and the journal behind them.
        case rows
    }

    /// What a record brought about, for whoever compares or counts.
    struct Step {
        let header: RecordHeader
        let slice: Slice
        let effect: FoldEffect
        let fold: Owned<PartitionFold>
        /// What scored it.
        let model: ModelTag
        /// What the record brought about in the folds beside these.
        let beside: FoldEffect?
    }

    /// What was read, and what was not there.
    struct Report {
        var records = 0
        var recordsFromRows = 0
        /// Records that neither rows nor the journal hold: between the last row and the first record.
        var recordsMissing: UInt64 = 0
        var damage: [String] = []
        var damageCount = 0
        /// Records of visitors that were erased and that are still in the journal.
        var recordsErased = 0
    }

    let folds: FoldSet
    /// Partitions' shares of live minutes that erased records counted in: what they were is not known.
    private(set) var erasedShares: Set<LiveMinuteShare> = []
    private let erased: ErasedSubjects
    let origin: Origin
    private(set) var report = Report()
    /// Where each partition's fold stood before the first record of the journal.
    private(set) var base: [UInt64]
    private let reader: Owned<JournalReader>
    private let extent: JournalExtent
    private let rows: EventRows
    private let onProgress: (Int) -> Void
    /// Folds of another scoring file, of the same visitors.
    var beside: FoldSet?
    /// Hears of visitors that are parted from their person, or joined again, on request.
    var onParting: (RecordHeader, FoldEffect, Owned<PartitionFold>) -> Void = { _, _, _ in }
    /// Which records are folded; the others only move positions.
    var isWanted: (RecordHeader, Slice) -> Bool = { _, _ in true }
    private static let recordsPerStep = 4_096

    /// Chooses where to begin. Without `preferring` it is the surest way that there is: the beginning,
    /// else checkpoints unless these were made by other rules than `model` has, else rows.
    init(
        _ stores: DataStores,
        _ rows: EventRows,
        models: ModelTimeline,
        preferring wanted: Origin? = nil,
        mayUseCheckpoints: Bool = true,
        onProgress: @escaping (Int) -> Void
    ) throws {
        self.rows = rows
        self.onProgress = onProgress
        reader = Owned(stores.openReader())
        erased = try ErasedSubjects(data: stores.data)
        extent = try reader.value.extent()
        base = extent.firstOffsets.map { $0 - 1 }
        let takesAll = wanted == nil ? extent.isComplete : wanted == .beginning
        let isAnyTaken = takesAll || wanted == .rows || !mayUseCheckpoints
        if !isAnyTaken, let loaded = try Self.load(stores.checkpoints, extent, models) {
            (folds, base) = (loaded, loaded.offsets)
            origin = loaded.offsets.allSatisfy { $0 == 0 } ? .beginning : .checkpoints
            return
        }
        folds = FoldSet(models: models, worker: 0, of: 1)
        if takesAll, !extent.isComplete {
            throw CommandError("the journal no longer reaches back to the first record")
        }
        origin = extent.isComplete && wanted != .rows ? .beginning : .rows
    }

    /// Records that there are to fold, about.
    var estimatedRecords: Int { extent.estimatedRecords }

    /// Loads of each partition the oldest checkpoint that the journal continues. Nil when there is a
    /// partition without one.
    private static func load(
        _ checkpoints: PartitionCheckpoints,
        _ extent: JournalExtent,
        _ models: ModelTimeline
    ) throws -> FoldSet? {
        let folds = FoldSet(models: models, worker: 0, of: 1)
        var bounds = [UInt64](repeating: 0, count: Partition.count)
        for partition in folds.partitions {
            let first = extent.firstOffsets[Int(partition.index)]
            let usable = try checkpoints.offsets(partition).first { $0 + 1 >= first }
            guard usable != nil || first <= 1 else { return nil }
            bounds[Int(partition.index)] = usable ?? 0
        }
        try folds.load(checkpoints, atOrBefore: bounds)
        let isContinued = zip(folds.offsets, extent.firstOffsets).allSatisfy { $0 + 1 >= $1 }
        return isContinued ? folds : nil
    }

    // MARK: - Folding

    /// Folds everything: rows first where that is the origin, `betweenSources` once they are folded,
    /// then the journal, until every partition has reached `targets`, or to its end.
    func run(
        until targets: [UInt64]? = nil,
        upTo bound: UInt64 = .max,
        betweenSources: () throws -> Void = {},
        _ body: (Step) -> Void
    ) throws {
        if origin == .rows { try foldRows(body) }
        try betweenSources()
        try foldJournal(until: targets, upTo: bound, body)
        // A model may have come in behind a partition's last record.
        folds.refreshModels()
        let damage = reader.value.damage
        (report.damage, report.damageCount) = (damage.first.map(\.description), damage.count)
    }

    /// Folds what an engine has added to the journal since.
    /// `bound` is the number of its last durable record: what lies behind may be half written.
    func follow(upTo bound: UInt64, _ body: (Step) -> Void) throws {
        try foldJournal(until: nil, upTo: bound, body)
    }

    private func foldRows(_ body: (Step) -> Void) throws {
        let positions = try rows.positions()
        try rows.records { header, payload in
            let first = extent.firstOffsets[Int(header.partition.index)]
            guard header.offset < first, let slice = Slice(payload) else { return }
            report.recordsFromRows += 1
            take(header, slice, body)
        }
        for index in 0..<Partition.count where positions[index] < base[index] {
            report.recordsMissing += base[index] - positions[index]
        }
    }

    private func foldJournal(
        until targets: [UInt64]?,
        upTo bound: UInt64,
        _ body: (Step) -> Void
    ) throws {
        var reached = folds.offsets
        func isDone() -> Bool {
            guard let targets else { return false }
            return zip(reached, targets).allSatisfy { $0 >= $1 }
        }
        while !isDone() {
            let progress = try reader.value.read(
                upTo: bound,
                recordsMaximum: Self.recordsPerStep
            ) { record in
                let header = record.header
                reached[Int(header.partition.index)] = header.offset
                guard header.kind == .slice, !record.isErased, let slice = Slice(record.payload)
                else { return pass(record) }
                take(header, slice, body)
            }
            onProgress(report.records)
            if progress.isCaughtUp { return }
        }
    }

    private func pass(_ record: JournalRecord) {
        if record.isErased { erasedShares.insert(LiveMinuteShare(record.header)) }
        beside?.pass(record)
        guard let effect = folds.pass(record) else { return }
        onParting(record.header, effect, folds.fold(record.header.partition))
    }

    private func pass(_ header: RecordHeader) {
        folds.pass(header)
        beside?.pass(header)
    }

    private func take(_ header: RecordHeader, _ slice: Slice, _ body: (Step) -> Void) {
        guard isWanted(header, slice) else { return pass(header) }
        if erased.covers(slice) {
            report.recordsErased += 1
            erasedShares.insert(LiveMinuteShare(header))
            return pass(header)
        }
        report.records += 1
        let other = beside?.apply(header, slice)
        guard let effect = folds.apply(header, slice) else { return }
        body(
            Step(
                header: header,
                slice: slice,
                effect: effect,
                fold: folds.fold(header.partition),
                model: folds.fold(header.partition).value.model.tag,
                beside: other
            )
        )
    }
}

/// One partition's share of one live minute, whatever the site.
struct LiveMinuteShare: Hashable {
    let partition: UInt8
    let minute: Int64

    init(partition: UInt8, minute: Int64) { (self.partition, self.minute) = (partition, minute) }

    init(_ header: RecordHeader) {
        self.init(partition: header.partition.index, minute: header.receivedAt / 60_000)
    }
}

extension FoldSet {
    /// The next record of each of this set's partitions.
    var nextOffsets: [(Partition, UInt64)] {
        partitions.map { ($0, fold($0).value.offset + 1) }
    }

    /// Where each partition's fold stands; index is the partition.
    var offsets: [UInt64] {
        (0..<Partition.count).map { fold(Partition(UInt8($0))).value.offset }
    }
}
