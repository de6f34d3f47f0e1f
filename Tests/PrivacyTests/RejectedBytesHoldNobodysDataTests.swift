import Bytes
import Foundation
import Privacy
import TestSupport
import Testing

/// Refused bytes are kept for the operator, and are nobody's address, phone or card; ids, times and
/// the rest stay readable.
@Suite struct RejectedBytesHoldNobodysDataTests {
    private func sanitise(_ text: String) -> (text: String, isMasked: Bool) {
        var isMasked = false
        let text = written { buffer in
            isMasked = withView(text) { bytes in
                var mask = RejectedBytes()
                return mask.sanitise(bytes, into: &buffer)
            }
        }
        return (text, isMasked)
    }

    @Test(arguments: [
        ("jane.doe@example.com", "xxxx.xxx@xxxxxxx.xxx"),
        (#"{"q":"jane@example.com","n":1}"#, #"{"q":"xxxx@xxxxxxx.xxx","n":1}"#),
        ("u=jane%40example.com&a=1", "u=xxxx%40xxxxxxx.xxx&a=1"),
        (#"{"q":"jane\u0040example.com"}"#, #"{"q":"xxxx\u0040xxxxxxx.xxx"}"#),
        (#"{"q":"a\nbob@example.com"}"#, #"{"q":"a\nxxx@xxxxxxx.xxx"}"#),
        (#"{"q":"\u00e9bob@example.com"}"#, #"{"q":"\u00e9xxx@xxxxxxx.xxx"}"#),
        (#"{"p":"+49 170 1234567"}"#, #"{"p":"+99 999 9999999"}"#),
        (#"{"p":"(212) 555-0199"}"#, #"{"p":"(999) 999-9999"}"#),
        (#"{"phone":"01701234567"}"#, #"{"phone":"99999999999"}"#),
        (#"{"ssn":123456789,"n":1}"#, #"{"ssn":999999999,"n":1}"#),
        (#"{"firstName":"Anna"}"#, #"{"firstName":"xxxx"}"#),
        ("my password is Geheim#77", "my password is xxxxxx#99"),
        (#"{"c":"4111 1111 1111 1111"}"#, #"{"c":"9999 9999 9999 9999"}"#),
        (#"{"c":4111111111111111}"#, #"{"c":9999999999999999}"#),
        (#"{"c":"378282246310005"}"#, #"{"c":"999999999999999"}"#),
    ])
    func personalDataIsOverwritten(_ raw: String, _ clean: String) {
        let (text, isMasked) = sanitise(raw)
        #expect(text == clean)
        #expect(isMasked)
    }

    @Test(arguments: [
        #"{"v":1,"k":"hg_demo","st":1790000000123,"mt":12345.678,"e":[]}"#,
        #"{"st":1790000000000.25,"w":"0192f0a1-b2c3-7d4e-8f50-123456789012"}"#,
        #"{"w":"AZLwobLDfU6PUBI0VniQ12","n":4294967295,"o":0.123456789012}"#,
        #"{"mo":[1,22,333,4444,55555],"sc":[0.25,1200,-3]}"#, "at @ home, 3 @ 5 pm",
        #"{"d":"2026-11-21","t":"2026-11-21T07:18:09.123Z"}"#, #"{"order":1234567890123456}"#,
    ])
    func whatIsNobodysStays(_ raw: String) {
        let (text, isMasked) = sanitise(raw)
        #expect(text == raw)
        #expect(!isMasked)
    }

    @Test func zeroBytesGoBecauseAHeaderHasThem() {
        let (text, isMasked) = sanitise("a\0\0\0\0\0\0\0\0b")
        #expect(text == "a        b")
        #expect(isMasked)
    }

    /// Lengths stay, JSON stays JSON, and a second run changes nothing.
    @Test func randomTextsStayWhatTheyAre() throws {
        let pieces = [
            "jane@example.com", "+49 170 1234567", "4111111111111111", "ssn ", #"\n"#, #"\u00e9"#,
            "é", "@",
            "%40", #"\u0040"#, ".", "-", "12", "a", " ", "(0)", #"\\"#, #"\""#,
        ]
        var dice = Dice(seed: 5)
        for _ in 0..<3_000 {
            let count = dice.roll(1...12)
            let body = (0..<count).map { _ in pieces[dice.roll(0...pieces.count - 1)] }
            let raw = #"{"x":""# + body.joined() + #""}"#
            let once = sanitise(raw).text
            #expect(once.utf8.count == raw.utf8.count)
            #expect(sanitise(once).text == once)
            let object = try JSONSerialization.jsonObject(with: Data(once.utf8))
            #expect(object is [String: Any], "\(raw) became \(once)")
        }
    }
}
