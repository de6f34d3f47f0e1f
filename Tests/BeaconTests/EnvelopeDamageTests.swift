import Bytes
import Settings
import Telemetry
import TestSupport
import Testing
import Wire

/// A batch that is not what the wire format says is refused whole, with the place of the fault.
@Suite struct EnvelopeDamageTests {
    @Test func aGoodBeaconIsTakenWhole() throws {
        let text = beacon([
            ("b", #""batch-0123456789abcdef""#), ("q", "7"), ("d", #""device-0123456789abcdef""#),
            ("s", #""session-0123456789abcd""#), ("u", #""user-1""#), ("x", #"{"l":"de"}"#),
            ("lost", "2"),
        ])
        try withView(text) { body in
            let beacon = try BeaconDecoder.decode(body)
            #expect(beacon.key.equals("hg_demo"))
            #expect(beacon.batch.equals("batch-0123456789abcdef"))
            #expect(beacon.sentAt == 1_790_000_000_000)
            #expect(beacon.sentAtMonotonic == 500)
            #expect(beacon.window.equals("window-0123456789abcd"))
            #expect(beacon.sequence == 7)
            #expect(beacon.device.equals("device-0123456789abcdef"))
            #expect(beacon.session.equals("session-0123456789abcd"))
            #expect(beacon.user.equals("user-1"))
            #expect(beacon.consent == 3)
            #expect(beacon.context.equals(#"{"l":"de"}"#))
            #expect(beacon.lost == 2)
            #expect(beacon.events.text == "[\(goodEvent)]")
            #expect(beacon.unknownKeys == 0)
        }
    }

    @Test(arguments: ["v", "k", "w", "st", "e"])
    func eachNeededFieldIsMissedByName(_ key: String) {
        #expect(Decoded(beacon([(key, nil)])) == .refused("missing \(key)"))
    }

    @Test(arguments: ["mt", "b", "q", "d", "s", "u", "c", "x", "lost"])
    func theOthersMayBeAbsent(_ key: String) {
        #expect(Decoded(beacon([(key, nil)])) == .taken(unknownKeys: 0))
    }

    @Test(arguments: [
        ("v", #""1""#), ("k", "7"), ("st", #""now""#), ("mt", "null"), ("w", "{}"), ("w", "null"),
        ("c", "true"), ("c", #""3""#), ("x", "[]"), ("x", "7"), ("x", "null"), ("lost", "[]"),
        ("e", "{}"), ("e", #""[]""#), ("e", "null"), ("b", "false"), ("q", #""1""#), ("d", "1"),
        ("s", "[]"), ("u", "0"),
    ])
    func aWrongTypeIsNamedWithItsField(_ key: String, _ value: String) {
        #expect(Decoded(beacon([(key, value)])) == .refused("wrongType \(key)"))
    }

    @Test(arguments: [
        ("v", "1.0"), ("v", "1e0"), ("st", "1e15"), ("st", "-1e300"), ("st", "1e999"),
        ("mt", "1e15"),
        ("q", "9223372036854775808"), ("c", "-1"), ("c", "1.5"),
        ("lost", "99999999999999999999999"),
    ])
    func aNumberOutsideItsRangeIsNamedWithItsField(_ key: String, _ value: String) {
        #expect(Decoded(beacon([(key, value)])) == .refused("numberOutOfRange \(key)"))
    }

    @Test(arguments: ["0", "2", "-1", "9223372036854775807"])
    func otherVersionsAreNotSpoken(_ version: String) {
        let expected = version == "-1" ? "missing v" : "version"
        #expect(Decoded(beacon([("v", version)])) == .refused(expected))
    }

    @Test func fractionsOfMillisecondsAreDropped() throws {
        try withView(beacon([("st", "1790000000000.75"), ("mt", "12.9")])) { body in
            let beacon = try BeaconDecoder.decode(body)
            #expect(beacon.sentAt == 1_790_000_000_000)
            #expect(beacon.sentAtMonotonic == 12)
        }
    }

    @Test func anAbsentConsentIsNotAWithheldOne() throws {
        try withView(beacon([("c", nil)])) { body in
            let consent = try BeaconDecoder.decode(body).consent
            #expect(consent == nil)
        }
        try withView(beacon([("c", "0")])) { body in
            let consent = try BeaconDecoder.decode(body).consent
            #expect(consent == 0)
        }
    }

    @Test(arguments: [
        ("", "unexpectedEnd"), ("   ", "unexpectedEnd"), ("{", "unexpectedEnd"),
        ("[]", "wrongType"), ("null", "wrongType"), ("\"{}\"", "wrongType"), ("1", "wrongType"),
        ("{]", "unexpectedByte"), ("{\"v\" 1}", "unexpectedByte"), ("{v:1}", "unexpectedByte"),
        ("{'v':1}", "unexpectedByte"), ("{,}", "unexpectedByte"),
        ("{\"a\":1,}", "unexpectedByte"), ("{\"a\":01}", "unexpectedByte"),
        ("\u{feff}{}", "wrongType"),
    ])
    func whatIsNotOneObjectIsRefused(_ text: String, _ reason: String) {
        guard case .refused(let found) = Decoded(text) else {
            Issue.record("\(text) was taken")
            return
        }
        #expect(found.hasPrefix(reason), "\(found)")
    }

    @Test(arguments: ["{}", "x", ",", "}", "null", "\u{0}"])
    func nothingMayFollow(_ rest: String) {
        #expect(Decoded(beacon() + " \n\t\r") == .taken(unknownKeys: 0))
        #expect(Decoded(beacon() + rest) == .refused("trailingData batch"))
    }

    @Test func everyTruncationIsRefused() {
        let whole = beacon([("x", #"{"l":"d\u00e9","z":-60}"#)])
        for length in 0..<whole.utf8.count {
            let part = String(decoding: Array(whole.utf8)[0..<length], as: UTF8.self)
            if case .taken = Decoded(part) { Issue.record("taken at \(length): \(part)") }
        }
    }

    @Test func invalidUTF8AnywhereIsRefused() {
        for place in ["k", "w", "zz"] {
            var bytes = Array(beacon([(place, #""0123456789?bcdef0123""#)]).utf8)
            let mark = bytes.firstIndex(of: UInt8(ascii: "?")) ?? 0
            bytes[mark] = 0xff
            let reason = withView(bytes) { body in
                do throws(BeaconError) {
                    _ = try BeaconDecoder.decode(body)
                    return "taken"
                } catch {
                    guard case .json(let json, _) = error else { return "other" }
                    return "\(json.reason)"
                }
            }
            #expect(reason == "invalidUTF8")
        }
    }

    @Test func depthHasTheLimitThatTheAnswerNames() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let deepest = Limits.nestingDepthMaximum
        #expect("\(Problem.jsonTooDeep.row.reason)".contains(" \(deepest)"))
        #expect(Decoded(beacon([("zz", nested(deepest))])) == .taken(unknownKeys: 1))
        #expect(Decoded(beacon([("zz", nested(deepest + 1))])) == .refused("tooDeep batch"))
        #expect(Decoded(beacon(events: nested(deepest))) == .refused("tooDeep e"))
        #expect(Decoded(beacon([("zz", nested(10_000))])) == .refused("tooDeep batch"))
    }

    @Test func damageInsideTheEventsRefusesTheBatch() {
        for event in ["{", "{\"t\":}", "{\"t\":\"pv\"", "tru", "\"\\x\"", "01", "{}{}", "{},"] {
            guard case .refused = Decoded(beacon(events: event)) else {
                Issue.record("taken: \(event)")
                continue
            }
        }
    }
}
