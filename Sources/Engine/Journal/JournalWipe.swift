import Bytes
public import Loop
import Records

/// What wiping records has done.
public struct WipeReport: Sendable {
    /// Records zeroed.
    public var records = 0
    /// Bytes of their payloads.
    public var bytes = 0

    /// Nothing.
    public init() {}
}

/// Zeroes the payloads of records in place, safe against an end of process or machine at any instant.
///
/// What is to be zeroed is written to a plan first, which is durable before the first byte of a
/// segment changes, and goes when all of them are durable. A plan that is found at a start is carried
/// out again: doing so twice changes nothing. Headers keep their place, sequence and offset, so every
/// position stays what it was; the flag in them says that the payload is gone, and the checksum of what
/// it was goes with it. Beside a writer, because what is zeroed lies before its end.
///
/// The plan, `wipe.hgw`, integers little-endian: magic `HGW1`, entries (4 each), of each its segment
/// (8), byte in it (8), bytes of its payload (4) and the header as it is to be (64); at the end CRC-32C
/// of all before.
public struct JournalWipe: Sendable {
    private static let magic: UInt32 = 0x3157_4748
    private static let headSize = 8
    private static let entrySize = 20 + RecordHeader.size
    /// Entries of one plan.
    private static let planRecordsMaximum = 16_384

    private struct Entry {
        let segment: UInt64
        let start: Int
        let length: Int
    }

    private let disk: JournalDisk
    private let directory: String
    private let limits: JournalLimits

    /// For the journal in `directory`.
    public init(disk: JournalDisk, directory: String, limits: JournalLimits = JournalLimits()) {
        (self.disk, self.directory, self.limits) = (disk, directory, limits)
    }

    private var planPath: String { "\(directory)/wipe.hgw" }

    /// Zeroes the records up to sequence `bound` that `isWanted`; those that are zeroed already are not
    /// asked about. `isWanted` may be asked about a record twice.
    public func wipe(
        upTo bound: UInt64,
        where isWanted: (JournalRecord) -> Bool
    ) throws(JournalError) -> WipeReport {
        var report = WipeReport()
        var reader = JournalReader(disk: disk, directory: directory, limits: limits)
        while true {
            var plan = beginPlan()
            let progress = try reader.read(upTo: bound, recordsMaximum: Self.planRecordsMaximum) {
                if !$0.isErased, isWanted($0) { Self.add($0, to: &plan, &report) }
            }
            if plan.count > Self.headSize { try perform(&plan) }
            if progress.isCaughtUp { return report }
        }
    }

    /// Carries out a plan that was cut short. To be called before the journal is opened.
    public func finish() throws(JournalError) {
        var plan = ByteBuffer(capacity: 4096, limit: planBytesMaximum)
        let found = try reporting { () throws(SystemCallError) in try readPlan(&plan) }
        guard found else { return }
        try carryOut(plan.view)
    }

    // MARK: - Plans

    private var planBytesMaximum: Int {
        Self.headSize + Self.planRecordsMaximum * Self.entrySize + 4
    }

    private func beginPlan() -> ByteBuffer {
        var plan = ByteBuffer(capacity: 4096, limit: planBytesMaximum)
        plan.append(littleEndian: Self.magic)
        plan.append(littleEndian: UInt32(0))
        return plan
    }

    private static func add(
        _ record: JournalRecord,
        to plan: inout ByteBuffer,
        _ report: inout WipeReport
    ) {
        plan.append(littleEndian: record.segment)
        plan.append(littleEndian: UInt64(record.endByte - record.raw.count))
        plan.append(littleEndian: UInt32(record.header.payloadLength))
        let start = plan.count
        plan.append(record.raw[0..<RecordHeader.size])
        plan.overwrite(littleEndian: RecordHeader.erasedFlag, at: start + RecordHeader.flagsOffset)
        plan.overwrite(littleEndian: UInt32(0), at: start + 48)
        let checksum = plan.view[start..<start + 60].crc32c()
        plan.overwrite(littleEndian: checksum, at: start + 60)
        report.records += 1
        report.bytes += record.header.payloadLength
    }

    private func perform(_ plan: inout ByteBuffer) throws(JournalError) {
        let entries = (plan.count - Self.headSize) / Self.entrySize
        plan.overwrite(littleEndian: UInt32(entries), at: 4)
        plan.append(littleEndian: plan.view.crc32c())
        do throws(SystemCallError) {
            let draft = planPath + ".tmp"
            let file = try disk.open(draft, .createOrReplace)
            defer { disk.close(file) }
            try disk.write(file, plan.view, at: 0)
            try disk.synchronize(file)
            try disk.rename(draft, to: planPath)
            try disk.synchronizeDirectory(directory)
        } catch {
            throw .failed(error)
        }
        try carryOut(plan.view)
    }

    /// False when there is no plan, or none that was finished: then nothing of it was begun.
    private func readPlan(_ plan: inout ByteBuffer) throws(SystemCallError) -> Bool {
        let file: DiskFile
        do throws(SystemCallError) { file = try disk.open(planPath, .read) } catch {
            if error.isMissing { return false }
            throw error
        }
        defer { disk.close(file) }
        let bytes = min(try disk.size(file), planBytesMaximum)
        _ = try disk.read(file, at: 0, count: bytes, into: &plan)
        let end = plan.count - 4
        return end >= Self.headSize && plan.view.load(UInt32.self, at: 0) == Self.magic
            && plan.view[0..<end].crc32c() == plan.view.load(UInt32.self, at: end)
    }

    // MARK: - Zeroing

    private func carryOut(_ plan: ByteView) throws(JournalError) {
        let entries = Int(plan.load(UInt32.self, at: 4))
        var zeros = ByteBuffer(capacity: 4096, limit: limits.payloadBytesMaximum)
        do throws(SystemCallError) {
            var index = 0
            while index < entries { try zeroSegment(plan, entries, &index, &zeros) }
            try disk.remove(planPath)
            try disk.synchronizeDirectory(directory)
        } catch {
            throw .failed(error)
        }
    }

    /// Entries of one segment stand together. A segment that is gone needs nothing.
    private func zeroSegment(
        _ plan: ByteView,
        _ entries: Int,
        _ index: inout Int,
        _ zeros: inout ByteBuffer
    ) throws(SystemCallError) {
        let segment = entry(plan, index).segment
        let file = try openSegment(segment)
        defer { if let file { disk.close(file) } }
        while index < entries {
            let place = entry(plan, index)
            guard place.segment == segment else { break }
            if let file {
                while zeros.count < place.length { zeros.append(0) }
                let header = Self.headSize + index * Self.entrySize + 20
                try disk.write(
                    file,
                    zeros.view[0..<place.length],
                    at: place.start + RecordHeader.size
                )
                try disk.write(file, plan[header..<header + RecordHeader.size], at: place.start)
            }
            index += 1
        }
        if let file { try disk.synchronize(file) }
    }

    private func entry(_ plan: ByteView, _ index: Int) -> Entry {
        let start = Self.headSize + index * Self.entrySize
        return Entry(
            segment: plan.load(UInt64.self, at: start),
            start: Int(plan.load(UInt64.self, at: start + 8)),
            length: Int(plan.load(UInt32.self, at: start + 16))
        )
    }

    private func openSegment(_ number: UInt64) throws(SystemCallError) -> DiskFile? {
        do throws(SystemCallError) {
            return try disk.open("\(directory)/\(SegmentName.text(number))", .readWrite)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }
}
