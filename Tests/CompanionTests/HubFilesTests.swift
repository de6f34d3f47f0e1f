// Goal: the Hub is served small, is cached for as long as it may be, tells nobody any data, and where it
// was not built whoever opens it reads what to do. Method: requests against a running companion with
// files of the test's own.
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct HubFilesTests {
    @Test func filesAreForAnybodyUnderTheStrictPolicy() throws {
        let companion = try RunningCompanion()
        let page = try companion.get("/hub/", caller: "")
        #expect(page.status == 200 && page.body == "<hg-shell>{{ingest}}")
        let policy = try #require(page.headers["content-security-policy"])
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"))
        #expect(policy.contains("trusted-types hub") && !policy.contains("unsafe"))
        #expect(try companion.get("/hub/hub.js", caller: "").status == 200)
        #expect(try companion.get("/api/v1/visitors", caller: "").status == 401)
    }

    @Test func theFolderHasItsSlash() throws {
        let companion = try RunningCompanion()
        for path in ["/hub", "/demo"] {
            let answer = try companion.get(path, caller: "")
            #expect(answer.status == 301 && answer.headers["location"] == path + "/")
        }
    }

    @Test func theFrontDoorLeadsToTheHub() throws {
        let front = try RunningCompanion().get("/")
        #expect(front.status == 303 && front.headers["location"] == "/hub/")
        let without = try RunningCompanion(hasHub: false).get("/")
        #expect(without.status == 303 && without.headers["location"] == "/live")
    }

    @Test func aHubThatWasNotBuiltSaysHowTo() throws {
        let answer = try RunningCompanion(hasHub: false).get("/hub/", caller: "")
        #expect(answer.status == 404 && answer.body.contains("Sources/Companion/Hub/build"))
        #expect(answer.headers["request-id"]?.isEmpty == false)
    }

    @Test func theSmallTwinGoesToWhoTakesIt() throws {
        let companion = try RunningCompanion()
        let plain = try companion.get("/hub/hub.js")
        #expect(plain.body == "1" && plain.headers["content-encoding"] == nil)
        #expect(plain.headers["vary"] == "Accept-Encoding")
        let gzip = "Accept-Encoding: br, gzip\r\n"
        let small = try companion.get("/hub/hub.js", headers: gzip)
        #expect(small.body == "small" && small.headers["content-encoding"] == "gzip")
        let tag = try #require(small.headers["etag"])
        #expect(tag != plain.headers["etag"] && tag.hasSuffix("\""))
        let known = "If-None-Match: \(tag)\r\n"
        #expect(try companion.get("/hub/hub.js", headers: gzip + known).status == 304)
        #expect(try companion.get("/hub/hub.js", headers: known).status == 200)
        let none = try companion.get("/hub/hub.css", headers: gzip)
        #expect(none.body == "a{}" && none.headers["vary"] == nil)
    }

    @Test func whatIsNamedByItsContentIsKept() throws {
        let companion = try RunningCompanion()
        let part = try companion.get("/hub/part-AB12.js").headers["cache-control"]
        #expect(part?.contains("immutable") == true)
        #expect(try companion.get("/hub/hub.js").headers["cache-control"] == "no-cache")
    }

    @Test(arguments: [
        ("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("gzip ; q=0.000", false),
        ("br", false), ("", false), ("xgzip", false),
    ])
    func gzipIsSentToWhoNamesIt(codings: String, isTaken: Bool) {
        #expect(StaticPages.Page.takesGzip([codings]) == isTaken)
    }
}
