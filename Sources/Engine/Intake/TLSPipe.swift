import Bytes
import COpenSSL
import Glibc

/// Where OpenSSL reads and writes while a connection is handled: the bytes that have just arrived,
/// and those that are to leave. Nothing stays in it between two calls, so that all connections of a
/// listener share one, and none holds memory for it.
final class TLSPipe {
    /// What has arrived and was not read yet; valid while `TLSSession.feed` runs.
    private var arrived = ByteView.empty
    /// What OpenSSL has written.
    private(set) var leaving = ByteBuffer(capacity: 32 * 1024, limit: 17 << 20)
    /// What was decrypted last.
    let plain: UnsafeMutableRawPointer
    /// A record holds no more (RFC 8446 section 5.1).
    static let plainBytes = 16 * 1024

    init() { plain = .allocate(byteCount: Self.plainBytes, alignment: 64) }

    deinit { plain.deallocate() }

    func begin(_ bytes: ByteView) { arrived = bytes }

    func end() { arrived = .empty }

    func forgetLeaving() { leaving.reset() }

    fileprivate func read(into target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        let count = min(wanted, arrived.count)
        guard count > 0, let source = arrived.buffer.baseAddress else { return 0 }
        memcpy(target, source, count)
        arrived = arrived[count..<arrived.count]
        return count
    }

    fileprivate func write(_ bytes: ByteView) -> Int {
        leaving.append(bytes)
        return leaving.overflowed ? -1 : bytes.count
    }

    /// A BIO at this pipe, which must outlive it.
    func makeBIO() -> OpaquePointer? {
        guard let method = PipeMethod.shared.handle, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }
}

/// The functions of a BIO at a pipe. Made once in the process and never freed.
///
/// Sendable because: nothing changes it once it is made.
private final class PipeMethod: Sendable {
    nonisolated(unsafe) let handle: OpaquePointer?
    static let shared = PipeMethod()

    private init() {
        handle = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "heliograph")
        guard let handle else { return }
        BIO_meth_set_write(handle, writeToPipe)
        BIO_meth_set_read(handle, readFromPipe)
        // Flushing is the only thing that OpenSSL asks for; it is done once the call returns.
        BIO_meth_set_ctrl(handle) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    }
}

private func readFromPipe(
    _ bio: OpaquePointer?,
    _ target: UnsafeMutablePointer<CChar>?,
    _ wanted: Int32
) -> Int32 {
    guard let bio, let target, let data = BIO_get_data(bio) else { return -1 }
    hg_bio_forget_asking(bio)
    let count = Unmanaged<TLSPipe>.fromOpaque(data)._withUnsafeGuaranteedRef {
        $0.read(into: UnsafeMutableRawPointer(target), Int(wanted))
    }
    if count > 0 { return Int32(count) }
    hg_bio_ask_again_for_bytes(bio)
    return -1
}

private func writeToPipe(
    _ bio: OpaquePointer?,
    _ source: UnsafePointer<CChar>?,
    _ count: Int32
) -> Int32 {
    guard let bio, let source, let data = BIO_get_data(bio) else { return -1 }
    hg_bio_forget_asking(bio)
    let bytes = ByteView(base: UnsafeRawPointer(source), count: Int(count))
    return Unmanaged<TLSPipe>.fromOpaque(data)._withUnsafeGuaranteedRef {
        Int32($0.write(bytes))
    }
}
