import ArgumentParser
import Bytes
import Journal
import Loop
import Records

/// `heliograph journal inspect`
struct JournalInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in the journal: segments, partitions, deduplication, checkpoints.",
        discussion: """
            Reads every record to count it. Exits with 0 also when there is damage, which the last \
            column counts; `heliograph journal verify` names it. 2: the journal cannot be read.
            """
    )

    @OptionGroup var folder: JournalFolder

    @Flag(help: "Also list the partitions with their offsets and checkpoints.")
    var partitions = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let inventory = try folder.reading { try JournalInventory(folder, isSilent: json) }
        if json {
            let document = inventory.document(withPartitions: partitions)
            return Console.line(document.jsonText)
        }
        Console.line(inventory.text(withPartitions: partitions))
    }
}

/// Everything that `inspect` tells.
struct JournalInventory {
    private(set) var segments: [SegmentReport] = []
    private(set) var partitions: [PartitionReport] = []
    private(set) var checkpoints: [CheckpointInventory] = []
    let deduplication: DeduplicationInventory

    init(_ folder: JournalFolder, isSilent: Bool) throws {
        var audit = try folder.audit()
        var bar = ProgressBar(isSilent: isSilent)
        bar.begin("reading", unit: "bytes", total: audit.bytes)
        var done = 0
        while let report = try audit.next(progress: { bar.update(done + $0) }) {
            done += report.fileBytes
            segments.append(report)
        }
        bar.end(done)
        partitions = audit.partitions
        deduplication = try DeduplicationInventory(disk: .real, directory: folder.journal)
        checkpoints = try Self.checkpoints(folder.checkpoints)
    }

    /// Of the 256 partitions; nothing where there is no folder yet.
    static func checkpoints(_ directory: String) throws(SystemCallError) -> [CheckpointInventory] {
        let files = PartitionCheckpoints(disk: .real, directory: directory)
        var buffer = ByteBuffer(capacity: 64 << 10)
        var found: [CheckpointInventory] = []
        for index in 0..<Partition.count {
            do throws(SystemCallError) {
                found.append(try files.inventory(Partition(UInt8(index)), newest: &buffer))
            } catch {
                guard error.isMissing else { throw error }
                found.append(CheckpointInventory())
            }
        }
        return found
    }

    private var findings: Int { segments.reduce(0) { $0 + $1.findingCount } }
    private var records: Int { segments.reduce(0) { $0 + $1.records } }
    private var receivedAt: (first: Int64?, last: Int64?) {
        (
            segments.compactMap(\.receivedAt?.lowerBound).min(),
            segments.compactMap(\.receivedAt?.upperBound).max()
        )
    }

    // MARK: - For people

    func text(withPartitions: Bool) -> String {
        var parts = [segments.isEmpty ? "no segments yet" : segmentTable, totals]
        parts += [deduplicationText, checkpointText]
        if withPartitions { parts.append(partitionTable) }
        return parts.joined(separator: "\n\n")
    }

    private var segmentTable: String {
        JournalText.table(
            [
                "segment", "first", "last", "records", "bytes", "of", "received from", "to",
                "damage",
            ],
            segments.map { segment in
                [
                    segment.fileName, number(segment.sequences?.lowerBound),
                    number(segment.sequences?.upperBound), "\(segment.records)",
                    "\(segment.recordBytes)", "\(segment.fileBytes)",
                    JournalText.moment(segment.receivedAt?.lowerBound),
                    JournalText.moment(segment.receivedAt?.upperBound),
                    segment.isClean ? "none" : "\(segment.findingCount)",
                ]
            }
        )
    }

    private func number(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "-" }

    private var totals: String {
        let rejected = segments.reduce(0) { $0 + $1.rejectedRecords }
        let erased = segments.reduce(0) { $0 + $1.erasedRecords }
        let used = segments.reduce(0) { $0 + $1.recordBytes }
        let held = segments.reduce(0) { $0 + $1.fileBytes }
        return """
            \(records) records (\(rejected) of refused events, \(erased) erased), \
            \(JournalText.size(used)) in \(segments.count) segments of \(JournalText.size(held)); \
            received from \(JournalText.moment(receivedAt.first)) \
            to \(JournalText.moment(receivedAt.last)); \
            \(findings == 0 ? "no damage" : "\(findings) places are damaged")
            """
    }

    private var deduplicationText: String {
        guard let newest = deduplication.files.whole.last else {
            return "deduplication: no state on disk yet; a start reads the whole journal"
        }
        if !deduplication.isReadable { return "deduplication: its state cannot be read" }
        return """
            deduplication: state of sequence \(newest), \
            \(JournalText.size(deduplication.files.newestBytes)); \
            \(deduplication.windows) windows since \
            \(JournalText.moment(deduplication.windowOldestSeenAt)), \
            \(deduplication.messages) message ids since \
            \(JournalText.moment(deduplication.messageOldestSeenAt))\
            \(damaged(deduplication.files.damaged.count))
            """
    }

    private var checkpointText: String {
        let written = checkpoints.filter { !$0.whole.isEmpty }
        return """
            checkpoints: \(checkpoints.reduce(0) { $0 + $1.whole.count }) files of \
            \(written.count) partitions, the newest of each together \
            \(JournalText.size(written.reduce(0) { $0 + $1.newestBytes }))\
            \(damaged(checkpoints.reduce(0) { $0 + $1.damaged.count }))
            """
    }

    private func damaged(_ count: Int) -> String {
        count == 0 ? "" : "; \(count) files are damaged"
    }

    private var partitionTable: String {
        JournalText.table(
            ["partition", "records", "first", "last", "checkpoints at"],
            partitions.indices.filter(isInUse).map { index in
                let offsets = partitions[index].offsets
                let kept = checkpoints[index].whole.map { "\($0)" }.joined(separator: " ")
                return [
                    "\(index)", "\(partitions[index].records)", number(offsets?.lowerBound),
                    number(offsets?.upperBound), kept.isEmpty ? "-" : kept,
                ]
            }
        )
    }

    private func isInUse(_ index: Int) -> Bool {
        partitions[index].records > 0 || !checkpoints[index].whole.isEmpty
    }

    // MARK: - For programs

    struct Document: Encodable {
        struct Segment: Encodable {
            let file: String
            let firstSequence, lastSequence: UInt64?
            let records, rejectedRecords, erasedRecords: Int
            let recordBytes, fileBytes, end: Int
            let createdAt, firstReceivedAt, lastReceivedAt: Int64?
            let damage: [DamageNote]
            let damageCount: Int
        }
        struct PartitionRow: Encodable {
            let partition, records: Int
            let firstOffset, lastOffset: UInt64?
            let checkpoints: [UInt64]
        }
        struct Deduplication: Encodable {
            let sequences, damaged: [UInt64]
            let bytes, windows, messages: Int
            let windowOldestSeenAt, messageOldestSeenAt: Int64?
        }
        struct Checkpoints: Encodable { let files, damaged, newestBytes: Int }
        let segments: [Segment]
        let records, recordBytes, fileBytes, damageCount: Int
        let firstReceivedAt, lastReceivedAt: Int64?
        let deduplication: Deduplication
        let checkpoints: Checkpoints
        let partitions: [PartitionRow]?
    }

    func document(withPartitions: Bool) -> Document {
        Document(
            segments: segments.map(Self.row),
            records: records,
            recordBytes: segments.reduce(0) { $0 + $1.recordBytes },
            fileBytes: segments.reduce(0) { $0 + $1.fileBytes },
            damageCount: findings,
            firstReceivedAt: receivedAt.first,
            lastReceivedAt: receivedAt.last,
            deduplication: Document.Deduplication(
                sequences: deduplication.files.whole,
                damaged: deduplication.files.damaged,
                bytes: deduplication.files.newestBytes,
                windows: deduplication.windows,
                messages: deduplication.messages,
                windowOldestSeenAt: deduplication.windowOldestSeenAt,
                messageOldestSeenAt: deduplication.messageOldestSeenAt
            ),
            checkpoints: Document.Checkpoints(
                files: checkpoints.reduce(0) { $0 + $1.whole.count },
                damaged: checkpoints.reduce(0) { $0 + $1.damaged.count },
                newestBytes: checkpoints.reduce(0) { $0 + $1.newestBytes }
            ),
            partitions: withPartitions ? partitionRows : nil
        )
    }

    static func row(_ segment: SegmentReport) -> Document.Segment {
        Document.Segment(
            file: segment.fileName,
            firstSequence: segment.sequences?.lowerBound,
            lastSequence: segment.sequences?.upperBound,
            records: segment.records,
            rejectedRecords: segment.rejectedRecords,
            erasedRecords: segment.erasedRecords,
            recordBytes: segment.recordBytes,
            fileBytes: segment.fileBytes,
            end: segment.end,
            createdAt: segment.createdAt,
            firstReceivedAt: segment.receivedAt?.lowerBound,
            lastReceivedAt: segment.receivedAt?.upperBound,
            damage: segment.findings,
            damageCount: segment.findingCount
        )
    }

    private var partitionRows: [Document.PartitionRow] {
        partitions.indices.filter(isInUse).map { index in
            Document.PartitionRow(
                partition: index,
                records: partitions[index].records,
                firstOffset: partitions[index].offsets?.lowerBound,
                lastOffset: partitions[index].offsets?.upperBound,
                checkpoints: checkpoints[index].whole
            )
        }
    }
}
