// Goal: no sum overflows, vanishes wrongly or grows past its memory, however long a visitor stays.
// Method: years between events, times at the ends of what can be told, and the size of a state.

import Glibc
import Records
import TestSupport
import Testing

@testable import Scoring

struct LongLivesTests {
    private let day: Int64 = 86_400_000

    @Test func aStateWithItsTableEntryFitsAKibibyte() {
        #expect(MemoryLayout<VisitorState>.stride <= VisitorState.bytesMaximum - 24)
        var fold = PartitionFold(model: Scenes.model)
        for number in 0..<5000 {
            let event = TestEvent(.pageView, at: Scenes.noon, #"{"u":"https://a.example/"}"#)
            _ = Scenes.apply(Scenes.record([event], visitor: "visitor-\(number)"), to: &fold)
        }
        #expect(fold.memoryBytes / 5000 <= VisitorState.bytesMaximum)
        print(
            "state: \(MemoryLayout<VisitorState>.stride) bytes;",
            "\(fold.memoryBytes / 5000) per visitor with table and slack"
        )
    }

    @Test func yearsOfVisitsStayFiniteAndEqualTheClosedForm() {
        var fold = PartitionFold(model: Scenes.model)
        let summary = #"{"vz":[60000,60000,60000,0,0,0,1,60000],"S":[[0,"faq",1,10000,90,9,0,0]]}"#
        var expected = 0.0
        let last = Scenes.noon + 3650 * day
        for number in 0...3650 {
            let time = Scenes.noon + Int64(number) * day
            _ = Scenes.apply(Scenes.record([TestEvent(.pageSummary, at: time, summary)]), to: &fold)
            expected += 10 * exp2(-Double(3650 - number))
        }
        let state = Scenes.state(fold)
        let halvings = Double(state.landmark - last) / Double(day)
        let value = state.sums(of: .viewportEngagement).sum * exp2(halvings)
        #expect(abs(value - expected) < 1e-9)
        for signal in Signal.allCases {
            #expect(state.sums(of: signal).sum.isFinite && state.sums(of: signal).weight.isFinite)
        }
    }

    @Test func readingFarAheadAndFarBackIsFinite() {
        let event = TestEvent(
            .pageSummary,
            at: Scenes.noon,
            #"{"vz":[9000,9000,9000,0,0,0,0,9000]}"#
        )
        let state = Scenes.state(Scenes.fold([Scenes.record([event])]))
        for time in [Int64(1), Scenes.noon - 3650 * day, Scenes.noon + 36500 * day, Int64.max / 4] {
            let reading = state.reading(at: time, Scenes.model)
            #expect(reading.score >= 0 && reading.score <= 100)
            #expect(reading.confidence >= 0 && reading.confidence <= 1)
        }
        let later = state.reading(at: Scenes.noon + 36500 * day, Scenes.model)
        #expect(abs(later.score - 5.73) < 0.01)
    }

    @Test func eventsOutsideTheirRecordsReachAreHeldInside() {
        let wild = [Int64.min / 4, 0, Scenes.noon + 900 * day, Int64.max / 4]
        let events = wild.map { TestEvent(.navigation, at: $0, #"{"ty":"u"}"#) }
        let state = Scenes.state(Scenes.fold([Scenes.record(events, receivedAt: Scenes.noon)]))
        let halvings = Double(state.landmark - Scenes.noon) / Double(6 * 3_600_000)
        let value = state.sums(of: .hesitationLoop).sum * exp2(halvings)
        #expect(abs(value - (2 + 2 * exp2(-28))) < 1e-9)
    }

    @Test func movingTheLandmarkChangesNoReading() {
        let fold = Persona.checkout.fold
        var state = fold.table[0]
        let time = Persona.checkout.end + 10 * day
        let before = state.signals.evaluate(at: time, Scenes.model)
        state.signals.move(to: Persona.checkout.end + 9 * day, Scenes.model)
        let after = state.signals.evaluate(at: time, Scenes.model)
        for index in 0..<27 { #expect(abs(before.values[index] - after.values[index]) < 1e-12) }
        #expect(abs(before.score - after.score) < 1e-9)
    }

    @Test func latenciesAreHalvedAndKeepTheTrend() {
        var trend = SessionTrend()
        for number in 0..<100 { trend.takeLatency(milliseconds: number < 50 ? 1000 : 4000) }
        // Slow-down of about 4 is beyond 2.5, so its term is full: 0.35.
        #expect(abs(trend.fatigue - 0.35) < 1e-9)
        var flat = SessionTrend()
        for _ in 0..<100 { flat.takeLatency(milliseconds: 1000) }
        #expect(flat.fatigue == 0)
    }
}
