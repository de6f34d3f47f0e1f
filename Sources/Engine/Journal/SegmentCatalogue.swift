import Bytes
import Loop

/// Turns a failed system call into the journal's error.
@inline(__always)
func reporting<Result>(
    _ body: () throws(SystemCallError) -> Result
) throws(JournalError) -> Result {
    do throws(SystemCallError) { return try body() } catch { throw .failed(error) }
}

/// The segments of a directory, by number.
struct SegmentCatalogue: Sendable {
    struct Segment: Sendable {
        let number: UInt64
        /// Nil when it cannot be read.
        let header: SegmentHeader?
        let fileBytes: Int
    }

    private(set) var segments: [Segment] = []

    /// Reads the header of every segment from `first` on.
    init(disk: JournalDisk, directory: String, from first: UInt64 = 0) throws(JournalError) {
        let names = try reporting { () throws(SystemCallError) in try disk.names(in: directory) }
        for number in names.compactMap(SegmentName.number).sorted() where number >= first {
            if let segment = try Self.look(disk, directory, number) { segments.append(segment) }
        }
    }

    /// Reads the header of one segment; nil when there is no such file.
    static func look(
        _ disk: JournalDisk,
        _ directory: String,
        _ number: UInt64
    ) throws(JournalError) -> Segment? {
        let file: DiskFile
        do throws(SystemCallError) {
            file = try disk.open("\(directory)/\(SegmentName.text(number))", .read)
        } catch {
            if error.isMissing { return nil }
            throw .failed(error)
        }
        defer { disk.close(file) }
        var buffer = ByteBuffer(capacity: SegmentHeader.size)
        let bytes = try reporting { () throws(SystemCallError) in
            _ = try disk.read(file, at: 0, count: SegmentHeader.size, into: &buffer)
            return try disk.size(file)
        }
        let header = try header(in: buffer.view, number: number)
        return Segment(number: number, header: header, fileBytes: bytes)
    }

    private static func header(
        in bytes: ByteView,
        number: UInt64
    ) throws(JournalError) -> SegmentHeader? {
        switch SegmentHeader.read(bytes) {
        case .valid(let header): return header.number == number ? header : nil
        case .unsupported(let version): throw .unsupportedVersion(version)
        case .damaged: return nil
        }
    }

    var bytes: Int { segments.reduce(0) { $0 + $1.fileBytes } }

    /// Index of the last segment before which every record is before `start`; 0 when there is none.
    func index(for start: JournalStart) -> Int {
        if case .oldest = start { return 0 }
        return segments.lastIndex { segment in
            guard let header = segment.header else { return false }
            return header.begins(atOrBefore: start)
        } ?? 0
    }

    /// Whether records from `start` on may have been removed.
    func hasLost(_ start: JournalStart) -> Bool {
        guard let header = segments.first?.header else { return false }
        return !header.begins(atOrBefore: start)
    }
}

extension SegmentHeader {
    /// Whether no record before this segment is at or behind `start`.
    fileprivate func begins(atOrBefore start: JournalStart) -> Bool {
        switch start {
        case .oldest: return true
        case .sequence(let sequence): return firstSequence <= max(sequence, 1)
        case .offsets(let wanted):
            return zip(nextOffsets, wanted).allSatisfy { $0 <= max($1, 1) }
        }
    }
}
