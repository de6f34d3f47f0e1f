import Bytes
import Companion
import Records
import Scoring
import Storage
import Units

/// Redis' visitors held against what folding the journal gives: each at the record that its hash says
/// it stands at, so that the engine may go on writing meanwhile.
final class LiveVerification {
    private struct Held {
        let entry: LiveModelScan.Entry
        /// Compared already.
        var isSettled = false
    }

    /// How far Redis claimed to be before it was read.
    let positions: [UInt64]
    private let now: Int64
    private let models: ModelTimeline
    private let learned: LearnedFiles
    /// Editions that were asked for; nil for one that is no longer kept.
    private var editions: [UInt64: LearnedBook?] = [:]
    private let scan: LiveModelScan
    private var held: [Hash128: Held] = [:]
    /// Visitors whose score Redis must have, and what they are called.
    private var missing: [Hash128: String] = [:]
    private var part = VerifiedPart("visitors in Redis")
    private var persons = PersonVerification()
    private let key = HashKey.random()
    private var scratch = ByteBuffer(capacity: 256)
    private var state = ByteBuffer(capacity: PackedState.bytesMaximum)

    /// Reads Redis. Positions are read first: what they claim must be in the hashes read after them.
    /// A hash tells by which of the models it was written.
    init(
        _ scan: LiveModelScan,
        _ models: ModelTimeline,
        _ learned: LearnedFiles,
        now: Int64
    ) throws(LiveModelScan.Failure) {
        (self.models, self.learned, self.scan) = (models, learned, scan)
        positions = try scan.positions(count: Partition.count)
        self.now = now
        var found: [Hash128: Held] = [:]
        try scan.visitors { entry in found[hash(entry)] = Held(entry: entry) }
        held = found
    }

    /// How far Redis is, for the fold to reach.
    var targets: [UInt64] {
        var targets = positions
        for held in held.values {
            var visitor = ByteBuffer(capacity: 64)
            visitor.append(text: held.entry.visitor)
            let index = Int(Partition(visitor: visitor.view).index)
            targets[index] = max(targets[index], held.entry.position)
        }
        return targets
    }

    private func hash(_ entry: LiveModelScan.Entry) -> Hash128 {
        scratch.reset()
        scratch.append(text: entry.site)
        scratch.append(0)
        scratch.append(text: entry.visitor)
        return scratch.view.hash128(key: key)
    }

    private static func short(_ text: String) -> ShortText? {
        var bytes = ByteBuffer(capacity: 64)
        bytes.append(text: text)
        return ShortText(bytes.view)
    }

    private func hash(_ site: ByteView, _ visitor: ByteView) -> Hash128 {
        scratch.reset()
        scratch.append(site)
        scratch.append(0)
        scratch.append(visitor)
        return scratch.view.hash128(key: key)
    }

    /// Compares those whose last record lies before where the fold began.
    func takeLoaded(_ folds: FoldSet) {
        for (hash, visitor) in held {
            guard let site = Self.short(visitor.entry.site),
                let name = Self.short(visitor.entry.visitor)
            else { continue }
            let fold = name.withBytes { folds.fold(Partition(visitor: $0)) }
            let index = site.withBytes { site in
                name.withBytes { fold.value.recalledIndex(site: site, visitor: $0) }
            }
            guard let index, fold.value.lastOffset(of: index) == visitor.entry.position else {
                continue
            }
            settle(hash, index, fold)
        }
    }

    func take(_ step: OfflineFold.Step) {
        take(hash(step.slice.site, step.slice.visitor), step.header, step.effect, step.fold)
    }

    /// A visitor was parted from its person, or joined again.
    func take(_ header: RecordHeader, parting effect: FoldEffect, _ fold: Owned<PartitionFold>) {
        let hash = effect.session.site.withBytes { site in
            effect.session.visitor.withBytes { self.hash(site, $0) }
        }
        take(hash, header, effect, fold)
    }

    private func take(
        _ hash: Hash128,
        _ header: RecordHeader,
        _ effect: FoldEffect,
        _ fold: Owned<PartitionFold>
    ) {
        let offset = header.offset
        if held[hash]?.entry.position == offset { settle(hash, effect.visitorIndex, fold) }
        guard offset <= positions[Int(header.partition.index)],
            now - header.receivedAt < LiveModelWriter.visitorLifeMilliseconds
        else { return }
        if effect.score == .dropped { missing[hash] = nil }
        guard effect.score != .none else { return }
        if let visitor = held[hash] {
            if visitor.entry.position < offset {
                let (name, found) = (visitor.entry.visitor, visitor.entry.position)
                missing[hash] = "\(name): stands at \(found), though Redis has taken \(offset)"
            } else {
                missing[hash] = nil
            }
        } else if effect.score == .updated {
            missing[hash] = "\(fold.value.visitor(at: effect.visitorIndex).visitor.text): not there"
        }
    }

    private func settle(_ hash: Hash128, _ index: Int32, _ fold: Owned<PartitionFold>) {
        guard let visitor = held[hash]?.entry else { return }
        held[hash]?.isSettled = true
        state.reset()
        fold.value.packState(index, into: &state)
        let name = ModelName(visitor.model)
        let model = models.model(named: name.rules) ?? fold.value.model
        let book = edition(name.edition, model)
        let isSame = state.view.buffer.elementsEqual(visitor.state) && model.name == name.rules
        if isSame, let identity = fold.value.identity(of: index) {
            let copy = fold.value.memberCopy(of: index)
            let member = PersonVerification.Member(
                entry: visitor,
                copy: copy,
                model: model,
                book: book
            )
            return persons.add(member, of: identity)
        }
        let reading = fold.value.reading(of: index, by: model)
        let likelihood = book.map { fold.value.likelihood(of: index, $0, by: model) }
        if isSame, visitor.joined == nil, visitor.says(reading), visitor.says(likelihood) {
            part.agree()
        } else {
            part.differ(visitor.difference(reading))
        }
    }

    /// The edition that a score was made by; nil when it is no longer kept.
    private func edition(_ number: UInt64, _ model: ScoringModel) -> LearnedBook? {
        if let known = editions[number] { return known }
        let found = try? learned.edition(number, model)
        editions[number] = .some(found)
        return found
    }

    /// What is left is wrong: states of records that there are not, and scores that are not there.
    func finish() -> VerifiedPart {
        persons.finish(scan, &part)
        for visitor in held.values where !visitor.isSettled {
            part.differ(
                "\(visitor.entry.visitor): stands at record \(visitor.entry.position), which is not "
                    + "in the journal"
            )
        }
        for text in missing.values { part.differ(text) }
        return part
    }
}
