public import Bytes
import Loop
import Units

/// Writes a cold file from front to back. Nothing of it is durable before `finish`.
struct ColdFileWriter: ~Copyable {
    /// What is gathered before it is written.
    private static let chunkBytes = 1 << 20

    private let disk: JournalDisk
    /// Ours: closed with the writer.
    private let file: DiskFile
    private var filter: ColdFilter
    private var index = ByteBuffer(capacity: 4096, limit: 1 << 30)
    private var block = ByteBuffer(
        capacity: ColdFormat.blockBytes,
        limit: ColdFormat.blockBytesMaximum
    )
    private var chunk = ByteBuffer(
        capacity: 64 * 1024,
        limit: chunkBytes + ColdFormat.blockBytesMaximum + ColdFormat.blockHeadSize
    )
    private var blocks: UInt32 = 0
    private var written = ColdFormat.headerSize
    private(set) var count = 0
    private var newestOffset: UInt64 = 0
    private var last: Hash128?

    /// A writer into a new file at `path`, for at most `entries`.
    init(disk: JournalDisk, path: String, entries: Int) throws(SystemCallError) {
        self.disk = disk
        filter = ColdFilter(entries: entries)
        file = try disk.open(path, .createOrReplace)
    }

    deinit { disk.close(file) }

    /// Adds an entry, whose key is greater than those before.
    mutating func add(_ entry: ColdEntry, _ bytes: ByteView) throws(SystemCallError) {
        if let last {
            invariant(ColdFormat.precedes(last, entry.key), "cold entries must ascend")
        }
        invariant(bytes.count <= ColdFormat.entryBytesMaximum, "a cold entry is too long")
        last = entry.key
        if block.count == 0 {
            index.append(littleEndian: entry.key.high)
            index.append(littleEndian: UInt64(written + chunk.count))
            blocks += 1
        }
        ColdFormat.append(entry, bytes, to: &block)
        filter.insert(entry.key)
        count += 1
        newestOffset = max(newestOffset, entry.offset)
        if block.count >= ColdFormat.blockBytes { try closeBlock() }
    }

    private mutating func closeBlock() throws(SystemCallError) {
        guard block.count > 0 else { return }
        chunk.append(littleEndian: block.view.crc32c())
        chunk.append(block.view)
        invariant(!block.overflowed && !chunk.overflowed, "a cold block outgrew its room")
        block.reset()
        if chunk.count >= Self.chunkBytes { try flush() }
    }

    private mutating func flush() throws(SystemCallError) {
        guard chunk.count > 0 else { return }
        try disk.write(file, chunk.view, at: written)
        written += chunk.count
        chunk.reset()
    }

    /// Writes what stands behind and before the blocks, and makes all of it durable, but for its name.
    mutating func finish(serial: UInt64) throws(SystemCallError) {
        try closeBlock()
        try flush()
        for word in filter.words { index.append(littleEndian: word) }
        invariant(!index.overflowed, "the index of a cold file outgrew its room")
        try disk.write(file, index.view, at: written)
        try writeHead(serial)
        try disk.synchronize(file)
    }

    private func writeHead(_ serial: UInt64) throws(SystemCallError) {
        var head = ByteBuffer(capacity: ColdFormat.headerSize)
        head.append(littleEndian: ColdFormat.magic)
        head.append(littleEndian: UInt32(0))
        head.append(littleEndian: serial)
        head.append(littleEndian: UInt64(count))
        head.append(littleEndian: newestOffset)
        head.append(littleEndian: UInt64(written))
        head.append(littleEndian: blocks)
        head.append(littleEndian: UInt32(filter.words.count))
        head.append(littleEndian: UInt64(0))
        head.append(littleEndian: index.view.crc32c())
        head.append(littleEndian: head.view.crc32c())
        try disk.write(file, head.view, at: 0)
    }
}

/// Entries on their way to a cold file: added in any order, written in that of their keys.
public struct ColdBatch: Sendable {
    private struct Item: Sendable {
        let entry: ColdEntry
        let start: Int
        let length: Int
    }

    private var items: [Item] = []
    private var bytes: [UInt8] = []

    /// An empty batch.
    public init() {}

    /// How many entries there are.
    public var count: Int { items.count }

    /// Adds an entry. Each key once.
    public mutating func add(_ entry: ColdEntry, _ state: ByteView) {
        items.append(Item(entry: entry, start: bytes.count, length: state.count))
        unsafe bytes.append(contentsOf: state.buffer)
    }

    func write(to writer: inout ColdFileWriter) throws(SystemCallError) {
        let sorted = items.sorted { ColdFormat.precedes($0.entry.key, $1.entry.key) }
        var state = ByteBuffer(capacity: 1024, limit: ColdFormat.entryBytesMaximum)
        for item in sorted {
            state.reset()
            unsafe bytes[item.start..<item.start + item.length].withUnsafeBytes {
                unsafe state.append(ByteView($0))
            }
            try writer.add(item.entry, state.view)
        }
    }
}
