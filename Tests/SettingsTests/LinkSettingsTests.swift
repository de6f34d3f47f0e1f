import Settings
import Testing

/// Tracking links are read as they are written; what could lead elsewhere than it seems is refused.
@Suite struct LinkSettingsTests {
    private func sites(_ links: String) throws -> [Site] {
        let head = "sites:\n  - name: shop\n    keys: [k]\n    origins: [\"*\"]\n    links:\n"
        return try HeliographSettings.parse(head + links, file: "test.yaml").sites
    }

    @Test func campaignsAreEscapedAndNamedAfterTheLinkWhereNothingElseIs() throws {
        let links = try sites(
            """
                  - {name: spring, target: "https://shop.example/spring?a=1#top", source: News Letter,
                     medium: e-mail, campaign: "50% off & more", content: "ü"}
                  - {name: code_7, target: "http://127.0.0.1:8601/demo/"}
            """
        )[0].links
        #expect(links.map(\.name) == ["spring", "code_7"])
        #expect(links[0].target == "https://shop.example/spring?a=1#top")
        #expect(
            links[0].campaign.map { "\($0.name)=\($0.value)" } == [
                "utm_source=News%20Letter", "utm_medium=e-mail",
                "utm_campaign=50%25%20off%20%26%20more", "utm_content=%C3%BC",
            ]
        )
        #expect(links[1].campaign.map { "\($0.name)=\($0.value)" } == ["utm_campaign=code_7"])
    }

    @Test(arguments: [
        "javascript:alert(1)", "//evil.example", "/spring", "https://", "ftp://shop.example",
        "https://a@evil.example/", "https://shop.example\\\\@evil.example", "https://shop example/",
        "https://shop.example/\\r\\nSet-Cookie: a=b", "https://shop.example/#a\\\"b",
        "data:text/html,x",
        "https://shop.example:99999/", "https://shop.example/#a#b", " https://shop.example/",
    ])
    func targetsThatCouldBeReadOtherwiseAreRefused(_ target: String) {
        let error = #expect(throws: SettingsError.self) {
            _ = try sites("      - {name: spring, target: \"\(target)\"}\n")
        }
        let problems = error?.problems.map(\.description) ?? []
        let isTold = problems.contains { $0.contains("target") && $0.contains("test.yaml:6") }
        #expect(isTold, "\(problems)")
    }

    @Test(arguments: [
        ("      - {name: \"a/b\", target: \"https://a.example/\"}", "name must be"),
        ("      - {name: \"../x\", target: \"https://a.example/\"}", "name must be"),
        ("      - {target: \"https://a.example/\"}", "name is missing"),
        ("      - {name: a}", "target is missing"),
        ("      - {name: a, target: \"https://a.example/\", utm_source: x}", "unknown key"),
    ])
    func otherMistakesAreTold(_ text: String, _ part: String) {
        let error = #expect(throws: SettingsError.self) { _ = try sites(text) }
        let problems = error?.problems.map(\.description) ?? []
        let isTold = problems.contains { $0.contains(part) && $0.contains("test.yaml:6") }
        #expect(isTold, "\(problems)")
    }

    @Test func aNameLeadsToOnePlace() {
        let error = #expect(throws: SettingsError.self) {
            _ = try HeliographSettings.parse(
                """
                sites:
                  - {name: a, keys: [k], origins: ["*"], links: [{name: x, target: "https://a.example/"}]}
                  - {name: b, keys: [l], origins: ["*"], links: [{name: x, target: "https://b.example/"}]}
                """,
                file: "test.yaml"
            )
        }
        let isTold = error?.problems.contains { $0.description.contains("link x twice") }
        #expect(isTold == true)
    }
}
