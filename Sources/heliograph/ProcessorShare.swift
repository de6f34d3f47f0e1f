import Glibc

/// Where Linux shares the processor out by session (autogroups, see sched(7)), a process that begins a
/// session gets as large a share as the whole engine, whatever its own niceness. Elsewhere, as in a
/// container or under systemd, niceness alone counts.
enum ProcessorShare {
    /// What rows may have while scores want the processor, as nice(2) counts.
    static let ofRows = 10

    /// Gives the session of a process the share that goes with `niceness`. False when the kernel does not
    /// share by session, or refuses.
    @discardableResult
    static func lower(sessionOf process: Int32, to niceness: Int) -> Bool {
        let descriptor = open("/proc/\(process)/autogroup", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var text = String(niceness)
        return text.withUTF8 { write(descriptor, $0.baseAddress, $0.count) == $0.count }
    }
}
