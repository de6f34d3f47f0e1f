import Bytes
public import Loop
public import Records
import Units

/// Numbers that should follow each other and do not: records that are gone, or are there twice.
public struct JournalGap: Hashable, Sendable, CustomStringConvertible {
    /// Segment of the record that came unexpectedly.
    public let segment: UInt64
    /// Byte where that record begins.
    public let byte: Int
    /// The partition whose offsets jump; nil when the journal's own sequence does.
    public let partition: Partition?
    /// The number that was to come.
    public let expected: UInt64
    /// The number that came.
    public let found: UInt64

    /// Such as `segment 3, byte 4096: sequence 17 follows 12, 4 records are missing`.
    public var description: String {
        let what = partition.map { "offset \(found) of partition \($0.index)" }
        let place = "segment \(segment), byte \(byte): \(what ?? "sequence \(found)") follows"
        if found < expected { return "\(place) \(expected - 1), which came earlier" }
        return "\(place) \(expected - 1), \(found - expected) records are missing"
    }
}

/// What reading every byte of a segment found.
public struct SegmentReport: Sendable {
    /// The most of one kind of finding that are kept; all are counted.
    public static let findingsKeptMaximum = 1_000

    /// Number of the segment.
    public let number: UInt64
    /// Bytes of the file, room for records to come included.
    public let fileBytes: Int
    /// When it was begun, epoch milliseconds; nil when its header cannot be read.
    public let createdAt: Int64?
    /// Records that are whole.
    public internal(set) var records = 0
    /// Those of them that hold what was refused.
    public internal(set) var rejectedRecords = 0
    /// Those of them whose payload an erasure has zeroed.
    public internal(set) var erasedRecords = 0
    /// Bytes of the records, headers and padding included.
    public internal(set) var recordBytes = 0
    /// Sequences of the first and the last record; nil when there is none.
    public internal(set) var sequences: ClosedRange<UInt64>?
    /// When the earliest and the latest of the records came, epoch milliseconds.
    public internal(set) var receivedAt: ClosedRange<Int64>?
    /// Byte after the last record.
    public internal(set) var end: Int
    /// Damage, in the order of bytes.
    public internal(set) var damage: [JournalDamage] = []
    /// How much damage was found, kept or not.
    public internal(set) var damageCount = 0
    /// Numbers that do not follow each other.
    public internal(set) var gaps: [JournalGap] = []
    /// How many such places were found, kept or not.
    public internal(set) var gapCount = 0

    /// Name of the file.
    public var fileName: String { SegmentName.text(number) }
    /// Whether everything is as it was written.
    public var isClean: Bool { damageCount == 0 && gapCount == 0 }

    init(_ segment: SegmentCatalogue.Segment) {
        number = segment.number
        fileBytes = segment.fileBytes
        createdAt = segment.header?.createdAt
        end = SegmentHeader.size
    }

    mutating func add(_ found: JournalDamage) {
        damageCount += 1
        if damage.count < Self.findingsKeptMaximum { damage.append(found) }
    }

    mutating func add(_ gap: JournalGap) {
        gapCount += 1
        if gaps.count < Self.findingsKeptMaximum { gaps.append(gap) }
    }

    mutating func add(_ record: JournalRecord) {
        let header = record.header
        records += 1
        recordBytes += record.raw.count
        end = record.endByte
        if header.kind == .rejected { rejectedRecords += 1 }
        if record.isErased { erasedRecords += 1 }
        sequences = (sequences?.lowerBound ?? header.sequence)...header.sequence
        let (first, last) = (receivedAt?.lowerBound, receivedAt?.upperBound)
        receivedAt =
            min(
                first ?? header.receivedAt,
                header.receivedAt
            )...max(last ?? header.receivedAt, header.receivedAt)
    }
}

/// A partition's records in the journal.
public struct PartitionReport: Sendable {
    /// Records that are whole.
    public internal(set) var records = 0
    /// Offsets of the first and the last of them; nil when there is none.
    public internal(set) var offsets: ClosedRange<UInt64>?
}

/// Reads every byte of a journal and tells what is there. Never writes, and may run beside an engine.
///
/// A writer in another process may be in the middle of a group. So what looks damaged in the last
/// segment is looked at again until two looks agree; bytes on their way to the disk do not stay the
/// same, damage does.
public struct JournalAudit: ~Copyable {
    private static let looksMaximum = 20

    private let disk: JournalDisk
    private let directory: String
    private let limits: JournalLimits
    private let catalogue: SegmentCatalogue
    /// Waits for longer than a writer takes for a group.
    private let wait: () -> Void
    private var index = 0
    private var course = Course()

    /// What the records before a place have led to.
    private struct Course {
        var lastSequence: UInt64 = 0
        /// Whether a record or a header has told the sequence.
        var isKnown = false
        var nextOffsets: [UInt64]?
        var partitions = [PartitionReport](repeating: PartitionReport(), count: Partition.count)
    }

    /// An audit of the segments that are there now. `wait` is called before something is looked at again.
    public init(
        disk: JournalDisk,
        directory: String,
        limits: JournalLimits = JournalLimits(),
        wait: @escaping () -> Void
    ) throws(JournalError) {
        self.disk = disk
        self.directory = directory
        self.limits = limits
        self.wait = wait
        catalogue = try SegmentCatalogue(disk: disk, directory: directory)
    }

    /// Bytes of all segment files.
    public var bytes: Int { catalogue.bytes }
    /// How many segments there are.
    public var segments: Int { catalogue.segments.count }
    /// Sequence of the last record met.
    public var lastSequence: UInt64 { course.lastSequence }
    /// The 256 partitions, as far as segments were read.
    public var partitions: [PartitionReport] { course.partitions }

    /// Goes on behind everything but the last segment, to learn where the journal ends.
    public mutating func skipToLast() {
        index = max(0, catalogue.segments.count - 1)
    }

    /// The offset that each partition's next record will have, as far as segments were read.
    public var nextOffsets: [UInt64] {
        course.nextOffsets ?? [UInt64](repeating: 1, count: Partition.count)
    }

    /// Reads the next segment; nil when there is none. `progress` is told how many bytes of it were
    /// passed, now and then. A segment that retention has removed meanwhile is passed over.
    public mutating func next(
        progress: (Int) -> Void = { _ in }
    ) throws(JournalError) -> SegmentReport? {
        while index < catalogue.segments.count {
            let segment = catalogue.segments[index]
            let missing = missingSegments(before: index)
            index += 1
            do throws(JournalError) {
                var report = try settledReport(of: segment, progress)
                for damage in missing.reversed() { report.damage.insert(damage, at: 0) }
                report.damageCount += missing.count
                return report
            } catch {
                guard error == .positionGone else { throw error }
            }
        }
        return nil
    }

    private func missingSegments(before index: Int) -> [JournalDamage] {
        guard index > 0 else { return [] }
        let numbers = catalogue.segments[index - 1].number + 1..<catalogue.segments[index].number
        return numbers.prefix(SegmentReport.findingsKeptMaximum).map {
            JournalDamage(segment: $0, from: 0, to: 0, reason: .missingSegment)
        }
    }

    private mutating func settledReport(
        of segment: SegmentCatalogue.Segment,
        _ progress: (Int) -> Void
    ) throws(JournalError) -> SegmentReport {
        let before = course
        var report = try read(segment, progress)
        guard index == catalogue.segments.count else { return report }
        for _ in 0..<Self.looksMaximum where !report.isClean {
            wait()
            let earlier = report.damage
            course = before
            report = try read(
                try SegmentCatalogue.look(disk, directory, segment.number) ?? segment,
                progress
            )
            if report.damage == earlier { break }
        }
        return report
    }

    private mutating func read(
        _ segment: SegmentCatalogue.Segment,
        _ progress: (Int) -> Void
    ) throws(JournalError) -> SegmentReport {
        var report = SegmentReport(segment)
        if let header = segment.header { learn(header) } else { report.add(Self.damaged(segment)) }
        var scanner = try SegmentScanner(
            disk: disk,
            directory: directory,
            segment: segment,
            lastSequence: course.lastSequence,
            payloadBytesMaximum: limits.payloadBytesMaximum
        )
        let next = try SegmentCatalogue.look(disk, directory, segment.number + 1)
        if let end = next?.header?.previousEnd, end > 0 { scanner.seal(at: end) }
        while true {
            switch try scanner.next(upTo: .max) {
            case .record(let record):
                follow(record.header, endByte: record.endByte, &report)
                if let padding = scanner.paddingDamage(record) { report.add(padding) }
                report.add(record)
            case .damage(let damage, let header):
                if let header { follow(header, endByte: damage.to, &report) }
                report.add(damage)
            case .notYet, .end: return report
            }
            progress(scanner.position)
        }
    }

    private static func damaged(_ segment: SegmentCatalogue.Segment) -> JournalDamage {
        JournalDamage(
            segment: segment.number,
            from: 0,
            to: min(SegmentHeader.size, segment.fileBytes),
            reason: .segmentHeader
        )
    }

    /// The first header that can be read says which numbers are to come.
    private mutating func learn(_ header: SegmentHeader) {
        if course.nextOffsets == nil { course.nextOffsets = header.nextOffsets }
        if course.isKnown { return }
        course.isKnown = true
        course.lastSequence = max(header.firstSequence, 1) - 1
    }

    private mutating func follow(
        _ header: RecordHeader,
        endByte: Int,
        _ report: inout SegmentReport
    ) {
        let byte = endByte - header.recordLength
        if course.isKnown, header.sequence != course.lastSequence + 1 {
            report.add(gap(byte, report.number, nil, course.lastSequence + 1, header.sequence))
        }
        course.lastSequence = header.sequence
        course.isKnown = true
        let partition = Int(header.partition.index)
        if let expected = course.nextOffsets?[partition], expected != header.offset {
            report.add(gap(byte, report.number, header.partition, expected, header.offset))
        }
        course.nextOffsets?[partition] = header.offset + 1
        note(header, partition)
    }

    private func gap(
        _ byte: Int,
        _ segment: UInt64,
        _ partition: Partition?,
        _ expected: UInt64,
        _ found: UInt64
    ) -> JournalGap {
        JournalGap(
            segment: segment,
            byte: byte,
            partition: partition,
            expected: expected,
            found: found
        )
    }

    private mutating func note(_ header: RecordHeader, _ partition: Int) {
        course.partitions[partition].records += 1
        let known = course.partitions[partition].offsets
        let (low, high) = (known?.lowerBound ?? header.offset, known?.upperBound ?? 0)
        course.partitions[partition].offsets =
            min(low, header.offset)...max(high, header.offset)
    }
}
