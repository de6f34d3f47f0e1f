import ArgumentParser
import Bytes
import Foundation
import Journal
import Records
import Telemetry

/// `heliograph journal export`
struct JournalExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the journal's records as JSON Lines, oldest first.",
        discussion: """
            One line per record: where it lies, its header, and its payload decoded to events. What \
            is damaged is passed over and named on standard error; the status is then 1. The payloads \
            are what the engine stored: sanitised, addresses truncated as consent asked. They are \
            still your visitors' data: keep the output as carefully as the folder.
            """
    )

    @OptionGroup var folder: JournalFolder

    @Option(help: "First record: a sequence, or a moment such as 2026-03-14T09:30:00Z.")
    var from: String?

    @Option(help: "Last record: a sequence, or a moment, which is itself left out.")
    var to: String?

    @Option(help: "Only records of this partition, 0 to 255.")
    var partition: UInt8?

    @Option(help: "Only records of this visitor.")
    var visitor: String?

    @Option(help: "Only records of this site.")
    var site: String?

    @Option(help: "Stop after this many records.")
    var limit: Int?

    @Flag(help: "Taken as other commands take it; JSON Lines are the only format.")
    var json = false

    func validate() throws {
        for (name, text) in [("--from", from), ("--to", to)] {
            guard let text, JournalBound(text) == nil else { continue }
            throw ValidationError(
                "\(name) takes a sequence or 2026-03-14T09:30:00Z, not \(text)"
            )
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() throws {
        var filter = JournalFilter()
        filter.from = from.flatMap { JournalBound($0) }
        filter.to = to.flatMap { JournalBound($0) }
        filter.partition = partition.map { Partition($0) }
        (filter.visitor, filter.site, filter.limit) = (visitor, site, limit ?? .max)
        let damage = try folder.reading { try export(filter) }
        for place in damage.first { Console.note("passed over: \(place)") }
        if damage.count > 0 { throw ExitCode(1) }
    }

    private func export(_ filter: JournalFilter) throws -> DamageLog {
        // A running engine may be in the middle of a group: nothing behind what is whole is looked at.
        var audit = try folder.audit()
        audit.skipToLast()
        _ = try audit.next()
        let end = audit.lastSequence
        var reader = JournalReader(
            disk: .real,
            directory: folder.journal,
            limits: JournalLimits()
        )
        try seek(&reader, filter)
        var lines = JournalLines(filter)
        while !lines.isDone, end > 0 {
            let progress = try reader.read(upTo: end, recordsMaximum: JournalLines.recordsPerStep) {
                lines.take($0)
            }
            Console.write(lines.output.view)
            lines.flushed()
            if progress.isCaughtUp { break }
        }
        return reader.damage
    }

    private func seek(_ reader: inout JournalReader, _ filter: JournalFilter) throws(JournalError) {
        guard case .sequence(let first) = filter.from else { return try reader.seek(.oldest) }
        do throws(JournalError) {
            try reader.seek(.sequence(first))
        } catch {
            // Retention has removed the first of them: the rest is what there is.
            guard error == .positionGone else { throw error }
            try reader.seek(.oldest)
        }
    }
}

/// A place in the journal as people name it.
enum JournalBound: Equatable {
    case sequence(UInt64)
    /// Epoch milliseconds.
    case moment(Int64)

    init?(_ text: String) {
        if let sequence = UInt64(text) {
            self = .sequence(sequence)
        } else if let moment = RFC3339.epochMilliseconds(text) {
            self = .moment(moment)
        } else {
            return nil
        }
    }
}

/// Which records are wanted. Nil means all.
struct JournalFilter {
    var from: JournalBound?
    var to: JournalBound?
    var partition: Partition?
    var visitor: String?
    var site: String?
    var limit = Int.max

    /// Whether no record behind this one can be wanted.
    func isBehindEnd(_ header: RecordHeader) -> Bool {
        guard case .sequence(let last) = to else { return false }
        return header.sequence > last
    }

    func takes(_ header: RecordHeader) -> Bool {
        if let partition, header.partition != partition { return false }
        switch from {
        case .sequence(let first) where header.sequence < first: return false
        case .moment(let first) where header.receivedAt < first: return false
        default: break
        }
        // Not the order of the journal: moments of several listeners interleave.
        if case .moment(let last) = to, header.receivedAt >= last { return false }
        return !isBehindEnd(header)
    }

    func takes(site found: ByteView, visitor other: ByteView) -> Bool {
        (site.map { Self.equals(found, $0) } ?? true)
            && (visitor.map { Self.equals(other, $0) } ?? true)
    }

    private static func equals(_ bytes: ByteView, _ text: String) -> Bool {
        bytes.count == text.utf8.count && bytes.buffer.elementsEqual(text.utf8)
    }
}
