import Foundation
import Settings
import TestSupport
import Testing

/// The browser's script and the server call conversions alike: what the script takes for a conversion is
/// found without a rule, under the same name, and the script lacks none.
@Suite struct OneListOfConversionsTests {
    private let script: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        script = try String(
            contentsOf: root.appendingPathComponent("sdk-js/src/core/conversions.ts"),
            encoding: .utf8
        )
    }

    /// What stands between single quotes in the declaration of `name`, up to its semicolon.
    private func texts(of name: String) throws -> [String] {
        let start = try #require(script.range(of: "export const \(name)")?.upperBound)
        let end = try #require(script[start...].firstIndex(of: ";"))
        let parts = script[start..<end].split(separator: "'", omittingEmptySubsequences: false)
        return parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    @Test func theCanonicalNamesAreTheSame() throws {
        let names = try texts(of: "CANONICAL").joined().split(separator: " ").map(String.init)
        #expect(Set(names) == CanonicalConversion.names)
        #expect(names.count == Set(names).count)
    }

    @Test func whatShopsCallThemMeansTheSame() throws {
        // The type of the declaration has no quotes; what follows is name, canonical name, name …
        let texts = try texts(of: "USUAL")
        #expect(texts.count >= 2 && texts.count % 2 == 0)
        for index in stride(from: 0, to: texts.count - 1, by: 2) {
            let found = withView(texts[index]) { CanonicalConversion.name(usually: $0) }
            #expect(found == texts[index + 1], "\(texts[index])")
        }
    }
}
