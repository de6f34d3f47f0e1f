import Bytes
import Loop
import Settings
import Testing

@testable import Intake

/// Whoever dawdles is told so and shown out; whoever waits rightly is left in peace.
@Suite struct SlowClientTests {
    /// Enforces deadlines as if `milliseconds` had gone by since now.
    private func pass(_ milliseconds: Int, on server: Server) {
        server.ask { table, _, loop in
            table.enforceDeadlines(at: loop.nowMilliseconds + UInt64(milliseconds))
        }
    }

    @Test func halfARequestIsToldThatItIsLate() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo ha")
        #expect(server.wait { table, _ in table.slots.first?.pointee.input.count == 7 })
        pass(Limits.requestIdleMilliseconds - 1_000, on: server)
        #expect(client.isSilent())
        pass(Limits.requestIdleMilliseconds + 1, on: server)
        #expect(client.receive(100) == "timeout\n")
        #expect(client.end() == .closed)
        #expect(server.ask { table, _, _ in table.timedOutCount } == 1)
    }

    @Test func afterTheAnswerNothingIsHeardAnyMore() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo ha")
        #expect(server.wait { table, _ in table.slots.first?.pointee.input.count == 7 })
        pass(Limits.requestIdleMilliseconds + 1, on: server)
        client.send("lf\necho more\n")
        #expect(client.receive(100) == "timeout\n")
    }

    @Test func aConnectionMayBeIdleForLongerThanARequest() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("echo one\n")
        #expect(client.receive(4) == "one\n")
        pass(Limits.requestDeadlineMilliseconds * 2, on: server)
        client.send("echo two\n")
        #expect(client.receive(4) == "two\n")
        pass(Limits.keepAliveIdleMilliseconds + 1_000, on: server)
        #expect(client.end() == .closed)
        #expect(server.ask { table, _, _ in table.timedOutCount } == 0)
    }

    @Test func aConnectionThatNeverSaysAnythingIsClosed() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        #expect(server.wait { table, _ in table.openCount == 1 })
        pass(Limits.keepAliveIdleMilliseconds + 1_000, on: server)
        #expect(client.end() == .closed)
    }

    @Test func whoWaitsForUsIsNotLate() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("later one\n")
        #expect(server.wait { _, handler in handler.waiting.count == 1 })
        pass(Limits.keepAliveIdleMilliseconds * 10, on: server)
        #expect(client.isSilent())
        server.ask { _, handler, _ in handler.answerNext() }
        #expect(client.receive(4) == "one\n")
    }

    @Test func whoDoesNotReadIsLate() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 4_096)
        for _ in 0..<16 { client.send("big 500000\n") }
        #expect(
            server.wait { table, _ in
                table.slots.first?.pointee.isWriting == true || table.openCount == 0
            }
        )
        pass(Limits.responseWriteDeadlineMilliseconds + 1_000, on: server)
        #expect(server.wait { table, _ in table.openCount == 0 })
    }

    @Test func aTrickleHasTenSecondsAndALargeBodyMore() throws {
        let server = try Server()
        defer { server.stop() }
        server.ask { table, _, _ in
            var slot = ConnectionSlot(table: .passUnretained(table), index: 0)
            slot.isOpen = true
            var now: UInt64 = 1_000
            slot.noteArrival(1, at: now)
            // A byte a second: never silent, and yet late.
            while !slot.isOverdue(at: now), now < 60_000 {
                now += 1_000
                slot.noteArrival(1, at: now)
            }
            #expect(now == 1_000 + UInt64(Limits.requestDeadlineMilliseconds) + 1_000)
            slot.forgetRequest()
            slot.noteArrival(1, at: now)
            let start = now
            // Twice the least rate: may take as long as it needs.
            while !slot.isOverdue(at: now), now - start < 120_000 {
                now += 1_000
                slot.noteArrival(2 * Limits.bodyRateBytesPerSecondMinimum, at: now)
            }
            #expect(now - start >= 120_000)
        }
    }
}
