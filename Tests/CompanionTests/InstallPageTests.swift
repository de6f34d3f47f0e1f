// Goal: a site owner gets a snippet that works as it stands, for their own site, without a script on the
// page; and nothing of a site's settings can break out of it. Method: the page rendered, and served by a
// running companion.
import Foundation
import Settings
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct InstallPageTests {
    private var facts: ScriptFacts {
        var facts = ScriptFacts()
        facts.script = ScriptFacts.File(
            fixedPath: "/hg.1a2b3c4d5e6f.js",
            newestPath: "/hg.js",
            integrity: "sha384-abc+/="
        )
        return facts
    }

    private func snippets(_ facts: ScriptFacts) -> InstallSnippets {
        InstallSnippets(ingest: "https://in.example", facts: facts, key: "pk_live_1")
    }

    private func site(_ name: String, key: String) -> Site {
        Site(name: name, keys: [key, "older"], origins: [], allowsAnyOrigin: true)
    }

    private func page(_ facts: ScriptFacts) throws -> InstallPage {
        let folder = try #require(PagesFolder.find(configured: nil))
        return try #require(
            InstallPage(
                folder: folder,
                ingest: "https://in.example",
                sites: [site("shop", key: "pk_live_1"), site("blog", key: "pk_blog")],
                script: facts
            )
        )
    }

    @Test func theTagNamesTheVeryFileAndItsDigest() {
        #expect(
            snippets(facts).plain == """
                <script async src="https://in.example/hg.1a2b3c4d5e6f.js"
                    integrity="sha384-abc+/="
                    crossorigin="anonymous"
                    data-key="pk_live_1"
                    data-consent="1"></script>
                """
        )
        #expect(snippets(facts).newest.contains("src=\"https://in.example/hg.js\""))
        #expect(!snippets(facts).newest.contains("integrity"))
        #expect(snippets(facts).app.contains("data-spa=\"path\""))
        #expect(snippets(facts).module == nil)
    }

    @Test func aTagManagersScriptSetsTheSameAttributes() {
        let text = snippets(facts).manager
        for line in [
            "tag.src = 'https://in.example/hg.1a2b3c4d5e6f.js';",
            "tag.integrity = 'sha384-abc+/=';", "tag.crossOrigin = 'anonymous';",
            "tag.setAttribute('data-key', 'pk_live_1');",
        ] { #expect(text.contains(line), "\(line)") }
        #expect(!text.contains("let ") && !text.contains("=>") && !text.contains("`"))
    }

    @Test func pathsOfTheOwnersAreToldToTheScript() {
        var own = facts
        own.endpoint = "/assets/in"
        own.module = ScriptFacts.File(fixedPath: "/m.1.mjs", newestPath: "/m.mjs", integrity: "")
        let made = snippets(own)
        for text in [made.plain, made.newest, made.app] {
            #expect(text.contains("data-endpoint=\"https://in.example/assets/in\""))
        }
        #expect(made.manager.contains("('data-endpoint', 'https://in.example/assets/in')"))
        #expect(made.module?.contains("endpoint: 'https://in.example/assets/in'") == true)
        #expect(!snippets(facts).plain.contains("data-endpoint"))
    }

    @Test func thePageIsWholeForEachSite() throws {
        let text = try page(facts).render(site: 1, of: [0, 1], events: 3)
        #expect(!text.contains("{{"))
        #expect(text.contains("data-key=&quot;pk_blog&quot;"))
        #expect(!text.contains("pk_live_1"))
        #expect(text.contains("<option value=\"blog\" selected>blog</option>"))
        #expect(text.contains("It works: 3 events have come"))
        #expect(
            try page(facts).render(site: 0, of: [0, 1], events: 0).contains("No event has come")
        )
        #expect(try page(facts).render(site: 0, of: [0], events: nil).contains("cannot be asked"))
        #expect(
            try page(ScriptFacts()).render(site: 0, of: [0, 1], events: 0).contains("sdk-js/build")
        )
        #expect(!(try page(facts).render(site: 0, of: [0], events: 0)).contains("blog"))
        #expect(!text.contains("<script>"), "a snippet is text, not a part of the page")
    }

    @Test func theReferenceBecomesAPageInWhichEverythingIsText() {
        let html = ReferencePage.render(
            """
            # API <script>

            A `Score<T>` & more
            in two lines.

                <b>
                  x

            ## Score

            | member | what |
            |---|---|
            | `score: number` |  |
            | `profile: string \\| null` | one of *seven* |
            """
        )
        for part in [
            "<h1>API &lt;script&gt;</h1>",
            "<p>A <code>Score&lt;T&gt;</code> &amp; more in two lines.</p>", "<h2>Score</h2>",
            "<th scope=\"col\">member</th><th scope=\"col\">what</th>",
            "<pre tabindex=\"0\" role=\"region\" aria-label=\"Example\"><code>&lt;b&gt;\n  x</code>",
            "<tr><th scope=\"row\"><code>score: number</code></th><td></td></tr>",
            "<tr><th scope=\"row\"><code>profile: string | null</code></th><td>one of *seven*</td>",
        ] { #expect(html.contains(part), "\(part)") }
        #expect(ReferencePage.render("") == "")
    }

    @Test func itIsServedAndAsksForTheSiteThatIsChosen() throws {
        let companion = try RunningCompanion()
        let page = try companion.get("/install")
        #expect(page.status == 200)
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.headers["cache-control"] == "no-store")
        let policy = try #require(page.headers["content-security-policy"])
        #expect(policy.contains("script-src 'self';") && !policy.contains("unsafe"))
        #expect(page.body == "demo no")
        #expect(try companion.get("/install?site=demo").status == 200)
        #expect(try companion.get("/install?site=%3Cscript%3E").status == 404)
        #expect(try companion.get("/install?site=demo&site=x").status == 400)
        #expect(try companion.get("/install", method: "POST").status == 405)
    }
}
