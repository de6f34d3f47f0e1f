import Bytes
import Testing

/// Edges of the cursor that a random text seldom meets.
@Suite struct JSONEdgesTests {
    @Test(arguments: [0, 1, 6, 7, 8, 9, 15, 16, 17])
    func aStringMayEndAtAnyPlaceInAWord(length: Int) throws {
        let plain = String(repeating: "a", count: length)
        for tail in ["", "é", "\\n", "\\u00e9", "😀"] {
            for padding in ["", "          "] {
                #expect(refusal("\"\(plain)\(tail)\"\(padding)") == nil)
                #expect(refusal("\"\(plain)\(tail)\(padding)")?.reason == .unexpectedEnd)
                #expect(refusal("\"\(plain)\u{1f}\(tail)\"\(padding)")?.reason == .controlCharacter)
                #expect(refusal("\"\(plain)\\x\(tail)\"\(padding)")?.reason == .invalidEscape)
            }
        }
    }

    @Test func everyMalformedSequenceOfTwoBytesIsRefusedAtItsPlace() {
        for first in UInt8(0x80)...0xff {
            for second in [UInt8(0x20), 0x7f, 0x80, 0xbf, 0xc0] {
                let bytes = [0x22, 0x61, first, second, 0x22, 0x20, 0x20, 0x20, 0x20, 0x20]
                let isWellFormed = (0xc2...0xdf).contains(first) && (0x80...0xbf).contains(second)
                let found = refusal(bytes)
                #expect((found == nil) == isWellFormed)
                if !isWellFormed { #expect(found == JSONError(.invalidUTF8, at: 2)) }
            }
        }
    }

    @Test(arguments: [
        ("\u{FFFF}", true), ("\u{10FFFF}", true), ("\u{D7FF}", true), ("\u{E000}", true),
    ])
    func boundariesOfUnicodeAreAccepted(text: String, isGood: Bool) {
        #expect((refusal("\"\(text)\"") == nil) == isGood)
    }

    @Test(arguments: [
        [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf],
        [0xc0, 0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98],
    ])
    func surrogatesOverlongAndCutSequencesAreRefused(sequence: [UInt8]) {
        #expect(refusal([0x22] + sequence + [0x22])?.reason == .invalidUTF8)
    }

    @Test func nestingIsBoundedForObjectsAndArrays() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deepest = JSONCursor.depthMaximum
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            #expect(refusal(nested(deepest)) == nil)
            #expect(refusal(nested(deepest + 1))?.reason == .tooDeep)
        }
        withView("[[1]]") { view in
            var cursor = JSONCursor(view)
            #expect(throws: JSONError.self) { try cursor.skip(depth: JSONCursor.depthMaximum) }
        }
    }

    @Test func closingBracketsMustMatch() {
        for text in ["[}", "{]", "[1}", "{\"a\":1]", "[[1]}", "{\"a\":[1}}", "[1,]", "{\"a\":1,}"] {
            #expect(refusal(text)?.reason == .unexpectedByte, "\(text)")
        }
    }

    @Test func skippingReturnsTheBytesOfTheValueAlone() throws {
        try withView("  {\"a\" : [1, 2]} , ") { view in
            var cursor = JSONCursor(view)
            let value = try cursor.skip()
            #expect(value.equals("{\"a\" : [1, 2]}"))
            #expect(cursor.position == 16)
        }
    }

    @Test func aWrongTypeIsNamed() {
        withView("\"text\"") { view in
            var cursor = JSONCursor(view)
            #expect(throws: JSONError(.wrongType, at: 0)) { try cursor.integer() }
            #expect(throws: JSONError(.wrongType, at: 0)) { try cursor.boolean() }
            #expect(throws: JSONError(.wrongType, at: 0)) { try cursor.null() }
            #expect(throws: JSONError(.wrongType, at: 0)) { try cursor.beginObject() }
            #expect(throws: JSONError(.wrongType, at: 0)) { try cursor.beginArray() }
        }
    }
}
