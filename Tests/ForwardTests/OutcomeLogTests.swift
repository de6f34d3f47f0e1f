import Delivery
import Foundation
import Loop
import Testing

/// What the log beside the database says after crashes, and after the database was set back.
@Suite final class OutcomeLogTests {
    private let directory = NSTemporaryDirectory() + "outcomes-\(UUID().uuidString)"
    private let now: Int64 = 1_800_000_000_000
    private let key = DeliveryMark.key(site: "shop", destination: "meta", conversion: "w-1")

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func open(_ name: String = "one", at moment: Int64? = nil) throws -> OutcomeLog {
        try OutcomeLog(
            directory: directory,
            name: name,
            disk: .real,
            entriesMaximum: 1_000,
            nowMilliseconds: moment ?? now
        )
    }

    private func mark(_ attempt: Int, claimedAt attempts: Int? = nil) -> DeliveryMark {
        DeliveryMark(
            key: key,
            attempt: attempt,
            attemptsWhenClaimed: attempts ?? attempt - 1
        )
    }

    private func row(_ attempts: Int, _ doubts: Int = 0, interrupted: Bool = false) -> OutboxStand {
        OutboxStand(
            attempts: attempts,
            doubts: doubts,
            wasInterrupted: interrupted,
            isClaimantKnown: true
        )
    }

    @Test func whatWasNeverSentIsReady() throws {
        let log = try open()
        #expect(log.standing(of: key, row(0)) == .ready(attempts: 0))
        // Claimed by a forwarder of this folder that died before it noted anything.
        #expect(log.standing(of: key, row(0, interrupted: true)) == .ready(attempts: 0))
    }

    @Test func anUnknownClaimantMayHaveSent() throws {
        let log = try open()
        let stranger = OutboxStand(
            attempts: 0,
            doubts: 0,
            wasInterrupted: true,
            isClaimantKnown: false
        )
        let toll = OutcomeToll(attempts: 1, doubts: 1, isNoted: false)
        #expect(log.standing(of: key, stranger) == .interrupted(toll))
    }

    @Test func aCrashAfterSendingIsADoubtAndARollbackIsHeld() throws {
        try open().note(sending: [mark(1)], nowMilliseconds: now)
        let log = try open("two")
        let toll = OutcomeToll(attempts: 1, doubts: 1, isNoted: false)
        #expect(log.standing(of: key, row(0, interrupted: true)) == .interrupted(toll))
        #expect(log.standing(of: key, row(0)) == .unproved(toll))
    }

    /// Halves of a refused request are sent within one claim: more than one attempt ahead of the row.
    @Test func aCrashAfterSeveralRequestsOfOneClaimIsADoubt() throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .notTaken)], nowMilliseconds: now)
        try first.note(sending: [mark(2, claimedAt: 0)], nowMilliseconds: now)
        let toll = OutcomeToll(attempts: 2, doubts: 1, isNoted: false)
        #expect(try open("two").standing(of: key, row(0, interrupted: true)) == .interrupted(toll))
    }

    @Test func whatWasDeliveredStaysDelivered() throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .delivered)], nowMilliseconds: now)
        let log = try open("two")
        for stand in [row(0), row(0, interrupted: true), row(5)] {
            guard case .delivered = log.standing(of: key, stand) else {
                Issue.record("\(stand) is sent again")
                continue
            }
        }
    }

    @Test func whatWasProvedNotTakenMayGo() throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .notTaken)], nowMilliseconds: now)
        #expect(try open("two").standing(of: key, row(0)) == .ready(attempts: 1))
        #expect(try open("three").standing(of: key, row(1)) == .ready(attempts: 1))
    }

    @Test func aDoubtThatTheRowKnowsNothingOfIsHeld() throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .doubt)], nowMilliseconds: now)
        let toll = OutcomeToll(attempts: 1, doubts: 1, isNoted: true)
        let log = try open("two")
        #expect(log.standing(of: key, row(0)) == .unproved(toll))
        #expect(log.standing(of: key, row(1, 1)) == .ready(attempts: 1))
        #expect(log.standing(of: key, row(0, interrupted: true)) == .interrupted(toll))
    }

    /// One forwarder after another dies before it can tell the row, each having sent.
    @Test(arguments: 1...5) func deathsInARowAreDoubtsAndNoRollback(_ deaths: Int) throws {
        let row = row(0, interrupted: true)
        for death in 1...deaths {
            let log = try open("\(death)")
            if death > 1 {
                let toll = OutcomeToll(attempts: death - 1, doubts: death - 1, isNoted: false)
                #expect(log.standing(of: key, row) == .interrupted(toll))
                try log.note([(mark(death - 1, claimedAt: 0), .doubt)], nowMilliseconds: now)
            }
            try log.note(sending: [mark(death, claimedAt: 0)], nowMilliseconds: now)
        }
        let last = try open("last")
        try last.note([(mark(deaths, claimedAt: 0), .doubt)], nowMilliseconds: now)
        let toll = OutcomeToll(attempts: deaths, doubts: deaths, isNoted: true)
        #expect(try open("judge").standing(of: key, row) == .interrupted(toll))
        #expect(try open("judge").standing(of: key, self.row(0)) == .unproved(toll))
    }

    /// A lease ended while its forwarder still lived: both noted a doubt, the row knows of one.
    @Test func aRowThatCountsEveryRequestIsNoRollback() throws {
        let log = try open()
        try log.note(sending: [mark(1)], nowMilliseconds: now)
        try log.note([(mark(1), .doubt)], nowMilliseconds: now)
        try log.note(sending: [mark(2)], nowMilliseconds: now)
        try log.note([(mark(1), .doubt), (mark(2), .doubt)], nowMilliseconds: now)
        #expect(log.standing(of: key, row(2, 1)) == .ready(attempts: 2))
    }

    @Test func aRowThatAPersonReleasedGoes() throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .dead)], nowMilliseconds: now)
        let log = try open("two")
        let toll = OutcomeToll(attempts: 1, doubts: 0, isNoted: true)
        #expect(log.standing(of: key, row(0)) == .ended(.dead, toll))
        #expect(log.standing(of: key, row(1)) == .ready(attempts: 1))
    }

    @Test func forwardersOfAFolderReadEachOther() throws {
        let one = try open("one")
        let two = try open("two")
        try one.note(sending: [mark(1)], nowMilliseconds: now)
        try one.note([(mark(1), .delivered)], nowMilliseconds: now)
        #expect(two.standing(of: key, row(0)) == .ready(attempts: 0))
        try two.refresh()
        #expect(two.standing(of: key, row(0)) == .delivered(attempts: 1))
    }

    @Test(arguments: 1...31) func aTornNoteIsNoNote(_ left: Int) throws {
        let first = try open()
        try first.note(sending: [mark(1)], nowMilliseconds: now)
        try first.note([(mark(1), .notTaken)], nowMilliseconds: now)
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory).first
        )
        let handle = try #require(FileHandle(forWritingAtPath: "\(directory)/\(name)"))
        try handle.truncate(atOffset: UInt64(32 + left))
        let toll = OutcomeToll(attempts: 1, doubts: 1, isNoted: false)
        #expect(try open("two").standing(of: key, row(0, interrupted: true)) == .interrupted(toll))
        // A forwarder of the same name goes on behind the last whole note.
        let again = try open("one")
        try again.note([(mark(1), .delivered)], nowMilliseconds: now)
        #expect(try open("three").standing(of: key, row(0)) == .delivered(attempts: 1))
    }

    @Test func daysThatAreTooOldGo() throws {
        try open().note(sending: [mark(1)], nowMilliseconds: now)
        let later = try open("two", at: now + 10 * 86_400_000)
        #expect(later.standing(of: key, row(0)) == .ready(attempts: 0))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
    }

    @Test func everyFailingCallOfTheDiskKeepsTheRequestBack() throws {
        for call in 1...40 {
            let plan = FaultPlan(failing: call, lasts: true)
            do {
                let log = try OutcomeLog(
                    directory: directory + "\(call)",
                    name: "one",
                    disk: .real(SystemCall(faults: plan)),
                    entriesMaximum: 10,
                    nowMilliseconds: now
                )
                try log.note(sending: [mark(1)], nowMilliseconds: now)
                #expect(!plan.hasStruck)
            } catch {
                #expect(plan.hasStruck)
            }
            try? FileManager.default.removeItem(atPath: directory + "\(call)")
        }
    }
}
