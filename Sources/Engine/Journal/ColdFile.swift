public import Bytes
import Loop
public import Units

/// A cold file, open: its filter and the places of its blocks are in memory, its entries are not.
///
/// Never changes, so every thread may read it. It stays readable after its name was removed, until
/// the last holder lets go.
public final class ColdFile: Sendable {
    /// Number among the partition's cold files.
    public let serial: UInt64
    /// How many entries it holds.
    public let count: Int
    /// Bytes on disk.
    public let bytes: Int
    /// Greatest offset of an entry.
    public let newestOffset: UInt64

    private let disk: JournalDisk
    private let file: DiskFile
    private let filter: ColdFilter
    /// High half of the first key of each block, ascending.
    private let firstKeys: [UInt64]
    /// Where each block begins, and last where the tail does.
    private let places: [Int]

    /// Bytes of memory that it takes.
    public var memoryBytes: Int { 8 * (filter.words.count + firstKeys.count + places.count) }

    /// Takes over `file`: it is closed with the value, also when its head is not valid.
    init(disk: JournalDisk, file: DiskFile) throws(ColdError) {
        self.disk = disk
        self.file = file
        let head: ColdHead
        do throws(ColdError) {
            head = try ColdHead(disk, file)
        } catch {
            disk.close(file)
            throw error
        }
        (serial, count, bytes) = (head.serial, head.count, head.bytes)
        newestOffset = head.newestOffset
        (filter, firstKeys, places) = (head.filter, head.firstKeys, head.places)
    }

    deinit { disk.close(file) }

    /// How many blocks there are.
    var blockCount: Int { firstKeys.count }

    /// Whether an entry may be there. Of those that are not, one in a hundred passes.
    @inline(__always)
    public func mayHold(_ key: Hash128) -> Bool { filter.mayHold(key) }

    /// Leaves the bytes of the entry alone in `buffer`. False when there is none.
    public func find(
        _ key: Hash128,
        into buffer: inout ByteBuffer
    ) throws(ColdError) -> ColdEntry? {
        guard filter.mayHold(key) else { return nil }
        // Blocks whose first keys share the high half may all hold it: from the last one before.
        var block = max(0, firstBlock(notBefore: key.high) - 1)
        while block < blockCount, firstKeys[block] <= key.high {
            if let found = try search(block, key, &buffer) { return found }
            block += 1
        }
        return nil
    }

    private func search(
        _ block: Int,
        _ key: Hash128,
        _ buffer: inout ByteBuffer
    ) throws(ColdError) -> ColdEntry? {
        try readBlock(block, into: &buffer)
        var place = 0
        while let (entry, bytes) = ColdFormat.entry(buffer.view, &place) {
            if entry.key == key {
                buffer.truncate(to: place)
                buffer.dropFirst(place - bytes.count)
                return entry
            }
        }
        return nil
    }

    private func firstBlock(notBefore high: UInt64) -> Int {
        var (low, top) = (0, blockCount)
        while low < top {
            let middle = (low + top) / 2
            if firstKeys[middle] < high { low = middle + 1 } else { top = middle }
        }
        return low
    }

    /// Leaves the entries of a block alone in `buffer`.
    func readBlock(_ block: Int, into buffer: inout ByteBuffer) throws(ColdError) {
        buffer.reset()
        let length = places[block + 1] - places[block]
        invariant(
            buffer.limit >= min(length, ColdFormat.blockBytesMaximum),
            "a buffer cannot hold a block"
        )
        let count = try ColdHead.read(disk, file, at: places[block], length, &buffer)
        guard count == length, length >= ColdFormat.blockHeadSize,
            buffer.view[ColdFormat.blockHeadSize..<length].crc32c()
                == buffer.view.load(UInt32.self, at: 0)
        else { throw .damaged }
        buffer.dropFirst(ColdFormat.blockHeadSize)
    }
}

/// What stands before and behind the blocks, read and checked.
private struct ColdHead {
    let serial: UInt64
    let count: Int
    let bytes: Int
    let newestOffset: UInt64
    let filter: ColdFilter
    private(set) var firstKeys: [UInt64] = []
    private(set) var places: [Int] = []

    init(_ disk: JournalDisk, _ file: DiskFile) throws(ColdError) {
        var buffer = ByteBuffer(capacity: ColdFormat.headerSize, limit: 1 << 30)
        _ = try Self.read(disk, file, at: 0, ColdFormat.headerSize, &buffer)
        let head = buffer.view
        guard head.count == ColdFormat.headerSize,
            head.load(UInt32.self, at: 0) == ColdFormat.magic,
            head[0..<60].crc32c() == head.load(UInt32.self, at: 60)
        else { throw .damaged }
        serial = head.load(UInt64.self, at: 8)
        count = Int(head.load(UInt64.self, at: 16))
        newestOffset = head.load(UInt64.self, at: 24)
        let tail = Int(head.load(UInt64.self, at: 32))
        let blocks = Int(head.load(UInt32.self, at: 40))
        let words = Int(head.load(UInt32.self, at: 44))
        let checksum = head.load(UInt32.self, at: 56)
        buffer.reset()
        let length = blocks * ColdFormat.indexEntrySize + words * 8
        bytes = tail + length
        guard try Self.read(disk, file, at: tail, length, &buffer) == length, words > 0,
            buffer.view.crc32c() == checksum
        else { throw .damaged }
        for block in 0..<blocks {
            let at = block * ColdFormat.indexEntrySize
            firstKeys.append(buffer.view.load(UInt64.self, at: at))
            places.append(Int(buffer.view.load(UInt64.self, at: at + 8)))
        }
        places.append(tail)
        let start = blocks * ColdFormat.indexEntrySize
        filter = ColdFilter(
            words: (0..<words).map { buffer.view.load(UInt64.self, at: start + 8 * $0) }
        )
    }

    static func read(
        _ disk: JournalDisk,
        _ file: DiskFile,
        at offset: Int,
        _ count: Int,
        _ buffer: inout ByteBuffer
    ) throws(ColdError) -> Int {
        do throws(SystemCallError) {
            return try disk.read(file, at: offset, count: count, into: &buffer)
        } catch {
            throw .unreadable(errno: error.code)
        }
    }
}

/// Walks the entries of a cold file in the order of their keys, a block at a time. Blocks that are
/// damaged are passed over and counted.
public struct ColdCursor: ~Copyable {
    /// The file that is walked.
    public let file: ColdFile
    /// The entry that the cursor stands at; nil before the first `next` and at the end.
    public private(set) var entry: ColdEntry?
    /// Blocks that could not be used.
    public private(set) var damagedBlocks = 0
    private var buffer = ByteBuffer(
        capacity: ColdFormat.blockBytes,
        limit: ColdFormat.blockBytesMaximum + ColdFormat.blockHeadSize
    )
    private var block = 0
    private var place = 0
    private var length = 0

    /// A cursor before the first entry.
    public init(_ file: ColdFile) { self.file = file }

    /// The bytes of the entry, until the next move.
    public var bytes: ByteView { buffer.view[place - length..<place] }

    /// Moves to the next entry. False at the end. After an error the same step may be tried again.
    public mutating func next() throws(ColdError) -> Bool {
        while true {
            if let (entry, bytes) = ColdFormat.entry(buffer.view, &place) {
                self.entry = entry
                length = bytes.count
                return true
            }
            entry = nil
            guard block < file.blockCount else { return false }
            try readNextBlock()
        }
    }

    private mutating func readNextBlock() throws(ColdError) {
        place = 0
        do throws(ColdError) {
            try file.readBlock(block, into: &buffer)
        } catch {
            buffer.reset()
            guard error == .damaged else { throw error }
            damagedBlocks += 1
        }
        block += 1
    }
}
