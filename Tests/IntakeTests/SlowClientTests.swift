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
        #expect(server.ask { _, handler, _ in handler.refusals } == [.timeout])
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
        #expect(server.ask { table, _, _ in table.closedCount(.requestTimeout) } == 0)
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

    /// When a slot that gets `bytes` a second is late, in seconds, and with what.
    private func ending(
        bytes: Int,
        inBody: Bool,
        on server: Server
    ) -> (seconds: Int, Lateness?) {
        server.ask { table, _, _ in
            var slot = ConnectionSlot(table: .passUnretained(table), index: 0)
            slot.isOpen = true
            let start: UInt64 = 1_000
            var now = start
            slot.noteArrival(bytes, at: now)
            if inBody { slot.note(Handled(consumed: 0, awaitsBody: true), at: now) }
            while now - start < 2_000_000 {
                if let late = slot.lateness(at: now) { return (Int(now - start) / 1_000, late) }
                now += 1_000
                slot.noteArrival(bytes, at: now)
            }
            return (Int(now - start) / 1_000, nil)
        }
    }

    @Test func aHeadThatTricklesHasTenSeconds() throws {
        let server = try Server()
        defer { server.stop() }
        // A byte a second: never silent, and yet late.
        let (seconds, late) = ending(bytes: 1, inBody: false, on: server)
        #expect(seconds == Limits.requestDeadlineMilliseconds / 1_000 + 1)
        #expect(late == .giveUp(.timeout))
    }

    @Test func aBodyMustMove() throws {
        let server = try Server()
        defer { server.stop() }
        let slow = Limits.bodyRateBytesPerSecondMinimum / 2
        let (seconds, late) = ending(bytes: slow, inBody: true, on: server)
        #expect(seconds == Limits.bodyRateWindowMilliseconds / 1_000)
        #expect(late == .giveUp(.bodyTooSlow))
    }

    @Test func aBodyThatMovesHasTimeButNotForEver() throws {
        let server = try Server()
        defer { server.stop() }
        let enough = Limits.bodyRateBytesPerSecondMinimum * 2
        let (seconds, late) = ending(bytes: enough, inBody: true, on: server)
        #expect(seconds == Limits.requestWholeMilliseconds / 1_000 + 1)
        #expect(late == .giveUp(.timeout))
    }

    @Test func aBurstBuysNoTimeForATrickle() throws {
        let server = try Server()
        defer { server.stop() }
        let late = server.ask { table, _, _ -> Int? in
            var slot = ConnectionSlot(table: .passUnretained(table), index: 0)
            slot.isOpen = true
            slot.noteArrival(100, at: 1_000)
            slot.note(Handled(consumed: 0, awaitsBody: true), at: 1_000)
            slot.noteArrival(900_000, at: 1_000)
            for second in 1...100 {
                let now = 1_000 + UInt64(second) * 1_000
                if slot.lateness(at: now) != nil { return second }
                slot.noteArrival(1, at: now)
            }
            return nil
        }
        // One window for the burst, one for the trickle.
        #expect(late == 2 * Limits.bodyRateWindowMilliseconds / 1_000)
    }

    @Test func aSlowBodyIsToldSo() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send("body 5000\nsome of it")
        #expect(server.wait { table, _ in table.slots.first?.pointee.bodyWindowStartedAt ?? 0 > 0 })
        server.ask { table, _, loop in
            let now = loop.nowMilliseconds + UInt64(Limits.bodyRateWindowMilliseconds)
            table.slots[0].pointee.lastActivityAt = now
            table.enforceDeadlines(at: now)
        }
        #expect(client.receive(100) == "bodyTooSlow\n")
        #expect(client.end() == .closed)
        client.reset()
        #expect(server.wait { table, _ in table.closedCount(.bodyTooSlow) == 1 })
    }

    @Test func anAnswerLeftInTheKernelIsNoticed() throws {
        let server = try Server()
        defer { server.stop() }
        let client = try Client(port: server.port, receiveBytes: 2_048)
        client.send("big 60000\n")
        // The kernel has it all, and its peer has taken little of it.
        #expect(
            server.wait { table, handler in
                handler.answered == 1 && table.slots.first?.pointee.isIdle == true
            }
        )
        pass(Limits.responseWriteDeadlineMilliseconds + 1_000, on: server)
        #expect(server.ask { table, _, _ in table.closedCount(.writeTimeout) } == 1)
        #expect(client.receive(60_000).utf8.count < 60_000)
        let reader = try Client(port: server.port)
        reader.send("echo x\n")
        #expect(reader.receive(2) == "x\n")
        pass(Limits.responseWriteDeadlineMilliseconds + 1_000, on: server)
        #expect(server.ask { table, _, _ in table.openCount } == 1)
    }
}
