import Bytes
import Loop
import Records
import Units

/// Finds out what a journal holds when it is opened: the last sequence, the next offsets, and which
/// events have been seen.
struct JournalRecovery: ~Copyable {
    static let deduplicationName = "dedup"

    var deduplicator: Deduplicator
    var report = RecoveryReport()
    var nextOffsets = [UInt64](repeating: 1, count: Partition.count)
    /// Bytes of all segment files.
    var diskBytes = 0
    /// The last segment, 0 when there is none, and where its records end.
    var segment: UInt64 = 0
    var end = 0
    var tailIsClean = false

    init(
        disk: JournalDisk,
        directory: String,
        limits: JournalLimits,
        time: TimeSource
    ) throws(JournalError) {
        let start = time.monotonicNanoseconds()
        deduplicator = Deduplicator(limits: limits.deduplication)
        let checkpoint = try loadCheckpoint(disk, directory, limits)
        let catalogue = try settle(disk, directory)
        report.segments = catalogue.segments.count
        diskBytes = catalogue.bytes
        segment = catalogue.segments.last?.number ?? 0
        try scan(JournalReader(disk: disk, directory: directory, limits: limits), from: checkpoint)
        report.lastSequence = max(report.lastSequence, checkpoint)
        report.nanoseconds = time.monotonicNanoseconds() - start
    }

    /// Two writers would tear each other's records: the second is told so.
    static func lock(_ disk: JournalDisk, _ directory: String) throws(JournalError) -> DiskFile {
        do throws(SystemCallError) {
            try disk.createDirectory(directory)
            let file = try disk.open("\(directory)/lock", .createOrReplace)
            do throws(SystemCallError) { try disk.lock(file) } catch {
                disk.close(file)
                throw error
            }
            return file
        } catch {
            throw error.isLocked ? .locked : .failed(error)
        }
    }

    /// The sequence that the deduplication state read from disk stands at; 0 when there is none.
    private mutating func loadCheckpoint(
        _ disk: JournalDisk,
        _ directory: String,
        _ limits: JournalLimits
    ) throws(JournalError) -> UInt64 {
        let files = CheckpointFiles(
            disk: disk,
            directory: directory,
            name: Self.deduplicationName
        )
        var buffer = ByteBuffer(
            capacity: 4096,
            limit: limits.deduplication.checkpointBytesMaximum
        )
        let sequence = try reporting { () throws(SystemCallError) in
            try files.load(into: &buffer)
        }
        guard let sequence else { return 0 }
        // What a later release remembers would be forgotten, and its repeats counted again.
        if let version = Deduplicator.unknownVersion(buffer.view) {
            throw .unsupportedVersion(version)
        }
        return deduplicator.read(buffer.view) ? sequence : 0
    }

    /// Makes durable what the last process may have written and not synchronised: once it has been
    /// read, it must not vanish. Removes a segment whose making was cut short.
    private mutating func settle(
        _ disk: JournalDisk,
        _ directory: String
    ) throws(JournalError) -> SegmentCatalogue {
        let catalogue = try SegmentCatalogue(disk: disk, directory: directory)
        do throws(SystemCallError) {
            for segment in catalogue.segments.suffix(2) {
                let path = "\(directory)/\(SegmentName.text(segment.number))"
                let file = try disk.open(path, .readWrite)
                defer { disk.close(file) }
                try disk.synchronize(file)
            }
            try disk.synchronizeDirectory(directory)
            guard let last = catalogue.segments.last, last.header == nil,
                try Self.isUnfinished(last, disk, directory)
            else { return catalogue }
            try disk.remove("\(directory)/\(SegmentName.text(last.number))")
            try disk.synchronizeDirectory(directory)
            noteUnfinished(last)
        } catch {
            throw .failed(error)
        }
        return try SegmentCatalogue(disk: disk, directory: directory)
    }

    private mutating func noteUnfinished(_ last: SegmentCatalogue.Segment) {
        report.damage.add(
            JournalDamage(
                segment: last.number,
                from: 0,
                to: last.fileBytes,
                reason: .unfinishedSegment
            )
        )
    }

    /// Whether nothing was ever written behind the header.
    private static func isUnfinished(
        _ last: SegmentCatalogue.Segment,
        _ disk: JournalDisk,
        _ directory: String
    ) throws(SystemCallError) -> Bool {
        let file = try disk.open("\(directory)/\(SegmentName.text(last.number))", .read)
        defer { disk.close(file) }
        var buffer = ByteBuffer(capacity: 256 << 10)
        var position = SegmentHeader.size
        while position < last.fileBytes {
            buffer.reset()
            let count = try disk.read(file, at: position, count: 256 << 10, into: &buffer)
            if !SegmentScanner.isZero(buffer.view) { return false }
            if count == 0 { break }
            position += count
        }
        return true
    }

    private mutating func scan(
        _ reader: consuming JournalReader,
        from checkpoint: UInt64
    ) throws(JournalError) {
        do throws(JournalError) { try reader.seek(.sequence(checkpoint + 1)) } catch {
            guard error == .positionGone else { throw error }
            try reader.seek(.oldest)
        }
        let progress = try reader.read(upTo: .max) { record in remember(record, checkpoint) }
        report.records = progress.records
        report.bytes = progress.bytes
        report.lastSequence = reader.lastSequence
        for damage in reader.damage.first { report.damage.add(damage) }
        nextOffsets = reader.nextOffsets
        guard let place = reader.place(), place.segment == segment else { return }
        end = place.position
        tailIsClean = !reader.damage.first.contains { $0.segment == place.segment }
    }

    private mutating func remember(_ record: JournalRecord, _ checkpoint: UInt64) {
        guard record.header.sequence > checkpoint, !record.isErased,
            record.header.kind == .slice, let slice = Slice(record.payload)
        else { return }
        deduplicator.remember(
            slice,
            duplicates: record.header.duplicates,
            at: record.header.receivedAt
        )
    }
}

extension DeduplicationLimits {
    /// Every window at its largest and every message id, with the file's own header.
    var checkpointBytesMaximum: Int { 2 * memoryBytesMaximum + messageBytesMaximum + 4096 }
}

extension JournalWriter {
    /// Writes the deduplication state as of the last commit, so that the next recovery reads only the
    /// records after it. Costs tens of milliseconds when the tables are large.
    public mutating func saveDeduplication() throws(JournalError) {
        if hasStopped { throw .stopped }
        invariant(bytesPending == 0, "the deduplication state was saved ahead of a commit")
        var content = ByteBuffer(
            capacity: 64 << 10,
            limit: limits.deduplication.checkpointBytesMaximum
        )
        deduplicator.write(to: &content)
        invariant(!content.overflowed, "a deduplication checkpoint exceeds its bound")
        let files = CheckpointFiles(
            disk: disk,
            directory: directory,
            name: JournalRecovery.deduplicationName
        )
        do throws(SystemCallError) {
            try files.save(sequence: committedSequence, content: content.view)
        } catch {
            // A full disk keeps the last state and costs a longer recovery; the segments have their
            // room already.
            if error.isOutOfSpace { throw .failed(error) }
            throw stop(error)
        }
    }
}
