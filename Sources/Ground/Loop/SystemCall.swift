import CShims
import Glibc
import Synchronization

/// A system call that failed, and how.
public struct SystemCallError: Error, Hashable, CustomStringConvertible {
    /// Which call.
    public let call: SystemCall.Name
    /// The value of `errno`.
    public let code: Int32

    /// An error from its parts.
    public init(_ call: SystemCall.Name, code: Int32) {
        self.call = call
        self.code = code
    }

    /// Such as `fdatasync: No space left on device`. Holds no path and no data.
    public var description: String { "\(call.rawValue): \(String(cString: strerror(code)))" }

    /// Whether there is no room: the one failure of a disk that passes by itself.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// Whether the file system does not know the call.
    public var isUnsupported: Bool { code == EOPNOTSUPP || code == ENOSYS }
    /// Whether the file is not there.
    public var isMissing: Bool { code == ENOENT }
    /// Whether somebody else holds the lock.
    public var isLocked: Bool { code == EWOULDBLOCK && call == .lock }
}

/// The one place where the engine's file system calls are made.
///
/// Interrupted calls are made again, EBADF and EFAULT stop the process because they mean that the
/// engine has lost track of its own memory or descriptors, and everything else is thrown. Tests hand
/// in a `FaultPlan`, which makes the N-th call fail without making it.
public struct SystemCall: Sendable {
    /// The calls, by the name that the manual gives them.
    public enum Name: String, Sendable {
        case open, close, pread, pwrite, fdatasync, fsync, rename, unlink, mkdir, opendir
        case lock = "flock"
        case size = "fstat"
        case preallocate = "fallocate"
        case truncate = "ftruncate"
        case freeSpace = "statvfs"
    }

    private let faults: FaultPlan?

    /// Real calls, or calls that fail as `faults` says.
    public init(faults: FaultPlan? = nil) { self.faults = faults }

    @inline(__always)
    private func perform(
        _ name: Name,
        _ body: () -> Int
    ) throws(SystemCallError) -> Int {
        while true {
            if let code = faults?.strike(name) {
                if code == EINTR { continue }
                throw SystemCallError(name, code: code)
            }
            let result = body()
            if result >= 0 { return result }
            let code = errno
            if code == EINTR { continue }
            invariantHolds(code, name)
            throw SystemCallError(name, code: code)
        }
    }

    private func invariantHolds(_ code: Int32, _ name: Name) {
        if code == EBADF || code == EFAULT {
            fatalError("\(name.rawValue) was given a bad descriptor or bad memory")
        }
    }

    /// open(2), with O_CLOEXEC.
    public func open(
        _ path: String,
        flags: Int32,
        mode: UInt32 = 0o600
    ) throws(SystemCallError) -> Int32 {
        Int32(try perform(.open) { Int(hg_open(path, flags, mode)) })
    }

    /// close(2). Never made twice, also not after EINTR, because Linux has closed the descriptor by
    /// then; for the same reason a forced failure closes it too.
    public func close(_ descriptor: Int32) throws(SystemCallError) {
        let forced = faults?.strike(.close)
        let code = Glibc.close(descriptor) == 0 ? 0 : errno
        invariantHolds(code, .close)
        let failure = forced ?? code
        if failure != 0 && failure != EINTR { throw SystemCallError(.close, code: failure) }
    }

    /// pread(2): the number of bytes read, 0 at the end of the file.
    public func read(
        _ descriptor: Int32,
        into memory: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) throws(SystemCallError) -> Int {
        try perform(.pread) { pread(descriptor, memory.baseAddress, memory.count, offset) }
    }

    /// pwrite(2): the number of bytes written, which may be fewer than were given.
    public func write(
        _ descriptor: Int32,
        _ memory: UnsafeRawBufferPointer,
        at offset: Int
    ) throws(SystemCallError) -> Int {
        let count = faults?.shortened(memory.count) ?? memory.count
        return try perform(.pwrite) { pwrite(descriptor, memory.baseAddress, count, offset) }
    }

    /// fdatasync(2). Whoever gets an error must not try again: the kernel forgets what it could not
    /// write, and a second call would succeed without having written it.
    public func synchronizeData(_ descriptor: Int32) throws(SystemCallError) {
        _ = try perform(.fdatasync) { Int(fdatasync(descriptor)) }
    }

    /// fsync(2), for directories.
    public func synchronize(_ descriptor: Int32) throws(SystemCallError) {
        _ = try perform(.fsync) { Int(fsync(descriptor)) }
    }

    /// fstat(2): the size of the file.
    public func size(_ descriptor: Int32) throws(SystemCallError) -> Int {
        var status = stat()
        _ = try perform(.size) { Int(fstat(descriptor, &status)) }
        return Int(status.st_size)
    }

    /// fallocate(2) from the start of the file.
    public func preallocate(_ descriptor: Int32, bytes: Int) throws(SystemCallError) {
        _ = try perform(.preallocate) {
            let code = hg_preallocate(descriptor, Int64(bytes))
            errno = code
            return code == 0 ? 0 : -1
        }
    }

    /// ftruncate(2).
    public func truncate(_ descriptor: Int32, bytes: Int) throws(SystemCallError) {
        _ = try perform(.truncate) { Int(ftruncate(descriptor, bytes)) }
    }

    /// flock(2), exclusive, without waiting.
    public func lock(_ descriptor: Int32) throws(SystemCallError) {
        _ = try perform(.lock) { Int(flock(descriptor, LOCK_EX | LOCK_NB)) }
    }

    /// rename(2).
    public func rename(_ source: String, to target: String) throws(SystemCallError) {
        _ = try perform(.rename) { Int(Glibc.rename(source, target)) }
    }

    /// unlink(2).
    public func remove(_ path: String) throws(SystemCallError) {
        _ = try perform(.unlink) { Int(unlink(path)) }
    }

    /// mkdir(2); a directory that is there already is as good.
    public func createDirectory(_ path: String) throws(SystemCallError) {
        _ = try perform(.mkdir) {
            let result = mkdir(path, 0o700)
            return result != 0 && errno == EEXIST ? 0 : Int(result)
        }
    }

    /// statvfs(3): bytes that this user may still write, and bytes of the whole file system.
    public func space(_ path: String) throws(SystemCallError) -> DiskSpace {
        var status = statvfs()
        _ = try perform(.freeSpace) { Int(statvfs(path, &status)) }
        return DiskSpace(
            freeBytes: Int(status.f_bavail) * Int(status.f_frsize),
            totalBytes: Int(status.f_blocks) * Int(status.f_frsize)
        )
    }

    /// opendir(3), readdir(3): the names in a directory, in no order.
    public func names(in path: String) throws(SystemCallError) -> [String] {
        var directory: OpaquePointer?
        _ = try perform(.opendir) {
            directory = opendir(path)
            return directory == nil ? -1 : 0
        }
        guard let directory else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
            )
        }
        return names
    }
}

/// Room on a file system.
public struct DiskSpace: Sendable {
    /// Bytes that may still be written.
    public let freeBytes: Int
    /// Bytes of the whole file system.
    public let totalBytes: Int

    /// Room from its parts.
    public init(freeBytes: Int, totalBytes: Int) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

/// Which system calls are to fail, for tests. Counts every call, so that a test can first learn how
/// many there are and then fail each in turn.
public final class FaultPlan: Sendable {
    private let made = Atomic<Int>(0)
    private let target: Atomic<Int>
    private let armed = Mutex<SystemCall.Name?>(nil)
    private let code: Int32
    private let lasts: Bool
    private let writeBytesMaximum: Int

    /// Fails call number `call` (from 1; 0 for none) with `code` (EIO if nil), and all later ones if `lasts`. Writes are cut
    /// to `writeBytesMaximum`, as a kernel may do.
    public init(
        failing call: Int = 0,
        code: Int32? = nil,
        lasts: Bool = false,
        writeBytesMaximum: Int = .max
    ) {
        target = Atomic(call)
        self.code = code ?? EIO
        self.lasts = lasts
        self.writeBytesMaximum = writeBytesMaximum
    }

    /// Calls seen so far.
    public var calls: Int { made.load(ordering: .relaxed) }

    /// Every call of this name fails from here on.
    public func arm(failing name: SystemCall.Name) { armed.withLock { $0 = name } }

    /// The call that is made after `calls` others fails from here on.
    public func arm(after calls: Int) { target.store(self.calls + calls + 1, ordering: .relaxed) }

    /// Whether the call that was to fail has been made.
    public var hasStruck: Bool {
        let first = target.load(ordering: .relaxed)
        return first > 0 && calls >= first
    }

    /// No call fails from here on.
    public func lift() {
        target.store(0, ordering: .relaxed)
        armed.withLock { $0 = nil }
    }

    func strike(_ name: SystemCall.Name) -> Int32? {
        let number = made.wrappingAdd(1, ordering: .relaxed).newValue
        if armed.withLock({ $0 == name }) { return code }
        let first = target.load(ordering: .relaxed)
        guard first > 0 else { return nil }
        return number == first || (lasts && number > first) ? code : nil
    }

    func shortened(_ count: Int) -> Int { min(count, writeBytesMaximum) }
}
