import Bytes
import Settings
import Telemetry
import TestSupport
import Testing
import Wire

/// Every answer is one that a browser and a proxy understand without a doubt.
@Suite struct AnswersAreWellFramedTests {
    private struct Answer {
        var status: String
        var fields: [String: String]
        var body: String

        init(_ writer: borrowing ResponseWriter) {
            let text = writer.view.text
            let parts = text.split(
                separator: "\r\n\r\n",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            var lines = parts[0].split(separator: "\r\n").map(String.init)
            status = lines.removeFirst()
            body = parts.count > 1 ? String(parts[1]) : "(no end of the head)"
            fields = [:]
            for line in lines {
                let pair = line.split(separator: ":", maxSplits: 1)
                let value = pair[1].drop { $0 == " " }
                fields[String(pair[0]), default: ""] += String(value)
            }
        }
    }

    private static let instant: Int64 = 784_111_777_000
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private func frame(
        keepsAlive: Bool = true,
        origin: StaticString = "",
        isHead: Bool = false
    ) -> ResponseWriter.Frame {
        ResponseWriter.Frame(
            keepsAlive: keepsAlive,
            allowedOrigin: ByteView(origin),
            isHead: isHead
        )
    }

    private func answer(_ body: (inout ResponseWriter) -> Void) -> Answer {
        var writer = ResponseWriter(epochMilliseconds: Self.instant)
        body(&writer)
        return Answer(writer)
    }

    @Test func anAcknowledgementHasNoBodyAndNoLength() {
        let answer = answer { $0.noContent(frame(origin: "https://shop.example")) }
        #expect(answer.status == "HTTP/1.1 204 No Content")
        #expect(answer.body.isEmpty)
        #expect(answer.fields["Content-Length"] == nil)
        #expect(answer.fields["Connection"] == nil)
        #expect(answer.fields["Date"] == Self.date)
        #expect(answer.fields["Access-Control-Allow-Origin"] == "https://shop.example")
        #expect(answer.fields["Vary"] == "Origin")
        #expect(answer.fields["X-Heliograph-Position"] == nil)
    }

    @Test func aPositionIsShownWhenAskedFor() {
        let answer = answer { $0.noContent(frame(), position: (segment: 3, end: 4096)) }
        #expect(answer.fields["X-Heliograph-Position"] == "3-4096")
    }

    @Test func withoutAnOriginThereIsNothingAboutOrigins() {
        let answer = answer { $0.noContent(frame(keepsAlive: false)) }
        #expect(answer.fields["Access-Control-Allow-Origin"] == nil)
        #expect(answer.fields["Vary"] == nil)
        #expect(answer.fields["Connection"] == "close")
    }

    @Test func aPreflightNamesWhatMayBeSent() {
        let answer = answer { $0.preflight(frame(origin: "*")) }
        #expect(answer.status == "HTTP/1.1 204 No Content")
        #expect(answer.fields["Access-Control-Allow-Origin"] == "*")
        #expect(answer.fields["Access-Control-Allow-Methods"] == "POST")
        #expect(answer.fields["Access-Control-Allow-Headers"]?.contains("content-type") == true)
        #expect(answer.fields["Access-Control-Max-Age"] == "86400")
        #expect(answer.body.isEmpty)
    }

    @Test(arguments: Problem.allCases.filter { !$0.isAboutOneEvent })
    func everyProblemSaysCodeReasonAndPlace(_ problem: Problem) {
        let answer = answer { $0.problem(problem, at: "k, byte 7", frame()) }
        #expect(answer.status.hasPrefix("HTTP/1.1 \(problem.row.status) "))
        #expect(!answer.status.hasSuffix(" Unknown"))
        #expect(answer.fields["Content-Type"] == "application/problem+json")
        #expect(answer.fields["Content-Length"] == "\(answer.body.utf8.count)")
        #expect(answer.fields["X-Content-Type-Options"] == "nosniff")
        #expect(
            answer.body
                == "{\"type\":\"about:blank\",\"status\":\(problem.row.status),"
                + "\"code\":\"\(problem.row.code)\",\"reason\":\"\(problem.row.reason)\","
                + "\"message\":\"\(problem.row.reason)\",\"where\":\"k, byte 7\"}\n"
        )
        #expect((answer.fields["Retry-After"] != nil) == problem.isTemporary)
        #expect((answer.fields["WWW-Authenticate"] != nil) == (problem.row.status == 401))
    }

    @Test(arguments: [nil] + Problem.allCases.filter { !$0.isAboutOneEvent })
    func anImageIsAnImageWhateverHappensAndSaysWhatDid(_ problem: Problem?) {
        let answer = answer { $0.image(frame(), problem: problem) }
        #expect(answer.status.hasPrefix("HTTP/1.1 \(problem?.row.status ?? 200) "))
        #expect(answer.fields["Content-Type"] == "image/gif")
        #expect(answer.fields["Cache-Control"] == "no-store")
        #expect(answer.fields["Content-Length"] == "43")
        #expect(answer.body.hasPrefix("GIF89a"))
        #expect(answer.fields["X-Heliograph-Problem"] == problem.map { "\($0.row.code)" })
    }

    @Test func whatPassesSaysWhenToComeAgainAlsoToAPage() {
        let answer = answer { $0.problem(.journalFull, at: "journal", frame(origin: "*")) }
        #expect(answer.fields["Retry-After"] == "\(Limits.retryAfterSeconds)")
        #expect(answer.fields["Access-Control-Expose-Headers"] == "Retry-After")
    }

    @Test func aWrongMethodIsToldTheRightOnes() {
        let beacon = answer { $0.problem(.methodNotAllowed, at: "method", frame()) }
        #expect(beacon.fields["Allow"] == "POST, OPTIONS")
        let page = answer {
            $0.problem(.methodNotAllowed, at: "/metrics", allowed: "GET, HEAD", frame())
        }
        #expect(page.fields["Allow"] == "GET, HEAD")
        #expect(answer { $0.problem(.pathUnknown, at: "/", frame()) }.fields["Allow"] == nil)
    }

    @Test func aHeadRequestGetsTheHeadAlone() {
        let whole = answer { $0.problem(.pathUnknown, at: "/x", frame()) }
        let head = answer { $0.problem(.pathUnknown, at: "/x", frame(isHead: true)) }
        #expect(head.body.isEmpty)
        #expect(head.fields == whole.fields)
    }

    @Test func aPlaceCannotBreakTheJSON() {
        let hostile = "\"},\u{1}\\\r\nSet-Cookie: a=b\r\n\r\n<script>"
        let answer = answer { $0.problem(.pathUnknown, at: hostile, frame()) }
        #expect(answer.fields["Set-Cookie"] == nil)
        #expect(answer.fields["Content-Length"] == "\(answer.body.utf8.count)")
        #expect(
            answer.body.hasSuffix(
                #","where":"\"},\u0001\\\u000d\u000aSet-Cookie: a=b\u000d\u000a\u000d\u000a<script>"}"#
                    + "\n"
            )
        )
    }

    @Test func aLongPlaceIsCutAndTheJSONWhole() {
        for text in [
            "/" + String(repeating: "a", count: 8_000), String(repeating: "\u{1}", count: 900),
        ] {
            let answer = answer { $0.problem(.pathUnknown, at: text, frame()) }
            #expect(answer.body.hasSuffix("\"}\n"))
            #expect(answer.body.utf8.count < 2_000)
            #expect(!answer.body.contains("\"where\":\"\""))
        }
    }

    @Test func aBodyIsCountedAndFieldsStandBeforeIt() {
        let answer = answer {
            $0.content(
                type: "text/plain",
                fields: ByteView("ETag: \"1\"\r\n"),
                body: ByteView("hello"),
                frame()
            )
        }
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(answer.fields["ETag"] == "\"1\"")
        #expect(answer.fields["Content-Length"] == "5")
        #expect(answer.body == "hello")
        let unchanged = self.answer {
            $0.notModified(fields: ByteView("ETag: \"1\"\r\n"), frame())
        }
        #expect(unchanged.status == "HTTP/1.1 304 Not Modified")
        #expect(unchanged.fields["ETag"] == "\"1\"")
        #expect(unchanged.body.isEmpty)
    }

    @Test func theDateFollowsTheClock() {
        var writer = ResponseWriter(epochMilliseconds: 0)
        writer.noContent(frame())
        #expect(Answer(writer).fields["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT")
        writer.setDate(epochMilliseconds: Self.instant)
        writer.noContent(frame())
        #expect(Answer(writer).fields["Date"] == Self.date)
    }

    @Test func anAnswerReplacesTheOneBefore() {
        var writer = ResponseWriter(epochMilliseconds: 0)
        writer.problem(.overloaded, at: "x", frame())
        writer.goOn()
        #expect(writer.view.text == "HTTP/1.1 100 Continue\r\n\r\n")
    }
}
