import Journal
import Records
import Storage

/// What the journal may be cut behind: the checkpoints from which PostgreSQL can be brought up to date.
struct RetentionBoards {
    let archived: PartitionBoard
    let checkpoints: CheckpointThread

    /// Offset up to which each partition is needed by nobody.
    var takenOffsets: [UInt64] {
        (0..<Partition.count).map { index in
            let partition = Partition(UInt8(index))
            return checkpoints.needed(partition, archived: archived[partition])
        }
    }
}

/// Decides when the journal's thread tidies up. Owned by that thread.
struct JournalUpkeep {
    private static let retainEveryNanoseconds: Int64 = 30_000_000_000
    private static let deduplicationEveryNanoseconds: Int64 = 60_000_000_000
    /// Segments are kept this long after they were finished, whatever the stores say.
    private static let safetyMilliseconds: Int64 = 10 * 60_000

    private let boards: RetentionBoards
    private var retainAt: Int64
    private var saveAt: Int64
    private var savedSequence: UInt64 = 0

    init(boards: RetentionBoards, nowNanoseconds now: Int64) {
        self.boards = boards
        retainAt = now + Self.retainEveryNanoseconds
        saveAt = now + Self.deduplicationEveryNanoseconds
    }

    mutating func run(
        _ writer: inout JournalWriter,
        nowNanoseconds now: Int64
    ) throws(JournalError) {
        if now >= saveAt, writer.bytesPending == 0 {
            saveAt = now + Self.deduplicationEveryNanoseconds
            if writer.committedSequence != savedSequence { try writer.saveDeduplication() }
            savedSequence = writer.committedSequence
        }
        guard now >= retainAt else { return }
        retainAt = now + Self.retainEveryNanoseconds
        let decision = JournalRetention(
            takenOffsets: boards.takenOffsets,
            safetyMilliseconds: Self.safetyMilliseconds
        )
        _ = try writer.retain(decision)
    }
}

extension JournalWriter {
    /// What the journal lost and PostgreSQL or a checkpoint has must not be numbered again: a record
    /// with such a number would be taken for one that has been folded. Before the first append.
    mutating func number(above archive: ArchiveWriter, _ checkpoints: CheckpointThread) {
        for index in 0..<Partition.count {
            let partition = Partition(UInt8(index))
            raise(partition, above: archive.stored(partition))
            raise(partition, above: checkpoints.newest(partition))
        }
    }
}
