import Bytes
import Glibc
import Loop
import TestSupport
import Testing

@testable import Intake

/// Connections are bounded in number, their places are used again, and answers find their own.
@Suite struct ConnectionsComeAndGoTests {
    @Test func aNewcomerTakesThePlaceOfTheLongestIdle() throws {
        let server = try Server(connectionsMaximum: 2)
        defer { server.stop() }
        let busy = try Client(port: server.port)
        busy.send("later one\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        let idle = try Client(port: server.port)
        #expect(server.wait { table, _ in table.openCount == 2 })
        let next = try Client(port: server.port)
        // The idle connection made room, the busy one was left alone.
        #expect(idle.end() == .closed)
        next.send("echo two\n")
        #expect(next.receive(4) == "two\n")
        #expect(server.ask { table, _, _ in table.closedCount(.crowdedOut) } == 1)
        #expect(server.ask { table, _, _ in table.closedCount(.tooMany) } == 0)
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(busy.receive(4) == "one\n")
    }

    @Test func aTableFullOfBusyConnectionsTurnsEverybodyAway() throws {
        let server = try Server(connectionsMaximum: 1)
        defer { server.stop() }
        let busy = try Client(port: server.port)
        busy.send("later one\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        for _ in 0..<20 {
            let client = try Client(port: server.port)
            #expect(client.receive(100) == "tooManyConnections\n")
            #expect(client.end() == .closed)
        }
        #expect(server.wait { table, _ in table.openCount == 1 })
        #expect(server.ask { table, _, _ in table.closedCount(.tooMany) } == 20)
        #expect(server.ask { table, _, _ in table.acceptedCount } == 21)
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(busy.receive(4) == "one\n")
    }

    @Test func anAnswerForAConnectionThatIsGoneReachesNobody() throws {
        let server = try Server()
        defer { server.stop() }
        var first: Client? = try Client(port: server.port)
        first?.send("later secret\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        first?.reset()
        first = nil
        #expect(server.wait { _, handler in handler.closedCount == 1 })
        let second = try Client(port: server.port)
        second.send("echo hello\n")
        #expect(second.receive(6) == "hello\n")
        let ids = server.ask { _, handler, _ in handler.ids }
        #expect(ids.count == 2)
        #expect(ids[0].slot == ids[1].slot)
        #expect(ids[0] != ids[1])
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(second.isSilent())
        #expect(server.ask { table, handler, _ in table.isOpen(handler.ids[0]) } == false)
    }

    @Test func anAnswerIsNotLostWhenThePeerStillSends() throws {
        let server = try Server()
        defer { server.stop() }
        for _ in 0..<20 {
            let client = try Client(port: server.port)
            client.send("bye farewell\n" + String(repeating: "x", count: 200_000))
            #expect(client.receive(9) == "farewell\n")
            #expect(client.end() == .closed)
        }
    }

    @Test func aFarewellEndsByItselfWhenThePeerStays() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("bye x\n")
        #expect(client.receive(2) == "x\n")
        #expect(server.ask { table, _, _ in table.openCount } == 1)
        server.ask { table, _, loop in
            table.enforceDeadlines(at: loop.nowMilliseconds + 1_000)
        }
        #expect(server.ask { table, _, _ in table.openCount } == 1)
        server.ask { table, _, loop in
            table.enforceDeadlines(
                at: loop.nowMilliseconds + UInt64(ConnectionLimits.lingerMilliseconds) + 1
            )
        }
        #expect(server.ask { table, _, _ in table.openCount } == 0)
        #expect(server.ask { table, _, _ in table.closedCount(.served) } == 1)
    }

    /// Asks for answers until the kernel takes no more of them; returns their bytes.
    private func fillKernel(_ client: Client, of server: Server) -> Int {
        for pieces in 1...200 {
            client.send("big 100000\n")
            _ = server.wait { _, handler in handler.answered == pieces }
            let isFull = server.ask { table, _, _ in table.slots[0].pointee.isWriting }
            if isFull { return pieces * 100_000 }
        }
        return 0
    }

    @Test func largeAnswersReachSlowReaders() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        let filled = fillKernel(client, of: server)
        #expect(filled > 0)
        // These wait in the connection's own buffers.
        client.send("big 300000\necho end\n")
        let wanted = filled + 300_004
        let text = client.receive(wanted)
        #expect(text.utf8.count == wanted)
        #expect(text.hasSuffix("bbbend\n"))
        client.send("echo again\n")
        #expect(client.receive(6) == "again\n")
    }

    @Test func aFarewellWaitsForALargeAnswer() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        let filled = fillKernel(client, of: server)
        #expect(filled > 0)
        client.send("bye end\necho never\n")
        #expect(client.receive(filled + 4).hasSuffix("bbbend\n"))
        #expect(client.end() == .closed)
    }

    @Test func halfAnAnswerIsNeverLeftStanding() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        // More than the kernel and the connection's buffer hold together.
        client.send("big 20000000\n")
        #expect(server.wait { _, handler in handler.closedCount == 1 })
        #expect(client.receive(20_000_000).utf8.count < 20_000_000)
        #expect(client.end() != .open)
    }

    @Test func clientsThatBreakOffLeaveNothingBehind() throws {
        let server = try Server()
        defer { server.stop() }
        for index in 0..<60 {
            let client = try Client(port: server.port)
            client.send(["echo x\n", "later x\n", "echo ha", "big 3000000\n"][index % 4])
            if index % 2 == 0 { client.reset() }
        }
        // Some have left without a word, some wait half-closed for their answer.
        #expect(
            server.wait { table, handler in
                while !handler.waiting.isEmpty { handler.answerNext() }
                return table.openCount == 0 && handler.closedCount == 60
            }
        )
        let client = try Client(port: server.port)
        client.send("echo fine\n")
        #expect(client.receive(5) == "fine\n")
        // Places are used again: never more of them than connections at one time.
        #expect(server.ask { table, _, _ in table.slots.count } <= 60)
    }

    @Test func idleConnectionsMayBeClosedAndBusyOnesStay() throws {
        let server = try Server()
        defer { server.stop() }
        let idle = try Client(port: server.port)
        idle.send("echo x\n")
        #expect(idle.receive(2) == "x\n")
        let busy = try Client(port: server.port)
        busy.send("later one\n")
        let half = try Client(port: server.port)
        half.send("echo ha")
        #expect(
            server.wait { table, handler in handler.waiting.count == 1 && handler.ids.count == 3 }
        )
        server.ask { table, _, _ in table.closeIdle() }
        #expect(idle.end() == .closed)
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(busy.receive(4) == "one\n")
        half.send("lf\n")
        #expect(half.receive(5) == "half\n")
        server.ask { table, _, _ in table.closeAll() }
        #expect(busy.end() == .closed)
        #expect(half.end() == .closed)
    }

    @Test func thePeersAddressIsKnown() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo x\n")
        #expect(client.receive(2) == "x\n")
        let address = server.ask { table, handler, _ in
            table.withAddress(of: handler.ids[0]) { Array($0.buffer) }
        }
        #expect(address == [127, 0, 0, 1])
        let nobody = server.ask { table, _, _ in
            table.withAddress(of: ConnectionID(slot: 9, generation: 0)) { $0.count }
        }
        #expect(nobody == 0)
    }

    @Test func anIDTravelsInOneWord() {
        var dice = Dice(seed: 3)
        for _ in 0..<1_000 {
            let id = ConnectionID(
                slot: UInt32(truncatingIfNeeded: dice.next()),
                generation: UInt32(truncatingIfNeeded: dice.next())
            )
            #expect(ConnectionID(word: id.word) == id)
        }
    }
}
