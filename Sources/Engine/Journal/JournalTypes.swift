public import Bytes
public import Loop
public import Records

/// Why the journal could not do what it was asked to.
public enum JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk budget or the file system has no room for another segment. Nothing was accepted;
    /// try again later.
    case full
    /// The group has no room for this record: commit, then append it again.
    case groupFull
    /// The record is larger than any may be.
    case recordTooLarge
    /// The payload is not a slice.
    case malformedPayload
    /// The event numbers of the window leave more gaps than are kept. Nothing was accepted.
    case windowTooScattered
    /// The disk failed. What is in the group is not durable; stop the process and start anew.
    case failed(SystemCallError)
    /// The disk failed earlier.
    case stopped
    /// A newer program wrote this journal.
    case unsupportedVersion(UInt32)
    /// Another process writes to this journal.
    case locked
    /// The records asked for have been removed.
    case positionGone

    /// A sentence for an operator; holds no data.
    public var description: String {
        switch self {
        case .full: "the journal's disk budget is spent or the file system is full"
        case .groupFull: "the journal's group is full and must be committed"
        case .recordTooLarge: "the record is larger than the journal takes"
        case .malformedPayload: "the payload is not a slice"
        case .windowTooScattered: "the window's event numbers leave too many gaps"
        case .failed(let error): "the journal's disk failed: \(error)"
        case .stopped: "the journal stopped after its disk failed"
        case .unsupportedVersion(let version):
            "the journal has format version \(version), newer than this program can read; "
                + "start the release that wrote it, or a later one"
        case .locked: "another process writes to this journal"
        case .positionGone: "the records asked for are no longer in the journal"
        }
    }
}

/// The bounds of a journal.
public struct JournalLimits: Sendable {
    /// Bytes of a segment file.
    public var segmentBytes = 64 << 20
    /// The most bytes of a group: what one `fdatasync` covers.
    public var groupBytesMaximum = 1 << 20
    /// The most bytes of a payload.
    public var payloadBytesMaximum = 512 << 10
    /// The most bytes of all segment files together.
    public var diskBytesMaximum = 8 << 30
    /// Percent of the file system that is left to others.
    public var diskFreePercentMinimum = 5
    /// Milliseconds between looks at a full disk.
    public var fullRecheckMilliseconds: Int64 = 250
    /// Bounds of deduplication.
    public var deduplication = DeduplicationLimits()

    /// The defaults.
    public init() {}

    /// What is wrong with these limits; nil when nothing is.
    public func problem() -> String? {
        if payloadBytesMaximum + RecordHeader.size + RecordHeader.alignment > groupBytesMaximum {
            return "a record may be larger than a group"
        }
        if groupBytesMaximum + SegmentHeader.size > segmentBytes {
            return "a group may be larger than a segment"
        }
        if segmentBytes % RecordHeader.alignment != 0 {
            return "segment size is not a multiple of 8"
        }
        if diskBytesMaximum < 2 * segmentBytes { return "the disk budget is below two segments" }
        return deduplication.problem()
    }
}

/// What became of a record that was appended.
public struct Appended: Sendable {
    /// Place in the partition.
    public let position: Position
    /// Number in the whole journal.
    public let sequence: UInt64
    /// Bit i is set when event i repeats an earlier one.
    public let duplicates: UInt64
    /// Segment that the record lies in.
    public let segment: UInt64
    /// Byte of the segment where the record ends.
    public let endByte: Int
}

/// A record as a reader sees it. The views are valid inside the callback only.
public struct JournalRecord {
    /// The header.
    public let header: RecordHeader
    /// Header, payload and padding, for handing on as they are.
    public let raw: ByteView
    /// Whether the payload was erased: zeros, to be passed over.
    public let isErased: Bool
    /// Segment that the record lies in.
    public let segment: UInt64
    /// Byte of the segment where the record ends.
    public let endByte: Int

    /// The payload.
    public var payload: ByteView {
        raw[RecordHeader.size..<RecordHeader.size + header.payloadLength]
    }
}

/// Bytes of the journal that hold no valid record but should, or that should be empty.
public struct JournalDamage: Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: String, Sendable {
        /// The segment's own header cannot be read; its records still can.
        case segmentHeader
        /// No valid record header; a valid one follows.
        case recordHeader
        /// A valid header with a payload that does not match it. The record is passed over.
        case payload
        /// The record is whole, but the bytes that pad it are not zero.
        case padding
        /// Bytes after the last record of the last segment: a group that was cut off by a crash
        /// before it was acknowledged, or damage to one that was.
        case tornTail
        /// Records at the end of a segment are gone; a later segment says that they were there.
        case lostTail
        /// The file is shorter than it was made.
        case truncated
        /// A segment file is not there.
        case missingSegment
        /// The last segment was being made when the process ended. It held nothing and was removed.
        case unfinishedSegment
    }

    /// Number of the segment.
    public let segment: UInt64
    /// First byte.
    public let from: Int
    /// Byte after the last.
    public let to: Int
    /// What is wrong.
    public let reason: Reason

    /// Such as `segment 3, bytes 4096 to 4160: payload`.
    public var description: String {
        "segment \(segment), bytes \(from) to \(to): \(reason.rawValue)"
    }
}

/// Damage that was found: the first of it, and how much in all.
public struct DamageLog: Sendable {
    /// The most that are kept.
    public static let keptMaximum = 64
    /// The first ones found.
    public private(set) var first: [JournalDamage] = []
    /// How many were found.
    public private(set) var count = 0

    /// An empty log.
    public init() {}

    mutating func add(_ damage: JournalDamage) {
        count += 1
        if first.count < Self.keptMaximum { first.append(damage) }
    }
}

/// What opening a journal found.
public struct RecoveryReport: Sendable {
    /// Segment files found.
    public var segments = 0
    /// Records read; those before the deduplication checkpoint need not be.
    public var records = 0
    /// Bytes of the records read.
    public var bytes = 0
    /// Damage found.
    public var damage = DamageLog()
    /// Sequence of the last record, 0 when there is none.
    public var lastSequence: UInt64 = 0
    /// Nanoseconds that it took.
    public var nanoseconds: Int64 = 0
}

/// What there is of a journal.
public struct JournalExtent: Sendable {
    /// Segment files.
    public var segments = 0
    /// The offset that each partition's first record has at the least; index is the partition.
    public var firstOffsets = [UInt64](repeating: 1, count: Partition.count)
    /// Records, estimated from whole segments.
    public var estimatedRecords = 0

    /// Whether it holds everything from the first record of the installation on.
    public var isComplete: Bool { firstOffsets.allSatisfy { $0 <= 1 } }
}

/// Where to start reading.
public enum JournalStart: Sendable {
    /// With the oldest record there is.
    case oldest
    /// With this sequence.
    case sequence(UInt64)
    /// With these offsets, one for each of the 256 partitions.
    case offsets([UInt64])
}
