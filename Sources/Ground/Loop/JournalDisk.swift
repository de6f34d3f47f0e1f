public import Bytes
import Glibc

/// An open file of a `JournalDisk`.
public struct DiskFile: Hashable, Sendable {
    let descriptor: Int32
}

/// What durable files stand on: the machine's disk, or a simulated one that loses power.
///
/// An enum and not a protocol, so that using it needs no existential and no generic.
public enum JournalDisk: Sendable {
    /// Real files.
    case real(SystemCall)
    /// Files in memory with the worst behaviour that a disk may have.
    case simulated(SimulatedDisk)

    /// How a file is opened.
    public enum Access: Sendable {
        case read, readWrite
        /// The file must not exist yet.
        case createNew
        /// An existing file is emptied.
        case createOrReplace
    }

    /// Real files without faults.
    public static var real: JournalDisk { .real(SystemCall()) }

    /// Opens a file.
    public func open(_ path: String, _ access: Access) throws(SystemCallError) -> DiskFile {
        switch self {
        case .real(let system):
            return DiskFile(descriptor: try system.open(path, flags: Self.flags(access)))
        case .simulated(let disk): return try disk.open(path, access)
        }
    }

    private static func flags(_ access: Access) -> Int32 {
        switch access {
        case .read: return O_RDONLY
        case .readWrite: return O_RDWR
        case .createNew: return O_RDWR | O_CREAT | O_EXCL
        case .createOrReplace: return O_RDWR | O_CREAT | O_TRUNC
        }
    }

    /// Closes a file. A failure is of no interest: what matters was synchronised before.
    public func close(_ file: DiskFile) {
        switch self {
        case .real(let system): try? system.close(file.descriptor)
        case .simulated(let disk): disk.close(file)
        }
    }

    /// The size of a file.
    public func size(_ file: DiskFile) throws(SystemCallError) -> Int {
        switch self {
        case .real(let system): return try system.size(file.descriptor)
        case .simulated(let disk): return try disk.size(file)
        }
    }

    /// Appends up to `count` bytes from `offset` on to `buffer`: the number read, fewer only at the
    /// end of the file or when the buffer's limit forbids more.
    public func read(
        _ file: DiskFile,
        at offset: Int,
        count: Int,
        into buffer: inout ByteBuffer
    ) throws(SystemCallError) -> Int {
        var done = 0
        while done < count {
            let length = try readOnce(file, offset + done, count - done, &buffer)
            if length == 0 { break }
            done += length
        }
        return done
    }

    private func readOnce(
        _ file: DiskFile,
        _ offset: Int,
        _ count: Int,
        _ buffer: inout ByteBuffer
    ) throws(SystemCallError) -> Int {
        guard let spare = buffer.spare(atLeast: count) else { return 0 }
        let memory = UnsafeMutableRawBufferPointer(rebasing: spare[0..<count])
        let length: Int
        switch self {
        case .real(let system):
            length = try system.read(file.descriptor, into: memory, at: offset)
        case .simulated(let disk): length = try disk.read(file, into: memory, at: offset)
        }
        buffer.commit(length)
        return length
    }

    /// Writes all of `bytes` at `offset`. Nothing is durable before `synchronize`.
    public func write(
        _ file: DiskFile,
        _ bytes: ByteView,
        at offset: Int
    ) throws(SystemCallError) {
        switch self {
        case .real(let system):
            var done = 0
            while done < bytes.count {
                done += try system.write(
                    file.descriptor,
                    bytes[done..<bytes.count].buffer,
                    at: offset + done
                )
            }
        case .simulated(let disk): try disk.write(file, bytes, at: offset)
        }
    }

    /// Makes the content of a file durable, its size included; not its name.
    public func synchronize(_ file: DiskFile) throws(SystemCallError) {
        switch self {
        case .real(let system): try system.synchronizeData(file.descriptor)
        case .simulated(let disk): try disk.synchronize(file)
        }
    }

    /// Gives an empty file its size and its blocks, so that later writes cannot run out of room.
    public func preallocate(_ file: DiskFile, bytes: Int) throws(SystemCallError) {
        switch self {
        case .real(let system): try system.preallocate(file.descriptor, bytes: bytes)
        case .simulated(let disk): try disk.resize(file, bytes: bytes, .preallocate)
        }
    }

    /// Cuts a file.
    public func truncate(_ file: DiskFile, bytes: Int) throws(SystemCallError) {
        switch self {
        case .real(let system): try system.truncate(file.descriptor, bytes: bytes)
        case .simulated(let disk): try disk.resize(file, bytes: bytes, .truncate)
        }
    }

    /// Makes this process the only holder of the file; ends with the process or `close`.
    public func lock(_ file: DiskFile) throws(SystemCallError) {
        if case .real(let system) = self { try system.lock(file.descriptor) }
    }

    /// Gives a file another name, replacing what had it. Durable after `synchronizeDirectory`.
    public func rename(_ source: String, to target: String) throws(SystemCallError) {
        switch self {
        case .real(let system): try system.rename(source, to: target)
        case .simulated(let disk): try disk.rename(source, to: target)
        }
    }

    /// Removes a file's name. Durable after `synchronizeDirectory`.
    public func remove(_ path: String) throws(SystemCallError) {
        switch self {
        case .real(let system): try system.remove(path)
        case .simulated(let disk): try disk.remove(path)
        }
    }

    /// Makes names created, changed and removed in a directory durable.
    public func synchronizeDirectory(_ path: String) throws(SystemCallError) {
        switch self {
        case .real(let system):
            let descriptor = try system.open(path, flags: O_RDONLY | O_DIRECTORY)
            defer { try? system.close(descriptor) }
            try system.synchronize(descriptor)
        case .simulated(let disk): try disk.synchronizeDirectory(path)
        }
    }

    /// Makes a directory where there is none; its parent must exist.
    public func createDirectory(_ path: String) throws(SystemCallError) {
        if case .real(let system) = self { try system.createDirectory(path) }
    }

    /// The names in a directory, sorted.
    public func names(in path: String) throws(SystemCallError) -> [String] {
        switch self {
        case .real(let system): return try system.names(in: path).sorted()
        case .simulated(let disk): return try disk.names(in: path)
        }
    }

    /// Room on the file system that holds `path`.
    public func space(_ path: String) throws(SystemCallError) -> DiskSpace {
        switch self {
        case .real(let system): return try system.space(path)
        case .simulated(let disk): return try disk.space()
        }
    }
}
