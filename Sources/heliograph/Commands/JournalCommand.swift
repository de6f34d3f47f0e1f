import ArgumentParser
import Foundation
import Glibc
import Journal
import Loop
import Settings
import Telemetry

/// `heliograph journal …`
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Look into the journal: what is in it, whether it is whole, its records as JSON.",
        discussion: """
            Only reads, also while an engine runs on the same folder. The format of the files is \
            written down at the head of Sources/Engine/Journal/SegmentFormat.swift.
            """,
        subcommands: [
            JournalInspectCommand.self, JournalVerifyCommand.self, JournalExportCommand.self,
        ]
    )
}

/// What the journal commands have in common.
struct JournalFolder: ParsableArguments {
    @Option(help: "Data folder of the engine.")
    var data = "var"

    /// Exit status of a journal that cannot be read at all.
    static let unreadableStatus: Int32 = 2
    /// Longer than a group takes on its way to a slow disk.
    private static let lookAgainMilliseconds: UInt32 = 50

    var journal: String { data + "/journal" }
    var checkpoints: String { data + "/checkpoints" }

    func audit() throws(JournalError) -> JournalAudit {
        try JournalAudit(disk: .real, directory: journal) {
            Pause.milliseconds(Self.lookAgainMilliseconds)
        }
    }

    /// Runs `body`, and ends the process with words when the journal cannot be read.
    func reading<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as JournalError {
            Console.fail(explanation(error), status: Self.unreadableStatus)
        } catch let error as SystemCallError {
            Console.fail(explanation(.failed(error)), status: Self.unreadableStatus)
        }
    }

    private func explanation(_ error: JournalError) -> String {
        switch error {
        case .failed(let failure) where failure.isMissing:
            return """
                there is no journal in \(journal)
                  Name the engine's data folder with --data; it is the one that `heliograph up` has.
                """
        case .failed(let failure):
            return """
                \(journal) cannot be read: \(failure)
                  Run as the engine's user, and check the disk when that is not it.
                """
        case .unsupportedVersion:
            return "\(error)\n  Use the program that wrote it, or a newer one."
        default: return "\(error)"
        }
    }
}

/// Words and tables as the journal commands write them.
enum JournalText {
    static func moment(_ epochMilliseconds: Int64?) -> String {
        epochMilliseconds.map { RFC3339.text(epochMilliseconds: $0) } ?? "-"
    }

    /// Such as `63.9 MiB`.
    static func size(_ bytes: Int) -> String {
        var (value, unit) = (Double(bytes), "B")
        for larger in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = larger
        }
        let tenths = Int((value * 10).rounded())
        return unit == "B" ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// Rows under a head, each column as wide as its widest cell; numbers stand right.
    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([head] + rows).map { row in
            let cells = row.enumerated().map { column, cell in
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                return cell.first?.isNumber == true && !cell.contains(":")
                    ? gap + cell : cell + gap
            }
            return trimmed(cells.joined(separator: "  "))
        }.joined(separator: "\n")
    }

    private static func trimmed(_ line: String) -> String {
        var copy = line
        while copy.last == " " { copy.removeLast() }
        return copy
    }
}

/// A finding as documents show it: what, and where, by file and byte.
struct DamageNote: Encodable {
    let file: String
    let from: Int
    let to: Int
    let reason: String
    let text: String

    init(_ damage: JournalDamage, _ report: SegmentReport) {
        file = damage.segment == report.number ? report.fileName : "segment \(damage.segment)"
        (from, to, reason) = (damage.from, damage.to, damage.reason.rawValue)
        text = Self.meaning(damage.reason)
    }

    init(_ gap: JournalGap, _ report: SegmentReport) {
        file = report.fileName
        (from, to) = (gap.byte, gap.byte)
        reason = gap.partition == nil ? "sequenceGap" : "offsetGap"
        text = gap.description
    }

    var line: String { "\(file), bytes \(from) to \(to): \(reason): \(text)" }

    private static func meaning(_ reason: JournalDamage.Reason) -> String {
        switch reason {
        case .segmentHeader: return "the segment's own header cannot be read; its records can"
        case .recordHeader: return "no record can be read here, one behind it can"
        case .payload: return "the record's payload is not what was written; it is passed over"
        case .padding: return "the record is whole, the bytes that pad it are not zero"
        case .tornTail:
            return """
                bytes behind the last record: a group that a crash cut off before it was \
                acknowledged (the next start of the engine begins a new segment), or damage
                """
        case .lostTail: return "records at the end of the segment are gone"
        case .truncated: return "the file is shorter than it was made"
        case .missingSegment: return "the segment's file is not there"
        case .unfinishedSegment: return "the segment was being made when the process ended"
        }
    }
}

extension SegmentReport {
    /// Damage and gaps, in the order of bytes.
    var findings: [DamageNote] {
        let all = damage.map { DamageNote($0, self) } + gaps.map { DamageNote($0, self) }
        return all.enumerated()
            .sorted { ($0.element.from, $0.offset) < ($1.element.from, $1.offset) }
            .map(\.element)
    }

    /// How many findings there are, shown or not.
    var findingCount: Int { damageCount + gapCount }
}
