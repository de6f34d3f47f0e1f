import Bytes
import Foundation
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
        path: String = "/hg.js"
    ) -> String {
        var text = ""
        withView(path) { asset.withFields(of: variant, path: $0) { text = $0.text } }
        return text
    }

    private func variant(_ asset: StaticAsset, _ accepted: String) -> StaticAsset.Variant {
        withView(accepted) { asset.variant(accepting: $0) }
    }

    private func tag(_ asset: StaticAsset) -> String {
        let line = fields(asset).split(separator: "\r\n").first { $0.hasPrefix("ETag: ") }
        return String((line ?? "").dropFirst(6))
    }

    @Test func withoutTheFileThereIsNothing() {
        let assets = StaticAssets(directory: folder)
        #expect(!assets.hasScript)
        #expect(withView("/hg.js") { assets.find($0) } == nil)
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

    @Test func theNameWithTheHashIsKeptForEver() throws {
        _ = try self.asset()
        let assets = StaticAssets(directory: folder)
        let script = withView("/hg.js") { assets.find($0) }
        let asset = try #require(script)
        let path = "/hg.\(self.tag(asset).dropFirst().dropLast()).js"
        #expect(withView(path) { assets.find($0) } === asset)
        #expect(fields(asset, path: path).contains("immutable"))
        #expect(!fields(asset).contains("immutable"))
        #expect(withView("/hg.0.js") { assets.find($0) } == nil)
    }

    @Test func anUnchangedCopyIsNotSentAgain() throws {
        let asset = try self.asset()
        let tag = self.tag(asset)
        #expect(tag.count > 2)
        #expect(withView(tag) { asset.isCurrent($0) })
        #expect(withView("W/\"old\", \(tag)") { asset.isCurrent($0) })
        #expect(!withView("\"other\"") { asset.isCurrent($0) })
        #expect(!withView("") { asset.isCurrent($0) })
        try write("hg.js", "another script")
        let changed = try #require(StaticAsset(directory: folder, name: "hg.js"))
        #expect(!withView(tag) { changed.isCurrent($0) })
    }
}
