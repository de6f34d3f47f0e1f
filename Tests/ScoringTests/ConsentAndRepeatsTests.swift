// Goal: repeats take no effect, and consent decides what is folded (I2, I5).
// Method: the same record with and without duplicates and consent bits; the whole checkpoint or the
// sums are compared.

import Bytes
import Records
import Scoring
import TestSupport
import Testing

struct ConsentAndRepeatsTests {
    private let view = TestEvent(.pageView, at: Scenes.noon, #"{"u":"https://a.example/pricing"}"#)
    private let summary = TestEvent(
        .pageSummary,
        at: Scenes.noon + 5000,
        #"{"vz":[5000,5000,5000,0,0,0,0,5000],"ck":[3,3,2,1,0,0,900,300]}"#
    )

    private func duplicated(_ record: PackedRecord, _ bits: UInt64) -> PackedRecord {
        var header = record.header
        header.duplicates = bits
        return PackedRecord(header: header, payload: record.payload)
    }

    @Test func aRepeatedEventIsAsIfItWereNotThere() {
        let receivedAt = Scenes.noon + 10_000
        let both = duplicated(Scenes.record([view, summary, view], receivedAt: receivedAt), 0b101)
        let alone = Scenes.record([summary], receivedAt: receivedAt)
        #expect(Scenes.serialized(Scenes.fold([both])) == Scenes.serialized(Scenes.fold([alone])))
    }

    @Test func aRecordOfRepeatsHasNoEffect() {
        var fold = Scenes.fold([Scenes.record([view, summary])])
        let before = Scenes.serialized(fold)
        let effect = Scenes.apply(duplicated(Scenes.record([view, summary]), 0b11), to: &fold)
        #expect(effect == nil)
        #expect(Scenes.serialized(fold) == before)
    }

    @Test func withoutProfilingOnlyTheSessionCounts() throws {
        var fold = PartitionFold(model: Scenes.model)
        let record = Scenes.record([view, summary], consent: [.measurement, .storage])
        let effect = try #require(Scenes.apply(record, to: &fold))
        #expect(effect.score == .none)
        #expect(!effect.keepsHistory)
        #expect(effect.eventsFolded == 2)
        #expect(effect.session.events == 2)
        #expect(effect.session.pageViews == 1)
        #expect(effect.session.activeMilliseconds == 0)
        #expect(effect.session.session.text == "session-1")
        let scored1 = fold.isScored(0)
        #expect(!scored1)
        let state = Scenes.state(fold)
        #expect(state.landmark == 0)
        for signal in Signal.allCases { #expect(state.sums(of: signal) == (0, 0)) }
    }

    @Test func withoutMeasurementThereIsNothing() {
        var fold = PartitionFold(model: Scenes.model)
        let effect = Scenes.apply(Scenes.record([view, summary], consent: [.profiling]), to: &fold)
        #expect(effect == nil)
        #expect(fold.visitorCount == 0)
    }

    static let withdrawals: [(String, Consent)] = [
        (#"{"bits":3,"src":"api"}"#, Consent.all), ("{}", Consent()), (#"{"bits":0}"#, Consent()),
    ]

    @Test(arguments: withdrawals)
    func withdrawalDropsTheState(properties: String, consent: Consent) throws {
        var fold = Scenes.fold([Scenes.record([view, summary])])
        let scored2 = fold.isScored(0)
        #expect(scored2)
        let record = Scenes.record(
            [TestEvent(.consent, at: Scenes.noon + 9000, properties)],
            consent: consent
        )
        let effect = try #require(Scenes.apply(record, to: &fold))
        #expect(effect.score == .dropped)
        let scored3 = fold.isScored(0)
        #expect(!scored3)
        #expect(Scenes.state(fold).pageViews == 0)
    }

    @Test func withdrawingInferenceKeepsTheRest() {
        let pointer = TestEvent(
            .pageSummary,
            at: Scenes.noon,
            #"{"vz":[9000,9000,9000,0,0,0,0,9000],"mo":[90,900,9000,80,3,9,9,30,50,0]}"#
        )
        let consent = TestEvent(.consent, at: Scenes.noon + 1, #"{"bits":15}"#)
        let state = Scenes.state(Scenes.fold([Scenes.record([pointer, consent])]))
        #expect(state.sums(of: .cursorMicroexpression) == (0, 0))
        #expect(state.sums(of: .negativeAffect) == (0, 0))
        #expect(state.sums(of: .cursorEfficiency).weight > 0)
    }

    @Test func botsAreFoldedAndMarked() throws {
        var fold = PartitionFold(model: Scenes.model)
        let effect = try #require(
            Scenes.apply(Scenes.record([view, summary], flags: [.bot]), to: &fold)
        )
        #expect(effect.session.bot)
        #expect(effect.score == .updated)
    }

    @Test func oneVisitorsRecordsLeaveOthersAlone() {
        var source = RandomRecords(seed: 11)
        let records = source.records(60, orderFree: false)
        let all = Scenes.fold(records)
        for visitor in ["visitor-1", "visitor-2", "visitor-3"] {
            let own = records.filter { $0.withSlice { $1.visitor.text } == visitor }
            let alone = Scenes.fold(own)
            guard Scenes.index(alone, visitor) != nil else { continue }
            let (one, other) = (Scenes.state(all, visitor), Scenes.state(alone, visitor))
            for signal in Signal.allCases {
                #expect(one.sums(of: signal) == other.sums(of: signal))
            }
        }
    }
}
