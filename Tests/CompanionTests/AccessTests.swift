// Goal: nobody is told anything without a credential, a credential opens no more than it says, and what
// the API says of itself is what it does. Method: the parts alone, and requests against a running
// companion, built from its own OpenAPI document.
import Foundation
import Settings
import Testing
import Units

@testable import Companion

@Suite struct TokenTests {
    @Test func tokensAreReadBackAndTyposAreSeen() throws {
        for kind in [AccessToken.Kind.token, .session] {
            let token = AccessToken(kind)
            let text = token.secret.expose { $0 }
            let again = try #require(AccessToken(text))
            #expect(again.id == token.id && again.kind == kind && again.digest == token.digest)
            #expect(text.utf8.count == 62 && !"\(token)".contains(text.dropFirst(12)))
            for place in [0, 5, 20, 61] {
                var wrong = Array(text.utf8)
                wrong[place] = wrong[place] == 0x41 ? 0x42 : 0x41
                #expect(AccessToken(String(decoding: wrong, as: UTF8.self)) == nil)
            }
            #expect(AccessToken(String(text.dropLast())) == nil && AccessToken(text + "A") == nil)
        }
        #expect(AccessToken("") == nil)
        #expect(AccessToken(String(repeating: "é", count: 31)) == nil)
        #expect(Set((0..<1_000).map { _ in AccessToken(.token).digest }).count == 1_000)
    }

    @Test func digestsAreComparedWhole() {
        let one = AccessToken.sha256("abc")
        #expect(one.prefix(4) == [0xba, 0x78, 0x16, 0xbf])
        #expect(AccessToken.isSame(one, one))
        #expect(!AccessToken.isSame(one, AccessToken.sha256("abd")))
        #expect(!AccessToken.isSame([], []) && !AccessToken.isSame(one, Array(one.dropLast())))
    }

    @Test func nobodyGivesWhatTheyHaveNot() {
        let one = Grant(
            id: "a",
            name: "a",
            scopes: [.admin, .readStats],
            sites: ["shop"],
            expiresAt: nil
        )
        #expect(one.covers(scopes: [.readStats], sites: ["shop"]))
        #expect(!one.covers(scopes: [.readStats], sites: nil))
        #expect(!one.covers(scopes: [.readStats], sites: ["shop", "blog"]))
        #expect(!one.covers(scopes: [.readVisitors], sites: ["shop"]))
        #expect(Grant.owner.covers(scopes: Set(Scope.allCases), sites: nil))
    }

    @Test func theWelcomeCodeOpensOnceAndSoon() {
        let clock = SimulatedClock(epochMilliseconds: 1_000_000_000)
        let welcome = WelcomeCode(time: .simulated(clock))
        let first = welcome.make()
        #expect(!welcome.isTaken("") && !welcome.isTaken(first + "x"))
        #expect(welcome.isTaken(first) && !welcome.isTaken(first))
        let second = welcome.make()
        clock.advance(milliseconds: Limits.welcomeCodeMilliseconds)
        #expect(!welcome.isTaken(second))
    }

    @Test func bucketsRunDryAndFillAgain() {
        let clock = SimulatedClock(epochMilliseconds: 1_000_000_000)
        let buckets = TokenBuckets(perMinute: 60, burst: 3, time: .simulated(clock))
        for _ in 0..<3 { #expect(buckets.take("a") == nil) }
        #expect(buckets.take("a") == 1 && buckets.look("a") == 1 && buckets.take("b") == nil)
        clock.advance(milliseconds: 1_000)
        #expect(buckets.look("a") == nil && buckets.take("a") == nil && buckets.take("a") == 1)
    }
}

@Suite(.serialized, .onOwnThread) struct AccessTests {
    @Test func nothingIsToldWithoutACredential() throws {
        let companion = try RunningCompanion()
        let forged = AccessToken(.token).secret.expose { "Authorization: Bearer \($0)\r\n" }
        let callers = ["", "Authorization: Bearer hgt_x\r\n", "Authorization: Basic YTpi\r\n"]
        for (method, path, operation) in try operations(companion) {
            let isOpen = (operation["security"] as? [Any])?.isEmpty ?? false
            for caller in callers where !isOpen {
                let answer = try companion.get(path, method: method, caller: caller)
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                #expect(try json(answer.body)["code"] as? String == "unauthenticated")
            }
        }
        // Without PostgreSQL it cannot be known whose token that is.
        let answer = try companion.get("/api/v1/me", caller: forged)
        #expect(answer.status == 503)
    }

    @Test func pagesLeadToTheSignInAndBack() throws {
        let companion = try RunningCompanion()
        for (path, way) in [("/", "%2F"), ("/install?site=demo", "%2Finstall")] {
            let answer = try companion.get(path, caller: "")
            #expect(answer.status == 303 && answer.headers["location"] == "/welcome?next=\(way)")
        }
        #expect(try companion.get("/demo/", caller: "").status == 200)
        #expect(try companion.get("/healthz", caller: "").status == 200)
    }

    @Test func secretsInAddressesAreRefused() throws {
        let companion = try RunningCompanion()
        for query in ["token=x", "access_token=x", "site=hgt_0123"] {
            let answer = try companion.get("/api/v1/visitors?\(query)")
            #expect(answer.status == 400)
            #expect(try json(answer.body)["code"] as? String == "token-in-url")
        }
    }

    /// Each operation of the document with its path filled in.
    private func operations(
        _ companion: RunningCompanion
    ) throws -> [(method: String, path: String, operation: [String: Any])] {
        let document = try json(try companion.get("/api/v1/openapi.json", caller: "").body)
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        #expect(document["openapi"] as? String == "3.1.0" && paths.count > 10)
        return paths.flatMap { path, operations in
            let filled = path.replacingOccurrences(of: "{site}", with: "demo")
                .replacingOccurrences(of: "{id}", with: "x")
                .replacingOccurrences(of: "{code}", with: "not-found")
            return operations.map { ($0.key.uppercased(), "/api/v1" + filled, $0.value) }
        }
    }

    @Test func theDocumentSaysWhatIsServed() throws {
        let companion = try RunningCompanion()
        for (method, path, operation) in try operations(companion) where method == "GET" {
            if path.hasSuffix("/live") { continue }
            let answer = try companion.get(path)
            #expect(!answer.body.contains("There is nothing at this path"), "\(path)")
            #expect(answer.status != 405 && answer.status != 401)
            let names = (operation["parameters"] as? [[String: Any]] ?? []).map { $0["name"] }
            #expect(!names.contains { $0 as? String == "nonsense" })
            let wrong = try companion.get(path + "?nonsense=1")
            #expect(wrong.status == 400, "\(path) takes a parameter that it does not list")
            #expect(try companion.get(path, method: "PATCH").status == 405)
        }
    }

    @Test func theDocumentIsCachedByItsContent() throws {
        let companion = try RunningCompanion()
        let tag = try #require(try companion.get("/api/v1/openapi.json").headers["etag"])
        let again = try companion.get(
            "/api/v1/openapi.json",
            headers: "If-None-Match: \(tag)\r\n",
            caller: ""
        )
        #expect(again.status == 304 && again.body.isEmpty)
    }

    @Test func bodiesAreReadStrictly() throws {
        let companion = try RunningCompanion()
        let cases = [
            ("{}", "invalid-field"), ("[]", "invalid-field"), ("{", "invalid-json"),
            (#"{"name":"a","scopes":["read"],"x":1}"#, "unknown-field"),
            (#"{"name":"a","scopes":["everything"]}"#, "invalid-field"),
            (#"{"name":"a\nb","scopes":["read"]}"#, "invalid-field"),
            (#"{"name":"a","scopes":["read"],"sites":["nope"]}"#, "invalid-field"),
            (#"{"name":"a","scopes":["read"],"expires_days":0}"#, "invalid-field"),
        ]
        for (body, code) in cases {
            let answer = try companion.post("/api/v1/tokens", body)
            #expect(answer.status == 400, "\(body)")
            #expect(try json(answer.body)["code"] as? String == code, "\(body)")
        }
        let plain = try companion.post("/api/v1/tokens", "{}", type: "text/plain")
        #expect(plain.status == 415)
        let long = try companion.post("/api/v1/tokens", String(repeating: " ", count: 70_000))
        #expect(long.status == 413)
    }
}
