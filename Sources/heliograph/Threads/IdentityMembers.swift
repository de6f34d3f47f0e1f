import Bytes
import Records
import Scoring
import Settings
import Units

/// The identified visitors of one worker, on their way between its folds and the desk where persons
/// come together. Owned by the worker's thread.
final class IdentityMembers {
    private struct Key: Hashable {
        let site: ShortText
        let visitor: ShortText
    }

    private let desk: IdentityDesk
    private let folds: FoldSet
    /// Under which person each visitor's copy lies.
    private var placed: [Key: Hash128] = [:]
    /// Visitors whose keys have to be written anew though they have not changed themselves.
    private var waiting: [IdentityDesk.Notice] = []
    private var hasArrived = false

    init(desk: IdentityDesk, folds: FoldSet) { (self.desk, self.folds) = (desk, folds) }

    /// Whether persons can be read: every worker has laid down what it knew.
    var isComplete: Bool { desk.isComplete }

    var isEmpty: Bool { waiting.isEmpty }

    // MARK: - Copies

    /// Lays down what is known of all visitors, those outside memory included, once the past is folded.
    func arrive(onProblem: @escaping (String) -> Void) {
        guard !hasArrived else { return }
        hasArrived = true
        let cold = ColdResync(folds: folds, onProblem: onProblem)
        for partition in folds.partitions where folds.fold(partition).value.hasLinks {
            let fold = folds.fold(partition)
            for index in 0..<fold.value.indexEnd where fold.value.isVisitor(index) {
                _ = take(fold, index)
            }
            cold.add(partition, above: 0)
        }
        // However long ago they were here: what is remembered of a person must not depend on the clock.
        while !cold.isEmpty {
            _ = cold.step(now: 0) { partition, state in
                _ = take(folds.fold(partition), state)
                return true
            }
        }
        desk.arrive()
    }

    /// Brings the copy of a visitor in memory up to date. Returns what is to be written of it beside its
    /// own sums; nil when it is part of no person.
    func take(_ fold: Owned<PartitionFold>, _ index: Int32) -> IdentityDesk.Member? {
        guard fold.value.wasLinked(index) else { return nil }
        return take(
            fold.value.memberCopy(of: index),
            fold.value.identity(of: index),
            fold.value.model
        )
    }

    /// The same of a visitor outside memory.
    func take(_ fold: Owned<PartitionFold>, _ cold: ColdState) -> IdentityDesk.Member? {
        guard cold.wasLinked, let site = fold.value.site(of: cold) else { return nil }
        return take(cold.memberCopy(site: site), cold.identity, fold.value.model)
    }

    private func take(
        _ copy: MemberCopy,
        _ identity: Hash128?,
        _ model: ScoringModel
    ) -> IdentityDesk.Member? {
        let key = Key(site: copy.site, visitor: copy.visitor)
        if let before = placed[key], before != identity {
            placed[key] = nil
            desk.remove(copy.visitor, from: before)
        }
        guard let identity else { return nil }
        placed[key] = identity
        desk.put(copy, of: identity)
        return desk.member(copy.visitor, of: identity, model)
    }

    /// A visitor was erased: it is split off, and its person goes on without it.
    func forget(site: ByteView, visitor: ByteView) {
        guard let site = ShortText(site), let visitor = ShortText(visitor),
            let identity = placed.removeValue(forKey: Key(site: site, visitor: visitor))
        else { return }
        desk.remove(visitor, from: identity)
    }

    // MARK: - Writing anew

    /// A visitor that cannot be written yet, because not all workers have arrived.
    func wait(_ copy: MemberCopy) {
        guard let identity = placed[Key(site: copy.site, visitor: copy.visitor)] else { return }
        waiting.append(.init(site: copy.site, visitor: copy.visitor, identity: identity))
    }

    /// Redis may lack anything: every identified visitor is written anew.
    func renew() {
        waiting = placed.map { key, identity in
            IdentityDesk.Notice(site: key.site, visitor: key.visitor, identity: identity)
        }
    }

    /// Redis is away; with the connection all come.
    func removeAll() { waiting.removeAll() }

    /// Takes up what other workers have told.
    func listen() { waiting.append(contentsOf: desk.takeNotices(folds.worker)) }

    /// Hands over the visitors that have to be written anew, until `stage` has no room. Returns how many
    /// were written.
    func step(
        _ model: (Partition) -> ScoringModel,
        _ stage: (Partition, IdentityDesk.Member) -> Bool
    ) -> Int {
        guard desk.isComplete else { return 0 }
        var count = 0
        while let notice = waiting.last {
            let key = Key(site: notice.site, visitor: notice.visitor)
            let partition = notice.visitor.withBytes { Partition(visitor: $0) }
            if placed[key] == notice.identity,
                let member = desk.member(notice.visitor, of: notice.identity, model(partition))
            {
                guard stage(partition, member) else { return count }
                count += 1
            }
            waiting.removeLast()
        }
        return count
    }
}
