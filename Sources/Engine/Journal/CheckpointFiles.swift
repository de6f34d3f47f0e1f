public import Bytes
public import Loop

/// The checkpoint files of one thing, such as a partition: the newest few, each whole or not there.
///
/// A file `<name>-<20 digits of sequence>.hgc` is written under another name, made durable, renamed,
/// and its directory made durable, so that a crash leaves the old file or the new one. The content
/// is guarded by a checksum. Older generations are removed only when newer ones are durable.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | magic `HGC1` |
/// | 4 | 4 | CRC-32C of the content |
/// | 8 | 8 | sequence or offset that the content stands at |
/// | 16 | 8 | bytes of content |
/// | 24 | 4 | zero |
/// | 28 | 4 | CRC-32C of bytes 0 to 27 |
/// | 32 | n | content |
public struct CheckpointFiles: Sendable {
    /// Bytes before the content.
    public static let headerSize = 32

    private static let magic: UInt32 = 0x3143_4748
    private static let suffix = ".hgc"
    private static let digits = 20

    private let disk: JournalDisk
    private let directory: String
    private let name: String
    private let generations: Int

    /// The files called `name` in `directory`, which must exist.
    public init(disk: JournalDisk, directory: String, name: String, generations: Int = 2) {
        self.disk = disk
        self.directory = directory
        self.name = name
        self.generations = generations
    }

    /// Writes a checkpoint and removes those that are too old. One that stands at or before `bound` is
    /// kept in any case, the newest such, for a reader who has come no further.
    public func save(
        sequence: UInt64,
        content: ByteView,
        keepingFor bound: UInt64 = .max
    ) throws(SystemCallError) {
        let draft = "\(directory)/\(name).tmp"
        try write(draft, sequence, content)
        try disk.rename(draft, to: path(sequence))
        try disk.synchronizeDirectory(directory)
        let sequences = try sequences()
        let needed = sequences.last { $0 <= bound }
        for old in sequences.dropLast(generations) where old != needed {
            try disk.remove(path(old))
        }
    }

    private func write(
        _ path: String,
        _ sequence: UInt64,
        _ content: ByteView
    ) throws(SystemCallError) {
        let file = try disk.open(path, .createOrReplace)
        defer { disk.close(file) }
        var header = ByteBuffer(capacity: Self.headerSize)
        header.append(littleEndian: Self.magic)
        header.append(littleEndian: content.crc32c())
        header.append(littleEndian: sequence)
        header.append(littleEndian: UInt64(content.count))
        header.append(littleEndian: UInt32(0))
        header.append(littleEndian: header.view.crc32c())
        try disk.write(file, header.view, at: 0)
        try disk.write(file, content, at: Self.headerSize)
        try disk.synchronize(file)
    }

    /// Sequences of the files there are, ascending. Whether they are valid, loading tells.
    public func sequences() throws(SystemCallError) -> [UInt64] {
        try disk.names(in: directory).compactMap { sequence(of: $0) }.sorted()
    }

    /// Reads the newest valid checkpoint that stands at or before `bound` into `buffer`, and returns
    /// its sequence; nil when there is none. Damaged files are passed over.
    public func load(
        atOrBefore bound: UInt64 = .max,
        into buffer: inout ByteBuffer
    ) throws(SystemCallError) -> UInt64? {
        for sequence in try sequences().reversed() where sequence <= bound {
            if try read(path(sequence), sequence, &buffer) { return sequence }
        }
        buffer.reset()
        return nil
    }

    /// Leaves the content alone in `buffer`. False when the file is not valid.
    private func read(
        _ path: String,
        _ sequence: UInt64,
        _ buffer: inout ByteBuffer
    ) throws(SystemCallError) -> Bool {
        let file = try disk.open(path, .read)
        defer { disk.close(file) }
        buffer.reset()
        let count = try disk.size(file)
        guard try disk.read(file, at: 0, count: count, into: &buffer) == count,
            Self.isValid(buffer.view, sequence)
        else { return false }
        buffer.dropFirst(Self.headerSize)
        return true
    }

    /// Leaves the first bytes of a file's content in `buffer`, at most `count`, whether or not the rest
    /// is valid.
    public func head(
        _ sequence: UInt64,
        count: Int,
        into buffer: inout ByteBuffer
    ) throws(SystemCallError) {
        let file = try disk.open(path(sequence), .read)
        defer { disk.close(file) }
        buffer.reset()
        _ = try disk.read(file, at: Self.headerSize, count: count, into: &buffer)
    }

    private static func isValid(_ bytes: ByteView, _ sequence: UInt64) -> Bool {
        guard bytes.count >= headerSize, bytes.load(UInt32.self, at: 0) == magic,
            bytes[0..<28].crc32c() == bytes.load(UInt32.self, at: 28),
            bytes.load(UInt64.self, at: 8) == sequence,
            bytes.load(UInt64.self, at: 16) == UInt64(bytes.count - headerSize)
        else { return false }
        return bytes[headerSize..<bytes.count].crc32c() == bytes.load(UInt32.self, at: 4)
    }

    private func path(_ sequence: UInt64) -> String {
        let decimal = String(sequence)
        let zeros = String(repeating: "0", count: Self.digits - decimal.count)
        return "\(directory)/\(name)-\(zeros)\(decimal)\(Self.suffix)"
    }

    private func sequence(of file: String) -> UInt64? {
        guard file.hasPrefix(name + "-"), file.hasSuffix(Self.suffix),
            file.utf8.count == name.utf8.count + 1 + Self.digits + Self.suffix.utf8.count
        else { return nil }
        return UInt64(file.dropFirst(name.count + 1).dropLast(Self.suffix.count))
    }
}
