import Bytes
import CShims
import Glibc
import Privacy
import Settings
import Synchronization
import Units

/// The keys that sealed blocks are made under: one a day, each in a file of its own, destroyed after
/// `Limits.sealKeyDaysMaximum`. What was sealed under it can then be opened by nobody, wherever copies
/// of it lie; so these files belong in no backup.
///
/// Shared by listeners, which make them, and the forwarder, which reads them.
final class SealKeys: Sendable {
    private let directory: String
    private let checkedHour = Atomic<Int64>(0)
    private let known = Mutex<[Int32: [UInt8]]>([:])

    /// Keys in `keys/seal` of the data folder.
    init(data: String) { directory = data + "/keys/seal" }

    /// Today's number, counted from 1970-01-01 in UTC.
    static func day(epochMilliseconds: Int64) -> Int32 {
        Int32(clamping: epochMilliseconds / 86_400_000)
    }

    /// The key of `day`, made and durable before it is handed out; nil when there is no disk for it.
    func makeKey(day: Int32) -> [UInt8]? {
        known.withLock { keys in
            if let key = keys[day] { return key }
            guard let key = read(day) ?? write(day) else { return nil }
            keys[day] = key
            return key
        }
    }

    /// The key of `day`; nil when it was destroyed, or there never was one.
    func key(day: Int32) -> [UInt8]? {
        known.withLock { keys in
            if let key = keys[day] { return key }
            let key = read(day)
            if let key { keys[day] = key }
            return key
        }
    }

    /// Destroys the keys that are too old, once an hour. Called every second by the main thread.
    func tick() {
        let hour = TimeSource.real.epochMilliseconds() / 3_600_000
        guard checkedHour.exchange(hour, ordering: .relaxed) != hour else { return }
        destroyOld(epochMilliseconds: hour * 3_600_000)
    }

    /// Destroys the keys that are too old. Returns how many there were.
    @discardableResult
    func destroyOld(epochMilliseconds: Int64) -> Int {
        let today = Self.day(epochMilliseconds: epochMilliseconds)
        let first = today - Int32(Limits.sealKeyDaysMaximum)
        known.withLock { keys in keys = keys.filter { $0.key >= first } }
        let old = days().filter { $0 < first }
        for day in old { destroy(day) }
        return old.count
    }

    private func days() -> [Int32] {
        guard let folder = opendir(directory) else { return [] }
        defer { closedir(folder) }
        var days: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".key"), let day = Int32(name.dropLast(4)) else { continue }
            days.append(day)
        }
        return days
    }

    private func path(_ day: Int32) -> String { "\(directory)/\(day).key" }

    private func read(_ day: Int32) -> [UInt8]? {
        let file = hg_open(path(day), O_RDONLY | O_NOFOLLOW, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var key = [UInt8](repeating: 0, count: SealedBlock.keyBytes)
        return Glibc.read(file, &key, key.count) == key.count ? key : nil
    }

    /// Linked under its name only when it is durable and nobody else was first: two processes never
    /// seal under two keys of a day.
    private func write(_ day: Int32) -> [UInt8]? {
        mkdir(directory.replacingLastComponent, 0o700)
        mkdir(directory, 0o700)
        var generator = SystemRandomNumberGenerator()
        let key = (0..<SealedBlock.keyBytes).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        let draft = "\(path(day)).\(getpid())"
        let file = hg_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        defer { unlink(draft) }
        let isWritten = Glibc.write(file, key, key.count) == key.count && fsync(file) == 0
        close(file)
        guard isWritten else { return nil }
        if link(draft, path(day)) != 0 { return read(day) }
        let folder = hg_open(directory, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        return fsync(folder) == 0 ? key : nil
    }

    /// Overwritten before it goes, for what good that does on the disk at hand.
    private func destroy(_ day: Int32) {
        let file = hg_open(path(day), O_WRONLY | O_NOFOLLOW, 0)
        if file >= 0 {
            let zeros = [UInt8](repeating: 0, count: SealedBlock.keyBytes)
            _ = Glibc.write(file, zeros, zeros.count)
            fsync(file)
            close(file)
        }
        unlink(path(day))
    }
}

extension String {
    /// The folder that a path lies in.
    fileprivate var replacingLastComponent: String {
        String(self[..<(lastIndex(of: "/") ?? startIndex)])
    }
}

/// Opens sealed blocks. Owned by one thread.
struct SealOpener: ~Copyable {
    private let keys: SealKeys
    private var cipher = SealedBlock()
    private var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var names = ByteBuffer(capacity: 512, limit: 1024)

    init(_ keys: SealKeys) { self.keys = keys }

    /// The text of `block`; nil when its key is gone or it is not this visitor's.
    mutating func open(_ block: [UInt8], site: String, visitor: String) -> [UInt8]? {
        names.reset()
        names.append(text: site)
        names.append(text: visitor)
        let split = site.utf8.count
        text.reset()
        return block.withUnsafeBytes { bytes in
            let view = ByteView(bytes)
            guard let day = SealedBlock.day(of: view), let key = keys.key(day: day),
                cipher.open(
                    view,
                    key: key,
                    site: names.view[0..<split],
                    visitor: names.view[split..<names.count],
                    into: &text
                )
            else { return nil }
            return Array(text.view.buffer)
        }
    }
}
