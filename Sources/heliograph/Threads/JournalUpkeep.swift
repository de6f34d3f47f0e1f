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
///
/// Usually finished segments are kept for a while, whatever the stores say. When room runs short, what
/// the stores have taken goes at once: refusing beacons to keep what nobody needs would be absurd.
struct JournalUpkeep {
    private struct Pace {
        let retainNanoseconds: Int64
        let saveNanoseconds: Int64
        /// Segments are kept this long after they were finished.
        let safetyMilliseconds: Int64

        static let usual = Pace(
            retainNanoseconds: 30_000_000_000,
            saveNanoseconds: 60_000_000_000,
            safetyMilliseconds: 10 * 60_000
        )
        static let pressed = Pace(
            retainNanoseconds: 1_000_000_000,
            saveNanoseconds: 5_000_000_000,
            safetyMilliseconds: 0
        )
    }

    /// A recovery that read more records than this is not to be repeated: its result is saved at once.
    private static let recordsReadMaximum = 20_000

    private let boards: RetentionBoards
    private var retainedAt: Int64
    private var savedAt: Int64
    private var savedSequence: UInt64 = 0

    init(boards: RetentionBoards, recovery: RecoveryReport, nowNanoseconds now: Int64) {
        self.boards = boards
        retainedAt = now
        let isLong = recovery.records > Self.recordsReadMaximum
        savedAt = isLong ? now - Pace.usual.saveNanoseconds : now
    }

    /// Retention first: on a full disk the state cannot be saved until it has made room.
    mutating func run(
        _ writer: inout JournalWriter,
        nowNanoseconds now: Int64
    ) throws(JournalError) {
        let pace = writer.isShortOfRoom ? Pace.pressed : Pace.usual
        if now - retainedAt >= pace.retainNanoseconds {
            retainedAt = now
            let decision = JournalRetention(
                takenOffsets: boards.takenOffsets,
                safetyMilliseconds: pace.safetyMilliseconds
            )
            _ = try writer.retain(decision)
        }
        if now - savedAt >= pace.saveNanoseconds, writer.bytesPending == 0 {
            savedAt = now
            if writer.committedSequence != savedSequence { try writer.saveDeduplication() }
            savedSequence = writer.committedSequence
        }
        try writer.lookForRoom()
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
