import Bytes
import Foundation
import Testing

/// What is written must be JSON again, and such that PostgreSQL's `jsonb` takes it.
@Suite struct JSONTextIsStorableTests {
    private func storable(_ text: String) -> String {
        String(
            decoding: withView(text) { view in
                written { JSONText.appendStorable(value: view, into: &$0) }
            },
            as: UTF8.self
        )
    }

    @Test(arguments: [
        (#""a""#, #""a""#), (#""\u0000""#, #""\ufffd""#), (#""\uD800""#, #""\ufffd""#),
        (#""\uDC00x""#, #""\ufffdx""#), (#""\uD83D\uDE00""#, #""\uD83D\uDE00""#),
        (#""\uD800\uD83D\uDE00""#, #""\ufffd\uD83D\uDE00""#), (#""\\u0000""#, #""\\u0000""#),
        (#""\\\u0000""#, #""\\\ufffd""#), (#""\uD83D\n""#, #""\ufffd\n""#),
        (#"{"\u0000k":["\udfff",1]}"#, #"{"\ufffdk":["\ufffd",1]}"#),
    ])
    func whatPostgresRefusesIsReplaced(text: String, expected: String) {
        #expect(storable(text) == expected)
    }

    @Test func randomEscapesStayJSONAndLoseNothingElse() throws {
        var dice = Dice(5)
        let pieces = [
            #"\u0000"#, #"\uD83D"#, #"\uDE00"#, #"\\"#, #"\""#, #"\n"#, "u0000", "é", "x",
            #"\u0041"#,
        ]
        for _ in 0..<3000 {
            let text =
                "\"" + (0..<dice.below(10)).map { _ in pieces[dice.below(10)] }.joined() + "\""
            let stored = storable(text)
            #expect(refusal(stored) == nil)
            let object = try JSONSerialization.jsonObject(
                with: Data(stored.utf8),
                options: [.fragmentsAllowed]
            )
            let value = try #require(object as? String)
            #expect(!value.unicodeScalars.contains("\0"))
            #expect(storable(stored) == stored, "a second pass changed \(stored)")
        }
    }

    @Test func quotedTextReadsBackAsItWas() {
        var dice = Dice(9)
        let letters = Array("\"\\\n\t\u{1}\u{1f}aé€😀/ ")
        for _ in 0..<2000 {
            let text = String((0..<dice.below(20)).map { _ in letters[dice.below(letters.count)] })
            let quoted = withView(text) { view in
                written { JSONText.appendQuoted(view, into: &$0) }
            }
            #expect(refusal(quoted) == nil)
            let inner = Array(quoted.dropFirst().dropLast())
            let back = withView(inner) { view in written { JSONText.unescape(view, into: &$0) } }
            #expect(back == Array(text.utf8))
        }
    }

    @Test func unescapingAlwaysGivesUTF8() {
        var dice = Dice(21)
        let pieces = [#"\uD83D"#, #"\uDE00"#, #"\u0000"#, #"\uFFFF"#, "é", #"\\"#, "a", #"\/"#]
        for _ in 0..<3000 {
            let raw = (0..<dice.below(8)).map { _ in pieces[dice.below(8)] }.joined()
            let bytes = withView(raw) { view in written { JSONText.unescape(view, into: &$0) } }
            #expect(String(validating: bytes, as: UTF8.self) != nil, "\(raw)")
        }
    }

    @Test func aPrefixCutsNoCharacterAndNoEscape() {
        var dice = Dice(33)
        let pieces = [#"\uD83D\uDE00"#, #"\n"#, #"\u00e9"#, "é", "😀", "plain", #"\\"#]
        for _ in 0..<2000 {
            let raw = (0..<dice.below(8)).map { _ in pieces[dice.below(7)] }.joined()
            let limit = dice.below(40)
            let length = withView(raw) { JSONText.prefixLength($0, limit: limit) }
            #expect(length <= limit || length == 0)
            let cut = Array(raw.utf8.prefix(length))
            #expect(refusal([0x22] + cut + [0x22]) == nil)
            #expect(limit - length < 12 || length == raw.utf8.count)
        }
    }
}
