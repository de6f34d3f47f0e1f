import Bytes
import Settings
import Testing

/// The machine itself is told from everybody else, however its address is written.
struct LoopbackAddressesTests {
    private func isLoopback(_ text: String) throws -> Bool {
        try Array(text.utf8).withUnsafeBytes {
            try #require(InternetAddress(text: ByteView($0))).isLoopback
        }
    }

    @Test(arguments: ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"])
    func thisMachine(_ text: String) throws { #expect(try isLoopback(text)) }

    @Test(arguments: ["126.0.0.1", "128.0.0.1", "::", "::2", "1::1", "::ffff:10.0.0.1", "fe80::1"])
    func anotherMachine(_ text: String) throws { #expect(try !isLoopback(text)) }

    @Test func nobodyIsNotThisMachine() { #expect(!InternetAddress().isLoopback) }
}
