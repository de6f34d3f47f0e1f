public import Bytes
public import Loop

/// What the checkpoint files of one thing look like, for people who look after a journal.
public struct CheckpointInventory: Sendable {
    /// Sequences or offsets that whole files stand at, ascending.
    public var whole: [UInt64] = []
    /// Those that damaged files are named after, ascending.
    public var damaged: [UInt64] = []
    /// Bytes of content in the newest whole file.
    public var newestBytes = 0

    /// Nothing.
    public init() {}
}

extension CheckpointFiles {
    /// Reads every file and tells which are whole. `newest` is left with the content of the newest
    /// whole one. A file that its writer has replaced meanwhile is passed over.
    public func inventory(
        newest: inout ByteBuffer
    ) throws(SystemCallError) -> CheckpointInventory {
        var found = CheckpointInventory()
        for sequence in try sequences() {
            do throws(SystemCallError) {
                if try load(atOrBefore: sequence, into: &newest) == sequence {
                    found.whole.append(sequence)
                    found.newestBytes = newest.count
                } else if try sequences().contains(sequence) {
                    found.damaged.append(sequence)
                }
            } catch {
                guard error.isMissing else { throw error }
            }
        }
        if let last = found.whole.last { _ = try load(atOrBefore: last, into: &newest) }
        return found
    }
}

/// What deduplication has kept on disk.
public struct DeduplicationInventory: Sendable {
    /// Its files.
    public var files = CheckpointInventory()
    /// Whether the newest whole file has a format that this program reads.
    public var isReadable = false
    /// Windows known.
    public var windows = 0
    /// When the window used longest ago was last used, epoch milliseconds.
    public var windowOldestSeenAt: Int64?
    /// Message ids known.
    public var messages = 0
    /// When the oldest message id known came, epoch milliseconds.
    public var messageOldestSeenAt: Int64?

    /// Reads the deduplication checkpoints of the journal in `directory`.
    public init(
        disk: JournalDisk,
        directory: String,
        limits: JournalLimits = JournalLimits()
    ) throws(JournalError) {
        let name = JournalRecovery.deduplicationName
        let checkpoints = CheckpointFiles(disk: disk, directory: directory, name: name)
        var content = ByteBuffer(
            capacity: 4096,
            limit: limits.deduplication.checkpointBytesMaximum
        )
        files = try reporting { () throws(SystemCallError) in
            try checkpoints.inventory(newest: &content)
        }
        guard !files.whole.isEmpty else { return }
        var deduplicator = Deduplicator(limits: limits.deduplication)
        isReadable = deduplicator.read(content.view)
        (windows, messages) = (deduplicator.table.count, deduplicator.messages.count)
        windowOldestSeenAt = deduplicator.table.oldestSeenAt
        messageOldestSeenAt = deduplicator.messages.oldestSeenAt
    }
}
