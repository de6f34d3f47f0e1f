import Bytes
import Records
import Rings
import Settings
import Telemetry
import TestSupport
import Testing

@testable import heliograph

/// What a listener refuses can be found again, within bounds, without what its visitor did not allow.
@Suite struct RefusedIsKeptTests {
    /// A rejection as the journal would get it.
    private struct Kept: Equatable {
        var flags: Rejection.Flags
        var reason: String
        var place: String
        var site: String
        var key: String
        var id: String
        var address: String
        var bytes: String
        var length: UInt32
        var receivedAt: Int64
    }

    private let counters = Metrics().makeBlock(thread: "test")

    private func facts(
        _ problem: Problem = .keyUnknown,
        consent: Consent? = .all,
        receivedAt: Int64 = 1_790_000_000_123
    ) -> RejectionFacts {
        var facts = RejectionFacts(problem: problem, place: "k", receivedAt: receivedAt)
        facts.format = .sdk
        facts.path = ByteView("/v1/e")
        facts.site = ByteView("shop")
        facts.key = ByteView("key-1")
        facts.window = ByteView("window-0123456789abcd")
        facts.number = 7
        facts.consent = consent
        facts.address = ByteView("\u{01}\u{02}\u{03}\u{04}")
        return facts
    }

    private func drain(_ rejections: Rejections, ringBytes: Int = 1 << 22) -> [Kept] {
        var ring = ByteRing.make(capacity: ringBytes)
        _ = rejections.flush(into: &ring.producer)
        var kept: [Kept] = []
        ring.consumer.drain(limit: .max) { frame in
            guard frame.kind == ListenerMessage.rejection.rawValue,
                let read = Rejection(frame.body)
            else { return }
            kept.append(
                Kept(
                    flags: read.flags,
                    reason: read.reason.text,
                    place: read.place.text,
                    site: read.site.text,
                    key: read.key.text,
                    id: read.id.text,
                    address: read.address.text,
                    bytes: read.bytes.text,
                    length: read.originalLength,
                    receivedAt: Int64(bitPattern: frame.second)
                )
            )
        }
        return kept
    }

    private func keepBody(_ body: String, _ facts: RejectionFacts) -> [Kept] {
        let rejections = Rejections(counters: counters)
        withView(body) { rejections.keep(facts, .body($0)) }
        return drain(rejections)
    }

    @Test func aBodyThatDecodesIsKeptWholeAndCanBeSentAgain() {
        #expect(
            keepBody(#"{"v":1,"e":[{}]}"#, facts()) == [
                Kept(
                    flags: [.wholeBatch, .replayable],
                    reason: "key-unknown",
                    place: "k",
                    site: "shop",
                    key: "key-1",
                    id: "window-0123456789abcd-7",
                    address: "1.2.3.0",
                    bytes: #"{"v":1,"e":[{}]}"#,
                    length: 16,
                    receivedAt: 1_790_000_000_123
                )
            ]
        )
    }

    @Test func oneEventBecomesABodyOfItsOwn() {
        let text = #"{"v":1,"e": [{"n":1},{"n":2},{"n":3}] ,"k":"x"}"#
        let rejections = Rejections(counters: counters)
        withView(text) { body in
            // The array may be given with the white space around it.
            let events = body[11..<38]
            rejections.keep(facts(), .event(body[21..<28], of: events, in: body))
        }
        let kept = drain(rejections)
        #expect(kept.map(\.bytes) == [#"{"v":1,"e": [{"n":2}] ,"k":"x"}"#])
        #expect(kept.map(\.flags) == [[.replayable]])
        #expect(kept.map(\.length) == [7])
    }

    @Test func withoutConsentThereIsNothingOfTheVisitor() {
        let kept = keepBody(#"{"v":1}"#, facts(consent: []))
        #expect(kept.map(\.bytes) == [""] && kept.map(\.id) == [""])
        #expect(kept.map(\.address) == [""] && kept.map(\.reason) == ["key-unknown"])
        #expect(kept.map(\.flags) == [[.wholeBatch, .withheld]])
    }

    @Test func whatCannotBeDecodedIsCutAndHasNoAddress() {
        let rejections = Rejections(counters: counters)
        let noise = [UInt8](repeating: 0xfe, count: Limits.rejectedPrefixBytesMaximum + 5)
        withView(noise) { rejections.keep(facts(.textNotUTF8, consent: nil), .undecodable($0)) }
        let kept = drain(rejections)
        #expect(kept.map(\.flags) == [[.wholeBatch, .truncated]])
        #expect(kept.map(\.length) == [UInt32(noise.count)] && kept.map(\.address) == [""])
    }

    @Test func idsThatWereNotAgreedToAreOverwritten() {
        let text = #"{"d":"device-1","u":"user-1","v":1}"#
        for (consent, clean) in [
            (Consent.measurement, #"{"d":"********","u":"******","v":1}"#),
            ([.measurement, .storage], #"{"d":"device-1","u":"******","v":1}"#), (.all, text),
        ] as [(Consent, String)] {
            let rejections = Rejections(counters: counters)
            withView(text) { body in
                var facts = facts(consent: consent)
                (facts.device, facts.user) = (body[6..<14], body[21..<27])
                rejections.keep(facts, .body(body))
            }
            #expect(drain(rejections).map(\.bytes) == [clean])
        }
    }

    @Test func personalDataIsMaskedInBytesKeyAndId() {
        var facts = facts()
        facts.key = ByteView("jane@example.com")
        facts.messageID = ByteView("mail:bob@example.com")
        let kept = keepBody(#"{"q":"ann@example.com"}"#, facts)
        #expect(kept.map(\.bytes) == [#"{"q":"xxx@xxxxxxx.xxx"}"#])
        #expect(kept.map(\.key) == ["xxxx@xxxxxxx.xxx"])
        #expect(kept.map(\.id) == ["mail:xxx@xxxxxxx.xxx"])
        #expect(kept.map(\.flags) == [[.wholeBatch, .replayable, .masked]])
    }

    @Test func aSecondHoldsSoManyAndNoMore() {
        let rejections = Rejections(counters: counters)
        for number in 0..<200 {
            let second = Int64(number / 100)
            withView(#"{"v":1}"#) { body in
                let facts = facts(receivedAt: 1_790_000_000_000 + second * 1000)
                rejections.keep(facts, .body(body))
            }
        }
        #expect(drain(rejections).count == 2 * Limits.rejectionsPerSecondMaximum)
        #expect(counters.count(.rejectionsNotKept) == 100)
        let large = [UInt8](repeating: 0x20, count: Limits.rejectedBytesMaximum)
        for _ in 0..<20 {
            withView(large) { rejections.keep(facts(), .body($0)) }
            _ = drain(rejections)
        }
        #expect(counters.count(.rejectionsNotKept) == 100 + 16)
    }

    // MARK: - On the way of a beacon

    @Test func aBeaconOfAnUnknownKeyIsKeptWhole() {
        let route = RouteUnderTest()
        let text = beacon([("k", #""key-gone""#)])
        #expect(route.take(text) == .refused(.keyUnknown, "k"))
        let kept = drain(route.rejections)
        #expect(kept.map(\.bytes) == [text])
        #expect(kept.map(\.reason) == ["key-unknown"] && kept.map(\.key) == ["key-gone"])
        #expect(kept.map(\.site) == [""] && kept.map(\.flags) == [[.wholeBatch, .replayable]])
        #expect(kept.map(\.address) == ["203.0.113.0"])
    }

    @Test func oneBadEventIsKeptAsABeaconThatCanBeSentAgain() throws {
        let route = RouteUnderTest()
        let bad = #"{"t":"zz","n":2,"o":251}"#
        let taken = route.take(beacon(events: "\(goodEvent),\(bad),7"))
        #expect(taken.slice?.events.count == 1)
        let kept = drain(route.rejections)
        #expect(kept.map(\.reason) == ["event-type-unknown", "event-malformed"])
        #expect(kept.map(\.place) == ["e[1]", "e[2]"])
        #expect(kept.map(\.id) == ["window-0123456789abcd-2", ""])
        #expect(kept.map(\.bytes) == [beacon(events: bad), beacon(events: "7")])
        #expect(kept.map(\.site) == ["shop", "shop"])
    }

    @Test func aBatchOfBadEventsIsKeptOnce() {
        let route = RouteUnderTest()
        _ = route.take(beacon(events: #"{"t":"zz","n":2},{"t":"zy","n":3}"#))
        let reasons = drain(route.rejections).map(\.reason)
        #expect(reasons == ["event-type-unknown", "event-type-unknown"])
        _ = route.take(beacon(events: ""))
        #expect(drain(route.rejections).map(\.reason) == ["batch-empty"])
    }

    @Test func aBeaconWithoutConsentLeavesNoBytes() {
        let route = RouteUnderTest()
        _ = route.take(beacon([("k", #""key-gone""#), ("c", "0")]))
        #expect(drain(route.rejections).map(\.bytes) == [""])
        // Nothing is wrong with it, so nothing is kept.
        #expect(route.take(beacon([("c", "0")])) == .nothing)
        #expect(drain(route.rejections).isEmpty)
    }

    @Test func whatIsNoBeaconIsKeptAsItCame() {
        let route = RouteUnderTest()
        _ = route.take("{\"v\":1,")
        #expect(drain(route.rejections).map(\.bytes) == ["{\"v\":1,"])
    }

    @Test func aFullRingLosesThemCountedAndStopsNobody() {
        let rejections = Rejections(counters: counters)
        for _ in 0..<10 { withView(#"{"v":1}"#) { rejections.keep(facts(), .body($0)) } }
        let kept = drain(rejections, ringBytes: 1024)
        #expect(kept.count < 10)
        #expect(counters.count(.rejectionsNotKept) == Int64(10 - kept.count))
        #expect(rejections.isEmpty)
    }

    @Test func whatIsToBeTriedAgainIsNotKept() {
        for problem in Problem.allCases where problem.isTemporary {
            #expect(keepBody("{}", facts(problem)).isEmpty)
        }
    }
}
