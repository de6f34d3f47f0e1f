import Bytes
import Intake
import Records
import Rings
import Settings
import TestSupport
import Testing

@testable import heliograph

/// A score is told to the request whose beacon made it, once that is on disk, and to no other.
@Suite struct ScoresAreWaitedForTests {
    private let first = ConnectionID(slot: 3, generation: 7)

    private func reading(_ score: Double, _ profile: Profile = .fastMover) -> Reading {
        Reading(
            score: score,
            likelihood: 0.6004,
            confidence: 0.41,
            band: .hot,
            profile: profile,
            updatedAt: 1_790_000_000_000,
            seenAt: 0,
            offset: 1
        )
    }

    private func text(_ reply: ScoreReply?) -> String {
        var buffer = ByteBuffer(capacity: 64, limit: 1024)
        reply?.append(to: &buffer)
        return buffer.view.text
    }

    @Test func theAnswersBodyIsTheContracts() {
        #expect(
            text(.reading(reading(73.16)))
                == #"{"score":73.2,"band":"hot","profile":"fast-mover","confidence":0.41,"#
                + #""likelihood":0.600,"updated":1790000000000}"# + "\n"
        )
        #expect(text(.reading(reading(1, .undetermined))).contains(#""profile":null"#))
        #expect(text(.nothing) == "")
    }

    /// The waits in a place of their own, because expectations cannot hold a value that is not copied.
    private final class Desk {
        var waits = ScoreWaits()
        var count: Int { waits.count }

        func begin(_ connection: ConnectionID) -> UInt64? { waits.begin(connection) }
        func end(_ number: UInt64) { waits.end(number) }
        func overdue(at now: Int64) -> ConnectionID? { waits.overdue(at: now)?.connection }

        func setDurable(_ number: UInt64, deadline: Int64) -> ScoreReply? {
            waits.setDurable(number, deadline: deadline)
        }

        func take(_ reply: ScoreReply, _ number: UInt64) -> ConnectionID? {
            waits.take(reply, number)?.connection
        }
    }

    @Test func aScoreIsNotToldBeforeItsBeaconIsDurable() throws {
        let desk = Desk()
        let number = try #require(desk.begin(first))
        // The worker is faster than we read the journal's answer.
        #expect(desk.take(.reading(reading(50)), number) == nil)
        #expect(desk.overdue(at: .max) == nil)
        #expect(text(desk.setDurable(number, deadline: 100)).contains("50.0"))
    }

    @Test func whoWaitsIsFoundByTheScoreOrByTheClock() throws {
        let desk = Desk()
        let number = try #require(desk.begin(first))
        #expect(text(desk.setDurable(number, deadline: 100)) == "")
        #expect(desk.overdue(at: 99) == nil)
        #expect(desk.overdue(at: 100) == first)
        #expect(desk.take(.nothing, number) == first)
        desk.end(number)
        #expect(desk.count == 0)
        #expect(desk.overdue(at: .max) == nil)
    }

    /// A connection of a proxy serves one visitor after another.
    @Test func aLateScoreDoesNotReachTheConnectionsNextRequest() throws {
        let desk = Desk()
        let late = try #require(desk.begin(first))
        _ = desk.setDurable(late, deadline: 1)
        desk.end(late)
        let next = try #require(desk.begin(first))
        #expect(text(desk.setDurable(next, deadline: 9)) == "")
        #expect(next != late)
        #expect(desk.take(.reading(reading(99)), late) == nil)
        // The same place in the table, a full turn later.
        for _ in 0..<Limits.scoreWaitsMaximum - 1 { desk.end(desk.begin(first) ?? 0) }
        #expect(desk.take(.reading(reading(99)), late) == nil)
        #expect(desk.take(.reading(reading(99)), late + UInt64(Limits.scoreWaitsMaximum)) == nil)
    }

    @Test func atTheLimitTheNextDoesWithout() {
        let desk = Desk()
        for _ in 0..<Limits.scoreWaitsMaximum { #expect(desk.begin(first) != nil) }
        #expect(desk.begin(first) == nil)
        desk.end(1)
        #expect(desk.begin(first) != nil)
        #expect(desk.count == Limits.scoreWaitsMaximum)
    }

    @Test func aTicketNamesListenerAndWait() {
        for listener in [0, 1, Limits.loopsMaximum - 1] {
            let numbers: [UInt64] = [1, 1024, 1 << ScoreWaits.numberBits - 1]
            for number in numbers {
                let ticket = ScoreTicket(word: ScoreTicket(listener: listener, number: number).word)
                #expect(ticket.isAny && ticket.listener == listener && ticket.number == number)
            }
        }
        #expect(!ScoreTicket(listener: 5, number: 0).isAny)
    }

    @Test func whatAWorkerTellsAListenerReads() throws {
        let rings = ScoreRings(workers: 2, wakers: [Waker(), Waker(), Waker()])
        #expect(rings.senders.count == 2 && rings.senders.allSatisfy { $0.count == 3 })
        rings.senders[1][2].value.tell(.reading(reading(12.3)), 77)
        rings.senders[1][2].value.tell(.nothing, 78)
        var found: [String] = []
        let count = rings.receivers[2][1].value.drain(limit: .max) { frame in
            found.append("\(frame.first) \(text(ScoreReply(frame)))")
        }
        #expect(count == 2)
        #expect(found[0].hasPrefix("77 {\"score\":12.3,"))
        #expect(found[1] == "78 ")
        #expect(rings.receivers[1][1].value.drain(limit: .max) { _ in } == 0)
    }
}
