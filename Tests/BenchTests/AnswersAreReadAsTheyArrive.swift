import BenchLoad
import Testing

@Suite struct AnswersAreReadAsTheyArrive {
    private func scan(_ text: String) -> ResponseScanner.Outcome {
        Array(text.utf8).withUnsafeBufferPointer { ResponseScanner.scan($0) }
    }

    private static let refused =
        "HTTP/1.1 503 Service Unavailable\r\nretry-After:  7\r\nContent-Length: 5\r\n"
        + "CONNECTION: close\r\n\r\n{\"a\""

    @Test func anEmptyAnswerIsCompleteAtTheEmptyLine() {
        let text = "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"
        let expected = Response(
            status: 204,
            length: text.utf8.count,
            retryAfterSeconds: 0,
            closes: false
        )
        #expect(scan(text) == .complete(expected))
        #expect(scan(text + "HTTP/1.1 204") == .complete(expected))
    }

    @Test func everyPrefixIsUnfinished() {
        let bytes = Array((Self.refused + "}").utf8)
        for count in 0..<bytes.count {
            let outcome = bytes[..<count].withUnsafeBufferPointer { ResponseScanner.scan($0) }
            #expect(outcome == .unfinished)
        }
    }

    @Test func aRefusalSaysWhenToTryAgainAndThatTheConnectionEnds() {
        let text = Self.refused + "}"
        let expected = Response(
            status: 503,
            length: text.utf8.count,
            retryAfterSeconds: 7,
            closes: true
        )
        #expect(scan(text) == .complete(expected))
    }

    @Test func whatIsNotHTTPIsMalformed() {
        #expect(scan("220 mail.example ESMTP\r\n") == .malformed)
        #expect(scan("HTTP/1.1 2x4 No Content\r\n\r\n") == .malformed)
    }

    @Test func metricsAreAddedUpOverTheirLabelsAndNotMixedUp() {
        let text = """
            # HELP heliograph_events_folded_total events
            # TYPE heliograph_events_folded_total counter
            heliograph_events_folded_total{worker="0",site="a b"} 12
            heliograph_events_folded_total{worker="1"} 30 1790000000000
            heliograph_events_folded_total_late 999
            heliograph_up 1
            """
        #expect(Prometheus.sum(of: "heliograph_events_folded_total", in: text) == 42)
        #expect(Prometheus.sum(of: "heliograph_up", in: text) == 1)
        #expect(Prometheus.sum(of: "heliograph_events", in: text) == nil)
    }
}

@Suite struct TemplatesAreCheckedWhenRead {
    @Test func marksThatNobodyKnowsAreRefused() {
        #expect(throws: Template.Failure.unknownMark("foo")) { try Template("{<foo>}") }
        #expect(throws: Template.Failure.unclosedMark) { try Template("{<int:1:2}") }
        #expect(throws: Template.Failure.badNumber("9:1")) { try Template("<int:9:1>") }
        #expect(throws: Template.Failure.badNumber("x")) { try Template("<ago:x>") }
    }

    @Test func eventsAreCounted() throws {
        #expect(try Template(#"[{"n":<event>},{"n":<event>}]"#).eventCount == 2)
    }
}
