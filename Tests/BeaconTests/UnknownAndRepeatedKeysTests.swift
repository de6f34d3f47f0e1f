import Bytes
import Records
import TestSupport
import Testing
import Wire

/// A later SDK may send more; a confused one may send things twice. Neither may do harm.
@Suite struct UnknownAndRepeatedKeysTests {
    @Test(arguments: ["zz", "", "V", "event", "sst", "los", "\\u0076", "__proto__"])
    func unknownKeysAreCountedAndIgnored(_ key: String) {
        for value in ["1", "null", #"{"v":9,"k":"x"}"#, "[[[]]]", #""\u0000""#] {
            #expect(Decoded(beacon([(key, value)])) == .taken(unknownKeys: 1))
        }
    }

    @Test func anUnknownKeysValueIsStillChecked() {
        #expect(Decoded(beacon([("zz", "01")])) != .taken(unknownKeys: 1))
        #expect(Decoded(beacon([("zz", "nul")])) != .taken(unknownKeys: 1))
    }

    @Test func ofRepeatedKeysTheFirstWins() throws {
        let text =
            "{\"k\":\"first\",\"c\":1," + beacon([("c", "63"), ("k", #""second""#)]).dropFirst()
        try withView(text) { body in
            let beacon = try BeaconDecoder.decode(body)
            #expect(beacon.key.equals("first"))
            #expect(beacon.consent == 1)
            #expect(beacon.unknownKeys == 2)
        }
    }

    @Test func aSecondListOfEventsIsNotRead() throws {
        let text = "{\"e\":[]," + beacon().dropFirst()
        try withView(text) { body in
            let beacon = try BeaconDecoder.decode(body)
            #expect(beacon.events.equals("[]"))
            #expect(beacon.unknownKeys == 1)
        }
    }

    @Test func ofRepeatedMembersOfAnEventTheFirstWins() {
        let event = #"{"n":1,"n":2,"t":"pv","t":"cu","o":5,"o":6,"p":3,"p":4,"u":"a","u":"b"}"#
        #expect(
            readEvents("[\(event)]")
                == [.success(ReadEvent(.pageView, 1, offset: 5, page: 3, [#"u="a""#]))]
        )
    }

    @Test func aBadRepeatIsNotLookedAt() {
        let event = #"{"n":1,"n":"x","t":"pv","t":7,"o":5,"o":null,"p":3,"p":-1}"#
        #expect(
            readEvents("[\(event)]") == [.success(ReadEvent(.pageView, 1, offset: 5, page: 3))]
        )
    }
}
