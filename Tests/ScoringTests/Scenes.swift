import Bytes
import Glibc
import Records
import Scoring
import Settings
import TestSupport
import Units

/// The product's own scoring file, found from the place of this source.
enum Scenes {
    static let fileText: String = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return readFile("/\(root)/config/scoring.yaml")
    }()

    static let file: ScoringFile = {
        do {
            return try ScoringFile.parse(fileText, file: "config/scoring.yaml")
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    static let model = ScoringModel(file)

    /// Noon of some day.
    static let noon: Int64 = 1_790_000_000_000

    private static func readFile(_ path: String) -> String {
        guard let file = fopen(path, "r") else { preconditionFailure("cannot open \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[0..<count], as: UTF8.self)
    }

    /// A record with these events, received when the last of them happened.
    static func record(
        _ events: [TestEvent],
        visitor: String = "visitor-1",
        session: String = "session-1",
        consent: Consent = .all,
        flags: Slice.Flags = [],
        receivedAt: Int64? = nil,
        offset: UInt64 = 1
    ) -> PackedRecord {
        var record = TestRecord()
        record.events = events
        record.visitor = visitor
        record.session = session
        record.consent = consent
        record.flags = flags
        record.receivedAt = receivedAt ?? events.map(\.occurredAt).max() ?? noon
        record.offset = offset
        return record.packed()
    }

    /// Folds records in their order.
    static func fold(_ records: [PackedRecord]) -> PartitionFold {
        var fold = PartitionFold(model: model)
        for record in records {
            record.withSlice { header, slice in _ = fold.apply(header, slice) }
        }
        return fold
    }

    /// Folds one record and returns what it brought about.
    static func apply(_ record: PackedRecord, to fold: inout PartitionFold) -> FoldEffect? {
        record.withSlice { header, slice in fold.apply(header, slice) }
    }

    /// The packed state of a visitor, read back.
    static func state(_ fold: borrowing PartitionFold, _ visitor: String = "visitor-1")
        -> PackedState
    {
        guard let index = index(fold, visitor) else { preconditionFailure("no \(visitor)") }
        var buffer = ByteBuffer(capacity: 4096)
        fold.packState(index, into: &buffer)
        guard let state = PartitionFold.unpackState(buffer.view) else {
            preconditionFailure("a packed state must unpack")
        }
        return state
    }

    static func index(_ fold: borrowing PartitionFold, _ visitor: String = "visitor-1") -> Int32? {
        withView("demo") { site in withView(visitor) { fold.index(site: site, visitor: $0) } }
    }

    static func serialized(_ fold: borrowing PartitionFold) -> [UInt8] {
        var buffer = ByteBuffer(capacity: 1 << 16, limit: 1 << 26)
        fold.serialize(into: &buffer)
        precondition(!buffer.overflowed, "the checkpoint must fit")
        return Array(buffer.view.buffer)
    }

    static func deserialized(
        _ bytes: [UInt8],
        key: HashKey = .random()
    ) throws -> PartitionFold {
        var buffer = ByteBuffer(capacity: bytes.count + 16, limit: 1 << 26)
        for byte in bytes { buffer.append(byte) }
        return try PartitionFold(deserializing: buffer.view, model: model, key: key)
    }
}
