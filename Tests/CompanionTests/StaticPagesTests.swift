// Goal: pages come with the headers that make them safe, are cached by content, and nothing but the
// pages can be fetched. Method: requests against a running companion with pages of the test's own.
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct StaticPagesTests {
    @Test func pagesAreServedWithTheirPolicy() throws {
        let companion = try RunningCompanion()
        let live = try companion.get("/live")
        #expect(live.status == 200 && live.body == "<title>live</title>")
        #expect(live.headers["content-type"] == "text/html; charset=utf-8")
        let policy = try #require(live.headers["content-security-policy"])
        #expect(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("8600") && !policy.contains("unsafe"))
        #expect(live.headers["referrer-policy"] == "strict-origin-when-cross-origin")
        #expect(
            try companion.get("/assets/live.js").headers["content-type"]
                == "text/javascript; charset=utf-8"
        )
    }

    @Test func demoIsTrackedByTheIngestPort() throws {
        let companion = try RunningCompanion()
        let demo = try companion.get("/demo/")
        #expect(demo.body == "<script src=\"http://127.0.0.1:8600/hg.js\"></script>")
        let policy = try #require(demo.headers["content-security-policy"])
        #expect(policy.contains("script-src 'self' http://127.0.0.1:8600;"))
        #expect(policy.contains("connect-src 'self' http://127.0.0.1:8600;"))
        #expect(try companion.get("/demo/shop.css").body == "{{ingest}}")
    }

    @Test func unchangedPageIsNotSentAgain() throws {
        let companion = try RunningCompanion()
        let tag = try #require(try companion.get("/live").headers["etag"])
        let again = try companion.get("/live", headers: "If-None-Match: \(tag)\r\n")
        #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
        #expect(try companion.get("/live", headers: "If-None-Match: \"x\"\r\n").status == 200)
        #expect(try companion.get("/demo/").headers["etag"] != tag)
    }

    @Test(arguments: [
        "/demo/../../../../etc/passwd", "/demo/%2e%2e/%2e%2e/etc/passwd", "/demo/secret.pem",
        "/assets/", "/live/index.html", "/hub/manifest.json", "/hub/hub.js.gz",
        "/hub/../live/live.js", "//etc/passwd", "/demo/shop.css/x", "/demo/.hidden",
    ])
    func nothingElseCanBeFetched(path: String) throws {
        #expect(try RunningCompanion().get(path).status == 404)
    }

    @Test func builtInPagesAreFoundBesideTheProgram() throws {
        let folder = try #require(PagesFolder.find(configured: nil))
        #expect(folder.hasPrefix("/"), "found by the working directory: \(folder)")
        let pages = StaticPages(folder: folder, hub: "/nowhere", ingest: "http://i")
        #expect(pages.pages["/live"] != nil && pages.pages["/demo/"] != nil && !pages.hasHub)
    }

    @Test func missingFolderIsSaid() { #expect(PagesFolder.find(configured: "/nowhere") == nil) }
}
