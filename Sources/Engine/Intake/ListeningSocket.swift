import CLibuv
import Glibc
import Loop
import Settings

/// Why a port could not be opened, with the system's own word for it.
public enum ListenError: Error {
    case badAddress(String)
    case bindFailed(address: String, port: UInt16, errno: Int32)
}

/// A listening TCP socket; several listeners may hold the same port (SO_REUSEPORT) and the kernel
/// deals new connections out among them.
public struct ListeningSocket: Sendable {
    /// The socket.
    public let descriptor: Int32
    /// The port in force, also when 0 was asked for.
    public let port: UInt16

    /// Throws when another process listens there already, which sharing the port would hide.
    public static func checkIsFree(address: String, port: UInt16) throws(ListenError) {
        guard port != 0 else { return }
        let probe = try bound(address: address, port: port, shared: false)
        close(probe)
    }

    /// Binds `address` (IPv4 or IPv6 text) and listens.
    public static func open(
        address: String,
        port: UInt16,
        backlog: Int32
    ) throws(ListenError) -> ListeningSocket {
        let descriptor = try bound(address: address, port: port, shared: true)
        guard listen(descriptor, backlog) == 0 else {
            let reason = errno
            close(descriptor)
            throw .bindFailed(address: address, port: port, errno: reason)
        }
        return ListeningSocket(descriptor: descriptor, port: boundPort(descriptor))
    }

    private static func bound(
        address: String,
        port: UInt16,
        shared: Bool
    ) throws(ListenError) -> Int32 {
        var storage = try resolve(address, port)
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(Int32(storage.ss_family), Int32(kind), 0)
        guard descriptor >= 0 else {
            throw .bindFailed(address: address, port: port, errno: errno)
        }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        // What an accepted connection inherits. Without a bound the kernel would keep megabytes for
        // every client that does not read.
        var sendBytes = Int32(Limits.socketSendBytes)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &sendBytes, size)
        if shared { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, size) }
        guard withAddress(&storage, { bind(descriptor, $0, $1) }) == 0 else {
            let reason = errno
            close(descriptor)
            throw .bindFailed(address: address, port: port, errno: reason)
        }
        return descriptor
    }

    private static func resolve(
        _ address: String,
        _ port: UInt16
    ) throws(ListenError) -> sockaddr_storage {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        var storage = sockaddr_storage()
        if uv_ip4_addr(address, Int32(port), &v4) == 0 {
            withUnsafeMutableBytes(of: &storage) { target in
                withUnsafeBytes(of: v4) { target.copyMemory(from: $0) }
            }
        } else if uv_ip6_addr(address, Int32(port), &v6) == 0 {
            withUnsafeMutableBytes(of: &storage) { target in
                withUnsafeBytes(of: v6) { target.copyMemory(from: $0) }
            }
        } else {
            throw .badAddress(address)
        }
        return storage
    }

    private static func withAddress(
        _ storage: inout sockaddr_storage,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        let isV6 = Int32(storage.ss_family) == AF_INET6
        let length = isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(length))
            }
        }
    }

    private static func boundPort(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        // The port stands at byte 2 of both address types, in network order.
        return withUnsafeBytes(of: &storage) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }
}

/// What the connections of a port bring before their requests.
public struct PortKind: Sendable {
    /// TLS, whose context the table has.
    public var isEncrypted: Bool
    /// The header of the PROXY protocol, before anything else.
    public var takesProxyHeader: Bool

    /// Nothing, when nothing is said.
    public init(isEncrypted: Bool = false, takesProxyHeader: Bool = false) {
        self.isEncrypted = isEncrypted
        self.takesProxyHeader = takesProxyHeader
    }
}

/// Accepts connections from a listening socket into a table. Owned by the listener's thread.
public final class Acceptor {
    private let kind: PortKind
    private let handle: UnsafeMutablePointer<uv_tcp_t>
    private unowned(unsafe) let table: ConnectionTable

    /// Starts accepting on the table's loop.
    public init(
        _ socket: ListeningSocket,
        into table: ConnectionTable,
        backlog: Int32,
        kind: PortKind = PortKind()
    ) {
        self.table = table
        self.kind = kind
        handle = .allocate(capacity: 1)
        handle.initialize(to: uv_tcp_t())
        _ = uv_tcp_init(table.loop.handle, handle)
        _ = uv_tcp_open(handle, socket.descriptor)
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        _ = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
            uv_listen(stream, backlog) { stream, status in
                guard status == 0, let stream, let data = stream.pointee.data else { return }
                Unmanaged<Acceptor>.fromOpaque(data)._withUnsafeGuaranteedRef {
                    $0.table.accept(from: stream, on: $0.kind)
                }
            }
        }
    }

    /// Stops accepting; new connections are refused by the kernel.
    public func close() {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { generic in
            if uv_is_closing(generic) == 0 { uv_close(generic) { $0?.deallocate() } }
        }
    }
}
