// Goal: each call of Segment's API and of RudderStack's differences is read as what it says, wherever
// the members stand; what is wrong with one call harms that call alone.

import Testing

@testable import Wire

@Suite struct SegmentCallsTests {
    private func batch(_ items: String, _ rest: String = "") throws -> HeardBatch {
        try hear(SegmentFormat.self, .batch, "{\"batch\":[\(items)]\(rest)}")
    }

    @Test func aBatchOfEveryCallIsRead() throws {
        let heard = try batch(
            """
            {"type":"track","event":"Bought","userId":"u","anonymousId":null,"messageId":"m1",
             "timestamp":"2026-01-01T00:00:00Z","properties":{"a":1},"integrations":{}},
            {"type":"page","name":"Home","anonymousId":"a","properties":{"url":"https://x/"}},
            {"type":"screen","name":"Main","userId":"u"},
            {"type":"identify","userId":"u","traits":{"plan":"pro"}},
            {"type":"group","userId":"u","groupId":"g","traits":{"n":1}},
            {"type":"alias","userId":"u","previousId":"p"}
            """,
            #","sentAt":"2026-01-01T00:00:01Z","writeKey":"k""#
        )
        #expect(heard.key == "k")
        #expect(heard.sentAt == "2026-01-01T00:00:01Z")
        let calls = heard.taken.map(\.call)
        #expect(calls == [.track, .page, .screen, .identify, .group, .alias])
        let track = try #require(heard.taken.first)
        #expect(track.name == "Bought" && track.messageID == "m1" && track.user == "u")
        #expect(track.visitor.isEmpty, "null is as good as absent")
        #expect(track.properties == #"{"a":1}"# && track.timestamp == "2026-01-01T00:00:00Z")
        #expect(heard.taken[1].url == "https://x/")
        #expect(heard.taken[3].traits == #"{"plan":"pro"}"#)
    }

    @Test func theEnvelopeMayStandBehindTheBatch() throws {
        let heard = try hear(
            SegmentFormat.self,
            .batch,
            #"{"sentAt":"t","context":{"traits":{"plan":"x"}},"batch":[{"type":"identify","userId":"u"}]}"#
        )
        #expect(heard.sentAt == "t")
        #expect(heard.taken.first?.traits == #"{"plan":"x"}"#)
    }

    @Test func rudderStacksTraitsStandInTheContext() throws {
        let heard = try batch(
            #"{"type":"identify","userId":"u","channel":"server","context":{"traits":{"plan":"pro"}}}"#
        )
        #expect(heard.taken.first?.traits == #"{"plan":"pro"}"#)
    }

    @Test func thePathNamesTheCall() throws {
        let heard = try hear(
            SegmentFormat.self,
            .track,
            #"{"event":"x","userId":17,"writeKey":"k","type":"page"}"#
        )
        #expect(heard.taken.first?.call == .track)
        #expect(heard.taken.first?.user == "17", "ids that are numbers are taken as their digits")
        #expect(heard.key == "k")
    }

    @Test func oneBadCallHarmsItselfAlone() throws {
        let good = #"{"type":"track","event":"x","userId":"u"}"#
        let heard = try batch(
            [
                good, "7", #"{"type":"track","userId":"u"}"#, #"{"event":{},"userId":"u"}"#,
                #"{"type":"track","event":"x"}"#, #"{"type":"odd","userId":"u"}"#,
                #"{"userId":"u"}"#, #"{"type":"track","event":"x","userId":"u","properties":[]}"#,
                good,
            ].joined(separator: ",")
        )
        #expect(heard.taken.count == 2)
        let expected: [WireFault] = [
            .malformed, .nameMissing, .wrongType, .nobody, .typeUnknown, .typeMissing, .wrongType,
        ]
        #expect(heard.faults == expected)
    }

    @Test func ofRepeatedMembersTheFirstWins() throws {
        let heard = try batch(
            #"{"type":"track","type":"page","event":"a","event":"b","userId":"u","userId":7}"#
        )
        #expect(heard.taken.first?.name == "a")
        #expect(heard.taken.first?.user == "u")
    }

    @Test(arguments: [
        "", "[]", "{", "7", #"{"batch":{}}"#, #"{"batch":[1}"#, #"{"batch":[]} x"#,
        #"{"events":[]}"#,
        #"{"batch":[],"writeKey":7}"#, "{\"batch\":[\"\u{01}\"]}",
    ])
    func whatIsNoBatchIsRefusedWhole(_ body: String) {
        #expect(throws: WireError.self) { try hear(SegmentFormat.self, .batch, body) }
    }

    @Test func consentIsReadAsBitsAndAsPurposes() throws {
        let cases: [(String, WireConsent?)] = [
            ("5", .bits(5)), ("-1", nil), ("\"x\"", nil), ("{}", nil),
            (
                #"{"categoryPreferences":{"Advertising":true,"analytics":false,"odd":true}}"#,
                .purposes(.advertising)
            ),
            (
                #"{"categoryPreferences":{"Analytics":true,"Functional":true}}"#,
                .purposes([.analytics, .functional])
            ),
        ]
        for (text, expected) in cases {
            let item =
                #"{"type":"track","event":"x","userId":"u","context":{"consent":\#(text)}}"#
            withView(item) { bytes in
                let event = try? SegmentFormat.read(bytes, of: WireBatch()).get()
                #expect(event?.context.consent == expected, "\(text)")
            }
        }
    }
}
