import Settings
import Testing

/// Names that blockers go by can be replaced by the site owner's own, and by nothing that could be
/// read as another path.
@Suite struct ScriptSettingsTests {
    private func sdk(_ text: String) throws -> ScriptSettings {
        try HeliographSettings.parse("sdk:\n" + text, file: "test.yaml").sdk
    }

    @Test func pathsOfTheOwnersChoosingAreRead() throws {
        let sdk = try sdk(
            """
              script: /assets/shop.js
              core: /assets/shop-core.js
              module: /assets/shop.mjs
              endpoint: /assets/in
              source_maps: true
            """
        )
        #expect(sdk.script == "/assets/shop.js" && sdk.core == "/assets/shop-core.js")
        #expect(sdk.module == "/assets/shop.mjs" && sdk.endpoint == "/assets/in")
        #expect(sdk.servesMaps)
    }

    @Test func withoutThemTheUsualPathsAloneHold() throws {
        let sdk = try HeliographSettings.parse("workers: 1\n", file: "test.yaml").sdk
        #expect(sdk == ScriptSettings())
        #expect(sdk.script == nil && sdk.endpoint == nil && !sdk.servesMaps)
    }

    @Test(arguments: [
        ("  script: shop.js", "script must be a path"),
        ("  script: /a/../shop.js", "script must be a path"),
        ("  script: //host/shop.js", "script must be a path"),
        ("  script: /a/.shop.js", "script must be a path"),
        ("  script: /a b.js", "script must be a path"),
        ("  script: \"/a\\r\\nX: 1.js\"", "script must be a path"),
        ("  script: /a%2fb.js", "script must be a path"),
        ("  script: /shop.js?v=1", "script must be a path"),
        ("  script: /shop", "must end in .js"),
        ("  module: /shop.css", "must end in .mjs or .js"),
        ("  script: /hg.x.js", "the engine uses itself"),
        ("  endpoint: /v1/batch", "the engine uses itself"),
        ("  endpoint: /metrics", "the engine uses itself"),
        ("  endpoint: /r/in", "the engine uses itself"),
        ("  endpoint: /in/", "endpoint must be a path"),
        ("  endpoint: /", "endpoint must be a path"),
        ("  scripts: /a.js", "unknown key"),
    ])
    func mistakesAreToldWithTheirLine(_ text: String, _ part: String) {
        let error = #expect(throws: SettingsError.self) { _ = try sdk(text) }
        let problems = error?.problems.map(\.description) ?? []
        let isTold = problems.contains { $0.contains(part) && $0.contains("test.yaml:2") }
        #expect(isTold, "\(problems)")
    }

    @Test func onePathServesOneThing() {
        let error = #expect(throws: SettingsError.self) {
            _ = try sdk("  script: /a.js\n  core: /a.js\n")
        }
        let isTold = error?.problems.contains { $0.description.contains("must differ") }
        #expect(isTold == true)
    }
}
