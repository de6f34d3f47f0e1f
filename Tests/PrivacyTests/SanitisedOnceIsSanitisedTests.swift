// Goal: what is stored holds no personal data, is the same JSON where there was none, and does not change
// when it is sanitised again.

import Bytes
import Foundation
import TestSupport
import Testing

@testable import Privacy

@Suite struct SanitisedOnceIsSanitisedTests {
    private func sanitised(
        _ object: String,
        _ policy: SanitisePolicy = SanitisePolicy()
    ) -> (text: String, findings: Findings) {
        var sanitiser = Sanitiser()
        var findings = Findings()
        let text = written { output in
            withView(object) {
                findings = sanitiser.append(object: $0, policy: policy, into: &output)
            }
        }
        return (text, findings)
    }

    @Test(arguments: [
        (#"{"note":"mail jane@example.com now"}"#, #"{"note":"mail [email] now"}"#),
        (#"{"ssn":"123-45-6789"}"#, #"{"ssn":null}"#), (#"{"ssn":123456789}"#, #"{"ssn":null}"#),
        (#"{"q":"my ssn is 123-45-6789 ok"}"#, #"{"q":"my ssn is [*] ok"}"#),
        (#"{"cards":["4242424242424242","x"]}"#, #"{"cards":[null,"x"]}"#),
        (#"{"phone":4155550132}"#, #"{"phone":"[phone]"}"#),
        (#"{"user":{"first_name":"Zo\u00eb"}}"#, #"{"user":{"first_name":"[name]"}}"#),
        (#"{"jane@example.com":1,"a":2}"#, #"{"[redacted-1]":1,"a":2}"#),
        (#"{"lat":52.52001}"#, #"{"lat":"[geo]"}"#),
        (#"{"q":"diabetes \"diet\""}"#, #"{"q":"[health] \"diet\""}"#),
        (#"{"a":"b\u0000 jane@example.com"}"#, #"{"a":"b\ufffd [email]"}"#),
    ])
    func personalDataIsReplaced(_ object: String, _ expected: String) throws {
        let (text, findings) = sanitised(object)
        #expect(text.replacing("\\u0000", with: "\\ufffd") == expected)
        #expect(findings.total == 1)
        _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    @Test func positionsStayCoarseWithConsent() {
        let policy = SanitisePolicy(keepsCoarsePosition: true)
        #expect(
            sanitised(#"{"lat":52.52001,"lng":-13.40495}"#, policy).text
                == #"{"lat":52.5,"lng":-13.4}"#
        )
        let pair = sanitised(#"{"gps":"52.52001,13.40495"}"#, policy)
        #expect(pair.text == #"{"gps":"52.5,13.4"}"#)
        #expect(sanitised(pair.text, policy).findings.isEmpty)
    }

    @Test func healthClosesDoors() {
        #expect(sanitised(#"{"q":"hiv test"}"#).findings.isSensitive)
        #expect(!sanitised(#"{"q":"jane@example.com"}"#).findings.isSensitive)
    }

    @Test(arguments: [
        #"{"a":1,"b":[true,null,-2.5e3],"c":{"d":"é\n","e":"\u00e9"},"f":"","g":[]}"#,
        #"{"name":"Shoe","price":1299.99,"ts":1735689600000,"sku":"AB123456E","x":[1,22,333]}"#,
        #"{"a":"\ud800","b":"\u0000"}"#,
    ])
    func cleanObjectsAreWhatTheyWouldBe(_ object: String) {
        let storable = written { output in
            withView(object) { JSONText.appendStorable(value: $0, into: &output) }
        }
        let (text, findings) = sanitised(object)
        #expect(text == storable)
        #expect(findings == Findings())
    }

    private static let pieces = [
        "jane@example.com", "+49 170 1234567", "4242424242424242", "123-45-6789", "ssn ", "call ",
        "my name is ", "Anna Meier", "password is ", "Geheim#77", "diabetes", "treatment for ",
        "stress", " ", "-", ".", "@", "%40", "&#64;", "12", "9", "é", "田中", "[email]", "[*]",
        "ship to ", "12 Main Street", "born ", "1988-11-05", "203.0.113.7",
        "DE89370400440532013000",
        "gps 52.52001, 13.40495", ":", "=", "&", "iban ", "{", "}", ",", "x",
    ]

    @Test func twiceChangesNothing() throws {
        var dice = Dice(seed: 11)
        let keys = [
            "note", "email", "ssn", "q", "first_name", "phone", "diagnosis", "address", "x",
        ]
        for _ in 0..<4_000 {
            let body = (0..<dice.roll(1...10)).map { _ in
                Self.pieces[dice.roll(0...Self.pieces.count - 1)]
            }
            let key = keys[dice.roll(0...keys.count - 1)]
            let object = #"{"\#(key)":"\#(body.joined())"}"#
            let once = sanitised(object)
            let twice = sanitised(once.text)
            #expect(twice.text == once.text, "\(object)")
            #expect(twice.findings.isEmpty, "\(object) became \(once.text)")
            _ = try JSONSerialization.jsonObject(with: Data(once.text.utf8))
        }
    }

    /// Bounds lie between characters, ascend and do not overlap, whatever the bytes.
    @Test func boundsAreBetweenCharacters() {
        var dice = Dice(seed: 12)
        var detector = Detector()
        for _ in 0..<4_000 {
            var bytes = (0..<dice.roll(1...12)).flatMap { _ in
                Array(Self.pieces[dice.roll(0...Self.pieces.count - 1)].utf8)
            }
            if dice.roll(0...3) == 0 {
                bytes[dice.roll(0...bytes.count - 1)] = UInt8(dice.roll(0...255))
            }
            withView(bytes) { view in
                let place = TextPlace.allCases[dice.roll(0...TextPlace.allCases.count - 1)]
                detector.scan(view, at: place)
                var last = 0
                for span in detector.spans {
                    #expect(span.start >= last && span.end > span.start && span.end <= view.count)
                    let isCut = { (index: Int) in index < view.count && view[index] & 0xc0 == 0x80 }
                    #expect(!isCut(span.start) && !isCut(span.end))
                    last = span.end
                }
            }
        }
    }
}

/// Goal: hostile texts cost what their length says, counted in steps of the scanners.
@Suite struct WorkIsLinearTests {
    private func steps(_ unit: String, _ length: Int, key: String = "") -> Int {
        var detector = Detector()
        let text = String(
            String(repeating: unit, count: length / unit.utf8.count + 1).prefix(length)
        )
        return withView(text) { view in
            withView(key) { key in
                detector.scan(view, at: .freeText, key: key)
                return detector.steps
            }
        }
    }

    @Test(arguments: [
        "@", "1 ", "%25", "(", "a@b.", "1-", "<", "my name is ", "password is x1 ", "ssn ",
        "{\"a\":",
        "\"a\":1,", "=&", "://", "a:", "::", "1.2.", "eyJ.", "at dot ", "icd ", "treatment stress ",
        "DE89", "田", "私の名前は", "\\u00", "&#6", "Anna ", "reset/", "12.345,", "<<", "-",
    ])
    func hostileTextsCostTheirLength(_ unit: String) {
        for key in ["", "ssn", "first_name", "password", "gps"] {
            let (small, large) = (steps(unit, 500, key: key), steps(unit, 4_000, key: key))
            #expect(large <= max(small, 500) * 16, "\(unit) under \(key): \(small), \(large)")
        }
    }
}
