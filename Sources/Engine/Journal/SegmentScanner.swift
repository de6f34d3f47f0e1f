import Bytes
import Loop
import Records
import Units

/// Reads one segment from front to back and finds its way over damage. Says what it finds; what to
/// do about it is the caller's.
struct SegmentScanner: ~Copyable {
    enum Found {
        case record(JournalRecord)
        /// Damage, and the record's header when that at least is whole.
        case damage(JournalDamage, RecordHeader?)
        /// A record behind the one asked for; it was not consumed.
        case notYet
        /// No more valid records.
        case end
    }

    private static let readBytes = 256 << 10

    let segment: UInt64
    /// Byte of the next record.
    private(set) var position = SegmentHeader.size
    /// Sequence of the last record found.
    private(set) var lastSequence: UInt64
    /// Where the records end, once a later segment has told.
    private var sealedEnd: Int?
    private var isExhausted = false

    private let disk: JournalDisk
    private let file: DiskFile
    private let segmentBytes: Int
    private let payloadBytesMaximum: Int
    /// Bytes of the file from `bufferStart` on.
    private var buffer: ByteBuffer
    private var bufferStart = 0

    init(
        disk: JournalDisk,
        directory: String,
        segment: SegmentCatalogue.Segment,
        lastSequence: UInt64,
        payloadBytesMaximum: Int
    ) throws(JournalError) {
        self.disk = disk
        self.segment = segment.number
        self.lastSequence = max(lastSequence, (segment.header?.firstSequence ?? 1) - 1)
        self.payloadBytesMaximum = payloadBytesMaximum
        segmentBytes = segment.header?.segmentBytes ?? segment.fileBytes
        let limit =
            Self.readBytes + payloadBytesMaximum + RecordHeader.size + RecordHeader.alignment
        buffer = ByteBuffer(capacity: Self.readBytes, limit: limit)
        do throws(SystemCallError) {
            file = try disk.open("\(directory)/\(SegmentName.text(segment.number))", .read)
        } catch {
            throw error.isMissing ? .positionGone : .failed(error)
        }
    }

    deinit { disk.close(file) }

    /// Forgets what is buffered, because a writer may have written there since.
    mutating func refresh() {
        buffer.reset()
        bufferStart = position
        isExhausted = false
    }

    /// A later segment's header tells where this one's records end.
    mutating func seal(at end: Int) { sealedEnd = end }

    /// Whether every record of a sealed segment was found.
    var isComplete: Bool { sealedEnd.map { position >= $0 } ?? false }

    /// Whether a valid record is next.
    mutating func hasRecord() throws(JournalError) -> Bool {
        try header() != nil
    }

    /// The next record up to sequence `bound`, or what is there instead.
    mutating func next(upTo bound: UInt64) throws(JournalError) -> Found {
        if isExhausted || isComplete { return .end }
        guard let header = try header() else { return try passDamage() }
        if header.sequence > bound { return .notYet }
        return take(header, try window(header.recordLength))
    }

    private mutating func take(_ header: RecordHeader, _ bytes: ByteView) -> Found {
        let start = position
        position += header.recordLength
        lastSequence = header.sequence
        let record = JournalRecord(
            header: header,
            raw: bytes[0..<header.recordLength],
            isErased: Self.isErased(bytes),
            segment: segment,
            endByte: position
        )
        let isIntact =
            record.isErased
            ? Self.isZero(record.payload) : record.payload.crc32c() == header.payloadChecksum
        return isIntact
            ? .record(record) : .damage(damage(from: start, to: position, .payload), header)
    }

    /// An erasure sets the flag and zeroes the payload.
    private static func isErased(_ bytes: ByteView) -> Bool {
        bytes[RecordHeader.flagsOffset] & RecordHeader.erasedFlag != 0
    }

    /// Damage to the padding of a record that was just found.
    func paddingDamage(_ record: JournalRecord) -> JournalDamage? {
        let start = RecordHeader.size + record.header.payloadLength
        if Self.isZero(record.raw[start..<record.raw.count]) { return nil }
        let first = record.endByte - record.raw.count + start
        return damage(from: first, to: record.endByte, .padding)
    }

    // MARK: - Headers

    /// The header at `position`, if it is valid and its record lies within the file.
    private mutating func header() throws(JournalError) -> RecordHeader? {
        guard let header = plausible(try window(RecordHeader.size), 0) else { return nil }
        return try window(header.recordLength).count >= header.recordLength ? header : nil
    }

    private func plausible(_ bytes: ByteView, _ index: Int) -> RecordHeader? {
        guard bytes.count - index >= RecordHeader.size,
            bytes.load(UInt32.self, at: index) == RecordHeader.magic,
            let header = RecordHeader(bytes[index..<index + RecordHeader.size]),
            header.sequence > lastSequence, header.payloadLength <= payloadBytesMaximum
        else { return nil }
        return header
    }

    // MARK: - Damage

    /// Looks for the next valid record, or finds that there is none.
    private mutating func passDamage() throws(JournalError) -> Found {
        let start = position
        var dirtyEnd = try scanBlock(from: start)
        while !isExhausted {
            if try header() != nil {
                return .damage(damage(from: start, to: position, .recordHeader), nil)
            }
            position += RecordHeader.alignment
            dirtyEnd = max(dirtyEnd, try scanBlock(from: start))
        }
        position = start
        return try tail(from: start, dirtyEnd: dirtyEnd)
    }

    /// Moves `position` to the next place in the buffer where a header could be. Returns where the
    /// last byte that is not zero ends. Sets `isExhausted` at the end of the file.
    private mutating func scanBlock(from start: Int) throws(JournalError) -> Int {
        var dirtyEnd = start
        while true {
            let bytes = try window(RecordHeader.size)
            if let offset = Self.firstNonzeroWord(bytes) {
                position += offset
                dirtyEnd = min(position + RecordHeader.alignment, bufferStart + buffer.count)
                if bytes.count - offset < RecordHeader.size {
                    dirtyEnd = bufferStart + buffer.count
                    isExhausted = true
                }
                return dirtyEnd
            }
            if bytes.count < RecordHeader.size {
                isExhausted = true
                return dirtyEnd
            }
            position += bytes.count & ~(RecordHeader.alignment - 1)
        }
    }

    /// Nothing valid follows: an end that is as it should be, or one that is not.
    private func tail(from start: Int, dirtyEnd: Int) throws(JournalError) -> Found {
        let fileBytes = try reporting { () throws(SystemCallError) in try disk.size(file) }
        if let sealedEnd, start < sealedEnd {
            return .damage(damage(from: start, to: sealedEnd, .lostTail), nil)
        }
        if dirtyEnd > start { return .damage(damage(from: start, to: dirtyEnd, .tornTail), nil) }
        if sealedEnd == nil, fileBytes < segmentBytes {
            return .damage(damage(from: fileBytes, to: segmentBytes, .truncated), nil)
        }
        return .end
    }

    private func damage(
        from: Int,
        to: Int,
        _ reason: JournalDamage.Reason
    ) -> JournalDamage {
        JournalDamage(segment: segment, from: from, to: to, reason: reason)
    }

    private static func firstNonzeroWord(_ bytes: ByteView) -> Int? {
        var index = 0
        while index + 8 <= bytes.count {
            if bytes.load(UInt64.self, at: index) != 0 { return index }
            index += 8
        }
        return isZero(bytes[index..<bytes.count]) ? nil : index
    }

    static func isZero(_ bytes: ByteView) -> Bool {
        for index in 0..<bytes.count where bytes[index] != 0 { return false }
        return true
    }

    // MARK: - Reading

    /// The bytes at `position`: at least `wanted` of them, unless the file ends before.
    private mutating func window(_ wanted: Int) throws(JournalError) -> ByteView {
        let start = position - bufferStart
        if start >= 0, start + wanted <= buffer.count { return buffer.view(from: start) }
        try fill(wanted)
        return buffer.view
    }

    /// Moves the bytes from `position` on to the front of the buffer and reads behind them.
    private mutating func fill(_ wanted: Int) throws(JournalError) {
        let start = position - bufferStart
        if start >= 0, start <= buffer.count {
            buffer.dropFirst(start)
        } else {
            buffer.reset()
        }
        bufferStart = position
        let count = max(wanted - buffer.count, Self.readBytes - buffer.count)
        guard count > 0 else { return }
        let offset = bufferStart + buffer.count
        do throws(SystemCallError) {
            _ = try disk.read(file, at: offset, count: count, into: &buffer)
        } catch {
            throw .failed(error)
        }
    }
}
