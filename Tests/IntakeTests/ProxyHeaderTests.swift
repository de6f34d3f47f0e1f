import Bytes
import Loop
import Settings
import TestSupport
import Testing

@testable import Intake

/// The PROXY header says for whom a proxy speaks; whatever is not exactly one ends the connection.
@Suite struct ProxyHeaderTests {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    static func header(
        _ command: UInt8 = 0x21,
        _ family: UInt8 = 0x11,
        _ content: [UInt8] = [203, 0, 113, 7, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb]
    ) -> [UInt8] {
        signature + [command, family, UInt8(content.count >> 8), UInt8(content.count & 255)]
            + content
    }

    private func parse(_ bytes: [UInt8]) -> ProxyHeader {
        var result = ProxyHeader.refused
        withView(bytes) { result = ProxyHeader.parse($0) }
        return result
    }

    private func address(_ text: String) -> InternetAddress {
        var found: InternetAddress?
        withView(text) { found = InternetAddress(text: $0) }
        return found ?? InternetAddress()
    }

    @Test func theClientIsFoundInBothFamilies() {
        #expect(
            parse(Self.header()) == .complete(length: 28, client: address("203.0.113.7"))
        )
        let six: [UInt8] = [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        let header = Self.header(0x21, 0x21, six + six + [0, 1, 0, 2])
        #expect(parse(header) == .complete(length: 52, client: address("2001:db8::1")))
    }

    @Test func extensionsAndRequestsBehindAreNotTheHeaders() {
        let long = Self.header(0x21, 0x11, [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2, 4, 0, 1, 0])
        #expect(
            parse(long + Array("POST".utf8))
                == .complete(length: 32, client: address("1.2.3.4"))
        )
    }

    @Test func aProxyThatSpeaksForItselfNamesNobody() {
        #expect(
            parse(Self.header(0x20, 0x00, [])) == .complete(length: 16, client: InternetAddress())
        )
        #expect(parse(Self.header(0x20)) == .complete(length: 28, client: InternetAddress()))
        #expect(
            parse(Self.header(0x21, 0x00, [])) == .complete(length: 16, client: InternetAddress())
        )
    }

    @Test func everyPieceOfAHeaderIsTheBeginningOfOne() {
        let whole = Self.header()
        for length in 0..<whole.count {
            #expect(parse(Array(whole[0..<length])) == .incomplete, "cut at \(length)")
        }
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\n".utf8), Array("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n".utf8),
        header(0x11), header(0x22), header(0x2f), header(0x21, 0x12), header(0x21, 0x31),
        header(0x21, 0x41), header(0x21, 0x11, [1, 2, 3, 4]), header(0x21, 0x21),
        signature + [0x21, 0x11, 0xff, 0xff],
    ])
    func whatIsNoneIsRefused(_ bytes: [UInt8]) {
        #expect(parse(bytes) == .refused)
    }

    @Test func noBytesMakeItReadOutsideThem() {
        var dice = Dice(seed: 11)
        for _ in 0..<20_000 {
            var bytes = Self.header()
            for _ in 0...dice.roll(0...3) {
                bytes[dice.roll(0...bytes.count - 1)] = UInt8(dice.roll(0...255))
            }
            bytes.removeLast(dice.roll(0...bytes.count))
            if case .complete(let length, _) = parse(bytes) { #expect(length <= bytes.count) }
        }
    }

    // MARK: - On a port

    @Test func theClientBehindTheProxyIsTheConnections() throws {
        let server = try Server(kind: PortKind(takesProxyHeader: true))
        defer { server.stop() }
        for pieces in [1, 3, 28] {
            let client = try Client(port: server.port)
            let bytes = Self.header() + Array("echo x\n".utf8)
            for piece in 0..<pieces {
                let (from, to) = (bytes.count * piece / pieces, bytes.count * (piece + 1) / pieces)
                client.send(bytes: Array(bytes[from..<to]))
            }
            #expect(client.receive(2) == "x\n")
            let address = server.ask { table, handler, _ in
                table.withAddress(of: handler.ids[handler.ids.count - 1]) { Array($0.buffer) }
            }
            #expect(address == [203, 0, 113, 7])
        }
    }

    @Test func withoutItNobodyIsServed() throws {
        let server = try Server(kind: PortKind(takesProxyHeader: true))
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo x\n")
        #expect([.closed, .reset].contains(client.end()))
        #expect(server.ask { table, _, _ in table.closedCount(.proxyHeaderRefused) } == 1)
        // Nor is who never sends it.
        let silent = try Client(port: server.port)
        #expect(server.wait { table, _ in table.openCount == 1 })
        server.ask { table, _, loop in
            table.enforceDeadlines(at: loop.nowMilliseconds + 5_500)
        }
        #expect(silent.end() == .closed)
        #expect(server.ask { table, _, _ in table.closedCount(.proxyHeaderRefused) } == 2)
        #expect(server.ask { _, handler, _ in handler.answered } == 0)
    }

    @Test func onlyTrustedPeersMaySpeakForOthers() throws {
        let ranges = [try #require(AddressRange("10.0.0.0/8"))]
        let server = try Server(kind: PortKind(takesProxyHeader: true), trustedProxies: ranges)
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(bytes: Self.header())
        #expect([.closed, .reset].contains(client.end()))
        #expect(server.ask { table, _, _ in table.closedCount(.proxyHeaderRefused) } == 1)
    }
}
