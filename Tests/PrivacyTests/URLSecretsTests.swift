import Bytes
import Privacy
import TestSupport
import Testing

/// People's names, addresses and keys travel in URLs; none of them may stay.
@Suite struct URLSecretsTests {
    private func scrub(_ url: String, keeping: Set<String> = []) -> (text: String, removed: Int) {
        var sanitiser = Sanitiser()
        var removed = 0
        let text = written { buffer in
            removed = withView(url) { view in
                sanitiser.append(
                    url: view,
                    policy: SanitisePolicy(keepsClickIDs: true),
                    limit: 1024,
                    into: &buffer
                ) { keeping.contains($0.text) }.parametersRemoved
            }
        }
        return (text, removed)
    }

    private func path(_ url: String) -> String {
        var sanitiser = Sanitiser()
        return written { buffer in
            withView(url) { view in
                _ = sanitiser.append(
                    pathOf: view,
                    policy: SanitisePolicy(),
                    limit: 1024,
                    into: &buffer
                )
            }
        }
    }

    @Test(arguments: [
        "email=jane@example.com", "token=s3cret", "e%6Dail=jane", "EMAIL=x", "password",
        "q=jane+doe",
        "ref=jane@example.com", "phone=%2B4912345", "=x", "utm=secret", "gclidx=1", "xutm_source=1",
    ])
    func parametersThatNobodyDeclaredHarmlessGo(_ pair: String) {
        #expect(scrub("https://shop.example/a?\(pair)").text == "https://shop.example/a")
        let (text, removed) = scrub("https://shop.example/a?utm_source=x&\(pair)&gclid=7")
        #expect(text == "https://shop.example/a?utm_source=x&gclid=7")
        #expect(removed == 1)
    }

    @Test(arguments: [
        "utm_source", "utm_campaign", "utm_anything", "gclid", "gbraid", "wbraid", "dclid",
        "fbclid",
        "msclkid", "ttclid", "li_fat_id", "twclid", "_hgl",
    ])
    func campaignParametersStay(_ name: String) {
        let url = "https://shop.example/a/b?\(name)=V1"
        #expect(scrub(url).text == url)
        #expect(scrub(url).removed == 0)
        #expect(scrub("/a?\(name)").text == "/a?\(name)")
    }

    /// Whoever reads a stored address must not be able to take over the visitor that it handed on.
    @Test(arguments: [
        "_hg=1.device-0123456789abcd.mfx0k2.9f3a1b2c", "_hg=", "_hg", "%5Fhg=1.x.y.z",
        "_HG=1.x.y.z",
        "_hg%3D1.x.y.z", "_hgx=1",
    ])
    func theParameterThatHandsAVisitorOnIsNeverStored(_ pair: String) {
        for keeping: Set<String> in [[], ["_hg"]] {
            let url = "https://shop.example/a?\(pair)&utm_source=x"
            #expect(
                scrub(url, keeping: keeping).text == "https://shop.example/a?utm_source=x",
                "\(pair)"
            )
        }
        #expect(!scrub("https://shop.example/a;_hg=1.x.y.z/b").text.contains("x.y.z"))
        #expect(scrub("https://shop.example/#?\(pair)").text == "https://shop.example/")
    }

    @Test func whatASiteAddsStaysThereAndNowhereElse() {
        let url = "https://shop.example/?sku=4&size=9"
        #expect(scrub(url, keeping: ["sku"]).text == "https://shop.example/?sku=4")
        #expect(scrub(url).text == "https://shop.example/")
    }

    @Test(arguments: [
        ("https://jane:pw@shop.example/a", "https://shop.example/a"),
        ("https://jane@shop.example", "https://shop.example"),
        ("https://a@b@shop.example/x", "https://shop.example/x"),
        ("https://jane:p/w@shop.example/a", "https://jane:p/[email]/a"),
        ("//jane:pw@shop.example/a", "//shop.example/a"),
        ("https://shop.example/users/@jane", "https://shop.example/users/@jane"),
        ("https://jane:pw@shop.example?x=1", "https://shop.example"),
        ("https://jane:pw@shop.example#x", "https://shop.example"),
    ])
    func userInformationGoes(_ url: String, _ kept: String) {
        #expect(scrub(url).text == kept)
    }

    @Test(arguments: ["#token=abc", "#/reset/secret", "#", "#?utm_source=x", "#a?b#c"])
    func fragmentsGo(_ fragment: String) {
        #expect(scrub("https://shop.example/a\(fragment)").text == "https://shop.example/a")
        #expect(
            scrub("https://shop.example/a?utm_source=x\(fragment)").text
                == "https://shop.example/a?utm_source=x"
        )
    }

    @Test(arguments: [
        "", "?", "#", "?&", "?&&&", "/?", "https://", "http:", "::", "?=", "//", "//@",
    ])
    func stumpsOfURLsDoNoHarm(_ url: String) {
        let (text, removed) = scrub(url)
        #expect(text.count <= url.count)
        #expect(removed == (url == "?=" ? 1 : 0))
        #expect(path(url).count <= url.count)
    }

    @Test func emptyParametersAreNotCounted() {
        let (text, removed) = scrub("/a?&utm_source=1&&gclid=2&")
        #expect(text == "/a?utm_source=1&gclid=2")
        #expect(removed == 0)
    }

    @Test(arguments: [
        ("https://shop.example/a/b?x=1#f", "/a/b"),
        ("https://jane:pw@shop.example/a", "/a"),
        ("https://shop.example", ""),
        ("https://shop.example?x=/secret", ""),
        ("//jane:pw@shop.example/a", "/a"),
        ("/a/b?x=1", "/a/b"),
        ("/a#f", "/a"),
        ("/a:b/c", "/a:b/c"),
        ("/reset?to=https://shop.example/secret", "/reset"),
        ("/reset#https://shop.example/secret", "/reset"),
    ])
    func aPathIsThePathAlone(_ url: String, _ kept: String) {
        #expect(path(url) == kept)
    }
}
