// Goal: our own events in their four shapes, images by their query, keys in their four places, and
// times in the forms that trackers write, each read as what they say.

import Bytes
import Testing

@testable import Wire

@Suite struct OwnEventsTests {
    private let event = #"{"id":"1","name":"signup","user":"u","time":1767225600000}"#

    @Test func fourShapesSayTheSame() throws {
        let shapes = [
            ("[\(event)]", "application/json"), ("{\"events\":[\(event)]}", "application/json"),
            (" \(event)\n", ""), ("\n\(event)\r\n\n", "application/x-ndjson; charset=utf-8"),
        ]
        for (body, type) in shapes {
            let heard = try hear(EventsFormat.self, .events, body, contentType: type)
            #expect(heard.events.count == 1, "\(type)")
            let only = try #require(heard.taken.first)
            #expect(only.call == .track && only.name == "signup" && only.messageID == "1")
            #expect(only.user == "u" && only.timestamp == "1767225600000")
        }
    }

    @Test func aBrokenLineHarmsItselfAlone() throws {
        let heard = try hear(
            EventsFormat.self,
            .events,
            "\(event)\n{\"name\":\n{} {}\n\(event)",
            contentType: "application/x-ndjson"
        )
        #expect(heard.taken.count == 2)
        #expect(heard.faults == [.malformed, .malformed])
    }

    @Test func whatHasAnAddressAndNoNameIsAPage() throws {
        let heard = try hear(EventsFormat.self, .events, #"[{"url":"https://x/","visitor":"v"}]"#)
        #expect(heard.taken.first?.call == .page)
        #expect(heard.taken.first?.visitor == "v")
    }

    @Test(arguments: ["", "[", "[1] 2", "7", "\"x\""])
    func whatIsNeitherIsRefusedWhole(_ body: String) {
        #expect(throws: WireError.self) { try hear(EventsFormat.self, .events, body) }
    }
}

@Suite struct PixelTests {
    @Test func aQueryIsACall() throws {
        let heard = try hear(
            PixelFormat.self,
            .image,
            query: "k=key&e=mail+opened&u=https%3A%2F%2Fx%2F%3Fa%3D1&a=v&i=9&campaign=%22q%22&&x"
        )
        let only = try #require(heard.taken.first)
        #expect(only.call == .track && only.name == "mail opened" && only.visitor == "v")
        #expect(only.messageID == "9" && only.url == "https://x/?a=1")
        #expect(only.properties == #"{"campaign":"\"q\"","x":""}"#)
    }

    @Test func withoutAnEventItIsAPageAndNobodyMayLookAtIt() throws {
        let heard = try hear(PixelFormat.self, .image, query: "k=key", referrer: "https://x/y")
        #expect(heard.taken.first?.call == .page)
        #expect(heard.taken.first?.url == "https://x/y")
    }

    @Test func rudderStacksPathsNameTheCall() throws {
        let query = "writeKey=k&anonymousId=v&event=seen&properties.plan=pro"
        let heard = try hear(PixelFormat.self, .trackPixel, query: query)
        #expect(heard.taken.first?.properties == #"{"plan":"pro"}"#)
        let page = try hear(PixelFormat.self, .pagePixel, query: "name=Home&anonymousId=v")
        #expect(page.taken.first?.call == .page && page.taken.first?.name == "Home")
    }

    @Test func whatIsNotTextIsLeftOutAndTheRestIsRead() throws {
        let heard = try hear(
            PixelFormat.self,
            .image,
            query: "e=x&bad=%ff%fe&%ff=1&half=%4&control=%00%0a&c=007&good=%C3%A9"
        )
        let only = try #require(heard.taken.first)
        #expect(only.properties == #"{"half":"%4","control":"\u0000\u000a","good":"é"}"#)
    }
}

@Suite struct WriteKeyTests {
    private func basic(_ field: String) -> String? {
        withView(field) { field in
            var key = ByteBuffer(capacity: 64)
            return WireKey.append(basic: field, into: &key) ? key.view.text : nil
        }
    }

    @Test func theUserNameIsTheKeyWithOrWithoutAColon() {
        #expect(basic("Basic aGdfZGVtbzo=") == "hg_demo")
        #expect(basic("basic aGdfZGVtbw==") == "hg_demo")
        #expect(basic("Basic aGdfZGVtbw") == "hg_demo", "padding may be missing")
        #expect(basic("Basic aGdfZGVtbzpzZWNyZXQ=") == "hg_demo", "a password is of no use")
        for wrong in [
            "", "Basic", "Basic ", "Bearer aGc=", "Basic a", "Basic a=b=", "Basic !!!!",
            "Basic Og==",
        ] {
            #expect(basic(wrong) == nil, "\(wrong)")
        }
    }

    @Test func aBearerTokenIsGivenAsItIs() {
        #expect(withView("Bearer  abc ") { WireKey.bearer($0)?.text } == "abc")
        #expect(withView("Basic abc") { WireKey.bearer($0)?.text } == nil)
    }
}

@Suite struct WireTimesTests {
    private func time(_ text: String) -> Int64? {
        withView(text) { WireTime.epochMilliseconds($0) }
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000 as Int64),
        ("2026-01-01T00:00:00.123456+00:00", 1_767_225_600_123),
        ("2026-01-01t01:30:00.5+01:30", 1_767_225_600_500), ("2026-01-01 00:00", 1_767_225_600_000),
        ("2025-12-31T19:00:00-0500", 1_767_225_600_000), ("2026-01-01", 1_767_225_600_000),
        ("2024-02-29T23:59:60Z", 1_709_251_199_000), ("1970-01-01T00:00:00Z", 0),
        ("2000-03-01T00:00:00Z", 951_868_800_000), ("1767225600", 1_767_225_600_000),
        ("1767225600000", 1_767_225_600_000), ("1767225600.25", 1_767_225_600_250),
    ])
    func areRead(_ text: String, _ expected: Int64) {
        #expect(time(text) == expected, "\(text)")
    }

    @Test(arguments: [
        "", "now", "2026", "2026-13-01T00:00:00Z", "2026-02-30", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00Zx", "-5", "1e9",
        "2026-01-01T00:00:00.Z", "2025-02-29", "1.2.3", "99999999999999999999999", "20-6-01-01",
    ])
    func areNotGuessed(_ text: String) {
        #expect(time(text) == nil, "\(text)")
    }
}
