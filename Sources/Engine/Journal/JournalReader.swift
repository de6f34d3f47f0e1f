import Bytes
public import Loop
import Records
import Units

/// Reads a journal from any place to any sequence, also while a writer in another thread appends.
///
/// The writer's thread publishes the sequence it has committed; a reader is told it with each call
/// and looks at nothing behind it. A reader keeps its place between calls. It belongs to one thread
/// at a time.
public struct JournalReader: ~Copyable {
    /// What one call of `read` did.
    public struct Progress: Sendable {
        /// Records handed over.
        public var records = 0
        /// Bytes of the records handed over.
        public var bytes = 0
        /// Whether there is nothing more up to the sequence asked for.
        public var isCaughtUp = false
    }

    /// Damage met since the reader was made.
    public private(set) var damage = DamageLog()
    /// Sequence of the last record met.
    public private(set) var lastSequence: UInt64 = 0

    private let disk: JournalDisk
    private let directory: String
    private let limits: JournalLimits
    private var start = JournalStart.oldest
    private var scanner: SegmentScanner?
    /// The segment after the one being read, once it was seen whole; from then on it never changes.
    private var upcoming: SegmentCatalogue.Segment?
    /// What recovery needs of every header, damaged payload or not.
    var nextOffsets = [UInt64](repeating: 1, count: Partition.count)

    /// A reader that begins with the oldest record.
    public init(disk: JournalDisk, directory: String, limits: JournalLimits) {
        self.disk = disk
        self.directory = directory
        self.limits = limits
    }

    /// How far back the journal reaches, and about how much it holds.
    public func extent() throws(JournalError) -> JournalExtent {
        let segments = try SegmentCatalogue(disk: disk, directory: directory).segments
        var extent = JournalExtent()
        extent.segments = segments.count
        let headers = segments.compactMap(\.header)
        guard let first = headers.first, let last = headers.last else { return extent }
        extent.firstOffsets = first.nextOffsets
        let whole = Int(last.firstSequence - first.firstSequence)
        let perSegment = headers.count > 1 ? whole / (headers.count - 1) : 0
        extent.estimatedRecords = whole + perSegment
        return extent
    }

    /// Where the segment that is being read stands, for recovery.
    mutating func place() -> (segment: UInt64, position: Int)? {
        guard let segment = scanner?.segment, let position = scanner?.position else { return nil }
        return (segment, position)
    }

    /// Moves to another place. Whole segments before it are skipped by their headers.
    public mutating func seek(_ start: JournalStart) throws(JournalError) {
        self.start = start
        scanner = nil
        upcoming = nil
        lastSequence = 0
        let catalogue = try SegmentCatalogue(disk: disk, directory: directory)
        if catalogue.hasLost(start) { throw .positionGone }
        guard !catalogue.segments.isEmpty else { return }
        try begin(catalogue.segments[catalogue.index(for: start)])
    }

    /// Hands over the records from the reader's place up to sequence `bound`, at most
    /// `recordsMaximum` of them. Damage is passed over and noted.
    public mutating func read(
        upTo bound: UInt64,
        recordsMaximum: Int = .max,
        _ body: (JournalRecord) -> Void
    ) throws(JournalError) -> Progress {
        var progress = Progress()
        if scanner == nil { try seek(start) }
        scanner?.refresh()
        while progress.records < recordsMaximum {
            if lastSequence >= bound || scanner == nil {
                progress.isCaughtUp = true
                break
            }
            try step(upTo: bound, &progress, body)
            if progress.isCaughtUp { break }
        }
        return progress
    }

    private mutating func step(
        upTo bound: UInt64,
        _ progress: inout Progress,
        _ body: (JournalRecord) -> Void
    ) throws(JournalError) {
        if try scanner?.hasRecord() == false { try learnEnd() }
        switch try scanner?.next(upTo: bound) {
        case .record(let record):
            note(record.header)
            if let padding = scanner?.paddingDamage(record) { damage.add(padding) }
            guard isWanted(record.header) else { return }
            progress.records += 1
            progress.bytes += record.raw.count
            body(record)
        case .damage(let found, let header):
            damage.add(found)
            if let header { note(header) }
        case .notYet, nil: progress.isCaughtUp = true
        case .end: progress.isCaughtUp = try !advance()
        }
    }

    private mutating func note(_ header: RecordHeader) {
        lastSequence = header.sequence
        let partition = Int(header.partition.index)
        nextOffsets[partition] = max(nextOffsets[partition], header.offset + 1)
    }

    private func isWanted(_ header: RecordHeader) -> Bool {
        switch start {
        case .oldest: return true
        case .sequence(let first): return header.sequence >= first
        case .offsets(let wanted): return header.offset >= wanted[Int(header.partition.index)]
        }
    }

    // MARK: - From segment to segment

    private mutating func begin(_ segment: SegmentCatalogue.Segment) throws(JournalError) {
        if let header = segment.header {
            for (index, offset) in header.nextOffsets.enumerated() {
                nextOffsets[index] = max(nextOffsets[index], offset)
            }
        } else {
            damage.add(
                JournalDamage(
                    segment: segment.number,
                    from: 0,
                    to: min(SegmentHeader.size, segment.fileBytes),
                    reason: .segmentHeader
                )
            )
        }
        scanner = try SegmentScanner(
            disk: disk,
            directory: directory,
            segment: segment,
            lastSequence: lastSequence,
            payloadBytesMaximum: limits.payloadBytesMaximum
        )
        lastSequence = scanner?.lastSequence ?? lastSequence
    }

    /// Before bytes are called damaged, looks whether a later segment says that the records end here.
    private mutating func learnEnd() throws(JournalError) {
        guard let number = scanner?.segment else { return }
        if upcoming?.number != number + 1 {
            let next = try SegmentCatalogue.look(disk, directory, number + 1)
            upcoming = next?.header == nil ? nil : next
        }
        guard let end = upcoming?.header?.previousEnd, end > 0 else { return }
        scanner?.seal(at: end)
    }

    /// Goes on to the next segment; false when there is none.
    private mutating func advance() throws(JournalError) -> Bool {
        guard let number = scanner?.segment else { return false }
        var next = upcoming?.number == number + 1 ? upcoming : nil
        if next == nil {
            next = try SegmentCatalogue(disk: disk, directory: directory, from: number + 1)
                .segments.first
        }
        guard let next else { return false }
        for missing in (number + 1..<next.number).prefix(DamageLog.keptMaximum) {
            damage.add(JournalDamage(segment: missing, from: 0, to: 0, reason: .missingSegment))
        }
        try begin(next)
        return true
    }
}
