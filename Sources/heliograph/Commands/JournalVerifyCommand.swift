import ArgumentParser
import Bytes
import Journal
import Records

/// `heliograph journal verify`
struct JournalVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of the journal and of its checkpoints; name all damage.",
        discussion: """
            Both checksums of every record, that sequences and offsets follow each other, that no \
            segment is missing, and the checksums of every checkpoint file. Status 0: everything is \
            as it was written. 1: there is damage; each place is named by file and byte. \
            2: the journal cannot be read.

            The engine starts in spite of damage: it passes over what cannot be read, loses nothing \
            else, and counts it. Copy the folder before you try anything on it.
            """
    )

    @OptionGroup var folder: JournalFolder

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let verdict = try folder.reading { try JournalVerdict(folder, isSilent: json) }
        Console.line(json ? verdict.document.jsonText : verdict.text)
        if !verdict.isClean { throw ExitCode(1) }
    }
}

/// What `verify` found.
struct JournalVerdict {
    private(set) var findings: [DamageNote] = []
    private(set) var findingCount = 0
    private(set) var damagedFiles: [String] = []
    private(set) var segments = 0
    private(set) var records = 0
    private(set) var bytes = 0
    private(set) var checkpointFiles = 0
    private(set) var lastSequence: UInt64 = 0
    private let begun = Pause.monotonicMilliseconds()
    private var milliseconds: Int64 = 0

    init(_ folder: JournalFolder, isSilent: Bool) throws {
        var audit = try folder.audit()
        var bar = ProgressBar(isSilent: isSilent)
        bar.begin("checking", unit: "bytes", total: audit.bytes)
        while let report = try audit.next(progress: { bar.update(bytes + $0) }) { add(report) }
        bar.end(bytes)
        lastSequence = audit.lastSequence
        try checkCheckpoints(folder)
        milliseconds = Pause.monotonicMilliseconds() - begun
    }

    private mutating func add(_ report: SegmentReport) {
        segments += 1
        records += report.records
        bytes += report.fileBytes
        findings += report.findings
        findingCount += report.findingCount
    }

    private mutating func checkCheckpoints(_ folder: JournalFolder) throws {
        let deduplication = try DeduplicationInventory(disk: .real, directory: folder.journal)
        note("journal/dedup", deduplication.files)
        if !deduplication.isReadable, let newest = deduplication.files.whole.last {
            damagedFiles.append("journal/dedup, state of \(newest): not a format that is known")
        }
        for (index, files) in try JournalInventory.checkpoints(folder.checkpoints).enumerated() {
            note("checkpoints of partition \(index)", files)
        }
    }

    private mutating func note(_ name: String, _ files: CheckpointInventory) {
        checkpointFiles += files.whole.count + files.damaged.count
        damagedFiles += files.damaged.map { "\(name), state of \($0): its checksum is wrong" }
    }

    var isClean: Bool { findingCount == 0 && damagedFiles.isEmpty }

    var text: String {
        let seconds = Double(max(milliseconds, 1)) / 1_000
        let rate = JournalText.size(Int(Double(bytes) / seconds))
        var lines = findings.map(\.line) + damagedFiles
        if findingCount > findings.count {
            lines.append("and \(findingCount - findings.count) places more")
        }
        lines.append(
            """
            \(isClean ? "clean" : "DAMAGED: \(findingCount + damagedFiles.count) places"): \
            \(records) records in \(segments) segments, \(JournalText.size(bytes)), up to sequence \
            \(lastSequence); \(checkpointFiles) checkpoint files; \(rate)/s
            """
        )
        return lines.joined(separator: "\n")
    }

    struct Document: Encodable {
        let clean: Bool
        let segments, records, bytes, checkpointFiles, damageCount: Int
        let lastSequence: UInt64
        let milliseconds: Int64
        let damage: [DamageNote]
        let damagedCheckpoints: [String]
    }

    var document: Document {
        Document(
            clean: isClean,
            segments: segments,
            records: records,
            bytes: bytes,
            checkpointFiles: checkpointFiles,
            damageCount: findingCount,
            lastSequence: lastSequence,
            milliseconds: milliseconds,
            damage: findings,
            damagedCheckpoints: damagedFiles
        )
    }
}
