import Loop
import Records
import Units

/// Which segments nobody needs any more.
///
/// A pure decision. A segment may go when every record in it is behind what all stores and kept
/// checkpoints have taken and behind the deduplication checkpoint, and the segment after it began
/// longer ago than the safety window. Segments go from the front only, and the last one stays.
public struct JournalRetention: Sendable {
    /// For each of the 256 partitions, the offset up to which every store and every checkpoint that
    /// is kept has taken the records.
    public var takenOffsets: [UInt64]
    /// Milliseconds that a segment is kept after it was finished.
    public var safetyMilliseconds: Int64

    /// A decision from its parts.
    public init(takenOffsets: [UInt64], safetyMilliseconds: Int64) {
        self.takenOffsets = takenOffsets
        self.safetyMilliseconds = safetyMilliseconds
    }

    /// Numbers of the segments that may go. Each is judged by the header of the segment after it; one
    /// whose successor's header is damaged waits for the next that is whole.
    func removable(
        _ segments: [SegmentCatalogue.Segment],
        deduplicatedUpTo sequence: UInt64,
        now: Int64
    ) -> [SegmentCatalogue.Segment] {
        var count = 0
        for index in segments.indices.dropFirst() {
            guard let header = segments[index].header else { continue }
            guard covers(header, sequence, now) else { break }
            count = index
        }
        return Array(segments.prefix(count))
    }

    /// Whether everything before the segment with this header has been taken.
    private func covers(_ header: SegmentHeader, _ sequence: UInt64, _ now: Int64) -> Bool {
        header.createdAt <= now - safetyMilliseconds && header.firstSequence <= sequence + 1
            && zip(header.nextOffsets, takenOffsets).allSatisfy { $0 <= $1 + 1 }
    }
}

extension JournalWriter {
    /// Removes the segments that nobody needs. Returns how many. A disk that cannot remove a file
    /// does not harm the journal: the error is thrown, and writing may go on.
    public mutating func retain(_ retention: JournalRetention) throws(JournalError) -> Int {
        let files = CheckpointFiles(
            disk: disk,
            directory: directory,
            name: JournalRecovery.deduplicationName
        )
        let sequence = try reporting { () throws(SystemCallError) in try files.sequences().first }
        let catalogue = try SegmentCatalogue(disk: disk, directory: directory)
        let removable = retention.removable(
            catalogue.segments,
            deduplicatedUpTo: sequence ?? 0,
            now: time.epochMilliseconds()
        )
        for segment in removable where segment.number < self.segment { try remove(segment) }
        if !removable.isEmpty {
            try reporting { () throws(SystemCallError) in
                try disk.synchronizeDirectory(directory)
            }
        }
        return removable.count
    }

    private mutating func remove(_ segment: SegmentCatalogue.Segment) throws(JournalError) {
        try reporting { () throws(SystemCallError) in
            try disk.remove("\(directory)/\(SegmentName.text(segment.number))")
        }
        space.removed(bytes: segment.fileBytes)
    }
}
