// Goal: sessions of senders that name none, returns, bands, labels and history follow the README.
// Method: records at chosen times; effects are looked at one by one.

import Bytes
import Records
import TestSupport
import Testing

@testable import Scoring

struct SessionsAndHistoryTests {
    private func view(_ time: Int64) -> TestEvent {
        TestEvent(.pageView, at: time, #"{"u":"https://a.example/"}"#)
    }

    private func sessions(atMinutes minutes: [Int64]) -> [String] {
        var fold = PartitionFold(model: Scenes.model)
        return minutes.compactMap { minute in
            let record = Scenes.record([view(Scenes.noon + minute * 60_000)], session: "")
            return Scenes.apply(record, to: &fold)?.session.session.text
        }
    }

    @Test func aPauseOfHalfAnHourEndsASessionMadeHere() {
        let ids = sessions(atMinutes: [0, 29, 59, 90, 91])
        #expect(ids[0] == ids[1] && ids[1] == ids[2])
        #expect(ids[2] != ids[3] && ids[3] == ids[4])
        #expect(ids[0].count == 22)
        #expect(ids == sessions(atMinutes: [0, 29, 59, 90, 91]))
    }

    @Test func lateEventsOpenNoSession() {
        let ids = sessions(atMinutes: [100, 10])
        #expect(ids[0] == ids[1])
    }

    @Test func sessionIDsDifferByVisitor() {
        var fold = PartitionFold(model: Scenes.model)
        let ids = ["one", "two"].compactMap {
            Scenes.apply(Scenes.record([view(Scenes.noon)], visitor: $0, session: ""), to: &fold)?
                .session.session.text
        }
        #expect(ids[0] != ids[1])
    }

    @Test func returnsCountSessionsNotRecords() {
        let names = ["a", "a", "b", "a", "b", "c", "d", "d"]
        let records = names.enumerated().map {
            Scenes.record([view(Scenes.noon)], session: $1, offset: UInt64($0 + 1))
        }
        let state = Scenes.state(Scenes.fold(records))
        #expect(abs(state.sums(of: .returnCadence).sum - 4) < 1e-9)
    }

    @Test func aVisitorWithoutDeviceNeverReturns() {
        let records = ["a", "b"].map {
            Scenes.record([view(Scenes.noon)], session: $0, flags: [.withoutDevice])
        }
        #expect(Scenes.state(Scenes.fold(records)).sums(of: .returnCadence).sum == 0)
    }

    @Test func anAbandonedFormCountsAfterFiveMinutesAndOnlyThen() {
        let left = TestEvent(.form, at: Scenes.noon, #"{"f":"lead","ph":4,"cp":50,"sb":0}"#)
        let fold = Scenes.fold([Scenes.record([left])])
        let state = Scenes.state(fold)
        let signal = Int(Signal.formAbandonment.rawValue)
        #expect(state.terms(at: Scenes.noon + 299_999, Scenes.model)[signal].value == 0)
        #expect(state.terms(at: Scenes.noon + 300_000, Scenes.model)[signal].value > 0.6)
        // A later event counts it for good; the reading does not jump.
        let after = Scenes.fold([
            Scenes.record([left]), Scenes.record([view(Scenes.noon + 400_000)]),
        ])
        let time = Scenes.noon + 86_400_000
        let pending = state.terms(at: time, Scenes.model)[signal].value
        let folded = Scenes.state(after).terms(at: time, Scenes.model)[signal].value
        #expect(abs(pending - folded) < 1e-12)
    }

    @Test func comingBackToAFormTakesTheAbandonmentBack() {
        let events = [
            TestEvent(.form, at: Scenes.noon, #"{"f":"lead","ph":4,"cp":50,"sb":0}"#),
            TestEvent(.form, at: Scenes.noon + 200_000, #"{"f":"lead","ph":3,"cp":100,"sb":1}"#),
        ]
        let state = Scenes.state(Scenes.fold(events.map { Scenes.record([$0]) }))
        let terms = state.terms(at: Scenes.noon + 900_000, Scenes.model)
        #expect(terms[Int(Signal.formAbandonment.rawValue)].value == 0)
    }

    @Test func bandsHaveThreePointsOfHysteresis() {
        let steps = Scenes.model.steps
        #expect(Band.cold.next(29.9, steps) == .cold)
        #expect(Band.cold.next(30, steps) == .warm)
        #expect(Band.warm.next(27, steps) == .warm)
        #expect(Band.warm.next(26.9, steps) == .cold)
        #expect(Band.warm.next(59.9, steps) == .warm)
        #expect(Band.warm.next(60, steps) == .hot)
        #expect(Band.hot.next(57, steps) == .hot)
        #expect(Band.hot.next(56.9, steps) == .warm)
        #expect(Band.hot.next(10, steps) == .cold)
    }

    @Test func historyKeepsFirstBandAndFivePointSteps() throws {
        var fold = PartitionFold(model: Scenes.model)
        var kept: [(HistoryPoint.Reason, Double)] = []
        for event in Persona.abandoner.events {
            let effect = try #require(Scenes.apply(Scenes.record([event]), to: &fold))
            if effect.keepsHistory {
                kept.append((effect.history.reason, effect.history.reading.score))
            }
        }
        #expect(kept.first?.0 == .first)
        #expect(kept.contains { $0.0 == .band })
        for (before, after) in zip(kept, kept.dropFirst()) where after.0 == .step {
            #expect(abs(before.1 - after.1) >= 5)
        }
    }

    /// Records of one visitor: session, minutes from noon, and a page.
    private func effects(_ visits: [(String, Int64, String)]) -> [FoldEffect] {
        var fold = PartitionFold(model: Scenes.model)
        return visits.compactMap { session, minute, page in
            let time = Scenes.noon + minute * 60_000
            let event = TestEvent(.pageView, at: time, "{\"u\":\"https://a.example\(page)\"}")
            return Scenes.apply(Scenes.record([event], session: session), to: &fold)
        }
    }

    @Test func aNewSessionKeepsHowTheOneBeforeLeftTheScore() throws {
        let all = effects([("a", 0, "/"), ("a", 1, "/about"), ("a", 2, "/x"), ("b", 60, "/y")])
        #expect(all.map(\.keepsEnded) == [false, false, false, true])
        let ended = try #require(all.last).ended
        #expect(ended.reason == .session)
        #expect(ended.reading.updatedAt == Scenes.noon + 120_000)
        #expect(ended.reading.score.bitPattern == all[2].history.reading.score.bitPattern)
        #expect(ended.terms.count > 0)
    }

    @Test func aSessionWhoseLastScoreWasKeptIsNotKeptTwice() {
        #expect(!effects([("a", 0, "/"), ("b", 60, "/about")])[1].keepsEnded)
    }

    @Test func goingBetweenTwoWindowsEndsNoSession() {
        let visits = (0..<12).map { number in
            (number % 2 == 0 ? "a" : "b", Int64(number), "/page\(number)")
        }
        #expect(effects(visits).count { $0.keepsEnded } <= 1)
    }

    @Test func aChangeOfProfileTellsBeforeAfterAndItsLargestTerms() throws {
        var dice = Dice(seed: 3)
        var (changes, told) = (0, 0)
        for _ in 0..<2_000 where changes < 5 {
            var source = RandomRecords(seed: dice.next())
            source.visitors = 1
            var fold = PartitionFold(model: Scenes.model)
            var label = Profile.undetermined
            for record in source.records(40, orderFree: false) {
                guard let effect = Scenes.apply(record, to: &fold) else { continue }
                if effect.score == .dropped { label = .undetermined }
                guard effect.keepsHistory, effect.history.changesProfile else { continue }
                #expect(effect.history.profileBefore == label)
                #expect(effect.history.reading.profile != label)
                label = effect.history.reading.profile
                changes += 1
                told += effect.history.profileTerms.count
            }
        }
        #expect(changes >= 5 && told == changes * LargestTerms.maximum)
    }

    @Test func aSessionsRowGainsWhatTheRecordTells() throws {
        var fold = PartitionFold(model: Scenes.model)
        let events = [
            view(Scenes.noon - 5000),
            TestEvent(.pageSummary, at: Scenes.noon, #"{"vz":[9000,9000,8000,0,0,0,0,9000]}"#),
        ]
        let effect = try #require(Scenes.apply(Scenes.record(events), to: &fold))
        #expect(effect.session.startedAt == Scenes.noon - 5000)
        #expect(effect.session.endedAt == Scenes.noon)
        #expect(effect.session.activeMilliseconds == 8000)
        #expect(effect.session.scoreMaximum == effect.history.reading.score)
        #expect(effect.session.site.text == "demo")
        #expect(effect.session.visitor.text == "visitor-1")
    }
}
