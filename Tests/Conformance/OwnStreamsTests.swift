import Bytes
import Foundation
import Testing
import Wire

/// Streams of our own, which the differential test mutates as well: pipelined, chunked, old, and
/// what smugglers send.
@Suite struct OwnStreamsTests {
    @Test func everyCutGivesTheSame() throws {
        let streams = try ownStreams()
        #expect(streams.count > 30)
        print("own streams: \(streams.count), \(expectEveryCutTheSame(streams)) cuts")
    }

    @Test func whatIsRightIsReadAndWhatIsNotIsRefused() throws {
        let readings = try ownStreams().map { read($0) }
        #expect(readings.contains { $0.requests.count == 3 && !$0.isRefused })
        #expect(readings.filter(\.isRefused).count > 15)
        #expect(readings.filter { !$0.isRefused }.count > 9)
    }

    private func ownStreams() throws -> [[UInt8]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Differential/streams.txt")
        var blocks: [[String]] = []
        for line in try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("# ") {
                blocks.append([])
            } else {
                blocks[blocks.count - 1].append(line)
            }
        }
        return blocks.map { unescaped($0) }
    }
}

/// A target may be a whole address (RFC 9112 section 3.2.2); where its authority ends is agreed upon
/// by all, or two servers see two resources. Both faults here were found by the differential test.
@Suite struct TargetTests {
    @Test(arguments: [
        ("http://a/v1/e?x=1", "/v1/e", "x=1"), ("http://a", "/", ""),
        ("http://a?x=/y", "/", "x=/y"), ("https://a:1?", "/", ""), ("http://a/?b?c", "/", "b?c"),
    ])
    func anAuthorityEndsAtTheFirstSlashOrMark(target: String, path: String, query: String) {
        let reading = read(Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(reading.requests == [["get", path, query, "true", ""]])
    }

    @Test(arguments: ["http://", "http:///", "http://?a", "http://a@b/", "http://a#b", "HTTP://a/"])
    func otherAddressesAreRefused(target: String) {
        #expect(read(Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)).isRefused)
    }

    @Test func twoOriginsAreRefused() {
        let origins = "Origin: https://a\r\nOrigin: https://b\r\n"
        #expect(read(Array("GET / HTTP/1.1\r\nHost: a\r\n\(origins)\r\n".utf8)).isRefused)
    }

    @Test(arguments: ["a:80", "/", "/v1/e"])
    func aTunnelIsRefusedWhateverItsTarget(target: String) {
        #expect(read(Array("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)).isRefused)
    }
}

/// What stands between the last chunk and the end is fields, and none that frames (RFC 9112 section
/// 7.1.2, RFC 9110 section 6.5.1). The differential test found that any line was taken for one.
@Suite struct TrailerTests {
    @Test(arguments: [
        "", "A: b\r\n", "A:\r\nB:\tc\r\n", "Content-Lengths: 1\r\n", "Content: 1\r\n",
    ])
    func fieldsAreDropped(trailers: String) {
        #expect(chunked(trailers).requests.count == 2)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "A\r\n", ": b\r\n", "A : b\r\n", " A: b\r\n", "A: b\r\n\tc\r\n",
        "A: \u{1}\r\n",
        "Content-Length: 1\r\n", "transfer-ENCODING: chunked\r\n", "A: b\n",
    ])
    func otherLinesAreRefused(trailers: String) {
        #expect(chunked(trailers).isRefused)
    }

    private func chunked(_ trailers: String) -> RequestReading {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        return read(Array("\(head)1\r\nz\r\n0\r\n\(trailers)\r\n".utf8))
    }
}
