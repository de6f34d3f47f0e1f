import Bytes
import Foundation
import Settings
import Testing

@testable import Intake

/// The network cuts and joins requests as it likes; nobody notices.
@Suite struct SplitAndPipelinedRequestsTests {
    @Test func aRequestMayBeCutAnywhere() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        let request = "echo a longer line of text\n"
        for length in 1..<request.count {
            client.send(String(request.prefix(length)))
            // The rest leaves only when the first part has been looked at.
            #expect(server.wait { table, _ in table.slots.first?.pointee.input.count == length })
            client.send(String(request.dropFirst(length)))
            #expect(client.receive(request.count - 5) == String(request.dropFirst(5)))
        }
    }

    @Test func aRequestMayComeByteByByte() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        for byte in "echo slow\n" { client.send(String(byte)) }
        #expect(client.receive(5) == "slow\n")
    }

    @Test func manyRequestsInOnePieceAreAnsweredInOrder() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        let lines = (0..<5_000).map { "number \($0)\n" }
        client.send(lines.map { "echo " + $0 }.joined())
        let wanted = lines.joined()
        #expect(client.receive(wanted.utf8.count) == wanted)
    }

    @Test func whoAsksForMuchAtOnceLetsOthersInBetween() throws {
        let server = try Server()
        defer { server.stop() }
        let greedy = try Client(port: server.port)
        let modest = try Client(port: server.port)
        #expect(server.wait { table, _ in table.openCount == 2 })
        let (holds, held) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // While the listener is held up both arrive, so that it finds them together.
        let holder = Thread {
            server.ask { _, _, _ in
                holds.signal()
                held.wait()
            }
        }
        holder.start()
        holds.wait()
        greedy.send(String(repeating: "echo x\n", count: 5_000))
        modest.send("echo y\n")
        held.signal()
        #expect(modest.receive(2) == "y\n")
        #expect(greedy.receive(10_000).utf8.count == 10_000)
        let order = server.ask { _, handler, _ in handler.order }
        #expect(order.count == 5_001)
        let place = order.firstIndex { $0 != order[0] } ?? order.count
        #expect(order[0] != order[1] || place <= 2 * Limits.requestsPerTurnMaximum)
    }

    @Test func nothingIsHandledWhileAnAnswerIsOutstanding() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("later one\necho two\nlater three\necho four\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        #expect(client.isSilent())
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(client.receive(8) == "one\ntwo\n")
        #expect(client.isSilent())
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(client.receive(11) == "three\nfour\n")
    }

    @Test func aRequestThatComesDuringAnAnswerWaits() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("later one\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        client.send("echo t")
        client.send("wo\n")
        #expect(client.isSilent())
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(client.receive(8) == "one\ntwo\n")
    }

    @Test func aFloodDuringAnAnswerIsHeldBackAndNotLost() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        let line = "echo " + String(repeating: "x", count: 1_000) + "\n"
        client.send("later one\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        client.send(String(repeating: line, count: 400))
        #expect(server.wait { table, _ in table.slots[0].pointee.isReadStopped })
        // One read beyond the limit, and no more.
        let kept = server.ask { table, _, _ in table.slots[0].pointee.input.count }
        #expect(kept <= ConnectionLimits.keptWhilePausedBytesMaximum + 65_536)
        server.ask { _, handler, _ in handler.answerNext() }
        let wanted = "one\n" + String(repeating: String(line.dropFirst(5)), count: 400)
        #expect(client.receive(wanted.utf8.count) == wanted)
    }

    @Test func anIdleConnectionKeepsNoMemory() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo " + String(repeating: "x", count: 20_000))
        client.send("\n")
        #expect(client.receive(20_001).utf8.count == 20_001)
        let capacity = server.ask { table, _, _ in table.slots[0].pointee.input.capacity }
        #expect(capacity <= 64)
    }

    @Test func aRequestWithoutEndIsEnded() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        let piece = String(repeating: "x", count: 1 << 16)
        for _ in 0...(ConnectionLimits.inputBytesMaximum >> 16) + 2 where !client.send(piece) {
            break
        }
        #expect(server.wait { table, handler in table.openCount == 0 && handler.closedCount == 1 })
    }
}
