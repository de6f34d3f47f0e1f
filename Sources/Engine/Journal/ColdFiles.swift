import Bytes
import Glibc
public import Loop
public import Units

/// The cold files of one partition, `<name>-cold-<20 digits of serial>.hgk`, beside its checkpoints.
///
/// A file is written under another name, made durable, renamed, and its directory made durable: it is
/// whole or not there. Which files there must be, checkpoints say; who writes, takes serials that no
/// file has. One at a time writes the files of a partition.
public struct ColdFiles: Sendable {
    /// What their names end with.
    public static let suffix = ".hgk"
    private static let digits = 20

    private let disk: JournalDisk
    private let directory: String
    private let prefix: String

    /// The cold files called `name` in `directory`, which must exist.
    public init(disk: JournalDisk, directory: String, name: String) {
        self.disk = disk
        self.directory = directory
        prefix = name + "-cold-"
    }

    /// Serials of the files there are, ascending.
    public func serials() throws(SystemCallError) -> [UInt64] {
        serials(among: try disk.names(in: directory)).sorted()
    }

    /// Serials of this partition's files among names in the directory.
    public func serials(among names: [String]) -> [UInt64] {
        names.compactMap { serial(of: $0) }
    }

    /// Opens a file.
    public func open(_ serial: UInt64) throws(ColdError) -> ColdFile {
        let file: DiskFile
        do throws(SystemCallError) {
            file = try disk.open(path(serial), .read)
        } catch {
            throw error.isMissing ? .missing : .unreadable(errno: error.code)
        }
        return try ColdFile(disk: disk, file: file)
    }

    /// Removes a file's name; who has it open, keeps it.
    public func remove(_ serial: UInt64) throws(SystemCallError) {
        try disk.remove(path(serial))
    }

    // MARK: - Writing

    /// Writes a batch into a file of its own.
    public func write(_ batch: ColdBatch, serial: UInt64) throws(ColdError) -> ColdFile {
        do throws(SystemCallError) {
            var writer = try ColdFileWriter(disk: disk, path: draft, entries: batch.count)
            try batch.write(to: &writer)
            try complete(&writer, serial)
        } catch {
            throw .unreadable(errno: error.code)
        }
        return try open(serial)
    }

    /// Merges files, of which the first is the newest: of a key in several the newest holds. What was
    /// changed last before `expiry` is left out, and so is what has a key of `erased`. Damaged blocks
    /// are left out, too, and counted.
    public func merge(
        _ files: [ColdFile],
        serial: UInt64,
        expiry: Int64,
        erased: Set<Hash128> = []
    ) throws(ColdError) -> (file: ColdFile, damagedBlocks: Int) {
        let merge = try ColdMerge(files)
        let entries = files.reduce(0) { $0 + $1.count }
        do throws(SystemCallError) {
            var writer = try ColdFileWriter(disk: disk, path: draft, entries: entries)
            try merge.write(to: &writer, expiry: expiry, erased: erased)
            try complete(&writer, serial)
        } catch {
            throw .unreadable(errno: error.code)
        }
        return (try open(serial), merge.damagedBlocks)
    }

    private func complete(
        _ writer: inout ColdFileWriter,
        _ serial: UInt64
    ) throws(SystemCallError) {
        try writer.finish(serial: serial)
        try disk.rename(draft, to: path(serial))
        try disk.synchronizeDirectory(directory)
    }

    // MARK: - Names

    private var draft: String { "\(directory)/\(prefix)draft.tmp" }

    private func path(_ serial: UInt64) -> String {
        let decimal = String(serial)
        let zeros = String(repeating: "0", count: Self.digits - decimal.count)
        return "\(directory)/\(prefix)\(zeros)\(decimal)\(Self.suffix)"
    }

    private func serial(of file: String) -> UInt64? {
        guard file.hasPrefix(prefix), file.hasSuffix(Self.suffix),
            file.utf8.count == prefix.utf8.count + Self.digits + Self.suffix.utf8.count
        else { return nil }
        return UInt64(file.dropFirst(prefix.count).dropLast(Self.suffix.count))
    }
}

/// Several cold files walked side by side, the newest first in the list.
private final class ColdMerge {
    private final class Walk {
        var cursor: ColdCursor

        init(_ file: ColdFile) { cursor = ColdCursor(file) }

        func move() throws(ColdError) { _ = try cursor.next() }
    }

    private let walks: [Walk]

    init(_ files: [ColdFile]) throws(ColdError) {
        walks = files.map { Walk($0) }
        for walk in walks { try walk.move() }
    }

    var damagedBlocks: Int { walks.reduce(0) { $0 + $1.cursor.damagedBlocks } }

    func write(
        to writer: inout ColdFileWriter,
        expiry: Int64,
        erased: Set<Hash128>
    ) throws(SystemCallError) {
        while let first = least, let entry = first.cursor.entry {
            if entry.time >= expiry, !erased.contains(entry.key) {
                try writer.add(entry, first.cursor.bytes)
            }
            for walk in walks where walk.cursor.entry?.key == entry.key {
                do throws(ColdError) {
                    try walk.move()
                } catch {
                    throw SystemCallError(.pread, code: error.code)
                }
            }
        }
    }

    /// The walk at the least key; of several the newest file's.
    private var least: Walk? {
        var least: (walk: Walk, key: Hash128)?
        for walk in walks {
            guard let key = walk.cursor.entry?.key else { continue }
            if let found = least, !ColdFormat.precedes(key, found.key) { continue }
            least = (walk, key)
        }
        return least?.walk
    }
}

extension ColdError {
    fileprivate var code: Int32 {
        if case .unreadable(let code) = self { return code }
        return EIO
    }
}
