public import Records
import Settings

/// Makes editions of examples. Pure: nothing but the records decides, whoever folds them, in how many
/// threads, and however often they begin anew.
///
/// Examples come from partitions in any order. They are looked at by blocks of the journal, 32 records
/// each, once every record of a block is folded: so what a block holds does not depend on who was faster.
/// With the first block whose examples lie in another stretch of `merge_every` than the last edition, or
/// when very many wait, all that wait become the next edition.
public struct LearnSchool: Sendable {
    /// The newest edition.
    public private(set) var book: LearnedBook
    /// Examples that are in no edition yet.
    private var waiting: [LearnLesson] = []
    /// How many of them were looked at, the first ones, and the latest moment among all that ever were.
    private var seen = 0
    private var clock: Int64

    /// Goes on from an edition.
    public init(_ book: LearnedBook = LearnedBook()) {
        self.book = book
        clock = book.clock
    }

    /// The block of the journal that a record is in.
    public static func block(of sequence: UInt64) -> UInt64 {
        sequence / Limits.learnBlockRecords
    }

    /// Takes examples; those that the newest edition has are passed over.
    public mutating func take(_ lessons: [LearnLesson]) {
        waiting += lessons.filter { $0.example.sequence > book.through || book.edition == 0 }
        waiting.sort(by: LearnLesson.isBefore)
    }

    /// Forgets what waits of somebody who was erased.
    public mutating func erase(_ owner: UInt64) {
        waiting.removeAll { $0.example.owner == owner }
        (seen, clock) = (0, book.clock)
    }

    /// Every record up to `sequence` is folded, and its examples are here. `model` tells by which model
    /// a record was scored. Hands what became part of an edition to `onMerged`.
    public mutating func advance(
        through sequence: UInt64,
        model: (Partition, UInt64) -> ScoringModel,
        onMerged: ([LearnLesson], LearnedBook) -> Void = { _, _ in }
    ) {
        let end = Self.block(of: sequence &+ 1)
        while seen < waiting.count {
            let block = Self.block(of: waiting[seen].example.sequence)
            guard block < end else { return }
            while seen < waiting.count, Self.block(of: waiting[seen].example.sequence) == block {
                clock = max(clock, waiting[seen].example.labelledAt)
                seen += 1
            }
            if isDue(model) {
                merge(through: (block + 1) * Limits.learnBlockRecords - 1, model, onMerged)
            }
        }
    }

    /// What waits becomes an edition, whatever the time.
    public mutating func finish(
        model: (Partition, UInt64) -> ScoringModel,
        onMerged: ([LearnLesson], LearnedBook) -> Void = { _, _ in }
    ) {
        guard let last = waiting.last else { return }
        clock = waiting.reduce(clock) { max($0, $1.example.labelledAt) }
        seen = waiting.count
        merge(through: last.example.sequence, model, onMerged)
    }

    /// Whether those looked at are to be the next edition.
    private mutating func isDue(_ model: (Partition, UInt64) -> ScoringModel) -> Bool {
        let stretch = clock / Int64(scorer(model).learning.mergeMilliseconds)
        guard let last = book.stretch else {
            book.stretch = stretch
            return false
        }
        return stretch > last || seen >= Limits.learnEditionExamples
    }

    /// The model of the last of those looked at.
    private func scorer(_ model: (Partition, UInt64) -> ScoringModel) -> ScoringModel {
        let last = waiting[seen - 1].example
        return model(Partition(last.partition), last.offset)
    }

    private mutating func merge(
        through sequence: UInt64,
        _ model: (Partition, UInt64) -> ScoringModel,
        _ onMerged: ([LearnLesson], LearnedBook) -> Void
    ) {
        let scorer = scorer(model)
        let batch = Array(waiting[..<seen])
        waiting.removeFirst(seen)
        seen = 0
        for (name, mine) in Dictionary(grouping: batch, by: \.site) {
            var site = book.sites[name] ?? LearnedSite(LearnPosterior(scorer))
            site.take(mine, at: clock, scorer)
            book.sites[name] = site
        }
        if book.edition == 0 { book.foldRules = scorer.foldRules }
        book.edition += 1
        book.through = sequence
        book.clock = clock
        book.stretch = clock / Int64(scorer.learning.mergeMilliseconds)
        onMerged(batch, book)
    }
}
