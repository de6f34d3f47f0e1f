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

    @Test func aScoreIsNotToldBeforeItsBeaconIsDurable() throws {
        var waits = ScoreWaits()
        let number = try #require(waits.begin(first))
        // The worker is faster than we read the journal's answer.
        #expect(waits.take(.reading(reading(50)), number) == nil)
        #expect(waits.overdue(at: .max) == nil)
        let said = waits.setDurable(number, deadline: 100)
        #expect(text(said).contains("50.0"))
    }

    @Test func whoWaitsIsFoundByTheScoreOrByTheClock() throws {
        var waits = ScoreWaits()
        let number = try #require(waits.begin(first))
        #expect(waits.setDurable(number, deadline: 100) == nil)
        #expect(waits.overdue(at: 99) == nil)
        #expect(waits.overdue(at: 100) == first)
        #expect(waits.take(.nothing, number) == first)
        waits.end(number)
        #expect(waits.count == 0)
        #expect(waits.overdue(at: .max) == nil)
    }

    /// A connection of a proxy serves one visitor after another.
    @Test func aLateScoreDoesNotReachTheConnectionsNextRequest() throws {
        var waits = ScoreWaits()
        let late = try #require(waits.begin(first))
        _ = waits.setDurable(late, deadline: 1)
        waits.end(late)
        let next = try #require(waits.begin(first))
        #expect(waits.setDurable(next, deadline: 9) == nil)
        #expect(next != late)
        #expect(waits.take(.reading(reading(99)), late) == nil)
        // The same place in the table, a full turn later.
        for _ in 0..<Limits.scoreWaitsMaximum - 1 { waits.end(waits.begin(first) ?? 0) }
        #expect(waits.take(.reading(reading(99)), late) == nil)
        #expect(waits.take(.reading(reading(99)), late + UInt64(Limits.scoreWaitsMaximum)) == nil)
    }

    @Test func atTheLimitTheNextDoesWithout() {
        var waits = ScoreWaits()
        for _ in 0..<Limits.scoreWaitsMaximum { #expect(waits.begin(first) != nil) }
        #expect(waits.begin(first) == nil)
        waits.end(1)
        #expect(waits.begin(first) != nil)
        #expect(waits.count == Limits.scoreWaitsMaximum)
    }

    @Test func aTicketNamesListenerAndWait() {
        for listener in [0, 1, Limits.loopsMaximum - 1] {
            for number in [1, UInt64(Limits.scoreWaitsMaximum), 1 << ScoreWaits.numberBits - 1] {
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
