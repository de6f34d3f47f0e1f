import COpenSSL
import Glibc

/// SHA-256, a piece at a time.
struct FileDigest: ~Copyable {
    private static let bytes = 32

    private let context: OpaquePointer?

    init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    func add(_ piece: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, piece.baseAddress, piece.count)
    }

    /// The digest in hexadecimal digits. Ends the use of the value.
    consuming func text() -> String {
        var digest = [UInt8](repeating: 0, count: Self.bytes)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// An open file, closed with the value. Holding it keeps the bytes of a file that is removed.
final class HeldFile {
    let name: String
    let descriptor: Int32

    /// Opens a file for reading; nil when there is none.
    init?(_ path: String, name: String) throws(CommandError) {
        self.name = name
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor >= 0 { return }
        if errno == ENOENT { return nil }
        throw .last("cannot read \(path)")
    }

    deinit { close(descriptor) }
}

/// Copies and reads whole files with their digests.
enum BackupFiles {
    private static let pieceBytes = 1 << 20

    /// Copies `source` to a new file at `path`, for its owner only, and makes it durable. Of a file
    /// that grows, `end` bytes are taken and zeros up to `size` follow, without taking room on the disk.
    static func copy(
        _ source: HeldFile,
        to path: String,
        end: Int = .max,
        size: Int? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(CommandError) -> (bytes: Int, digest: String) {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard target >= 0 else { throw .last("cannot make \(path)") }
        defer { close(target) }
        let digest = FileDigest()
        var done = try read(source, end) { piece, position throws(CommandError) in
            try write(piece, to: target, at: position, path)
            digest.add(piece)
            progress(piece.count)
        }
        if let size, size > done {
            guard ftruncate(target, size) == 0 else { throw .last("cannot write \(path)") }
            addZeros(size - done, to: digest)
            done = size
        }
        guard fsync(target) == 0 else { throw .last("cannot make \(path) durable") }
        return (done, digest.text())
    }

    /// Writes a small file of our own.
    static func write(_ text: String, to path: String) throws(CommandError) {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard target >= 0 else { throw .last("cannot make \(path)") }
        defer { close(target) }
        var failure: CommandError?
        var copy = text
        copy.withUTF8 { bytes in
            do throws(CommandError) {
                try write(UnsafeRawBufferPointer(bytes), to: target, at: 0, path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard fsync(target) == 0 else { throw .last("cannot make \(path) durable") }
    }

    /// The size and the digest of a file.
    static func digest(
        of path: String,
        progress: (Int) -> Void
    ) throws(CommandError) -> (bytes: Int, digest: String)? {
        guard let file = try HeldFile(path, name: path) else { return nil }
        let digest = FileDigest()
        let count = try read(file, .max) { piece, _ throws(CommandError) in
            digest.add(piece)
            progress(piece.count)
        }
        return (count, digest.text())
    }

    static func makeDirectory(_ path: String) throws(CommandError) {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw .last("cannot make \(path)") }
    }

    /// Makes the names in a directory durable.
    static func synchronize(_ directory: String) throws(CommandError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("cannot open \(directory)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last("cannot make \(directory) durable") }
    }

    // MARK: - Pieces

    private static func read(
        _ file: HeldFile,
        _ end: Int,
        _ body: (UnsafeRawBufferPointer, Int) throws(CommandError) -> Void
    ) throws(CommandError) -> Int {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 8)
        defer { memory.deallocate() }
        var position = 0
        while position < end {
            let wanted = min(pieceBytes, end - position)
            let count = pread(file.descriptor, memory.baseAddress, wanted, position)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .last("cannot read \(file.name)") }
            if count == 0 { break }
            try body(UnsafeRawBufferPointer(rebasing: memory[0..<count]), position)
            position += count
        }
        return position
    }

    private static func write(
        _ piece: UnsafeRawBufferPointer,
        to target: Int32,
        at position: Int,
        _ path: String
    ) throws(CommandError) {
        var done = 0
        while done < piece.count {
            let rest = UnsafeRawBufferPointer(rebasing: piece[done...])
            let count = pwrite(target, rest.baseAddress, rest.count, position + done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .last("cannot write \(path)") }
            done += count
        }
    }

    private static func addZeros(_ count: Int, to digest: borrowing FileDigest) {
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 8)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var left = count
        while left > 0 {
            let piece = min(left, pieceBytes)
            digest.add(UnsafeRawBufferPointer(rebasing: zeros[0..<piece]))
            left -= piece
        }
    }
}
