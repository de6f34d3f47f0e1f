import Bytes
public import Units

/// What is known of an entry of a cold file without its bytes.
public struct ColdEntry: Sendable {
    /// The keyed hash that finds it.
    public var key: Hash128
    /// When it was changed last, epoch milliseconds.
    public var time: Int64
    /// Offset of the record that changed it last.
    public var offset: UInt64

    /// An entry from its parts.
    public init(key: Hash128, time: Int64, offset: UInt64) {
        (self.key, self.time, self.offset) = (key, time, offset)
    }
}

/// Why a cold file or an entry of it cannot be had.
public enum ColdError: Error, Equatable, Sendable {
    /// The file is not there.
    case missing
    /// Its bytes are not those that were written.
    case damaged
    /// The disk does not answer as it should: worth another try.
    case unreadable(errno: Int32)
}

/// The bytes of a cold file: states that have left memory, found again by the hash of their owner.
///
/// Invariants: a file never changes once it has its name; entries ascend by key, each key once; no
/// entry crosses a block. All integers are little-endian.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | magic `HGK1` |
/// | 4 | 4 | zero |
/// | 8 | 8 | serial: number among the partition's cold files |
/// | 16 | 8 | entries |
/// | 24 | 8 | greatest offset of an entry |
/// | 32 | 8 | where the tail begins |
/// | 40 | 4 | blocks |
/// | 44 | 4 | words of the filter |
/// | 48 | 8 | zero |
/// | 56 | 4 | CRC-32C of the tail |
/// | 60 | 4 | CRC-32C of bytes 0 to 59 |
/// | 64 | n | blocks: CRC-32C of what follows (4), entries |
/// | tail | 16 each | of each block: high half of its first key, where it begins |
/// | then | 8 each | the filter |
///
/// An entry: key (high and low half, 8 each), time, offset (8 each), length (2), bytes.
///
/// Operations: looking up takes the filter (in memory), a binary search of the blocks (in memory),
/// and one read of a block. Merging walks the blocks of several files side by side.
enum ColdFormat {
    static let magic: UInt32 = 0x314b_4748
    static let headerSize = 64
    static let entryHeadSize = 34
    static let blockHeadSize = 4
    static let indexEntrySize = 16
    /// A block is closed when it holds this much.
    static let blockBytes = 8 * 1024
    /// The largest block: one more entry fits when it is all but full.
    static let blockBytesMaximum = blockBytes + entryHeadSize + entryBytesMaximum
    /// Bytes of one entry.
    static let entryBytesMaximum = 16 * 1024

    @inline(__always)
    static func precedes(_ left: Hash128, _ right: Hash128) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// Reads the entry at `place` and moves on behind it. Nil when the block ends in its middle.
    static func entry(
        _ block: ByteView,
        _ place: inout Int
    ) -> (entry: ColdEntry, bytes: ByteView)? {
        guard block.holds(entryHeadSize, at: place) else { return nil }
        let key = Hash128(
            low: block.load(UInt64.self, at: place &+ 8),
            high: block.load(UInt64.self, at: place)
        )
        let entry = ColdEntry(
            key: key,
            time: block.load(Int64.self, at: place &+ 16),
            offset: block.load(UInt64.self, at: place &+ 24)
        )
        let length = Int(block.load(UInt16.self, at: place &+ 32))
        let start = place &+ entryHeadSize
        guard block.holds(length, at: start) else { return nil }
        place = start &+ length
        return (entry, block[start..<start &+ length])
    }

    static func append(_ entry: ColdEntry, _ bytes: ByteView, to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: entry.key.high)
        buffer.append(littleEndian: entry.key.low)
        buffer.append(littleEndian: entry.time)
        buffer.append(littleEndian: entry.offset)
        buffer.append(littleEndian: UInt16(bytes.count))
        buffer.append(bytes)
    }
}

/// Says of most keys that are not in a file that they are not, from 12 bits per entry: five bits in
/// one word (Putze, Sanders and Singler's blocked Bloom filter, with a word for a block).
struct ColdFilter: Sendable {
    private static let bitsPerEntry = 12

    private(set) var words: [UInt64]

    init(entries: Int) {
        words = Array(repeating: 0, count: max(1, (entries * Self.bitsPerEntry + 63) / 64))
    }

    init(words: [UInt64]) { self.words = words }

    mutating func insert(_ key: Hash128) { words[place(key)] |= Self.bits(key) }

    @inline(__always)
    func mayHold(_ key: Hash128) -> Bool {
        let bits = Self.bits(key)
        return words[place(key)] & bits == bits
    }

    @inline(__always)
    private func place(_ key: Hash128) -> Int {
        Int(truncatingIfNeeded: key.low.multipliedFullWidth(by: UInt64(words.count)).high)
    }

    /// Of the low end of the half that orders entries, which its high end does.
    @inline(__always)
    private static func bits(_ key: Hash128) -> UInt64 {
        var rest = key.high
        var bits: UInt64 = 0
        for _ in 0..<5 {
            bits |= 1 &<< (rest & 63)
            rest &>>= 6
        }
        return bits
    }
}
