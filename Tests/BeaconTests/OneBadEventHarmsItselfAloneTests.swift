import Records
import TestSupport
import Testing
import Wire

/// Whatever is wrong with one event, its neighbours are read as if it were not there.
@Suite struct OneBadEventHarmsItselfAloneTests {
    @Test(arguments: [
        (#"7"#, EventFault.notAnObject), (#"null"#, .notAnObject), (#""pv""#, .notAnObject),
        (#"[{"t":"pv","n":9}]"#, .notAnObject), (#"{}"#, .missingType), (#"{"n":2}"#, .missingType),
        (#"{"t":"zz","n":2}"#, .unknownType), (#"{"t":"","n":2}"#, .unknownType),
        (#"{"t":"PV","n":2}"#, .unknownType), (#"{"t":"p\u0076","n":2}"#, .unknownType),
        (#"{"t":7,"n":2}"#, .unknownType), (#"{"t":null,"n":2}"#, .unknownType),
        (#"{"t":"pv"}"#, .badNumber), (#"{"t":"pv","n":0}"#, .badNumber),
        (#"{"t":"pv","n":-2}"#, .badNumber), (#"{"t":"pv","n":1.5}"#, .badNumber),
        (#"{"t":"pv","n":4294967296}"#, .badNumber), (#"{"t":"pv","n":1e3}"#, .badNumber),
        (#"{"t":"pv","n":"2"}"#, .badNumber),
        (#"{"t":"pv","n":99999999999999999999999999}"#, .badNumber),
        (#"{"t":"pv","n":2,"o":"x"}"#, .badOffset), (#"{"t":"pv","n":2,"o":1e13}"#, .badOffset),
        (#"{"t":"pv","n":2,"o":-1e99}"#, .badOffset),
        (#"{"t":"pv","n":2,"o":null}"#, .badOffset), (#"{"t":"pv","n":2,"p":-1}"#, .badPage),
        (#"{"t":"pv","n":2,"p":65536}"#, .badPage), (#"{"t":"pv","n":2,"p":"1"}"#, .badPage),
    ])
    func theOthersAreTaken(_ bad: String, _ fault: EventFault) {
        let first = #"{"t":"pv","n":1}"#
        let last = #"{"t":"ck","n":3,"a":"buy"}"#
        let events = readEvents("[\(first) , \(bad) ,\n\(last)]")
        #expect(
            events == [
                .success(ReadEvent(.pageView, 1)), .failure(fault),
                .success(ReadEvent(.click, 3, [#"a="buy""#])),
            ]
        )
    }

    @Test func nothingOfAnEventReachesTheNext() {
        let full = #"{"t":"pv","n":1,"o":77,"p":5,"u":"x"}"#
        #expect(
            readEvents("[\(full),{\"n\":2,\"t\":\"cu\"}]").last
                == .success(ReadEvent(.custom, 2))
        )
        #expect(readEvents("[\(full),{\"n\":2}]").last == .failure(.missingType))
        #expect(readEvents("[\(full),{\"t\":\"pv\"}]").last == .failure(.badNumber))
    }

    @Test func anEventMayHaveFortyEightMembers() {
        func event(_ count: Int) -> String {
            let members = (0..<count).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
            return "[{\"t\":\"pv\",\"n\":1,\(members)},{\"t\":\"pv\",\"n\":2}]"
        }
        #expect(BeaconEventReader.fieldsMaximum == 48)
        for count in [1, 47, 48] {
            guard case .success(let read) = readEvents(event(count))[0] else {
                Issue.record("\(count) members were refused")
                continue
            }
            #expect(read.fields.count == count)
        }
        #expect(
            readEvents(event(49))
                == [.failure(.tooManyFields), .success(ReadEvent(.pageView, 2))]
        )
    }

    @Test(arguments: ["[]", "[ ]", "[\n\t\r]"])
    func anEmptyListHasNoEvents(_ list: String) { #expect(readEvents(list).isEmpty) }

    @Test func theTypeMayComeLast() {
        let event = #"[{"u":"x","p":2,"o":-3.9,"n":4294967295,"t":"pv"}]"#
        #expect(
            readEvents(event)
                == [.success(ReadEvent(.pageView, .max, offset: -3, page: 2, [#"u="x""#]))]
        )
    }

    @Test(arguments: EventKind.allCases)
    func everyTypeIsKnownByItsCode(_ kind: EventKind) {
        #expect(
            readEvents("[{\"t\":\"\(kind.code)\",\"n\":1}]") == [.success(ReadEvent(kind, 1))]
        )
    }
}
