import Glibc
import Testing

@testable import heliograph

/// The kernel shares processors out by session where it knows autogroups, and PostgreSQL begins one for
/// each of its processes.
@Suite struct RowsMayWaitScoresMayNotTests {
    static let isShared = access("/proc/self/autogroup", W_OK) == 0

    @Test(.enabled(if: isShared, "this kernel does not share processors out by session"))
    func `a session that a server began yields`() throws {
        let child = try Spawn.start(["/bin/sleep", "60"]).get()
        defer {
            kill(child, SIGKILL)
            _ = Spawn.waitForEnd(child, milliseconds: 5_000)
        }
        // Where this is not done by root the kernel takes one such wish every tenth of a second.
        for _ in 0..<50 where !ProcessorShare.lower(sessionOf: child, to: 7) {
            Pause.milliseconds(100)
        }
        // As in `/autogroup-12 nice 7`.
        #expect(Files.read("/proc/\(child)/autogroup")?.hasSuffix(" nice 7\n") == true)
    }

    @Test func `a server that is gone changes nothing`() {
        #expect(!ProcessorShare.lower(sessionOf: Int32.max, to: 7))
    }
}
