import Bytes
import Settings
import Testing

@testable import Intake

/// What unfinished requests and unread answers hold together has a limit, and those that hold the
/// most are the first to go.
@Suite struct MemoryIsBoundedTests {
    /// Buffers grow by doubling, and their memory counts, not what is in them.
    private static let limit = 1_600_000

    private func server(_ limit: Int = limit) throws -> Server {
        try Server(heldBytesMaximum: limit)
    }

    /// A client that has sent `count` bytes of a body of twice as many.
    private func unfinished(_ count: Int, of server: Server) throws -> Client {
        let client = try Client(port: server.port)
        let held = server.ask { table, _, _ in table.heldBytes }
        client.send("body \(count * 2)\n" + String(repeating: "x", count: count))
        #expect(server.wait { table, _ in table.heldBytes >= held + count - 1_000 })
        return client
    }

    @Test func theOneThatHoldsTheMostIsToldToComeBack() throws {
        let server = try server()
        defer { server.stop() }
        let idle = try Client(port: server.port)
        idle.send("echo x\n")
        #expect(idle.receive(2) == "x\n")
        let small = try unfinished(20_000, of: server)
        let large = try unfinished(600_000, of: server)
        // One after another comes until it is too much, whatever steps the buffers have grown in.
        var others: [Client] = []
        while others.count < 60, server.ask({ _, handler, _ in handler.refusals.isEmpty }) {
            let client = try Client(port: server.port)
            let held = server.ask { table, _, _ in table.heldBytes }
            client.send("body 80000\n" + String(repeating: "x", count: 40_000))
            others.append(client)
            #expect(
                server.wait { table, handler in
                    table.heldBytes > held + 39_000 || !handler.refusals.isEmpty
                }
            )
        }
        #expect(large.receive(100) == "overloaded\n")
        #expect(server.ask { table, _, _ in table.heldBytes } <= Self.limit)
        // Everybody else is served as if nothing had been.
        small.send(String(repeating: "x", count: 20_000))
        #expect(small.receive(11) == "took 40000\n")
        for other in others {
            other.send(String(repeating: "x", count: 40_000))
            #expect(other.receive(11) == "took 80000\n")
        }
        idle.send("echo y\n")
        #expect(idle.receive(2) == "y\n")
        #expect(server.ask { _, handler, _ in handler.refusals } == [.overloaded])
    }

    /// Small enough to arrive in one piece, so that all hold the same.
    @Test func amongEqualsTheEldestGoes() throws {
        let server = try Server(heldBytesMaximum: 30_000)
        defer { server.stop() }
        var clients: [Client] = []
        while clients.count < 20, server.ask({ _, handler, _ in handler.refusals.isEmpty }) {
            let client = try Client(port: server.port)
            client.send("body 9000\n" + String(repeating: "x", count: 4_000))
            clients.append(client)
            let count = clients.count
            #expect(server.wait { _, handler in handler.ids.count == count })
        }
        #expect(clients.count > 2 && clients.count < 20)
        #expect(clients[0].receive(100) == "overloaded\n")
        #expect(server.ask { _, handler, _ in handler.refusals.count } == 1)
    }

    @Test func manySmallOnesAreBoundedToo() throws {
        let server = try Server(connectionsMaximum: 200, heldBytesMaximum: 100_000)
        defer { server.stop() }
        var clients: [Client] = []
        for _ in 0..<150 {
            let client = try Client(port: server.port)
            client.send("body 9000\n" + String(repeating: "x", count: 4_000))
            clients.append(client)
        }
        #expect(server.wait { _, handler in handler.ids.count == 150 })
        #expect(server.ask { table, _, _ in table.heldBytes } <= 100_000)
        #expect(server.ask { _, handler, _ in handler.refusals.count } > 100)
    }

    @Test func whatTheHandlerKeepsCounts() throws {
        let server = try server(400_000)
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("keep 399000\n")
        #expect(server.wait { table, _ in table.heldBytes > 390_000 })
        let other = try Client(port: server.port)
        other.send("keep 200000\n")
        #expect(client.receive(100) == "overloaded\n")
        #expect(other.isSilent())
    }

    @Test func unreadAnswersCountAndTheirReadersAreCut() throws {
        let server = try Server(heldBytesMaximum: 600_000)
        defer { server.stop() }
        var clients: [Client] = []
        for _ in 0..<12 {
            let client = try Client(port: server.port, receiveBytes: 4_096)
            for _ in 0..<8 { client.send("big 500000\n") }
            clients.append(client)
        }
        #expect(server.wait { table, _ in table.closedCount(.overloaded) >= 1 })
        #expect(server.ask { table, _, _ in table.heldBytes } <= 600_000)
    }

    @Test func whoDoesNotReadMakesNoMoreAnswers() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        for _ in 0..<400 { client.send("big 100000\n") }
        #expect(server.wait { table, _ in table.slots.first?.pointee.isWriting == true })
        let made = server.ask { _, handler, _ in handler.answered }
        #expect(made < 400)
        let held = server.ask { table, _, _ in table.heldBytes }
        #expect(held < 300_000)
        let wanted = 400 * 100_000
        #expect(client.receive(wanted).utf8.count == wanted)
    }

    @Test func nothingIsHeldWhenAllIsDone() throws {
        let server = try server()
        defer { server.stop() }
        do {
            let clients = try (0..<8).map { _ in try unfinished(30_000, of: server) }
            clients[0].send(String(repeating: "x", count: 30_000))
            #expect(clients[0].receive(11) == "took 60000\n")
            clients[1].reset()
        }
        #expect(server.wait { table, _ in table.openCount == 0 })
        #expect(server.ask { table, _, _ in table.heldBytes } == 0)
    }
}
