import Bytes
import Settings
import TestSupport
import Testing

@testable import heliograph

/// Of a page's context only known plain values stay.
@Suite struct ContextReaderTests {
    private func read(_ object: String) -> (text: String, touch: Bool, driven: Bool) {
        var facts = ContextReader.Facts()
        var output = ByteBuffer(capacity: 64, limit: Limits.contextBytesMaximum)
        withView(object) { facts = ContextReader.read($0, into: &output) }
        return (output.view.text, facts.isTouch, facts.isDriven)
    }

    @Test(arguments: [
        ("", ""), ("{}", ""), (#"{"zz":1}"#, ""), (#"{"l":null}"#, ""), (#"{"l":["de"]}"#, ""),
        (#"{"l":{"a":1}}"#, ""), (#"{"l":"de"}"#, #"{"l":"de"}"#),
        (#"{ "zz" : 1 , "z" : -60 }"#, #"{"z":-60}"#), (#"{"l":"\u0000"}"#, #"{"l":"\ufffd"}"#),
    ])
    func whatIsNotKnownAndPlainGoes(_ object: String, _ kept: String) {
        #expect(read(object).text == kept)
    }

    @Test func longValuesGo() {
        let long = String(repeating: "x", count: 63)
        #expect(read("{\"l\":\"\(long)\",\"vw\":1}").text == #"{"vw":1}"#)
    }

    @Test func repeatsWithoutEndLeaveNothing() {
        let many = [String](repeating: #""l":"de""#, count: 400).joined(separator: ",")
        #expect(read("{\(many)}").text == "")
    }

    @Test func brokenTextLeavesNothing() {
        #expect(read(#"{"l":"de","vw":}"#).text == "")
    }

    @Test func aFingerIsZeroAndNothingElse() {
        #expect(read(#"{"in":0}"#).touch)
        for value in ["1", "2", "\"0\"", "false", "null"] {
            #expect(!read("{\"in\":\(value)}").touch)
        }
        #expect(read(#"{"wd":1}"#).driven)
        #expect(!read(#"{"wd":0}"#).driven)
    }
}
