public import Bytes

/// The fixed front of a journal record.
///
/// Invariants: a record never changes after it was written, except that an erasure may zero its
/// payload in place, which is why header and payload carry separate checksums. All integers are
/// little-endian. Records are padded with zeros to a multiple of 8 bytes.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | magic `HGR1` |
/// | 4 | 4 | length of the whole record, padding included |
/// | 8 | 8 | sequence: number in the whole journal, from 1 |
/// | 16 | 8 | offset: number in the partition, from 1 |
/// | 24 | 8 | received at, epoch milliseconds |
/// | 32 | 8 | duplicates: bit i set when event i repeats an earlier one |
/// | 40 | 2 | partition |
/// | 42 | 1 | kind |
/// | 43 | 1 | flags: 1, the payload was erased and is zeros |
/// | 44 | 4 | payload length, padding excluded |
/// | 48 | 4 | CRC-32C of the payload |
/// | 52 | 8 | zero |
/// | 60 | 4 | CRC-32C of bytes 0 to 59 |
public struct RecordHeader: BitwiseCopyable, Sendable {
    /// Bytes of a header.
    public static let size = 64
    /// `HGR1`, read as a little-endian integer.
    public static let magic: UInt32 = 0x3152_4748
    /// Every record begins at a multiple of this.
    public static let alignment = 8

    /// What a record holds.
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// One visitor's slice of a batch.
        case slice = 1
        /// What was refused, kept for the operator; no visitor's, and never folded.
        case rejected = 2
        /// A visitor of whom nothing may be left: see `Erasure`.
        case erasure = 3
        /// A visitor that is no longer read as part of a person, or is again: see `Erasure`.
        case parting = 4
    }

    /// Where the flags lie.
    public static let flagsOffset = 43
    /// The flag of a record whose payload an erasure has zeroed.
    public static let erasedFlag: UInt8 = 1

    /// Number in the whole journal, from 1.
    public var sequence: UInt64
    /// Number in the partition, from 1.
    public var offset: UInt64
    /// When the last byte of the beacon arrived, epoch milliseconds.
    public var receivedAt: Int64
    /// Bit i is set when event i of the slice repeats an earlier event and has no effect.
    public var duplicates: UInt64
    /// The partition of the visitor.
    public var partition: Partition
    /// What the payload is.
    public var kind: Kind
    /// Bytes of payload behind the header.
    public var payloadLength: Int
    /// CRC-32C of the payload.
    public var payloadChecksum: UInt32

    /// A header for `payload`; sequence, offset and duplicates are the journal's to fill in.
    public init(kind: Kind, partition: Partition, receivedAt: Int64, payload: ByteView) {
        sequence = 0
        offset = 0
        self.receivedAt = receivedAt
        duplicates = 0
        self.partition = partition
        self.kind = kind
        payloadLength = payload.count
        payloadChecksum = payload.crc32c()
    }

    /// The place of the record.
    public var position: Position { Position(partition: partition, offset: offset) }

    /// Bytes of header, payload and padding.
    public var recordLength: Int { Self.recordLength(payloadLength: payloadLength) }

    /// Bytes that a record with this payload takes.
    public static func recordLength(payloadLength: Int) -> Int {
        (size &+ payloadLength &+ alignment &- 1) & ~(alignment &- 1)
    }

    /// Reads and checks a header; nil when the bytes are not one.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= Self.size, bytes.load(UInt32.self, at: 0) == Self.magic,
            bytes[0..<60].crc32c() == bytes.load(UInt32.self, at: 60),
            let kind = Kind(rawValue: bytes[42])
        else { return nil }
        sequence = bytes.load(UInt64.self, at: 8)
        offset = bytes.load(UInt64.self, at: 16)
        receivedAt = bytes.load(Int64.self, at: 24)
        duplicates = bytes.load(UInt64.self, at: 32)
        partition = Partition(UInt8(truncatingIfNeeded: bytes.load(UInt16.self, at: 40)))
        self.kind = kind
        payloadLength = Int(bytes.load(UInt32.self, at: 44))
        payloadChecksum = bytes.load(UInt32.self, at: 48)
        guard recordLength == Int(bytes.load(UInt32.self, at: 4)) else { return nil }
    }

    /// Appends the header's 64 bytes.
    public func write(to buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: UInt32(recordLength))
        buffer.append(littleEndian: sequence)
        buffer.append(littleEndian: offset)
        buffer.append(littleEndian: receivedAt)
        buffer.append(littleEndian: duplicates)
        buffer.append(littleEndian: UInt16(partition.index))
        buffer.append(kind.rawValue)
        buffer.append(0)
        buffer.append(littleEndian: UInt32(payloadLength))
        buffer.append(littleEndian: payloadChecksum)
        buffer.append(littleEndian: UInt64(0))
        if buffer.overflowed { return }
        buffer.append(littleEndian: buffer.view(from: start).crc32c())
    }
}
