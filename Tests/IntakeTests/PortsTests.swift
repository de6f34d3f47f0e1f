import Glibc
import Testing

@testable import Intake

/// A port is shared by our own listeners and by nobody else.
@Suite struct PortsTests {
    @Test func aFreePortIsFoundAndShared() throws {
        let first = try ListeningSocket.open(address: "127.0.0.1", port: 0, backlog: 8)
        defer { close(first.descriptor) }
        #expect(first.port > 0)
        let second = try ListeningSocket.open(
            address: "127.0.0.1",
            port: first.port,
            backlog: 8
        )
        defer { close(second.descriptor) }
        #expect(second.port == first.port)
    }

    @Test func aPortThatIsTakenIsSaidToBeTaken() throws {
        // An address of its own: no other test takes the port between closing and looking.
        let address = "127.0.7.83"
        let first = try ListeningSocket.open(address: address, port: 0, backlog: 8)
        do throws(ListenError) {
            try ListeningSocket.checkIsFree(address: address, port: first.port)
            Issue.record("the port of a running listener was called free")
        } catch {
            guard case .bindFailed(_, let port, let code) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(port == first.port)
            #expect(code == EADDRINUSE)
        }
        close(first.descriptor)
        try ListeningSocket.checkIsFree(address: address, port: first.port)
        try ListeningSocket.checkIsFree(address: address, port: 0)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "256.1.1.1", "::g", "127.0.0.1 "])
    func whatIsNoAddressIsRefused(_ address: String) {
        do throws(ListenError) {
            let socket = try ListeningSocket.open(address: address, port: 0, backlog: 8)
            close(socket.descriptor)
            Issue.record("\(address) was taken for an address")
        } catch {
            guard case .badAddress(address) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func anAddressOfAnotherMachineIsRefused() {
        #expect(throws: ListenError.self) {
            try ListeningSocket.open(address: "203.0.113.7", port: 0, backlog: 8)
        }
    }

    @Test func newAddressesWorkWhereTheMachineHasThem() throws {
        guard let socket = try? ListeningSocket.open(address: "::1", port: 0, backlog: 8) else {
            print("skipped: this machine has no IPv6")
            return
        }
        defer { close(socket.descriptor) }
        #expect(socket.port > 0)
    }
}
