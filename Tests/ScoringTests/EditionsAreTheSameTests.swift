// Goal: what is learned is the same whoever folds the records, in how many threads, and however often an
// engine dies in between (issue 6, deliver 4).
// Method: one journal over many partitions. It is folded once in one piece; then by several workers that
// come on at different speeds, whose process is killed at random and goes on from checkpoints of random
// age and from the newest edition that was on the disk. Every edition must be the same, byte for byte.

import Bytes
import Records
import Scoring
import Settings
import TestSupport
import Testing

/// A journal, as the partitions' folds get it.
private struct LearnJournal {
    private(set) var records: [(record: PackedRecord, header: RecordHeader)] = []
    let model: ScoringModel
    static let partitions = 8

    init(_ dice: inout Dice) {
        var file = Scenes.file
        file.learning.horizonMilliseconds = 3 * 3_600_000
        file.learning.mergeMilliseconds = 3_600_000
        file.learning.examplesMinimum = 20
        file.learning.conversionsMinimum = 3
        model = ScoringModel(file)
        var offsets = [UInt64](repeating: 0, count: Self.partitions)
        for number in 0..<4_000 { add(number, &offsets, &dice) }
    }

    private mutating func add(_ number: Int, _ offsets: inout [UInt64], _ dice: inout Dice) {
        let partition = dice.roll(0...Self.partitions - 1)
        offsets[partition] += 1
        let at = Scenes.noon + Int64(number) * 20_000
        let buys = dice.chance(0.06)
        let event =
            buys
            ? TestEvent(.custom, at: at, name: "purchase")
            : TestEvent(.pageView, at: at, #"{"u":"/\#(dice.chance(0.5) ? "pricing" : "blog")"}"#)
        let record = Scenes.record(
            [event],
            visitor: "v\(partition)-\(dice.roll(0...5))",
            session: "s\(number / 300)",
            offset: offsets[partition]
        )
        let header = record.withSlice { header, _ in
            var header = header
            header.partition = Partition(UInt8(partition))
            // Others' records come in between, so that there are blocks enough.
            header.sequence = UInt64(number + 1) * 16
            return header
        }
        records.append((record, header))
    }
}

/// Folds of all partitions.
private final class Folds {
    private(set) var folds: [FoldBox]

    final class FoldBox {
        var fold: PartitionFold
        init(_ fold: consuming PartitionFold) { self.fold = fold }
    }

    init(_ model: ScoringModel) {
        folds = (0..<LearnJournal.partitions).map { _ in FoldBox(PartitionFold(model: model)) }
    }

    init(_ checkpoints: [[UInt8]], _ model: ScoringModel) throws {
        folds = try checkpoints.map { bytes in
            var buffer = ByteBuffer(capacity: bytes.count + 16, limit: 1 << 26)
            bytes.withUnsafeBytes { buffer.append(ByteView($0)) }
            return FoldBox(try PartitionFold(deserializing: buffer.view, model: model))
        }
    }

    func apply(_ item: (record: PackedRecord, header: RecordHeader)) {
        let box = folds[Int(item.header.partition.index)]
        guard item.header.offset > box.fold.offset else { return }
        item.record.withSlice { _, slice in _ = box.fold.apply(item.header, slice) }
    }

    func checkpoint(_ partition: Int) -> [UInt8] { Scenes.serialized(folds[partition].fold) }

    func want(from sequence: UInt64) {
        for box in folds { box.fold.wantExamples(from: sequence) }
    }

    func lessons(_ partition: Int, after sequence: UInt64) -> [LearnLesson] {
        var lessons: [LearnLesson] = []
        folds[partition].fold.forEachLesson(after: sequence) { lessons.append($0) }
        return lessons
    }
}

private func bytes(_ book: LearnedBook) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 22)
    book.serialize(into: &buffer)
    return Array(buffer.view.buffer)
}

struct EditionsAreTheSameTests {
    /// Every edition of a fold in one piece, by its number.
    private func truth(_ journal: LearnJournal) -> [UInt64: [UInt8]] {
        let folds = Folds(journal.model)
        folds.want(from: 1)
        var school = LearnSchool()
        var editions: [UInt64: [UInt8]] = [:]
        for item in journal.records {
            school.advance(
                through: item.header.sequence - 1,
                model: { _, _ in journal.model },
                onMerged: { editions[$1.edition] = bytes($1) }
            )
            folds.apply(item)
            school.take(folds.folds[Int(item.header.partition.index)].fold.takeLessons())
        }
        return editions
    }

    /// One life of an engine with `workers`: they come on in turns until it is killed. Returns the editions
    /// that it put on the disk, and leaves checkpoints of different ages.
    private func live(
        _ journal: LearnJournal,
        workers: Int,
        from book: LearnedBook,
        _ checkpoints: inout [[UInt8]],
        _ durable: inout Int,
        _ dice: inout Dice
    ) throws -> [LearnedBook] {
        let folds = try Folds(checkpoints, journal.model)
        folds.want(from: book.through + 1)
        var school = LearnSchool(book)
        // Recovery: what was durable is folded before anything else.
        for item in journal.records[..<durable] { folds.apply(item) }
        var next = [Int](repeating: durable, count: workers)
        var handed = [UInt64](repeating: 0, count: workers)
        var editions: [LearnedBook] = []
        for _ in 0..<dice.roll(5...120) {
            let worker = dice.roll(0...workers - 1)
            let end = min(journal.records.count, next[worker] + dice.roll(1...400))
            for item in journal.records[next[worker]..<end]
            where Int(item.header.partition.index) % workers == worker { folds.apply(item) }
            next[worker] = end
            durable = max(durable, end)
            let passed = end > 0 ? journal.records[end - 1].header.sequence : 0
            for partition in 0..<LearnJournal.partitions where partition % workers == worker {
                school.take(folds.lessons(partition, after: handed[worker]))
            }
            handed[worker] = passed
            school.advance(
                through: handed.min() ?? 0,
                model: { _, _ in journal.model },
                onMerged: { editions.append($1) }
            )
            if let last = editions.last { folds.want(from: last.through + 1) }
            let partition = dice.roll(0...LearnJournal.partitions - 1)
            checkpoints[partition] = folds.checkpoint(partition)
        }
        return editions
    }

    @Test(arguments: [1, 3]) func killedAgainAndAgain(workers: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        let journal = LearnJournal(&dice)
        let truth = truth(journal)
        #expect(truth.count >= 10, "\(truth.count) editions")
        let fresh = Folds(journal.model)
        var checkpoints = (0..<LearnJournal.partitions).map { fresh.checkpoint($0) }
        var book = LearnedBook()
        var (compared, durable) = (0, 0)
        for _ in 0..<40 where book.edition < truth.count {
            let editions = try live(
                journal,
                workers: workers,
                from: book,
                &checkpoints,
                &durable,
                &dice
            )
            for edition in editions {
                #expect(bytes(edition) == truth[edition.edition], "seed \(seed)")
                compared += 1
            }
            book = try #require(reread(editions.last ?? book, journal.model))
        }
        #expect(compared == truth.count, "seed \(seed)")
    }

    /// As it comes back from the disk.
    private func reread(_ book: LearnedBook, _ model: ScoringModel) -> LearnedBook? {
        var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 22)
        book.serialize(into: &buffer)
        return LearnedBook(deserializing: buffer.view, model)
    }

    @Test func whatComesBackFromTheDiskAnswersTheSame() throws {
        var dice = Dice(seed: 11)
        let journal = LearnJournal(&dice)
        let folds = Folds(journal.model)
        folds.want(from: 1)
        var school = LearnSchool()
        for item in journal.records {
            folds.apply(item)
            school.take(folds.folds[Int(item.header.partition.index)].fold.takeLessons())
        }
        school.finish(model: { _, _ in journal.model })
        let again = try #require(reread(school.book, journal.model))
        #expect(bytes(again) == bytes(school.book))
        var (learned, moved) = (0, 0)
        for box in folds.folds {
            for index in 0..<box.fold.indexEnd {
                let one = box.fold.likelihood(of: index, school.book)
                #expect(one == box.fold.likelihood(of: index, again))
                #expect(one.low <= one.probability && one.probability <= one.high)
                learned += one.source == .learned ? 1 : 0
                let rule = box.fold.likelihood(of: index, LearnedBook())
                #expect(rule.source == .thin)
                #expect(rule.probability == box.fold.reading(of: index).likelihood)
                moved += abs(rule.probability - one.probability) > 0.01 ? 1 : 0
            }
        }
        #expect(learned > 0 && moved > 0)
    }

    @Test func damagedEditionsAreRefused() {
        var dice = Dice(seed: 12)
        let journal = LearnJournal(&dice)
        let whole = truth(journal).values.first ?? []
        for length in stride(from: 0, to: whole.count, by: 61) {
            var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 22)
            whole[0..<length].withUnsafeBytes { buffer.append(ByteView($0)) }
            #expect(LearnedBook(deserializing: buffer.view, journal.model) == nil)
        }
    }
}
