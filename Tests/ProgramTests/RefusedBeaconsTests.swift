import Records
import Settings
import Telemetry
import TestSupport
import Testing

@testable import heliograph

/// What is wrong is refused whole when it is the batch's, alone when it is an event's.
@Suite struct RefusedBeaconsTests {
    private let route = RouteUnderTest()

    private func events(_ count: Int, _ body: String = #""u":"/""#) -> String {
        (1...count).map { "{\"t\":\"pv\",\"n\":\($0),\(body)}" }.joined(separator: ",")
    }

    @Test(arguments: [
        ("k", #""key-nobody""# as String?, Problem.keyUnknown, "k"),
        ("k", "7", .fieldType, "k, byte "), ("v", "2", .formatUnsupported, "v"),
        ("w", nil, .fieldMissing, "w"), ("w", #""undefined""#, .idMalformed, "w"),
        ("w", #""0000000000000000000000""#, .idMalformed, "w"),
        ("b", #""too-short""#, .idMalformed, "b"), ("c", "-1", .fieldRange, "c, byte "),
        ("st", "1e300", .fieldRange, "st, byte "), ("e", "[", .jsonMalformed, "e, byte "),
        ("zz", "nul", .jsonMalformed, "batch, byte "), ("e", "[]", .batchEmpty, "e"),
    ])
    func theBatchIsRefusedWithThePlace(
        _ key: String,
        _ value: String?,
        _ problem: Problem,
        _ place: String
    ) {
        guard case .refused(let found, let where_) = route.take(beacon([(key, value)])) else {
            Issue.record("\(key) \(value ?? "absent") was taken")
            return
        }
        #expect(found == problem)
        #expect(where_.hasPrefix(place))
        #expect(route.counters.count(.eventsReceived) == 0)
    }

    @Test func bytesThatAreNoTextAreRefused() {
        var bytes = Array(beacon([("zz", #""?""#)]).utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "?")) ?? 0] = 0xc0
        guard case .refused(.textNotUTF8, _) = route.take(bytes) else {
            Issue.record("taken")
            return
        }
    }

    @Test func deepJSONIsRefused() {
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        guard case .refused(.jsonTooDeep, _) = route.take(beacon([("zz", deep)])) else {
            Issue.record("taken")
            return
        }
    }

    @Test(arguments: [
        "https://evil.example", "http://shop.example", "https://shop.example:8443",
        "https://shop.example.evil.example", "https://sub.shop.example", "null",
        "https://shop.example/",
    ])
    func otherOriginsAreRefused(_ origin: String) {
        #expect(
            route.take(beacon(), Request(origin: origin)) == .refused(.originNotAllowed, "Origin")
        )
        let open = beacon([("k", #""key-open""#)])
        #expect(route.take(open, Request(origin: origin)).slice != nil)
    }

    @Test func serversHaveNoOrigin() {
        #expect(route.take(beacon(), Request(origin: "")).slice != nil)
    }

    @Test func sixtyFourEventsAreTheMost() {
        #expect(route.take(beacon(events: events(64))).slice?.events.count == 64)
        #expect(route.take(beacon(events: events(65))) == .refused(.eventCountExceeded, "e"))
        #expect(route.take(beacon(events: events(1))).slice?.events.count == 1)
    }

    @Test func fortyEightKibibytesOfEventsAreTheMost() {
        let title = String(repeating: "t", count: 990)
        let large = events(49, "\"ti\":\"\(title)\"")
        #expect(large.utf8.count > Limits.batchEventBytesMaximum)
        #expect(route.take(beacon(events: large)) == .refused(.batchTooLarge, "e"))
        let fits = events(47, "\"ti\":\"\(title)\"")
        #expect(route.take(beacon(events: fits)).slice?.events.count == 47)
    }

    @Test(arguments: [
        (#"{"t":"zz","n":2}"#, Problem.eventTypeUnknown), (#"{"n":2}"#, .eventFieldMissing),
        (#"{"t":"cu","n":2}"#, .eventFieldMissing),
        (#"{"t":"cu","n":2,"name":""}"#, .eventFieldMissing),
        (#"{"t":"cu","n":2,"name":7}"#, .eventFieldMissing),
        (#"{"t":"pv","n":0}"#, .eventFieldRange),
        (#"{"t":"pv","n":2,"o":"x"}"#, .eventFieldRange),
        (#"{"t":"pv","n":2,"u":7}"#, .eventMalformed),
        (#"{"t":"pv","n":2,"h":"x"}"#, .eventMalformed),
        (#"{"t":"cu","n":2,"name":"a","props":[]}"#, .eventMalformed), (#"7"#, .eventMalformed),
        (#"{"t":"ps","n":2,"sc":{}}"#, .eventMalformed),
    ])
    func aBadEventIsDroppedAndCountedAndTheOthersTaken(_ bad: String, _ problem: Problem) {
        let last = #"{"t":"ck","n":3,"a":"buy"}"#
        let slice = route.take(beacon(events: "\(goodEvent),\(bad),\(last)")).slice
        #expect(slice?.events.map(\.number) == [1, 3])
        #expect(slice?.events.last?.properties == #"{"a":"buy"}"#)
        #expect(route.counters.count(problem) == 1)
        #expect(route.counters.count(.eventsReceived) == 3)
    }

    @Test func aBatchOfBadEventsIsRefusedAndSaysWhyTheFirstWasBad() {
        let answer = route.take(beacon(events: #"{"t":"zz","n":1},{"t":"pv","n":0}"#))
        #expect(answer == .refused(.batchEmpty, "e, event-type-unknown"))
        #expect(route.counters.count(.eventTypeUnknown) == 1)
        #expect(route.counters.count(.eventFieldRange) == 1)
    }

    @Test func anEventHasFourKibibytes() {
        func event(_ count: Int) -> String {
            "\(goodEvent),{\"t\":\"pv\",\"n\":2,\"ti\":\"\(String(repeating: "t", count: count))\"}"
        }
        #expect(route.take(beacon(events: event(4_000))).slice?.events.count == 2)
        #expect(route.take(beacon(events: event(4_100))).slice?.events.count == 1)
        #expect(route.counters.count(.eventTooLarge) == 1)
    }

    @Test func propertiesHaveTheirLimits() {
        func event(_ props: String) -> String {
            "\(goodEvent),{\"t\":\"cu\",\"n\":2,\"name\":\"buy\",\"props\":{\(props)}}"
        }
        func members(_ count: Int) -> String {
            (0..<count).map { "\"key\($0)\":\($0)" }.joined(separator: ",")
        }
        func empty(_ count: Int) -> String {
            [String](repeating: "\"\":1", count: count).joined(separator: ",")
        }
        let wide = "\"a\":\"\(String(repeating: "x", count: 2_048))\""
        for (props, taken) in [
            (members(32), 2), (members(33), 1), (empty(32), 2), (empty(33), 1), (wide, 1), ("", 2),
        ] {
            #expect(route.take(beacon(events: event(props))).slice?.events.count == taken)
        }
        #expect(route.counters.count(.eventPropertiesExceeded) == 3)
    }

    @Test func aRefusalLeavesNothingForTheNextBeacon() throws {
        let before = route.take(beacon())
        _ = route.take(beacon([("x", #"{"l":"de","in":0}"#)], events: "7"))
        _ = route.take(beacon([("k", #""key-open""#), ("c", "0")]))
        _ = route.take("{")
        #expect(route.take(beacon()) == before)
    }
}
