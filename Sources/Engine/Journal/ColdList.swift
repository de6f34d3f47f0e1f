public import Bytes
public import Units

/// What a checkpoint says of the cold files that it stands on: written before its content, and only
/// when there are any, so that a checkpoint without is what it always was.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | magic `HGKL` |
/// | 4 | 4 | how many files |
/// | 8 | 16 | key of the hash that finds a state |
/// | 24 | 8 each | serials, the newest file first |
/// | then | 4 | CRC-32C of all before |
public struct ColdList: Sendable {
    /// The most files that a list may name.
    public static let filesMaximum = 256
    /// The longest list.
    public static let bytesMaximum = 28 + 8 * filesMaximum

    private static let magic: UInt32 = 0x4c4b_4748

    /// Key of the hash that finds a state.
    public let key: HashKey
    /// Serials, the newest file first.
    public let serials: [UInt64]

    /// A list from its parts.
    public init(key: HashKey, serials: [UInt64]) {
        invariant(serials.count <= Self.filesMaximum, "too many cold files")
        self.key = key
        self.serials = serials
    }

    /// Appends the list; nothing when there are no files.
    public func write(to buffer: inout ByteBuffer) {
        if serials.isEmpty { return }
        let start = buffer.count
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: UInt32(serials.count))
        let words = key.words
        buffer.append(littleEndian: words.first)
        buffer.append(littleEndian: words.second)
        for serial in serials { buffer.append(littleEndian: serial) }
        if !buffer.overflowed {
            buffer.append(littleEndian: buffer.view(from: start).crc32c())
        }
    }

    /// Reads the list at the beginning of `bytes`, and says how long it is. Nil when there is none.
    public static func read(
        _ bytes: ByteView
    ) throws(ColdError) -> (list: ColdList, length: Int)? {
        guard bytes.holds(4, at: 0), bytes.load(UInt32.self, at: 0) == magic else { return nil }
        guard bytes.holds(28, at: 0) else { throw .damaged }
        let count = Int(bytes.load(UInt32.self, at: 4))
        guard count <= filesMaximum, bytes.holds(28 + 8 * count, at: 0) else { throw .damaged }
        let end = 24 + 8 * count
        guard bytes[0..<end].crc32c() == bytes.load(UInt32.self, at: end) else { throw .damaged }
        let key = HashKey(
            first: bytes.load(UInt64.self, at: 8),
            second: bytes.load(UInt64.self, at: 16)
        )
        let serials = (0..<count).map { bytes.load(UInt64.self, at: 24 + 8 * $0) }
        return (ColdList(key: key, serials: serials), end + 4)
    }
}
