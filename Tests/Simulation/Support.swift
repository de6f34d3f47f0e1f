import Bytes
import Foundation
import Glibc
import Loop
import Records

@testable import Journal

/// A payload with one event for each number; `filler` is its only property's value. Its events are
/// known by their window and number, or by message ids made of both.
func withSlice<Result>(
    window: String,
    numbers: [UInt32],
    filler: String = "x",
    withMessageIDs: Bool = false,
    _ body: (ByteView) throws -> Result
) rethrows -> Result {
    var writer = SliceWriter(limit: 1 << 20)
    var text = ByteBuffer(capacity: 1024)
    text.append(text: window)
    var head = SliceWriter.Head()
    head.site = ByteView("demo")
    head.visitor = text.view
    head.window = withMessageIDs ? .empty : text.view
    writer.begin(head)
    for number in numbers {
        var id = ByteBuffer(capacity: 64)
        if withMessageIDs { id.append(text: "\(window)-\(number)") }
        writer.beginEvent(
            number: withMessageIDs ? 0 : number,
            occurredAt: Int64(number) * 1000,
            kind: .custom,
            flags: [],
            page: 1,
            name: ByteView("test"),
            messageID: id.view
        )
        writer.buffer.append(text: "{\"p\":\"\(filler)\"}")
        writer.endEvent()
    }
    precondition(writer.finish(eventCount: numbers.count))
    return try body(writer.buffer.view)
}

/// A directory of the machine's disk that goes away with the value.
final class TemporaryDirectory {
    let path: String
    init() {
        var template = Array(
            ("/tmp/heliograph-journal-" + String(repeating: "X", count: 6)).utf8CString
        )
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "" }
            return String(cString: made)
        }
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Small limits, so that tests meet every bound.
func smallLimits(segmentBytes: Int = 16 << 10) -> JournalLimits {
    var limits = JournalLimits()
    limits.segmentBytes = segmentBytes
    limits.groupBytesMaximum = 8 << 10
    limits.payloadBytesMaximum = 4 << 10
    limits.diskBytesMaximum = 64 << 20
    limits.diskFreePercentMinimum = 0
    limits.deduplication.memoryBytesMaximum = 1 << 20
    return limits
}

/// What a record says, as a value that outlives the callback.
struct Seen: Equatable {
    var sequence: UInt64
    var offset: UInt64
    var partition: UInt8
    var duplicates: UInt64
    var payload: [UInt8]

    init(
        sequence: UInt64,
        offset: UInt64,
        partition: UInt8,
        duplicates: UInt64,
        payload: [UInt8]
    ) {
        self.sequence = sequence
        self.offset = offset
        self.partition = partition
        self.duplicates = duplicates
        self.payload = payload
    }

    init(_ record: JournalRecord) {
        sequence = record.header.sequence
        offset = record.header.offset
        partition = record.header.partition.index
        duplicates = record.header.duplicates
        payload = Array(record.payload.buffer)
    }

    /// Compares memory at once: tests compare millions of records, also in debug builds.
    static func == (left: Seen, right: Seen) -> Bool {
        left.sequence == right.sequence && left.offset == right.offset
            && left.partition == right.partition && left.duplicates == right.duplicates
            && left.payload.withUnsafeBytes { one in
                right.payload.withUnsafeBytes { ByteView(one).equals(ByteView($0)) }
            }
    }
}

extension JournalWriter {
    /// Appends and commits one record per element, rolling where needed.
    mutating func appendAll(
        windows: Range<Int>,
        filler: String = "x",
        commitEvery: Int = 1
    ) throws {
        for index in windows {
            try withSlice(window: "w\(index)", numbers: [1, 2], filler: filler) { payload in
                _ = try appendRolling(Partition(UInt8(index & 255)), payload)
            }
            if index % commitEvery == 0 { try commit() }
        }
        try commit()
    }

    mutating func appendRolling(
        _ partition: Partition,
        _ payload: ByteView,
        at time: Int64 = 1_000_000
    ) throws(JournalError) -> Appended {
        do throws(JournalError) {
            return try append(partition: partition, receivedAt: time, payload: payload)
        } catch {
            guard error == .groupFull else { throw error }
            try commit()
            return try append(partition: partition, receivedAt: time, payload: payload)
        }
    }
}

/// Everything a reader finds from `start` on, and the damage on the way.
func readAll(
    _ disk: JournalDisk,
    _ directory: String,
    _ limits: JournalLimits,
    from start: JournalStart = .oldest,
    upTo bound: UInt64 = .max
) throws -> (records: [Seen], damage: DamageLog) {
    var reader = JournalReader(disk: disk, directory: directory, limits: limits)
    try reader.seek(start)
    var records: [Seen] = []
    _ = try reader.read(upTo: bound) { records.append(Seen($0)) }
    return (records, reader.damage)
}

let isLong = ProcessInfo.processInfo.environment["HELIOGRAPH_LONG"] == "1"
