import Glibc

/// Makes a server's processes yield where Linux shares the processor out by session (autogroups, see
/// sched(7)): a process that begins a session gets as large a share as the whole engine, whatever its
/// own niceness. Elsewhere, as in a container or under systemd, there is nothing to do.
/// Owned by the thread that looks after the private stores.
struct BackgroundSessions {
    let niceness: Int
    private var lowered: Set<Int32> = []

    init(niceness: Int) { self.niceness = niceness }

    /// Lowers the sessions of the processes that `parent` has started since. What the kernel refuses now,
    /// as it does when too many are changed at once, is tried again the next time.
    mutating func lower(childrenOf parent: Int32) {
        let children = Files.read("/proc/\(parent)/task/\(parent)/children") ?? ""
        let running = Set(children.split(separator: " ").compactMap { Int32($0) })
        lowered.formIntersection(running)
        for process in running.subtracting(lowered) where lower(process) {
            lowered.insert(process)
        }
    }

    private func lower(_ process: Int32) -> Bool {
        let descriptor = open("/proc/\(process)/autogroup", O_WRONLY | O_CLOEXEC)
        // Gone already, or a kernel that does not share by session.
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var text = String(niceness)
        return text.withUTF8 { write(descriptor, $0.baseAddress, $0.count) == $0.count }
    }
}
