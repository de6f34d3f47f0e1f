import Bytes
import Loop
import Settings
import Testing

@testable import Intake

/// The port with TLS serves what the plain one serves, to clients that are up to date, with the
/// certificate they ask for.
@Suite(.serialized) struct TLSPortTests {
    private let certificates: Certificates
    private let first: TLSCertificate

    init() throws {
        certificates = try Certificates()
        first = try certificates.make("a.example")
    }

    private func server(_ more: [TLSCertificate] = []) throws -> Server {
        try Server(
            kind: PortKind(isEncrypted: true),
            context: try TLSContext([first] + more)
        )
    }

    /// What `openssl s_client` has to say after sending `input` and reading until the end.
    private func talk(
        to server: Server,
        _ options: [String] = [],
        _ input: String = "bye hello\n"
    ) throws -> String {
        try Command.run(
            [
                "timeout", "20", "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)",
                "-ign_eof",
            ] + options,
            input: input
        )
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func whoIsUpToDateIsServed(_ version: String) throws {
        let server = try server()
        defer { server.stop() }
        let output = try talk(to: server, [version, "-alpn", "h2,http/1.1"])
        #expect(output.contains("hello\n"))
        #expect(output.contains("ALPN protocol: http/1.1"))
        #expect(server.wait { table, _ in table.closedCount(.served) == 1 })
    }

    @Test(arguments: ["-tls1", "-tls1_1"])
    func whoIsNotIsRefused(_ version: String) throws {
        let server = try server()
        defer { server.stop() }
        let output = try talk(to: server, [version, "-cipher", "ALL:@SECLEVEL=0"])
        #expect(output.contains("alert protocol version"))
        #expect(server.wait { table, _ in table.closedCount(.handshakeFailed) == 1 })
        #expect(server.ask { _, handler, _ in handler.answered } == 0)
    }

    @Test(arguments: [
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "ECDHE+AES+SHA1"],
        ["-alpn", "h2"],
    ])
    func whatIsWeakOrUnknownIsRefused(_ options: [String]) throws {
        let server = try server()
        defer { server.stop() }
        let output = try talk(to: server, options)
        #expect(!output.contains("hello\n"))
        #expect(output.contains("alert"))
    }

    @Test func everyNameGetsItsCertificate() throws {
        let second = try certificates.make("b.example", kind: ["rsa:2048"])
        let third = try certificates.make("c.example", names: ["shop.test", "*.shop.test"])
        let server = try server([second, third])
        defer { server.stop() }
        for (name, expected) in [
            ("a.example", "a.example"), ("b.example", "b.example"), ("B.Example", "b.example"),
            ("www.b.example", "b.example"), ("x.www.b.example", "a.example"),
            ("shop.test", "c.example"), ("eu.shop.test", "c.example"),
            ("c.example", "a.example"), ("other.test", "a.example"),
        ] {
            let output = try talk(to: server, ["-servername", name])
            #expect(output.contains("subject=CN = \(expected)"), "\(name)")
            #expect(output.contains("hello\n"), "\(name)")
        }
        #expect(try talk(to: server, ["-noservername"]).contains("subject=CN = a.example"))
    }

    @Test func largeRequestsAndAnswersPass() throws {
        let server = try server()
        defer { server.stop() }
        let body = String(repeating: "x", count: 300_000)
        let lines = (0..<2_000).map { "echo line \($0)\n" }.joined()
        let output = try talk(
            to: server,
            ["-quiet"],
            "body 300000\n\(body)\(lines)big 700000\nbye end\n"
        )
        #expect(output.contains("took 300000\n"))
        #expect(output.contains("line 0\nline 1\n"))
        #expect(output.contains("line 1999\nb"))
        #expect(output.hasSuffix("bend\n"))
        #expect(output.utf8.filter { $0 == UInt8(ascii: "b") }.count >= 700_000)
        #expect(server.wait { table, _ in table.openCount == 0 })
        #expect(server.ask { table, _, _ in table.heldBytes } == 0)
    }

    @Test func newConnectionsGetTheNewCertificate() throws {
        let server = try server()
        defer { server.stop() }
        #expect(try talk(to: server).contains("subject=CN = a.example"))
        let next = try TLSContext([try certificates.make("new.example")])
        server.ask { table, _, _ in table.install(next) }
        #expect(try talk(to: server).contains("subject=CN = new.example"))
    }

    @Test func whatIsNoHandshakeIsRefused() throws {
        let server = try server()
        defer { server.stop() }
        for bytes in ["GET / HTTP/1.1\r\n\r\n", String(repeating: "\0", count: 200), "\u{16}\u{3}"]
        {
            let client = try Client(port: server.port)
            client.send(bytes)
            client.finishSending()
            #expect(client.receive(1_000).utf8.count < 100)
        }
        #expect(server.wait { table, _ in table.openCount == 0 })
        #expect(server.ask { table, _, _ in table.closedCount(.handshakeFailed) } >= 2)
    }

    @Test func aHandshakeHasItsTime() throws {
        let server = try server()
        defer { server.stop() }
        let silent = try Client(port: server.port)
        let partial = try Client(port: server.port)
        partial.send(bytes: [0x16, 3, 1, 1, 0, 1])
        #expect(server.wait { table, _ in table.openCount == 2 })
        // They are not idle: making room is for others.
        server.ask { table, _, _ in table.closeIdle() }
        #expect(server.ask { table, _, _ in table.openCount } == 2)
        server.ask { table, _, loop in
            table.enforceDeadlines(at: loop.nowMilliseconds + 5_001)
        }
        #expect(silent.end() == .closed)
        #expect([.closed, .reset].contains(partial.end()))
        #expect(server.ask { table, _, _ in table.closedCount(.handshakeTimeout) } == 2)
    }

    @Test func behindAProxyTheHeaderComesFirst() throws {
        let server = try Server(
            kind: PortKind(isEncrypted: true, takesProxyHeader: true),
            context: try TLSContext([first])
        )
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(bytes: ProxyHeaderTests.header() + [0x16, 3, 1, 0])
        #expect(
            server.wait { table, _ in
                table.slots.first?.pointee.phase == .handshake
                    && table.slots.first?.pointee.peer.length == 4
            }
        )
        let direct = try Client(port: server.port)
        direct.send(bytes: [0x16, 3, 1, 1, 0, 1])
        #expect([.closed, .reset].contains(direct.end()))
    }

    // MARK: - Files

    private func problem(_ certificate: TLSCertificate) -> String {
        do throws(TLSError) {
            _ = try TLSContext([certificate])
            return ""
        } catch {
            return error.description
        }
    }

    @Test func badFilesAreNamedAndNothingOfThemIsShown() throws {
        let other = try certificates.make("b.example")
        let rsa = try certificates.make("r.example", kind: ["rsa:2048"])
        var mixed = first
        mixed.key = other.key
        #expect(problem(mixed).hasPrefix("heliograph.yaml:7: "))
        #expect(problem(mixed).contains(other.key))
        mixed.key = rsa.key
        #expect(problem(mixed).contains(rsa.key))
        mixed.key = first.certificate
        #expect(problem(mixed).contains("no private key"))
        mixed.certificate = first.key
        #expect(problem(mixed).contains("no certificate"))
        mixed.certificate = "/nowhere"
        #expect(problem(mixed).contains("/nowhere"))
        #expect(throws: TLSError.self) { try TLSContext([]) }
    }

    @Test func aKeyWithAPassphraseIsRefusedWithoutAsking() throws {
        let locked = certificates.path("locked.key")
        try Command.run(
            ["openssl", "ec", "-in", first.key, "-out", locked, "-aes128", "-passout", "pass:x"]
        )
        var certificate = first
        certificate.key = locked
        #expect(problem(certificate).contains("passphrase"))
    }

    @Test func anEndThatIsNearIsWarnedOf() throws {
        #expect(try TLSContext([first]).warnings.isEmpty)
        let short = try certificates.make("short.example", days: 3)
        let warnings = try TLSContext([short]).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("heliograph.yaml:7: "))
        #expect(warnings[0].contains("expires in "))
    }
}
