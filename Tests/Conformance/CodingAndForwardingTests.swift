import Bytes
import Testing
import Wire

/// Fields that may come in several lines are one list, whatever the lines are.
@Suite struct CodingAndForwardingTests {
    /// The head of a request with these lines.
    private func parse<Result>(_ lines: [String], _ body: (RequestHead) -> Result) -> Result? {
        let text = "POST /v1/e HTTP/1.1\r\nHost: a\r\n" + lines.joined(separator: "\r\n")
        let bytes = Array((text + "\r\n\r\n").utf8)
        return bytes.withUnsafeBytes { memory in
            guard case .complete(let head) = RequestParser.parse(ByteView(memory)) else {
                return nil
            }
            return body(head)
        }
    }

    @Test(arguments: [
        (["Content-Encoding: gzip"], ContentCoding.gzip),
        (["content-encoding: X-GZIP"], .gzip),
        (["Content-Encoding: deflate"], .deflate),
        (["Content-Encoding: identity"], .identity),
        (["Content-Encoding: br"], .other),
        (["Content-Encoding: gzip, gzip"], .other),
        (["Content-Encoding: gzip,"], .other),
        (["Content-Encoding: gzip", "Content-Encoding: gzip"], .other),
        (["Content-Encoding: gzip", "Content-Encoding: identity"], .other),
        (["Content-Encoding: identity", "Content-Encoding: gzip"], .other),
    ])
    func stackedCodingsAreNotUndone(_ lines: [String], _ expected: ContentCoding) {
        #expect(parse(lines, \.coding) == expected)
    }

    @Test func theLastLinesOfAListAreKept() {
        let lines = (1...7).map { "X-Forwarded-For: 10.0.0.\($0)" }
        #expect(
            parse(lines) { $0.forwardedFor.map(\.text) }
                == ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"]
        )
        #expect(parse(["x-forwarded-for: a, b"]) { $0.forwardedFor.map(\.text) } == ["a, b"])
        #expect(parse(["X-Other: a"]) { $0.forwardedFor.isEmpty } == true)
    }
}
