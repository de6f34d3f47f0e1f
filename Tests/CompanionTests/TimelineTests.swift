// Goal: a timeline can be read to its end, and a cursor that nobody was given is refused, not believed.
// Method: positions made from rows and from texts; requests against a running companion without a
// PostgreSQL. That pages fit together is shown with a real one in Tests/Browser/hub_checks.py.
import Foundation
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct TimelineTests {
    private func row(_ key: String) -> ArchiveRow {
        ["1795309301282001", "conversion", key, "1795309301000000", "v", nil, "{\"name\":\"x\"}"]
    }

    @Test(arguments: ["a-1", "a.b.c", "..", "", "é"])
    func aPositionComesBackFromItsCursor(key: String) throws {
        let position = try #require(TimelinePosition(row(key)))
        #expect(TimelinePosition(cursor: position.cursor) == position)
        #expect(position.key == key)
    }

    @Test(arguments: [
        "", "x", "1.1.1.score.k", "2.1.1.score.k", "1.-1.1.score.k", "1.1.score.k",
        "1.9223372036854775807.1.score.k", "1.1.1.score.\0", "1.x.1.score.k",
    ])
    func nobodysCursorsAreRefused(text: String) throws {
        let encoded = Data(text.utf8).base64URL
        let isWhole = text == "1.1.1.score.k"
        #expect((TimelinePosition(cursor: encoded) != nil) == isWhole)
        #expect(TimelinePosition(cursor: text) == nil)
        if isWhole || text.isEmpty { return }
        let answer = try RunningCompanion().get(
            "/api/v1/visitors/v/timeline?site=demo&cursor=\(encoded)"
        )
        #expect(answer.status == 400 && answer.body.contains("invalid-cursor"))
    }

    @Test func aRowIsToldWithWhatIsKnown() throws {
        let document = try #require(TimelineDocument(row("a-1")))
        #expect(document.kind == "conversion" && document.at == 1_795_309_301_000)
        #expect(document.session == nil && document.detail == ["name": "x"])
        #expect(TimelineDocument(["1", "score"]) == nil)
    }

    @Test func theScoringFileIsToldAsItHolds() throws {
        let answer = try RunningCompanion().get("/api/v1/scoring")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        )
        let bands = try #require(document["bands"] as? [String: Double])
        #expect(bands == ["warm": 30, "hot": 60, "hysteresis": 3])
        let signals = try #require(document["signals"] as? [[String: Any]])
        let form = try #require(signals.first { $0["signal"] as? String == "form_progress" })
        #expect(signals.count == 27 && form["weight"] as? Double == 1.4)
        #expect(form["half_life_s"] as? Double == 259_200)
    }
}
