import Glibc

/// Tells systemd that the engine takes beacons, as `sd_notify(3)` does, where a unit of
/// `Type=notify` has started it.
enum ServiceManager {
    /// Does nothing without `NOTIFY_SOCKET`. A message that cannot be sent changes nothing for the engine.
    static func tell(_ state: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        send(state, from: descriptor, to: path)
    }

    private static func send(_ state: String, from descriptor: Int32, to path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // A name that begins with @ is an abstract one: its first byte is zero.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(
                    descriptor,
                    state,
                    state.utf8.count,
                    Int32(MSG_NOSIGNAL),
                    address,
                    length
                )
            }
        }
    }
}

/// Keeps what is in memory, keys and visitors' data, out of files that a crash would leave.
enum CoreDumps {
    /// Neither this process nor its children leave core files; programs that take cores over, such as
    /// systemd-coredump, go by the same limit.
    static func forbid() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }
}
