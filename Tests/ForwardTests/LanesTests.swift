import Delivery
import Testing

/// Waits of lanes are monotonic milliseconds that the test makes up.
@Suite struct LanesTests {
    private let bounds = Lane.Bounds(parcels: 100, requests: 4, claimMilliseconds: 15_000)
    private let batching = Batching(
        eventsMaximum: 10,
        bytesMaximum: 10_000,
        delayMilliseconds: 1_000
    )

    private func lane(_ count: Int) -> Lane {
        var lane = Lane(batching: batching, bounds: bounds)
        for ticket in 0..<count { lane.add(parcel(Int64(ticket)), at: 0) }
        return lane
    }

    private func parcel(_ ticket: Int64, group: String = "") -> Parcel {
        var conversion = Conversion()
        conversion.id = "c\(ticket)"
        return Parcel(
            ticket: ticket,
            conversion: conversion,
            group: group,
            attempts: 0,
            doubts: 0,
            claimedAtMilliseconds: 0
        )
    }

    private struct NothingToSend: Error {}

    private func next(_ lane: inout Lane, at now: Int64) throws -> [Parcel] {
        guard let found = lane.next(at: now) else { throw NothingToSend() }
        return found
    }

    private func answer(
        _ lane: inout Lane,
        _ ruling: Ruling,
        _ parcels: [Parcel],
        at now: Int64 = 0,
        repeats: Bool = true
    ) -> [ParcelEnd] {
        lane.answered(ruling, for: parcels, at: now, fraction: { 1 }, repeats: { _ in repeats })
    }

    @Test func aFullRequestGoesAtOnceAndARestAfterItsDelay() {
        var lane = lane(15)
        #expect(lane.next(at: 0)?.count == 10)
        #expect(lane.next(at: 999) == nil)
        #expect(lane.next(at: 1_000)?.count == 5)
    }

    @Test func conversionsOfDifferentGroupsNeverShareARequest() {
        var lane = Lane(batching: batching, bounds: bounds)
        for ticket in 0..<6 { lane.add(parcel(Int64(ticket), group: "\(ticket % 3)"), at: 0) }
        var seen = 0
        while let found = lane.next(at: 1_000) {
            #expect(Set(found.map(\.group)).count == 1)
            seen += found.count
        }
        #expect(seen == 6)
    }

    /// Every bad one is found alone, every good one delivered, in at most 2·log₂ n more requests each.
    @Test(arguments: [1, 2, 3, 7]) func aRefusedRequestIsHalvedUntilTheBadOnesAreAlone(_ bad: Int) {
        var lane = lane(10)
        let fault = Fault(end: .dead, code: "100/1", reason: "bad", trace: nil)
        var requests = 0
        var ends: [ParcelEnd] = []
        while let parcels = lane.next(at: 1_000) {
            requests += 1
            let isBad = parcels.contains { $0.ticket < Int64(bad) }
            let ruling: Ruling =
                isBad ? .bisect(alone: fault) : .delivered(remark: nil, trace: nil)
            ends += answer(&lane, ruling, parcels)
        }
        #expect(ends.count == 10)
        for end in ends { #expect(end.kind == (end.ticket < Int64(bad) ? .dead : .delivered)) }
        #expect(requests <= 1 + bad * 8)
        #expect(lane.held == 0)
        #expect(lane.inFlight == 0)
    }

    @Test func fiveFailuresInARowCloseTheLaneAndOneRequestTriesIt() throws {
        var lane = lane(60)
        let failed = Ruling.retry(
            code: "timed-out",
            afterMilliseconds: nil,
            attemptsMaximum: 100,
            mayHaveArrived: false
        )
        for _ in 0..<5 {
            let parcels = try next(&lane, at: 1_000)
            _ = answer(&lane, failed, parcels, at: 1_000)
        }
        #expect(lane.next(at: 1_500) == nil)
        #expect(lane.room(at: 1_500) == 0)
        let trying = try next(&lane, at: 400_000)
        #expect(lane.next(at: 400_000) == nil)
        _ = answer(&lane, .delivered(remark: nil, trace: nil), trying, at: 400_000)
        #expect(lane.room(at: 400_000) == 100)
    }

    @Test func aPausedLaneGivesBackWhatItHoldsUntilThePauseIsOver() throws {
        var lane = lane(30)
        let first = try next(&lane, at: 1_000)
        let pause = Ruling.pause(code: "80004", forMilliseconds: 300_000, alert: false)
        let ends = answer(&lane, pause, first, at: 1_000)
        #expect(ends.allSatisfy { $0.kind == .retry && $0.waitMilliseconds == 300_000 })
        let back = lane.giveBack(at: 1_000)
        #expect(back.count == 20)
        #expect(back.allSatisfy { $0.attempts == 0 && $0.waitMilliseconds == 300_000 })
        #expect(lane.room(at: 300_999) == 0)
        #expect(lane.room(at: 301_000) == 10)
    }

    @Test func aStoppedLaneStaysStopped() throws {
        var lane = lane(10)
        let parcels = try next(&lane, at: 0)
        _ = answer(&lane, .stop(code: "190", reason: "expired"), parcels)
        #expect(lane.room(at: .max) == 0)
        #expect(lane.gate.stopped?.code == "190")
    }

    @Test func whatMayHaveArrivedIsMarkedAndKeptWhereACopyWouldCount() throws {
        let lost = Ruling.retry(
            code: "reset",
            afterMilliseconds: nil,
            attemptsMaximum: 100,
            mayHaveArrived: true
        )
        var first = lane(10)
        let sent = try next(&first, at: 0)
        let again = answer(&first, lost, sent)
        #expect(again.allSatisfy { $0.kind == .retry && $0.doubts == 1 && $0.isDoubtful })
        var second = lane(10)
        let lostAgain = try next(&second, at: 0)
        let kept = answer(&second, lost, lostAgain, repeats: false)
        #expect(kept.allSatisfy { $0.kind == .inDoubt && $0.doubts == 1 })
    }

    @Test func theLastOfTheAllowedAttemptsEndsIt() throws {
        var lane = lane(10)
        let ruling = Ruling.retry(
            code: "http-500",
            afterMilliseconds: nil,
            attemptsMaximum: 1,
            mayHaveArrived: false
        )
        let parcels = try next(&lane, at: 0)
        let ends = answer(&lane, ruling, parcels)
        #expect(ends.allSatisfy { $0.kind == .dead && $0.reason == "attempts-exhausted" })
    }

    @Test func aMalformedClickIdIsLeftOutOnce() throws {
        var lane = Lane(batching: batching, bounds: bounds)
        var conversion = Conversion()
        conversion.contact.fbc = "fb.1.1.x"
        let parcel = Parcel(
            ticket: 1,
            conversion: conversion,
            group: "",
            attempts: 0,
            doubts: 0,
            claimedAtMilliseconds: 0
        )
        lane.add(parcel, at: 0)
        let fault = Fault(end: .resendWithoutClickID, code: "100/2804001", reason: "", trace: nil)
        let first = try next(&lane, at: 1_000)
        #expect(answer(&lane, .bisect(alone: fault), first).isEmpty)
        let second = try next(&lane, at: 1_000)
        #expect(second[0].conversion.contact.fbc == nil)
        #expect(answer(&lane, .bisect(alone: fault), second).map(\.kind) == [.dead])
    }

    @Test func aClaimThatIsTooOldIsGivenBackUnsent() {
        var lane = lane(5)
        #expect(lane.giveBack(at: 14_999).isEmpty)
        let back = lane.giveBack(at: 15_000)
        #expect(back.count == 5)
        #expect(back.allSatisfy { $0.kind == .givenBack && $0.attempts == 0 })
        #expect(lane.room(at: 15_000) == 100)
    }
}
