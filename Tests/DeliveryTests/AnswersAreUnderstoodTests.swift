// Goal: each answer of a platform, and its absence, becomes the one action that conversions.md 1.8 and 2.9
// name. Method: tables of answers, odd ones too: errors in 200, HTML, fewer received than sent.
import Delivery
import Testing

private func error(_ code: Int, _ subcode: Int? = nil, transient: Bool = false) -> String {
    let subcode = subcode.map { ",\"error_subcode\":\($0)" } ?? ""
    return """
        {"error":{"message":"m","type":"OAuthException","code":\(code)\(subcode),"is_transient":\
        \(transient),"error_user_title":"Title","error_data":"{}","fbtrace_id":"T"}}
        """
}

private func answer(_ status: Int, _ body: String, _ headers: [String: String] = [:]) -> Answer {
    .response(status: status, headers: headers, body: Array(body.utf8))
}

private func again(_ code: String, _ most: Int = 8, doubt: Bool = false) -> Ruling {
    .retry(code: code, afterMilliseconds: nil, attemptsMaximum: most, mayHaveArrived: doubt)
}

private func fault(_ end: Fault.End, _ code: String, _ reason: String) -> Ruling {
    .bisect(alone: Fault(end: end, code: code, reason: reason, trace: "T"))
}

@Suite struct AnswersAreUnderstoodTests {
    private static let taken = "{\"events_received\":2,\"messages\":[],\"fbtrace_id\":\"T\"}"

    @Test(
        arguments: [
            (200, taken, .delivered(remark: nil, trace: "T")),
            (
                200, taken.replacing("[]", with: "[\"a\",\"b\"]"),
                .delivered(remark: "a; b", trace: "T")
            ),
            (200, taken.replacing("2", with: "1"), .inDoubt(code: "received-1-of-2")),
            (200, "<html>", again("unreadable-answer", doubt: true)),
            (200, "", again("unreadable-answer", doubt: true)),
            (200, "{\"events_rec", again("unreadable-answer", doubt: true)),
            (200, error(190, 463), .stop(code: "190/463", reason: "token-refused")),
            (500, error(190, 460), .stop(code: "190/460", reason: "token-refused")),
            (400, error(102), .stop(code: "102", reason: "token-refused")),
            (400, error(104), .stop(code: "104", reason: "token-refused")),
            (403, error(10), .stop(code: "10", reason: "not-permitted")),
            (403, error(200), .stop(code: "200", reason: "not-permitted")),
            (400, error(294), .stop(code: "294", reason: "not-permitted")),
            (400, error(3), .stop(code: "3", reason: "not-permitted")),
            (400, error(100, 33), .stop(code: "100/33", reason: "not-permitted")),
            (400, error(2635), .stop(code: "2635", reason: "upgrade-version")),
            (400, error(368), .pause(code: "368", forMilliseconds: 3_600_000, alert: true)),
            (400, error(1), again("1")), (500, error(2), again("2")),
            (500, error(5000), again("5000")),
            (400, error(-3), again("-3")), (400, error(21009), again("21009")),
            (400, error(100, 2804003, transient: true), again("100/2804003")),
            (400, error(777, transient: true), again("777")), (400, error(777), again("777")),
            (400, error(105), .split(code: "105")),
            (413, "<html>", .split(code: "http-413")),
            (429, "", .pause(code: "http-429", forMilliseconds: nil, alert: false)),
            (500, "<html>", again("http-500", .max, doubt: true)),
            (503, "", again("http-503", .max, doubt: true)), (301, "", again("http-301")),
            (404, "<html>", again("http-404")),
            (
                400, error(100, 2804001),
                fault(.resendWithoutClickID, "100/2804001", "invalid-click-id")
            ),
            (400, error(100, 2804003), fault(.expired, "100/2804003", "too-old")),
            (400, error(100, 2804009), fault(.dead, "100/2804009", "invalid-purchase")),
            (400, error(100, 2804010), fault(.dead, "100/2804010", "invalid-purchase")),
            (400, error(100, 2804050), fault(.dead, "100/2804050", "unmatched")),
            (400, error(100, 2804019), fault(.dead, "100/2804019", "Title")),
            (500, error(100), fault(.dead, "100", "Title")),
        ] as [(Int, String, Ruling)]
    )
    func metasCodeDecides(status: Int, body: String, ruling: Ruling) throws {
        #expect(try meta().read(answer(status, body), sent: 2) == ruling)
    }

    @Test(arguments: [4, 17, 32, 341, 613, 80_000, 80_003, 80_004, 80_014], [400, 403, 429, 500])
    func aLimitPausesUnderAnyStatus(code: Int, status: Int) throws {
        let usage = """
            {"9":[{"type":"x","call_count":100,"estimated_time_to_regain_access":7}]}
            """
        let plain = try meta().read(answer(status, error(code)), sent: 1)
        #expect(plain == .pause(code: "\(code)", forMilliseconds: nil, alert: false))
        let headers = ["X-Business-Use-Case-Usage": usage]
        let hinted = try meta().read(answer(status, error(code), headers), sent: 1)
        #expect(hinted == .pause(code: "\(code)", forMilliseconds: 420_000, alert: false))
    }

    @Test func aNearlySpentAllowanceIsRespected() throws {
        func rest(_ headers: [String: String]) throws -> Int64? {
            try meta().restMilliseconds(after: answer(200, Self.taken, headers))
        }
        #expect(try rest([:]) == nil)
        #expect(try rest(["x-app-usage": "{\"call_count\":74,\"total_time\":3}"]) == nil)
        #expect(try rest(["x-app-usage": "{\"call_count\":10,\"total_time\":75}"]) == 5_000)
        #expect(try rest(["X-Ad-Account-Usage": "{\"acc_id_util_pct\":95.5}"]) == 60_000)
        #expect(try rest(["x-app-usage": "nonsense"]) == nil)
    }

    @Test func silenceIsRetriedWithItsDoubt() throws {
        for destination in [try meta(), try webhook()] {
            let sent = destination.read(.failure(.reset, mayHaveArrived: true), sent: 1)
            #expect(sent == again("reset", .max, doubt: true))
            let unsent = destination.read(.failure(.nameNotFound, mayHaveArrived: false), sent: 1)
            #expect(unsent == again("name-not-found", .max))
        }
        let google = try google().read(.failure(.timedOut, mayHaveArrived: true), sent: 1)
        #expect(google == again("timed-out", 6, doubt: true))
    }

    @Test(
        arguments: [
            (204, .delivered(remark: nil, trace: nil)), (200, .delivered(remark: nil, trace: nil)),
            (500, again("http-500", 3)), (429, again("http-429", 3)),
            (413, .split(code: "http-413")),
            (
                404,
                .bisect(alone: Fault(end: .dead, code: "http-404", reason: "refused", trace: nil))
            ),
        ] as [(Int, Ruling)]
    )
    func googlesStatusDecides(status: Int, ruling: Ruling) throws {
        #expect(try google().read(answer(status, "<html>"), sent: 2) == ruling)
    }

    @Test(
        arguments: [
            (200, .delivered(remark: nil, trace: nil)), (202, .delivered(remark: nil, trace: nil)),
            (410, .stop(code: "http-410", reason: "gone")),
            (429, .pause(code: "http-429", forMilliseconds: 9_000, alert: false)),
            (
                404,
                .bisect(alone: Fault(end: .dead, code: "http-404", reason: "refused", trace: nil))
            ),
            (
                302,
                .bisect(alone: Fault(end: .dead, code: "http-302", reason: "refused", trace: nil))
            ),
        ] as [(Int, Ruling)]
    )
    func aWebhooksStatusDecides(status: Int, ruling: Ruling) throws {
        #expect(try webhook().read(answer(status, "", ["Retry-After": "9"]), sent: 1) == ruling)
    }

    @Test(arguments: [408, 500, 503])
    func aWebhookThatFailedIsTriedAgain(status: Int) throws {
        let found = try webhook().read(answer(status, ""), sent: 1)
        #expect(found == again("http-\(status)", .max, doubt: true))
    }
}
