public import Bytes
public import Loop
public import Records
public import Units

/// The writing end of the journal: gathers records into a group, decides which events are repeats,
/// and makes the group durable with one write and one `fdatasync`.
///
/// A value without threads: it belongs to the journal's thread, as do all its fields. The cycle is
/// `append` …, `commit`, acknowledge, `forEachInGroup` to route, and so on.
public struct JournalWriter: ~Copyable {
    let disk: JournalDisk
    let directory: String
    let limits: JournalLimits
    let time: TimeSource
    let lockFile: DiskFile
    var deduplicator: Deduplicator
    var space: SpaceGuard

    /// The segment being written.
    var file: DiskFile?
    /// Its number; 0 before the first.
    public internal(set) var segment: UInt64 = 0
    /// Bytes of it that are durable, header included.
    var segmentPosition = 0
    var nextOffsets: [UInt64]
    /// Sequence of the last record appended.
    public internal(set) var lastSequence: UInt64
    /// Sequence of the last record that is durable.
    public internal(set) var committedSequence: UInt64
    /// Records since the last commit, or, after a commit and until the next append, those it wrote.
    var group: ByteBuffer
    var groupIsCommitted = true
    /// Set by the first failure of the disk and never cleared: nothing is accepted any more.
    public internal(set) var hasStopped = false

    /// What opening the journal found.
    public let recovery: RecoveryReport
    /// Whether only zeros stand behind the last record of the segment found at opening.
    let oldTailIsClean: Bool

    /// Records in the group.
    public internal(set) var groupRecords = 0

    /// Opens the journal in `directory`, recovering what is there, and makes one if there is none.
    ///
    /// The deduplication state comes from its checkpoint and from the records after it. A new segment
    /// begins with the first append.
    public init(
        directory: String,
        disk: JournalDisk = .real,
        limits: JournalLimits = JournalLimits(),
        time: TimeSource = .real
    ) throws(JournalError) {
        let lock = try JournalRecovery.lock(disk, directory)
        let found: JournalRecovery
        do throws(JournalError) {
            found = try JournalRecovery(
                disk: disk,
                directory: directory,
                limits: limits,
                time: time
            )
        } catch {
            disk.close(lock)
            throw error
        }
        self.init(found, disk, directory, limits, time, lock)
    }

    private init(
        _ found: consuming JournalRecovery,
        _ disk: JournalDisk,
        _ directory: String,
        _ limits: JournalLimits,
        _ time: TimeSource,
        _ lock: DiskFile
    ) {
        (self.disk, self.directory, self.limits, self.time) = (disk, directory, limits, time)
        lockFile = lock
        recovery = found.report
        oldTailIsClean = found.tailIsClean
        segment = found.segment
        segmentPosition = found.end
        nextOffsets = found.nextOffsets
        lastSequence = found.report.lastSequence
        committedSequence = found.report.lastSequence
        space = SpaceGuard(limits: limits)
        space.bytesUsed = found.diskBytes
        group = ByteBuffer(capacity: limits.groupBytesMaximum)
        deduplicator = found.deduplicator
    }

    deinit {
        if let file { disk.close(file) }
        disk.close(lockFile)
    }

    /// Bytes appended and not yet committed.
    public var bytesPending: Int { groupIsCommitted ? 0 : group.count }

    /// The offset that the partition's next record will have.
    public func nextOffset(_ partition: Partition) -> UInt64 { nextOffsets[Int(partition.index)] }

    /// Sees to it that a partition's next offset is above `offset`, because a store has been there
    /// already: what the journal lost to damage must not be numbered again.
    public mutating func raise(_ partition: Partition, above offset: UInt64) {
        let index = Int(partition.index)
        nextOffsets[index] = max(nextOffsets[index], offset + 1)
    }

    /// Sees to it that the next sequence is above `sequence`, as `raise(_:above:)` does for offsets.
    /// Before the first append only.
    public mutating func raiseSequence(above sequence: UInt64) {
        invariant(file == nil, "the sequence was raised after records were appended")
        lastSequence = max(lastSequence, sequence)
        committedSequence = lastSequence
    }

    /// Puts a record into the group.
    public mutating func append(
        kind: RecordHeader.Kind = .slice,
        partition: Partition,
        receivedAt: Int64,
        payload: ByteView
    ) throws(JournalError) -> Appended {
        if hasStopped { throw .stopped }
        let length = RecordHeader.recordLength(payloadLength: payload.count)
        guard payload.count <= limits.payloadBytesMaximum else { throw .recordTooLarge }
        if groupIsCommitted { beginGroup() }
        try makeRoom(length)
        var header = RecordHeader(
            kind: kind,
            partition: partition,
            receivedAt: receivedAt,
            payload: payload
        )
        header.duplicates = try duplicates(kind, payload, receivedAt)
        return write(&header, payload)
    }

    private mutating func beginGroup() {
        group.reset()
        groupRecords = 0
        groupIsCommitted = false
    }

    /// A group lies in one segment; only an empty one may move on to the next.
    private mutating func makeRoom(_ length: Int) throws(JournalError) {
        if group.count + length > limits.groupBytesMaximum { throw .groupFull }
        if segmentPosition + group.count + length <= limits.segmentBytes, file != nil { return }
        if group.count > 0 { throw .groupFull }
        try roll()
    }

    private mutating func duplicates(
        _ kind: RecordHeader.Kind,
        _ payload: ByteView,
        _ time: Int64
    ) throws(JournalError) -> UInt64 {
        switch kind {
        case .slice:
            guard let slice = Slice(payload) else { throw .malformedPayload }
            return try deduplicator.judge(slice, at: time)
        // Its bytes may be resent and refused again; each refusal is a fact of its own.
        case .rejected, .erasure, .parting: return 0
        }
    }

    private mutating func write(_ header: inout RecordHeader, _ payload: ByteView) -> Appended {
        let partition = Int(header.partition.index)
        lastSequence += 1
        header.sequence = lastSequence
        header.offset = nextOffsets[partition]
        nextOffsets[partition] += 1
        header.write(to: &group)
        group.append(payload)
        group.pad(to: RecordHeader.alignment)
        invariant(!group.overflowed, "a record was admitted to a group without room for it")
        groupRecords += 1
        return Appended(
            position: header.position,
            sequence: lastSequence,
            duplicates: header.duplicates,
            segment: segment,
            endByte: segmentPosition + group.count
        )
    }

    /// Makes the group durable. After an error nothing of it may be acknowledged, and the process
    /// has to stop: what the disk holds is known only to the next recovery.
    public mutating func commit() throws(JournalError) {
        if hasStopped { throw .stopped }
        if groupIsCommitted || group.count == 0 { return }
        do throws(SystemCallError) {
            guard let file else { return }
            try disk.write(file, group.view, at: segmentPosition)
            try disk.synchronize(file)
        } catch {
            throw stop(error)
        }
        segmentPosition += group.count
        committedSequence = lastSequence
        groupIsCommitted = true
    }

    /// Hands over the records of the group that was committed last, or is being gathered.
    public func forEachInGroup(_ body: (JournalRecord) -> Void) {
        let start = groupIsCommitted ? segmentPosition - group.count : segmentPosition
        let bytes = group.view
        var position = 0
        while position < bytes.count {
            let rest = bytes[position..<bytes.count]
            guard let header = RecordHeader(rest) else { break }
            position += header.recordLength
            body(
                JournalRecord(
                    header: header,
                    raw: rest[0..<header.recordLength],
                    isErased: false,
                    segment: segment,
                    endByte: start + position
                )
            )
        }
        invariant(position == bytes.count, "the group's own memory holds an invalid record")
    }

    mutating func stop(_ error: SystemCallError) -> JournalError {
        hasStopped = true
        return .failed(error)
    }

    /// What the segments that may still be made can hold, and the one being written.
    private var recordBytesLeft: Int {
        let segments = max(0, limits.diskBytesMaximum - space.bytesUsed) / limits.segmentBytes
        return (segments + 1) * limits.segmentBytes - segmentPosition
    }

    /// What can be told about the writer at this moment.
    public var gauges: JournalGauges {
        JournalGauges(
            segment: segment,
            segmentBytesUsed: segmentPosition,
            diskBytesUsed: space.bytesUsed,
            diskBytesMaximum: limits.diskBytesMaximum,
            recordBytesUsed: space.bytesUsed - limits.segmentBytes + segmentPosition,
            recordBytesLeft: recordBytesLeft,
            isFull: space.isFull,
            windows: deduplicator.table.count,
            windowsEvicted: deduplicator.table.evicted,
            windowOldestSeenAt: deduplicator.table.oldestSeenAt,
            messages: deduplicator.messages.count,
            messagesEvicted: deduplicator.messages.evicted,
            messageOldestSeenAt: deduplicator.messages.oldestSeenAt,
            repeats: deduplicator.repeats
        )
    }
}

extension JournalWriter: JournalLog {
    /// Hands over committed records from `start` up to sequence `bound`, which must be committed.
    public func read(
        from start: JournalStart,
        upTo bound: UInt64,
        _ body: (JournalRecord) -> Void
    ) throws(JournalError) -> JournalReader.Progress {
        var reader = JournalReader(disk: disk, directory: directory, limits: limits)
        try reader.seek(start)
        return try reader.read(upTo: min(bound, committedSequence), body)
    }
}

/// Figures about a journal, for metrics.
public struct JournalGauges: Sendable {
    /// Number of the segment being written.
    public let segment: UInt64
    /// Bytes of it that are durable.
    public let segmentBytesUsed: Int
    /// Bytes of all segment files.
    public let diskBytesUsed: Int
    /// Bytes that they may take.
    public let diskBytesMaximum: Int
    /// Bytes of records, without what was allocated ahead of them.
    public let recordBytesUsed: Int
    /// Bytes of records that the budget still has room for.
    public let recordBytesLeft: Int
    /// Whether appends are refused for want of room.
    public let isFull: Bool
    /// Windows known to deduplication.
    public let windows: Int
    /// Windows forgotten to make room for others, since the process began.
    public let windowsEvicted: Int
    /// When the window used longest ago was last used, epoch milliseconds; nil when there is none.
    public let windowOldestSeenAt: Int64?
    /// Message ids known to deduplication.
    public let messages: Int
    /// Message ids forgotten to make room for others, since the process began.
    public let messagesEvicted: Int
    /// When the oldest message id known came, epoch milliseconds; nil when there is none.
    public let messageOldestSeenAt: Int64?
    /// Events found to be repeats, since the process began.
    public let repeats: Int
}
