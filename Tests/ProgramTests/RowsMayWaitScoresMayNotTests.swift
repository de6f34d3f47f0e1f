import Glibc
import Testing

@testable import heliograph

/// The kernel shares processors out by session where it knows autogroups, and PostgreSQL begins one for
/// each of its processes.
@Suite struct RowsMayWaitScoresMayNotTests {
    static let isShared = access("/proc/self/autogroup", W_OK) == 0

    @Test(.enabled(if: isShared, "this kernel does not share processors out by session"))
    func `a session that a server began yields`() throws {
        let server = try Spawn.start(["/bin/sh", "-c", "setsid sleep 60 & wait"]).get()
        var child: Int32 = 0
        defer {
            for process in [child, server] where process > 0 { kill(process, SIGKILL) }
            _ = Spawn.waitForEnd(server, milliseconds: 5_000)
        }
        while niceness(of: child) == nil {
            Pause.milliseconds(10)
            child = children(of: server).first ?? 0
        }
        var sessions = BackgroundSessions(niceness: 7)
        // Where this is not done by root the kernel takes one such wish every tenth of a second; and the
        // child begins its session a moment after it is there.
        for _ in 0..<50 where niceness(of: child) != "7" {
            sessions = BackgroundSessions(niceness: 7)
            sessions.lower(childrenOf: server)
            Pause.milliseconds(100)
        }
        #expect(niceness(of: child) == "7")
    }

    @Test func `a server that is gone changes nothing`() {
        var sessions = BackgroundSessions(niceness: 7)
        sessions.lower(childrenOf: Int32.max)
    }

    private func children(of process: Int32) -> [Int32] {
        (Files.read("/proc/\(process)/task/\(process)/children") ?? "").split(separator: " ")
            .compactMap { Int32($0) }
    }

    /// As in `/autogroup-12 nice 7`.
    private func niceness(of process: Int32) -> String? {
        Files.read("/proc/\(process)/autogroup")?.split { $0 == " " || $0 == "\n" }.last
            .map(String.init)
    }
}
