import Bytes
import CShims
import Foundation
import Glibc
import Privacy
import Records
import Settings
import Units

/// The list of subjects that were erased or restricted, `erasures.hge` in the data folder: digests and
/// tags, never ids. It is the first thing that an erasure makes durable and the last thing that goes.
///
/// Entries of 64 bytes are appended, integers little-endian: magic `HGE1` (4), what (1), kind of
/// subject (1), zero (2), when (8, epoch milliseconds), tag (8), digest (32), zero (4), CRC-32C of all
/// before (4). A torn entry at the end was never acknowledged and is cut off. Owned by one thread.
final class ErasureList {
    /// What is asked for a subject.
    enum Ruling: UInt8 {
        case erased = 1
        case restricted = 2
        /// What was restricted is so no more; an erasure is never lifted.
        case lifted = 3
    }

    /// One ruling about one subject.
    struct Entry {
        let ruling: Ruling
        let kind: SubjectKind
        let at: Int64
        let tag: UInt64
        let digest: [UInt8]
    }

    static let fileName = "erasures.hge"
    fileprivate static let magic: UInt32 = 0x3145_4748
    private static let entrySize = 64

    private let path: String
    private(set) var entries: [Entry] = []

    /// Reads the list; one that is not there is empty. Changes nothing.
    init(data: String) throws(CommandError) {
        path = "\(data)/\(Self.fileName)"
        guard let content = FileManager.default.contents(atPath: path) else { return }
        entries = try Self.read([UInt8](content))
    }

    /// Reads another list, such as one kept apart from a backup.
    static func read(at path: String) throws(CommandError) -> [Entry] {
        guard let content = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path) cannot be read")
        }
        return try read([UInt8](content))
    }

    private static func read(_ bytes: [UInt8]) throws(CommandError) -> [Entry] {
        var entries: [Entry] = []
        var start = 0
        while start + entrySize <= bytes.count {
            let raw = Array(bytes[start..<start + entrySize])
            let entry = raw.withUnsafeBytes { Entry(ByteView($0), digest: Array(raw[24..<56])) }
            start += entrySize
            guard let entry else {
                // Whole entries behind it mean damage, not a write that was cut short.
                guard start + entrySize > bytes.count else {
                    throw CommandError("the erasure list is damaged at byte \(start - entrySize)")
                }
                break
            }
            entries.append(entry)
        }
        return entries
    }

    /// Adds entries and makes them durable.
    func append(_ added: [Entry]) throws(CommandError) {
        guard !added.isEmpty else { return }
        var buffer = ByteBuffer(capacity: 4096, limit: 1 << 30)
        for entry in added { entry.write(to: &buffer) }
        let file = hg_open(path, O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { throw .last("cannot open \(path)") }
        defer { close(file) }
        let end = entries.count * Self.entrySize
        let bytes = buffer.view.buffer
        guard pwrite(file, bytes.baseAddress, bytes.count, off_t(end)) == bytes.count,
            ftruncate(file, off_t(end + bytes.count)) == 0, fsync(file) == 0
        else { throw .last("cannot write \(path)") }
        entries += added
    }

    /// What holds now of each subject that something holds of: the last ruling, an erasure before all.
    func rulings(now: Int64) -> [Entry] {
        var held: [[UInt8]: Entry] = [:]
        let first = now - Int64(Limits.suppressionDays) * 86_400_000
        for entry in entries {
            let isErased = held[entry.digest]?.ruling == .erased
            if isErased, entry.ruling != .erased { continue }
            if entry.ruling == .erased, entry.at < first { continue }
            held[entry.digest] = entry.ruling == .lifted ? nil : entry
        }
        return Array(held.values)
    }
}

extension ErasureList.Entry {
    fileprivate init?(_ bytes: ByteView, digest: [UInt8]) {
        guard bytes.load(UInt32.self, at: 0) == ErasureList.magic,
            bytes[0..<60].crc32c() == bytes.load(UInt32.self, at: 60),
            let ruling = ErasureList.Ruling(rawValue: bytes[4]),
            let kind = SubjectKind(rawValue: bytes[5])
        else { return nil }
        self.init(
            ruling: ruling,
            kind: kind,
            at: bytes.load(Int64.self, at: 8),
            tag: bytes.load(UInt64.self, at: 16),
            digest: digest
        )
    }

    fileprivate func write(to buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(littleEndian: ErasureList.magic)
        buffer.append(ruling.rawValue)
        buffer.append(kind.rawValue)
        buffer.append(littleEndian: UInt16(0))
        buffer.append(littleEndian: at)
        buffer.append(littleEndian: tag)
        for byte in digest { buffer.append(byte) }
        buffer.append(littleEndian: UInt32(0))
        buffer.append(littleEndian: buffer.view(from: start).crc32c())
    }
}

extension SubjectKey {
    /// The key of the installation whose data lie in `data`.
    init(data: String) throws(StartError) {
        self.init(
            secret: try PseudonymSecret.load(
                directory: data,
                named: PseudonymSecret.erasureFileName
            )
        )
    }

    /// A ruling about a subject.
    func entry(
        _ ruling: ErasureList.Ruling,
        _ kind: SubjectKind,
        site: String,
        id: String,
        at: Int64
    ) -> ErasureList.Entry {
        let gateTag = Array(site.utf8).withUnsafeBytes { site in
            Array(id.utf8).withUnsafeBytes { id in
                self.tag(kind, site: ByteView(site), id: ByteView(id))
            }
        }
        return ErasureList.Entry(
            ruling: ruling,
            kind: kind,
            at: at,
            tag: gateTag,
            digest: digest(kind, site: site, id: id)
        )
    }
}

/// Who was erased, for commands that fold or read the past: what the journal still holds of them is
/// passed over.
struct ErasedSubjects {
    private let subjects: SuppressedSubjects?

    init(data: String) throws {
        let list = try ErasureList(data: data)
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let erased = list.rulings(now: now).filter { $0.ruling == .erased }
        guard !erased.isEmpty else {
            subjects = nil
            return
        }
        let subjects = SuppressedSubjects(
            key: try SubjectKey(data: data),
            capacity: max(1_024, erased.count)
        )
        for entry in erased { _ = subjects.insert(entry.tag) }
        self.subjects = subjects
    }

    /// Whether the slice is of somebody who was erased.
    func covers(_ slice: Slice) -> Bool {
        subjects?.covers(site: slice.site, visitor: slice.visitor, user: slice.user) ?? false
    }
}
