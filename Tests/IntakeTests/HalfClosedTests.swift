import Bytes
import Testing

@testable import Intake

/// Whoever has asked, and says that it will ask nothing more, still gets its answer.
@Suite struct HalfClosedTests {
    @Test func theAnswerUnderWayIsGiven() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("later one\n")
        client.finishSending()
        #expect(server.wait { table, _ in table.slots.first?.pointee.hasPeerClosed == true })
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(client.receive(100) == "one\n")
        #expect(client.end() == .closed)
        #expect(server.wait { table, _ in table.openCount == 0 })
        #expect(server.ask { table, _, _ in table.closedCount(.peer) } == 1)
    }

    @Test func everythingThatWasAskedIsAnswered() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("later one\necho two\nlater three\necho four\nunfinis")
        client.finishSending()
        for _ in 0..<2 {
            #expect(server.wait { _, handler in handler.waiting.count == 1 })
            server.ask { _, handler, _ in handler.answerNext() }
        }
        #expect(client.receive(100) == "one\ntwo\nthree\nfour\n")
        #expect(client.end() == .closed)
    }

    @Test func aLargeAnswerIsSentToItsEnd() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        client.send("big 900000\necho end\n")
        client.finishSending()
        #expect(client.receive(2_000_000).utf8.count == 900_004)
    }

    @Test func halfARequestIsNotWaitedFor() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo ha")
        client.finishSending()
        #expect(client.end() == .closed)
        #expect(server.ask { _, handler, _ in handler.answered } == 0)
    }
}
