import Foundation
import Settings

/// One export on its thread: batches of rows go into the file, never more than one batch is in memory.
struct ExportWork {
    private var export: ExportDocument
    /// Told how far it is; false when nobody wants it any more.
    private let note: (ExportDocument) -> Bool

    init(_ export: ExportDocument, note: @escaping (ExportDocument) -> Bool) {
        (self.export, self.note) = (export, note)
        self.export.state = .running
    }

    /// Writes what `next` gives until it gives nothing; returns what became of it.
    mutating func run(
        _ path: String,
        _ next: () throws(ArchiveFailure) -> [ArchiveRow]
    ) throws(ArchiveFailure) -> ExportDocument {
        guard var file = ExportFile(path: path, isPacked: export.gzip) else {
            return failed("the file could not be made")
        }
        let names = export.kind.columns.map(\.name)
        var isWritten = file.write(export.format.head(names))
        export.isComplete = true
        while isWritten {
            guard note(export) else { return failed("taken away") }
            let rows = try next()
            if rows.isEmpty { break }
            let lines = rows.map { export.format.line(Self.cells($0, export.kind), names) }
            isWritten = file.write(lines.joined())
            export.rows += Int64(rows.count)
            if file.bytesWritten > Limits.exportBytesMaximum {
                export.isComplete = false
                export.reason = "more than \(Limits.exportBytesMaximum) bytes; ask for less at once"
                break
            }
        }
        guard file.end(), isWritten else { return failed("the disk did not take the file") }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        export.bytes = (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        export.state = .ready
        return export
    }

    private mutating func failed(_ reason: String) -> ExportDocument {
        (export.state, export.isComplete, export.reason) = (.failed, false, reason)
        return export
    }

    private static func cells(_ row: ArchiveRow, _ kind: ExportKind) -> [JSONValue] {
        zip(kind.columns, row).map { column, text in
            guard let text else { return .null }
            switch column.form {
            case .text: return .string(text)
            case .truth: return .bool(text == "t")
            case .number:
                if let whole = Int64(text) { return .integer(whole) }
                return Double(text).map(JSONValue.number) ?? .null
            case .document:
                let data = Data(text.utf8)
                return (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .string(text)
            }
        }
    }
}
