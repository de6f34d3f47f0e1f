// Goal: two texts have the same digest when, and only when, they say the same.
// Method: pairs that PostgreSQL's jsonb takes for equal or for different, and every one-byte change of
// a text's values.
import Testing

@testable import Bytes

private func digest(_ text: String) -> UInt64 {
    var buffer = ByteBuffer(capacity: text.utf8.count + 1)
    buffer.append(text: text)
    var digest = JSONDigest()
    return digest.of(buffer.view)
}

struct JSONDigestTests {
    @Test(arguments: [
        (#"{"a":1,"b":[true,null]}"#, #" { "b" : [ true , null ] , "a" : 1 } "#),
        (#"{"a":1,"a":2}"#, #"{"a":2}"#),
        (#"{"\u0061":"\u00e9\n"}"#, "{\"a\":\"é\\u000a\"}"),
        ("[1e2,1.50,-0]", "[100,1.5,0]"),
        ("[1e300]", "[1" + String(repeating: "0", count: 300) + "]"),
        (#"{"a":{"x":{},"y":[]}}"#, #"{"a":{"y":[],"x":{}}}"#),
    ]) func sameMeaningSameDigest(left: String, right: String) {
        #expect(digest(left) == digest(right))
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"{"b":1}"#), (#"{"a":1}"#, #"{"a":2}"#), (#"{"a":1}"#, #"{"a":"1"}"#),
        ("[1,2]", "[2,1]"), ("[]", "{}"), ("[[]]", "[]"), ("[0]", "[false]"), ("[null]", "[false]"),
        (#"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#), (#"{"a":{"b":1}}"#, #"{"b":{"a":1}}"#),
        (#"["ab","c"]"#, #"["a","bc"]"#), ("[1", "[1]"),
    ]) func anotherMeaningAnotherDigest(left: String, right: String) {
        #expect(digest(left) != digest(right))
    }

    @Test func everyChangedDigitShows() {
        let text = #"{"sc":[1,22,333],"S":[{"dwell":4711}],"u":"/a/b"}"#
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where (48...57).contains(byte) {
            var changed = bytes
            changed[index] = byte == 57 ? 56 : byte + 1
            #expect(digest(String(decoding: changed, as: UTF8.self)) != digest(text))
        }
    }
}
