import Bytes
import Journal
import Loop
import Records
import Scoring
import Settings
import Synchronization
import Units

/// The files of what was learned, beside the checkpoints: one for each edition, the newest ones.
struct LearnedFiles: Sendable {
    private static let bytesMaximum = 1 << 28

    private let files: CheckpointFiles

    init(disk: JournalDisk, directory: String) {
        files = CheckpointFiles(
            disk: disk,
            directory: directory,
            name: "learned",
            generations: Limits.learnEditionsKept
        )
    }

    /// The newest edition that can be read; an empty one where there is none.
    func newest(_ model: ScoringModel) throws(SystemCallError) -> LearnedBook {
        try load(atOrBefore: .max, model) ?? LearnedBook()
    }

    /// An edition; nil when it is no longer there.
    func edition(_ number: UInt64, _ model: ScoringModel) throws(SystemCallError) -> LearnedBook? {
        if number == 0 { return LearnedBook() }
        return try load(atOrBefore: number, model).flatMap { $0.edition == number ? $0 : nil }
    }

    private func load(
        atOrBefore bound: UInt64,
        _ model: ScoringModel
    ) throws(SystemCallError) -> LearnedBook? {
        var buffer = ByteBuffer(capacity: 1 << 16, limit: Self.bytesMaximum)
        guard try files.load(atOrBefore: bound, into: &buffer) != nil else { return nil }
        return LearnedBook(deserializing: buffer.view, model)
    }

    func save(_ book: LearnedBook) throws(SystemCallError) {
        var buffer = ByteBuffer(capacity: 1 << 16, limit: Self.bytesMaximum)
        book.serialize(into: &buffer)
        try files.save(sequence: book.edition, content: buffer.view)
    }
}

/// Where workers hand in examples, and learn what came of them.
///
/// A worker says now and then up to which record of the journal it has folded, with the examples whose
/// outcome its records have told since. What all have passed is learned from on the thread that writes
/// checkpoints: an edition is on the disk before anybody answers by it, and before anybody forgets the
/// examples it was made of. Those of the edition before stay too, should the newest file be damaged.
final class LearnBoard: Sendable {
    private struct Inbox {
        var lessons: [LearnLesson] = []
        var erased: [UInt64] = []
        /// Sequence up to which each worker has folded everything that is its own.
        var passed: [UInt64]
    }

    /// An edition, and from which sequence on examples are still needed.
    struct Edition: Sendable {
        var book = LearnedBook()
        var wantedFrom: UInt64 = 1
    }

    private let files: LearnedFiles
    private let models: ModelTimeline
    private let inbox: Mutex<Inbox>
    /// Only the checkpoint thread learns; the lock is for the compiler.
    private let school = Mutex(LearnSchool())
    private let published = Mutex(Edition())
    /// Edition that is published, for noticing cheaply.
    private let edition = Atomic<UInt64>(0)

    init(_ files: LearnedFiles, _ models: ModelTimeline, workers: Int) {
        (self.files, self.models) = (files, models)
        inbox = Mutex(Inbox(passed: [UInt64](repeating: 0, count: workers)))
    }

    /// Takes up the newest edition. To be called once, before any thread runs. Of a journal that was lost
    /// the numbers begin anew below `committed`.
    func begin(committed: UInt64) throws(SystemCallError) {
        var book = try files.newest(models.latest)
        book.hold(within: committed)
        let found = book
        school.withLock { $0 = LearnSchool(found) }
        published.withLock { $0 = Edition(book: found, wantedFrom: found.through + 1) }
        edition.store(found.edition, ordering: .releasing)
    }

    /// Number of the edition in force.
    var newest: UInt64 { edition.load(ordering: .acquiring) }

    /// The edition in force.
    var current: Edition { published.withLock { $0 } }

    /// A worker has folded everything of its own up to `sequence`; `lessons` came of it. True when there may
    /// be something to learn from.
    func report(worker: Int, through sequence: UInt64, _ lessons: [LearnLesson]) -> Bool {
        inbox.withLock { inbox in
            inbox.lessons += lessons
            inbox.passed[worker] = sequence
            return !inbox.lessons.isEmpty
        }
    }

    /// Nothing is learned any more from somebody who was erased.
    func erase(_ owner: UInt64) { inbox.withLock { $0.erased.append(owner) } }

    /// Learns from what all workers have passed. Called by the checkpoint thread.
    func turn() throws(SystemCallError) {
        let (taken, through) = inbox.withLock { inbox in
            let taken = inbox
            (inbox.lessons, inbox.erased) = ([], [])
            return (taken, taken.passed.min() ?? 0)
        }
        let book = school.withLock { [models] school in
            school.take(taken.lessons)
            for owner in taken.erased { school.erase(owner) }
            school.advance(through: through, model: { models.model($0, at: $1).model })
            return school.book
        }
        guard book.edition > newest else { return }
        try files.save(book)
        published.withLock { $0 = Edition(book: book, wantedFrom: $0.book.through + 1) }
        edition.store(book.edition, ordering: .releasing)
    }
}

/// A worker's part in learning: hands in what its folds have, and takes up editions. Owned by the worker.
final class LearnLine {
    private let folds: FoldSet
    private let board: LearnBoard
    private let worker: Int
    /// Sequence up to which examples were handed in.
    private var handed: UInt64 = 0
    private(set) var book: LearnedBook

    init(_ folds: FoldSet, _ board: LearnBoard, worker: Int) {
        (self.folds, self.board, self.worker) = (folds, board, worker)
        let current = board.current
        book = current.book
        folds.wantExamples(from: current.wantedFrom)
    }

    /// Takes up the edition in force. True when it is another.
    func refresh() -> Bool {
        guard board.newest != book.edition else { return false }
        let current = board.current
        book = current.book
        folds.wantExamples(from: current.wantedFrom)
        return true
    }

    /// Everything up to `sequence` is folded. True when there may be something to learn from.
    func pass(_ sequence: UInt64) -> Bool {
        let end = LearnSchool.block(of: sequence &+ 1)
        guard end > LearnSchool.block(of: handed &+ 1) else { return false }
        var lessons: [LearnLesson] = []
        for partition in folds.partitions {
            folds.fold(partition).value.forEachLesson(after: handed) { lessons.append($0) }
        }
        handed = sequence
        return board.report(worker: worker, through: sequence, lessons)
    }

    /// Nothing is learned any more from somebody who was erased.
    func erase(_ erasure: Erasure) {
        board.erase(PartitionFold.owner(site: erasure.site, visitor: erasure.visitor))
    }
}
