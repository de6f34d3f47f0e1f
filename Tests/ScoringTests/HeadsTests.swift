// Goal: heads say what the evidence says: what somebody is here for, whether a silence is long for this
// very visitor, and what kind of lead this is on this very site.
// Method: visits folded from events; the packed state, as stores hold it, asked at later moments.

import Bytes
import Records
import Scoring
import Settings
import TestSupport
import Testing

struct HeadsTests {
    private static let day: Int64 = 86_400_000

    private func said(
        _ head: String,
        _ records: [PackedRecord],
        after milliseconds: Int64 = 0,
        site: String = "demo",
        model: ScoringModel = Scenes.model
    ) -> HeadValue? {
        let fold = Scenes.fold(records)
        let state = Scenes.state(fold)
        return state.heads(at: state.updatedAt + milliseconds, site: site, model)
            .first { $0.head == head }
    }

    private func view(_ page: String, at time: Int64, session: String = "s") -> PackedRecord {
        Scenes.record(
            [TestEvent(.pageView, at: time, #"{"u":"/\#(page)"}"#)],
            session: session
        )
    }

    private func visit(_ pages: [String]) -> [PackedRecord] {
        pages.enumerated().map { view($1, at: Scenes.noon + Int64($0) * 20_000) }
    }

    @Test func intentGoesWithWhatWasDone() {
        let looks = visit(["", "news", "blog"])
        #expect(said("intent", looks)?.label == "browse")
        #expect(said("intent", visit(["catalog", "cart", "checkout", "shipping"]))?.label == "buy")
        let away = (1...4).map { number in
            Scenes.record([
                TestEvent(
                    .pageSummary,
                    at: Scenes.noon + Int64(number) * 60_000,
                    #"{"vz":[30000,30000,20000,1,1,9000,2,40000],"S":[[0,"pricing",1,9000,90,80,0,1]]}"#
                )
            ])
        }
        #expect(said("intent", visit(["product/a", "compare"]) + away)?.label == "compare")
    }

    /// Sessions that come every so many days, and what is said so many days after the last.
    private func rhythm(_ days: Int64, _ sessions: Int64, silence: Int64) -> HeadValue? {
        let records = (0..<sessions).map { number in
            view("news", at: Scenes.noon + number * days * Self.day, session: "s\(number)")
        }
        return said("disengagement", records, after: silence * Self.day)
    }

    @Test func aSilenceIsMeasuredAgainstTheVisitorsOwnRhythm() throws {
        // A week is nothing to who comes once a month, and a lot to who came every day.
        #expect(rhythm(28, 8, silence: 7)?.label == "engaged")
        #expect(rhythm(1, 40, silence: 7)?.label == "leaving")
        // After one gap of its own, as likely as not.
        let weekly = try #require(rhythm(7, 30, silence: 7))
        #expect(abs(weekly.value - 0.5) < 0.02)
        #expect(rhythm(7, 30, silence: 3)?.label == "engaged")
        #expect(try #require(rhythm(7, 30, silence: 30)).label == "leaving")
        // Who came once has no rhythm.
        #expect(rhythm(1, 1, silence: 90) == nil)
    }

    /// A clock that was ten years ahead leaves sums that are astronomical when the visitor is seen again.
    @Test func aClockThatWasSetMakesNoNonsense() throws {
        for years in [-10, 10] as [Int64] {
            let records = [(0, "a"), (years, "b"), (0, "c")].map { years, session in
                view("news", at: Scenes.noon + years * 365 * Self.day, session: session)
            }
            for silence in [0, 1, 40 * Self.day] as [Int64] {
                guard let said = said("disengagement", records, after: silence) else { continue }
                #expect(said.value >= 0 && said.value <= 1, "\(years) years, \(silence) ms")
            }
        }
    }

    @Test func aLeadIsWhatTheSiteCallsOne() throws {
        let records = visit(["catalog", "cart", "checkout"])
        let score = 100 * (try #require(said("lead", records)).value)
        var file = Scenes.file
        for (site, qualified, nurture) in [
            ("eager", score - 1, score - 2), ("patient", score + 1, score - 1),
            ("choosy", score + 2, score + 1),
        ] {
            var lead = HeadRules.Lead()
            (lead.qualified, lead.nurture) = (qualified, nurture)
            file.heads.leadOfSite[site] = lead
        }
        let model = ScoringModel(file)
        let labels = ["eager", "patient", "choosy"].map {
            said("lead", records, site: $0, model: model)?.label
        }
        #expect(labels == ["qualified", "nurture", "none"])
        #expect(model.name != Scenes.model.name)
    }

    @Test func nothingIsSaidOfNobody() {
        let record = Scenes.record(
            [TestEvent(.pageView, at: Scenes.noon)],
            consent: [.measurement]
        )
        for head in ["intent", "disengagement", "lead"] { #expect(said(head, [record]) == nil) }
    }

    @Test func thresholdsAreChecked() {
        let wrong = Scenes.fileText.replacing(
            "lead: { qualified: 60, nurture: 30 }",
            with: "lead: { qualified: 20, nurture: 30 }"
        )
        #expect(wrong != Scenes.fileText)
        #expect(throws: SettingsError.self) { try ScoringFile.parse(wrong, file: "scoring.yaml") }
        let falling = Scenes.fileText.replacing("[3, 5, 8, 13]", with: "[5, 3]")
        #expect(falling != Scenes.fileText)
        #expect(throws: SettingsError.self) { try ScoringFile.parse(falling, file: "scoring.yaml") }
    }
}
