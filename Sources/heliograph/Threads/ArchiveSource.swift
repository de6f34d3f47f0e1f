import Bytes
import Delivery
import Journal
import Loop
import Records
import Rings
import Scoring
import Storage
import Units

/// One worker's effects on their way to the archive: from the ring while it holds all of them, from a
/// checkpoint and the journal while it does not. Owned by the archive's thread.
final class ArchiveSource {
    /// What refolding needs.
    struct Surroundings {
        let worker: Int
        let workers: Int
        let models: ModelTimeline
        let checkpoints: PartitionCheckpoints
        /// Visitors in memory while refolding, before some leave.
        var visitorsMaximum = Int.max
        var time = TimeSource.real
        let openReader: @Sendable () -> JournalReader
        /// Finds conversions by the settings in force; asked before each step.
        let conversions: @Sendable () -> ConversionFinder
    }

    /// Records refolded before the archive may commit in between.
    private static let recordsPerStep = 4_096

    private let around: Surroundings
    /// Where visitors go while refolding.
    private let place: ColdPlace
    private var finder: ConversionFinder
    private var ring: RingConsumer
    private let feed: RecordFeed
    /// Sequence up to which every record of this worker is in the archive or its batch.
    private var reached: UInt64 = 0
    /// Folds of our own, while the ring has a gap.
    private var folds: FoldSet?
    private var reader: Owned<JournalReader>?
    /// How often everything had to be worked out again; tells a step that it happened under its feet.
    private var restarts = 0
    /// The batch had no room for the next record.
    var hasFullBatch = false

    init(_ around: Surroundings, ring: consuming RingConsumer, feed: RecordFeed) {
        self.around = around
        place = ColdPlace(around.checkpoints, nil)
        finder = around.conversions()
        self.ring = ring
        self.feed = feed
    }

    /// Whether the archive or its batch has everything.
    var isDone: Bool { ring.isEmpty() && reached >= feed.lastSequence }

    /// Sequence numbers between the last record folded and the last one in the archive.
    var lag: Int { Int(feed.lastSequence) - Int(min(reached, feed.lastSequence)) }

    /// The database is not where it was thought to be: everything is worked out again.
    func restart() {
        reached = 0
        restarts += 1
        // The batch that was full is gone: nobody will commit it and say so.
        hasFullBatch = false
        endRefolding()
    }

    /// Moves effects into the archive's batch. True when there were any. `makeRoom` commits the batch.
    func pump(
        into archive: ArchiveWriter,
        makeRoom: () -> Bool,
        onProblem: (String) -> Void
    ) -> Bool {
        if hasFullBatch { return false }
        finder = around.conversions()
        var gap: UInt64?
        let count = ring.drainWhile(limit: Self.recordsPerStep) { frame in
            if frame.first <= reached { return true }
            if frame.second > reached {
                gap = frame.second
                return false
            }
            return add(frame, to: archive)
        }
        if count > 0, gap == nil, folds != nil { endRefolding() }
        if hasFullBatch { return true }
        if gap == nil, ring.isEmpty(), reached < feed.lastSequence { gap = feed.lastSequence }
        guard let gap else { return count > 0 }
        return refold(upTo: gap, into: archive, makeRoom, onProblem) || count > 0
    }

    private func add(_ frame: Frame, to archive: ArchiveWriter) -> Bool {
        guard let header = RecordHeader(frame.body) else {
            invariantFailed("a record from a worker cannot be read", #fileID, #line)
        }
        let effectBytes = frame.body[header.recordLength..<frame.body.count]
        let effect: FoldEffect? =
            effectBytes.isEmpty ? nil : effectBytes.buffer.loadUnaligned(as: FoldEffect.self)
        guard store(header, frame.body, effect, archive) else { return false }
        reached = frame.first
        return true
    }

    private func store(
        _ header: RecordHeader,
        _ record: ByteView,
        _ effect: FoldEffect?,
        _ archive: ArchiveWriter
    ) -> Bool {
        if header.kind == .rejected { return store(rejected: header, record, archive) }
        if header.kind == .parting, let effect {
            let added = archive.add(header: header, parting: effect)
            hasFullBatch = added == .full
            return added != .full
        }
        guard let effect, effect.eventsFolded > 0 || effect.score == .dropped else {
            archive.advance(to: header.position)
            return true
        }
        let payload = record[RecordHeader.size..<RecordHeader.size + header.payloadLength]
        guard let slice = Slice(payload) else {
            invariantFailed("a slice that was folded cannot be read", #fileID, #line)
        }
        let added = add(header, slice, effect, archive)
        if added == .added, effect.link.cause != .none {
            archive.note(header: header, link: effect)
        }
        hasFullBatch = added == .full
        return added != .full
    }

    /// A withdrawal of every consent leaves no event to store, but it must not be forgotten.
    private func add(
        _ header: RecordHeader,
        _ slice: Slice,
        _ effect: FoldEffect,
        _ archive: ArchiveWriter
    ) -> ArchiveWriter.Addition {
        guard effect.eventsFolded > 0 else {
            return archive.add(header: header, withdrawal: slice)
        }
        let point = effect.keepsHistory ? effect.history : nil
        return archive.add(
            header: header,
            slice: slice,
            change: effect.session,
            history: HistoryGain(
                effect,
                around.models.model(header.partition, at: header.offset).model.tag
            ),
            gains: finder.gains(header, slice, point)
        )
    }

    private func store(
        rejected header: RecordHeader,
        _ record: ByteView,
        _ archive: ArchiveWriter
    ) -> Bool {
        let payload = record[RecordHeader.size..<RecordHeader.size + header.payloadLength]
        guard let rejection = Rejection(payload) else {
            // Of another version: no reason to stop for what was refused anyway.
            archive.advance(to: header.position)
            return true
        }
        let added = archive.add(header: header, rejection: rejection)
        hasFullBatch = added == .full
        return added != .full
    }

    // MARK: - Refolding

    /// Works out effects from the journal up to sequence `bound`, a step at a time.
    private func refold(
        upTo bound: UInt64,
        into archive: ArchiveWriter,
        _ makeRoom: () -> Bool,
        _ onProblem: (String) -> Void
    ) -> Bool {
        var isStuck = false
        do {
            let (folds, reader) = try beginRefolding(archive)
            let before = reached
            let progress = try reader.value.read(
                upTo: bound,
                recordsMaximum: Self.recordsPerStep
            ) { record in
                if !isStuck { isStuck = !refold(record, folds, archive, makeRoom) }
            }
            // The fold is ahead of the archive now: begin anew from a checkpoint.
            if isStuck { endRefolding() } else { trim(folds, onProblem) }
            if progress.isCaughtUp, !isStuck { reached = max(reached, bound) }
            return progress.records > 0 || reached > before
        } catch {
            onProblem("the archive cannot be brought up to date from the journal: \(error)")
            return false
        }
    }

    /// Refolding, too, keeps visitors within their memory, unless there is no disk for them.
    private func trim(_ folds: FoldSet, _ onProblem: (String) -> Void) {
        do throws(ColdError) {
            let now = around.time.epochMilliseconds()
            try folds.trim(to: around.visitorsMaximum, place, now: now)
        } catch {
            onProblem("states of idle visitors could not be written: \(error)")
        }
    }

    private func beginRefolding(
        _ archive: ArchiveWriter
    ) throws -> (FoldSet, Owned<JournalReader>) {
        if let folds, let reader { return (folds, reader) }
        let folds = FoldSet(models: around.models, worker: around.worker, of: around.workers)
        let stored = (0..<Partition.count).map { archive.reached(Partition(UInt8($0))) }
        let reader = Owned(around.openReader())
        _ = try reader.value.begin(folds, around.checkpoints, atOrBefore: stored)
        (self.folds, self.reader) = (folds, reader)
        return (folds, reader)
    }

    /// False when the effect could not be stored: the archive is away, or it went back while room was
    /// made, and then this record is not the next that it lacks.
    private func refold(
        _ record: JournalRecord,
        _ folds: FoldSet,
        _ archive: ArchiveWriter,
        _ makeRoom: () -> Bool
    ) -> Bool {
        let header = record.header
        guard folds.owns(header.partition) else { return true }
        var effect: FoldEffect?
        if header.kind == .slice, !record.isErased {
            guard let slice = Slice(record.payload) else { return true }
            effect = folds.apply(header, slice)
        } else {
            effect = folds.pass(record)
        }
        if header.offset > archive.reached(header.partition),
            !store(header, record.raw, effect, archive)
        {
            hasFullBatch = false
            let before = restarts
            guard makeRoom(), restarts == before, store(header, record.raw, effect, archive)
            else { return false }
        }
        reached = max(reached, header.sequence)
        return true
    }

    private func endRefolding() {
        folds = nil
        reader = nil
    }
}
