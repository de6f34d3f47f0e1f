import Foundation
import Records
import Telemetry
import TestSupport
import Testing

@testable import heliograph

/// The whole way of a good beacon: everything that scoring needs is frozen, nothing else is kept.
@Suite struct BeaconsBecomeSlicesTests {
    private let route = RouteUnderTest()

    @Test func aGoodBeaconIsFrozenWhole() throws {
        let slice = try #require(route.take(beacon([("b", #""batch-0123456789abcd""#)])).slice)
        #expect(
            slice.texts == [
                "site": "shop", "visitor": "device-0123456789abcd",
                "session": "session-0123456789abc", "window": "window-0123456789abcd",
                "user": "user-1", "batch": "batch-0123456789abcd", "address": "203.0.113.0",
                "context": "",
            ]
        )
        #expect(slice.consent == 63)
        #expect(slice.flags == [])
        #expect(slice.device == .desktop)
        #expect(
            slice.events == [
                TakenSlice.Event(
                    number: 1,
                    kind: .pageView,
                    occurredAt: receivedAt - 250,
                    page: 1,
                    isMoved: false,
                    name: "",
                    properties: #"{"u":"https://shop.example/","ch":"direct"}"#
                )
            ]
        )
        #expect(route.counters.count(.eventsReceived) == 1)
    }

    @Test func thePartitionIsTheVisitors() throws {
        for device in ["device-0123456789abcd", "device-other-visitor"] {
            let slice = try #require(route.take(beacon([("d", "\"\(device)\"")])).slice)
            #expect(slice.partition == withView(device) { Partition(visitor: $0) })
        }
    }

    @Test func theContextKeepsItsKnownMembers() throws {
        let context =
            #"{"l":"de","z":-60,"vw":800,"vh":600,"pr":2,"in":0,"name":"Jane","ids":{"_ga":"1"}}"#
        let slice = try #require(route.take(beacon([("x", context)])).slice)
        let kept = #"{"l":"de","z":-60,"vw":800,"vh":600,"pr":2,"in":0"#
        let known = #","cl":"human","dv":"desktop","os":"Linux","br":"Firefox","bv":128"#
        #expect(slice.texts["context"] == kept + known + #","lg":"de-DE"}"#)
        #expect(slice.flags == [.touch, .opensPage])
    }

    @Test func mappedAndNewAddressesAreCutToo() throws {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 9]
        let new: [UInt8] = [0x20, 1, 0xd, 0xb8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        for (address, text) in [(mapped, "198.51.100.0"), (new, "2001:db8:1::"), ([], "")] {
            let slice = try #require(route.take(beacon(), Request(address: address)).slice)
            #expect(slice.texts["address"] == text)
        }
    }

    @Test func clocksAreCorrectedBeforeTheyAreFrozen() throws {
        let hour: Int64 = 3_600_000
        let ahead = beacon([("st", "\(receivedAt + hour)"), ("w", #""window-clock-ahead-1""#)])
        let event = try #require(route.take(ahead).slice?.events.first)
        #expect(event.occurredAt == receivedAt - 250)
        #expect(event.isMoved)
        let late = beacon(
            [("mt", "900000000"), ("w", #""window-long-open-tab""#)],
            events: #"{"t":"pv","n":1,"o":0}"#
        )
        let old = try #require(route.take(late).slice?.events.first)
        #expect(old.occurredAt == receivedAt - 7 * 24 * hour)
    }

    @Test func whatAnSDKLostIsCounted() {
        _ = route.take(beacon([("lost", "5")]))
        _ = route.take(beacon([("lost", "-5")]))
        #expect(route.counters.count(.eventsLostByClients) == 5)
    }

    @Test func unknownKeysOfBatchAndEventAreCounted() throws {
        let event = #"{"t":"pv","n":1,"u":"/","zz":1,"name":"Jane"}"#
        let slice = try #require(route.take(beacon([("yy", "{}")], events: event)).slice)
        #expect(slice.events[0].properties == #"{"u":"/","ch":"direct"}"#)
        #expect(route.counters.count(.unknownKeys) == 3)
    }

    @Test func aLimitedTextIsCutAtACharacter() throws {
        let title = String(repeating: "é", count: 100)
        let event = "{\"t\":\"pv\",\"n\":1,\"ti\":\"\(title)\"}"
        let slice = try #require(route.take(beacon(events: event)).slice)
        let kept = "\"ti\":\"\(String(repeating: "é", count: 64))\""
        #expect(slice.events[0].properties == "{\(kept),\"ch\":\"direct\"}")
        #expect(route.counters.count(.textsShortened) == 1)
    }

    @Test func whatPostgreSQLCannotHoldIsReplaced() throws {
        let event = #"{"t":"cu","n":1,"name":"a\u0000\ud800b\u00e9","props":{"k\u0000":"\udc00"}}"#
        let slice = try #require(route.take(beacon(events: event)).slice)
        #expect(slice.events[0].properties == #"{"props":{"k\ufffd":"\ufffd"}}"#)
        #expect(slice.events[0].name.unicodeScalars.allSatisfy { $0 != "\u{0}" })
        #expect(slice.events[0].name.hasSuffix("\u{fffd}bé"))
    }

    /// A backslash in a text that is no longer escaped is a character like any other.
    @Test(arguments: [#"\\"#, #"\\u"#, #"\\u1"#, #"\\u12"#, #"\\ud800"#, #"\\ud800\\u"#, "é"])
    func textsAreCutWhateverStandsAtTheCut(_ tail: String) throws {
        for length in 50...70 {
            let name = String(repeating: "a", count: length) + tail
            let event = "{\"t\":\"cu\",\"n\":1,\"name\":\"\(name)\"}"
            let slice = try #require(route.take(beacon(events: event)).slice)
            let plain = name.replacingOccurrences(of: #"\\"#, with: #"\"#)
            #expect(plain.hasPrefix(slice.events[0].name))
            #expect(slice.events[0].name.utf8.count >= min(63, plain.utf8.count))
        }
        for length in 480...515 {
            let url = "/" + String(repeating: "a", count: length) + tail
            let event = "{\"t\":\"pv\",\"n\":1,\"u\":\"\(url)\"}"
            #expect(route.take(beacon(events: event)).slice?.events.count == 1)
        }
    }

    @Test func addressesInEventsLoseTheirSecrets() throws {
        let url = #"https:\/\/jane:pw@shop.example\/a?email=j%40x&sku=4&utm_source=n#token"#
        let event = "{\"t\":\"pv\",\"n\":1,\"u\":\"\(url)\",\"r\":\"\(url)\"}"
        let slice = try #require(route.take(beacon(events: event)).slice)
        let clean = "https://shop.example/a?sku=4&utm_source=n"
        let source = #""ch":"unassigned","so":"n""#
        #expect(
            slice.events[0].properties
                == "{\"u\":\"\(clean)\",\"r\":\"\(clean)\",\(source),\"$pii\":\"credential\"}"
        )
        let open = beacon([("k", #""key-open""#)], events: event)
        let elsewhere = try #require(route.take(open).slice)
        #expect(!elsewhere.events[0].properties.contains("sku"))
        let back = "{\"t\":\"nv\",\"n\":2,\"fr\":\"\(url)\"}"
        let path = try #require(route.take(beacon(events: back)).slice)
        #expect(path.events[0].properties == #"{"fr":"/a"}"#)
    }

    @Test func aNullIsAsIfItWereAbsent() throws {
        let event = #"{"t":"ck","n":1,"a":null,"x":4}"#
        let slice = try #require(route.take(beacon(events: event)).slice)
        #expect(slice.events[0].properties == #"{"x":4}"#)
    }
}
