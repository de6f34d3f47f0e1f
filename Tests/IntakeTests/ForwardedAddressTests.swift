import Bytes
import Settings
import TestSupport
import Testing

@testable import Intake

/// Behind proxies the client is whom the nearest trusted proxy saw; nobody can make himself another.
@Suite struct ForwardedAddressTests {
    private let proxies = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"].compactMap { AddressRange($0) }

    private func address(_ text: String) -> InternetAddress? {
        var found: InternetAddress?
        withView(text) { found = InternetAddress(text: $0) }
        return found
    }

    /// The client's address as text of `candidates`, because addresses have no text of their own.
    private func resolve(_ peer: String, _ lines: [String]) -> InternetAddress? {
        let buffers = lines.map { Array($0.utf8) }
        var views: [ByteView] = []
        // The buffers live to the end of the function.
        defer { withExtendedLifetime(buffers) {} }
        for buffer in buffers { buffer.withUnsafeBytes { views.append(ByteView($0)) } }
        guard let peer = address(peer) else { return nil }
        return ForwardedAddress.resolve(peer: peer, forwardedFor: views, trusted: proxies)
    }

    @Test func whoIsNoProxyIsBelievedNothing() {
        #expect(resolve("203.0.113.9", ["198.51.100.1"]) == address("203.0.113.9"))
        #expect(resolve("203.0.113.9", ["10.0.0.1, 10.0.0.2"]) == address("203.0.113.9"))
        #expect(resolve("11.0.0.1", ["198.51.100.1"]) == address("11.0.0.1"))
    }

    @Test func theLastUntrustedEntryIsTheClient() {
        #expect(resolve("10.0.0.1", ["198.51.100.1"]) == address("198.51.100.1"))
        #expect(resolve("10.0.0.1", ["198.51.100.1, 10.9.9.9"]) == address("198.51.100.1"))
        #expect(resolve("10.0.0.1", ["6.6.6.6, 198.51.100.1,10.9.9.9"]) == address("198.51.100.1"))
        #expect(resolve("fd00::1", ["2001:db8::5"]) == address("2001:db8::5"))
    }

    @Test func whatAClientMadeUpStandsLeftOfItAndIsNotSeen() {
        let spoofed = "127.0.0.1, 10.0.0.5, 8.8.8.8, 198.51.100.1"
        #expect(resolve("10.0.0.1", [spoofed]) == address("198.51.100.1"))
        #expect(
            resolve("10.0.0.1", ["10.0.0.5, 198.51.100.1, 10.0.0.5"]) == address("198.51.100.1")
        )
    }

    @Test func severalLinesAreOneList() {
        let lines = ["6.6.6.6", "198.51.100.1", "10.0.0.3, 10.0.0.2"]
        #expect(resolve("10.0.0.1", lines) == address("198.51.100.1"))
        #expect(resolve("10.0.0.1", ["198.51.100.1", "203.0.113.5"]) == address("203.0.113.5"))
    }

    @Test func whereNothingIsKnownTheNearestProxyIsTaken() {
        #expect(resolve("10.0.0.1", []) == address("10.0.0.1"))
        #expect(resolve("10.0.0.1", ["unknown"]) == address("10.0.0.1"))
        #expect(resolve("10.0.0.1", ["198.51.100.1, _hidden, 10.0.0.2"]) == address("10.0.0.2"))
        #expect(resolve("10.0.0.1", ["10.0.0.3, 10.0.0.2"]) == address("10.0.0.3"))
        #expect(resolve("10.0.0.1", [""]) == address("10.0.0.1"))
        #expect(resolve("10.0.0.1", [",,,"]) == address("10.0.0.1"))
    }

    @Test(arguments: [
        "198.51.100.1:4711", " 198.51.100.1\t", "::ffff:198.51.100.1", "[::ffff:198.51.100.1]:80",
    ])
    func anAddressHasOneSpelling(_ entry: String) {
        #expect(resolve("::ffff:10.0.0.1", [entry]) == address("198.51.100.1"))
    }

    @Test(arguments: [
        "198.51.100.1:", "198.51.100.1:x", "198.51.100.1:99999", "[2001:db8::1", "[2001:db8::1]x",
        "[198.51.100.1", "1.2.3", "01.2.3.4", "1.2.3.4\0", "2001:db8::1::", "\"1.2.3.4\"",
    ])
    func whatIsNoAddressIsNoClient(_ entry: String) {
        #expect(resolve("10.0.0.1", [entry]) == address("10.0.0.1"))
    }

    @Test func aListWithoutEndCostsNothing() {
        let endless = String(repeating: "10.0.0.2,", count: 800) + "10.0.0.2"
        #expect(resolve("10.0.0.1", ["198.51.100.1, " + endless]) == address("10.0.0.2"))
    }

    @Test func networksHoldWhatTheirPrefixSays() throws {
        let range = try #require(AddressRange("192.168.4.0/22"))
        for (text, isIn) in [
            ("192.168.4.0", true), ("192.168.7.255", true), ("192.168.8.0", false),
            ("192.168.3.255", false), ("::ffff:192.168.5.1", true), ("2001:db8::1", false),
        ] {
            #expect(range.contains(try #require(address(text))) == isIn, "\(text)")
        }
        let all = try #require(AddressRange("0.0.0.0/0"))
        #expect(all.contains(try #require(address("8.8.8.8"))))
        #expect(!all.contains(try #require(address("2001:db8::1"))))
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.1/8", "2001:db8::/129", "10.0.0.0/8/8", "localhost",
    ])
    func whatIsNoNetworkIsRefused(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}
