import Bytes
import Foundation
import Settings
import TestSupport
import Testing

@testable import heliograph

/// The SDK is served in the form that the browser takes, and fetched again only when it changed.
@Suite final class StaticAssetsTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "heliograph-assets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    private func asset(compressed: Bool = true) throws -> StaticAsset {
        try write("hg.js", "plain script")
        if compressed {
            try write("hg.js.gz", "gzip")
            try write("hg.js.br", "brotli")
        }
        return try #require(StaticAsset(directory: folder, name: "hg.js"))
    }

    private func fields(
        _ asset: StaticAsset,
        _ variant: StaticAsset.Variant = .plain,
        isImmutable: Bool = false
    ) -> String {
        var text = ""
        asset.withFields(of: variant, isImmutable: isImmutable) { text = $0.text }
        return text
    }

    private func variant(_ asset: StaticAsset, _ accepted: String) -> StaticAsset.Variant {
        withView(accepted) { asset.variant(accepting: $0) }
    }

    private func find(_ path: String, _ assets: StaticAssets) -> StaticAssets.Place? {
        withView(path) { assets.find($0) }
    }

    private func tag(_ asset: StaticAsset, _ variant: StaticAsset.Variant = .plain) -> String {
        let line = fields(asset, variant).split(separator: "\r\n").first { $0.hasPrefix("ETag: ") }
        return String((line ?? "").dropFirst(6))
    }

    @Test func withoutTheFileThereIsNothing() {
        let assets = StaticAssets(directory: folder)
        #expect(!assets.hasScript)
        #expect(find("/hg.js", assets) == nil)
    }

    @Test func theBrowserGetsTheSmallestFormItTakes() throws {
        let asset = try asset()
        #expect(variant(asset, "gzip, deflate, br") == .brotli)
        #expect(variant(asset, "gzip, deflate") == .gzip)
        #expect(variant(asset, "GZIP;q=0.5") == .gzip)
        #expect(variant(asset, "") == .plain)
        #expect(variant(asset, "identity") == .plain)
    }

    @Test(arguments: ["br;q=0, gzip;q=0", "br;q=0.0,gzip; q=0.000", "brown, gzipped", "x-br"])
    func aFormThatIsDeclinedIsNotSent(_ accepted: String) throws {
        #expect(variant(try asset(), accepted) == .plain)
    }

    @Test func formsThatAreNotThereAreNotOffered() throws {
        #expect(variant(try asset(compressed: false), "gzip, br") == .plain)
    }

    @Test func eachFormIsSentWithItsEncoding() throws {
        let asset = try asset()
        for (variant, body, line) in [
            (StaticAsset.Variant.plain, "plain script", ""),
            (.gzip, "gzip", "Content-Encoding: gzip\r\n"),
            (.brotli, "brotli", "Content-Encoding: br\r\n"),
        ] {
            var found = ""
            asset.withBody(of: variant) { found = $0.text }
            #expect(found == body)
            #expect(fields(asset, variant).contains("Content-Encoding") == !line.isEmpty)
            #expect(line.isEmpty || fields(asset, variant).hasSuffix(line))
        }
    }

    /// Digests of `plain script` by `sha256sum` and `openssl dgst -sha384`.
    @Test func hashAndIntegrityAreThoseThatOtherToolsFind() throws {
        let asset = try asset()
        #expect(asset.hash == "329adf2141c5")
        #expect(
            asset.integrity
                == "sha384-H2bu71SiCtQEvpOwibbSRbAefpCIRMDFnsZnF155kkh8ubXdfGl1ym1wgy+vKF8y"
        )
    }

    @Test func theNameWithTheHashIsKeptForEver() throws {
        _ = try self.asset()
        let assets = StaticAssets(directory: folder)
        let script = try #require(find("/hg.js", assets))
        let immutable = try #require(find("/hg.\(script.asset.hash).js", assets))
        #expect(immutable.asset === script.asset)
        #expect(immutable.isImmutable && !script.isImmutable)
        #expect(fields(immutable.asset, isImmutable: true).contains("max-age=31536000, immutable"))
        #expect(!fields(script.asset).contains("immutable"))
        #expect(find("/hg.0.js", assets) == nil)
        #expect(find("/hg.js.map", assets) == nil)
    }

    @Test func everyFileHasBothNamesAndItsType() throws {
        let types = [
            "hg.js": "text/javascript; charset=utf-8",
            "hg-core.js": "text/javascript; charset=utf-8",
            "hg.mjs": "text/javascript; charset=utf-8", "hg.d.ts": "text/plain; charset=utf-8",
            "hg.js.map": "application/json",
        ]
        for name in types.keys { try write(name, "content of \(name)") }
        var settings = ScriptSettings()
        settings.servesMaps = true
        let assets = StaticAssets(directory: folder, settings: settings)
        for (name, type) in types {
            let place = try #require(find("/\(name)", assets), "\(name)")
            #expect(place.asset.contentType.description == type)
            let other = try #require(find(place.asset.immutablePath("/\(name)"), assets))
            #expect(other.isImmutable && other.asset === place.asset)
            #expect(
                fields(place.asset).contains("SourceMap: /\(name).map\r\n") == name.hasSuffix("js")
            )
        }
        #expect(
            try #require(find("/hg.d.ts", assets)).asset.immutablePath("/hg.d.ts").hasSuffix(
                ".d.ts"
            )
        )
    }

    @Test func filesAndBeaconsComeToPathsOfTheOwnersChoosingToo() throws {
        _ = try asset()
        try write("hg-core.js", "core")
        var settings = ScriptSettings()
        (settings.script, settings.endpoint) = ("/assets/shop.js", "/assets/in")
        let assets = StaticAssets(directory: folder, settings: settings)
        let own = try #require(find("/assets/shop.js", assets))
        #expect(own.asset === find("/hg.js", assets)?.asset)
        #expect(find("/assets/shop.\(own.asset.hash).js", assets)?.isImmutable == true)
        #expect(find("/hg-core.js", assets)?.asset.name == "hg-core.js")
        #expect(withView("/assets/in") { assets.isEndpoint($0) })
        #expect(!withView("/assets/inn") { assets.isEndpoint($0) })
        #expect(!withView("") { StaticAssets(directory: folder).isEndpoint($0) })
    }

    @Test func anUnchangedCopyIsNotSentAgain() throws {
        let asset = try self.asset()
        let tag = self.tag(asset)
        #expect(tag.count > 2)
        #expect(withView(tag) { asset.isCurrent($0, .plain) })
        #expect(withView("W/\"old\", \(tag)") { asset.isCurrent($0, .plain) })
        #expect(!withView("\"other\"") { asset.isCurrent($0, .plain) })
        #expect(!withView("") { asset.isCurrent($0, .plain) })
        // A copy in another encoding is another copy.
        #expect(!withView(tag) { asset.isCurrent($0, .brotli) })
        #expect(withView(self.tag(asset, .brotli)) { asset.isCurrent($0, .brotli) })
        try write("hg.js", "another script")
        let changed = try #require(StaticAsset(directory: folder, name: "hg.js"))
        #expect(!withView(tag) { changed.isCurrent($0, .plain) })
    }
}
