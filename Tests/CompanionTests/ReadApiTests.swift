// Goal: the read API answers from Redis alone, checks what it is asked, and says what was wrong as
// RFC 9457 asks. Method: a running companion, a real Redis, requests byte by byte.
import Foundation
import Records
import Settings
import Telemetry
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct ReadApiTests {
    @Test func visitorHasEveryField() throws {
        let companion = try RunningCompanion()
        try companion.redis.store("v-1", score: 42.5, seen: 1_000)
        let answer = try companion.get("/api/v1/visitors/v-1?site=demo")
        let visitor = try json(answer.body)
        #expect(answer.status == 200 && answer.headers["cache-control"] == "private, no-store")
        #expect(visitor["visitor"] as? String == "v-1" && visitor["score"] as? Double == 42.5)
        #expect(visitor["band"] as? String == "warm" && visitor["profile"] as? String == "skeptic")
        #expect(visitor["confidence"] as? Double == 0.5 && visitor["likelihood"] as? Double == 0.25)
        #expect(visitor["model"] as? String == "m1" && visitor["seen"] as? Int == 1_000)
        #expect(visitor["updated"] as? Int == 1_000 && visitor["terms"] is [Any])
    }

    @Test func scoreIsTheOneOfNowAndTermsAreOrdered() throws {
        let companion = try RunningCompanion { state, site, moment in
            ScoredState(
                score: Double(state.count) + (moment > 2_000 ? 0.26 : 0),
                band: "hot",
                profile: "fast-mover",
                confidence: 1,
                likelihood: 0.9,
                terms: Signal.allCases.map { signal in
                    let sign = signal.rawValue % 2 == 0 ? 1.0 : -1.0
                    return .init(
                        signal: signal,
                        value: 0.5,
                        contribution: sign * Double(signal.rawValue)
                    )
                },
                sums: ["scroll_velocity": [0.1, 2, 3]],
                heads: ["lead": .init(label: "of \(site)", value: 0.5)]
            )
        }
        try companion.redis.store("v", score: 1, seen: 1_000)
        try companion.redis.ask([["HSET", "hg:demo:v:{v}", "state", "abc"]])
        let visitor = try json(try companion.get("/api/v1/visitors/v?site=demo").body)
        #expect(visitor["score"] as? Double == 3.3 && visitor["band"] as? String == "hot")
        let terms = try #require(visitor["terms"] as? [[String: Any]])
        #expect(terms.count == 27 && terms[0]["signal"] as? String == "engagement_quality")
        #expect(terms[1]["label"] as? String == "Friction mood")
        #expect(terms[1]["contribution"] as? Double == -25)
        let sums = try #require(visitor["sums"] as? [String: [Double]])
        #expect(sums["scroll_velocity"] == [0.1, 2, 3])
        let lead = (visitor["heads"] as? [String: [String: Any]])?["lead"]
        #expect(lead?["label"] as? String == "of demo" && lead?["value"] as? Double == 0.5)
    }

    @Test func newestComeFirstFromHotAndFromTheChannel() throws {
        let companion = try RunningCompanion()
        for number in 1...5 {
            try companion.redis.store("v\(number)", score: Double(50 - number), seen: Int64(number))
        }
        func newest(_ query: String = "") throws -> [String] {
            let answer = try json(try companion.get("/api/v1/visitors?site=demo\(query)").body)
            return (answer["visitors"] as? [[String: Any]] ?? []).compactMap {
                $0["visitor"] as? String
            }
        }
        #expect(try newest() == ["v5", "v4", "v3", "v2", "v1"])
        #expect(try newest("&limit=2") == ["v5", "v4"])
        try companion.awaitSubscribers(1)
        try companion.redis.store("v6", score: 1, seen: 10)
        try companion.redis.publish("v6", score: 1, updated: 10)
        try companion.redis.publish("v2", score: 1, updated: 20)
        while try newest("&limit=1") != ["v2"] {}
        #expect(try newest("&limit=2") == ["v2", "v6"])
    }

    @Test(arguments: [
        ("/api/v1/visitors?site=nope", 404, "not-found"),
        ("/api/v1/visitors?site=demo&site=demo", 400, "invalid-parameter"),
        ("/api/v1/visitors?site=demo&limit=0", 400, "invalid-parameter"),
        ("/api/v1/visitors?site=demo&limit=201", 400, "invalid-parameter"),
        ("/api/v1/visitors?site=demo&limit=1e1", 400, "invalid-parameter"),
        ("/api/v1/visitors/nobody?site=demo", 404, "not-found"),
        ("/api/v1/visitors/a%7Db?site=demo", 400, "invalid-parameter"),
        ("/api/v1/visitors/a%0d%0aFLUSHALL?site=demo", 400, "invalid-parameter"),
        (
            "/api/v1/visitors/\(String(repeating: "a", count: 64))?site=demo", 400,
            "invalid-parameter"
        ),
        ("/api/v1/live?site=nope", 404, "not-found"), ("/api/v1/nothing", 404, "not-found"),
        ("/nothing", 404, "not-found"),
    ])
    func mistakeIsAProblemDocument(path: String, status: Int, code: String) throws {
        let answer = try RunningCompanion().get(path)
        let problem = try json(answer.body)
        #expect(answer.status == status && problem["status"] as? Int == status)
        #expect(problem["code"] as? String == code, "\(answer.body)")
        #expect(problem["type"] as? String == "/api/v1/problems/\(code)")
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.headers["x-content-type-options"] == "nosniff")
    }

    @Test func otherMethodsAndHostsAreRefused() throws {
        let companion = try RunningCompanion()
        #expect(try companion.get("/healthz", method: "POST").status == 405)
        #expect(try companion.get("/healthz", method: "HEAD").status == 200)
        #expect(try companion.get("/healthz", host: "evil.example").status == 421)
        #expect(try companion.get("/healthz", host: "localhost:\(companion.port)").status == 200)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.0.0.1:8601", true), ("LOCALHOST:1", true), ("[::1]:8601", true),
        ("127.0.0.1.evil.example", false), ("localhost.evil.example", false), ("", false),
        ("127.1", false), ("[::1].evil.example", false), ("evil.example:8601", false),
    ])
    func onlyLoopbackNamesReachALoopbackServer(host: String, isAllowed: Bool) {
        #expect(HostRule(address: "127.0.0.1").allows(host) == isAllowed)
    }

    @Test(arguments: [
        ("10.1.2.3:8601", true), ("[fd00::1]", true), ("localhost", true),
        ("HUB.example:443", true),
        ("evil.example", false), ("hub.example.evil.example", false), ("10.1.2", false),
        ("", false),
    ])
    func anOpenServerAnswersToItsNamesAndToAddresses(host: String, isAllowed: Bool) {
        let rule = HostRule(address: "0.0.0.0", names: ["hub.example"])
        #expect(rule.allows(host) == isAllowed)
        #expect(HostRule(address: "127.0.0.1", names: ["hub.example"]).allows("hub.example"))
    }

    @Test func redisGoingAwayIsSaidAndGetsOver() throws {
        let companion = try RunningCompanion()
        try companion.redis.store("v", score: 1, seen: 1)
        #expect(try companion.get("/api/v1/visitors/v?site=demo").status == 200)
        companion.redis.stop()
        let answer = try companion.get("/api/v1/visitors/v?site=demo")
        #expect(answer.status == 503 && answer.headers["retry-after"] == "2")
        #expect(try json(answer.body)["code"] as? String == "store-unavailable")
        #expect(try companion.get("/healthz").status == 200)
        try companion.redis.start()
        try companion.redis.store("v", score: 1, seen: 1)
        #expect(try companion.get("/api/v1/visitors/v?site=demo").status == 200)
    }

    @Test func argumentsAreDataWhateverTheyHold() throws {
        let redis = try RedisServer()
        let hostile = "a\r\n*1\r\n$8\r\nFLUSHALL\r\n\0 \u{1b}"
        try redis.ask([["SET", "k", "1"], ["SET", hostile, hostile]])
        #expect(try redis.ask([["GET", hostile], ["GET", "k"]]).map(\.text) == [hostile, "1"])
    }
}
