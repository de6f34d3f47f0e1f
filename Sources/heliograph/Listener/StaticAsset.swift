import Bytes
import COpenSSL
import Foundation
import Units

/// One file in up to three encodings.
final class StaticAsset: Sendable {
    enum Variant: Int, Sendable {
        case plain, gzip, brotli
    }

    /// The name in the SDK's folder.
    let name: String
    /// The first twelve digits of the file's SHA-256; part of the names that never change.
    let hash: String
    /// What a page writes into `integrity` (Subresource Integrity, W3C).
    let integrity: String
    private let bodies: [[UInt8]]
    private let map: String?

    /// Reads `name` with `.gz` and `.br` beside it; nil when there is no such file. `map` is where its
    /// source map is served, if it is.
    init?(directory: String, name: String, map: String? = nil) {
        func read(_ suffix: String) -> [UInt8] {
            let data = FileManager.default.contents(atPath: "\(directory)/\(name)\(suffix)")
            return data.map { [UInt8]($0) } ?? []
        }
        bodies = [read(""), read(".gz"), read(".br")]
        guard !bodies[0].isEmpty else { return nil }
        self.name = name
        self.map = name.hasSuffix("js") ? map : nil
        hash = Self.hexadecimal(Self.digest(bodies[0], EVP_sha256()).prefix(6))
        integrity = "sha384-" + Data(Self.digest(bodies[0], EVP_sha384())).base64EncodedString()
    }

    private static func digest(_ bytes: [UInt8], _ kind: OpaquePointer?) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        let made = EVP_Digest(bytes, bytes.count, &digest, &length, kind, nil)
        invariant(made == 1, "a digest of the SDK failed")
        return Array(digest.prefix(Int(length)))
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// `path` with the hash before its ending.
    func immutablePath(_ path: String) -> String {
        // `.d.ts` and `.js.map` are one ending each: a file's kind stays at its end.
        let known = [".d.ts", ".js.map", ".mjs.map"].first(where: path.hasSuffix)
        let ending = known ?? "." + (path.split(separator: ".").last ?? "")
        return "\(path.dropLast(ending.count)).\(hash)\(ending)"
    }

    var contentType: StaticString {
        if name.hasSuffix(".map") { return "application/json" }
        return name.hasSuffix(".ts")
            ? "text/plain; charset=utf-8" : "text/javascript; charset=utf-8"
    }

    /// The smallest form that the client takes (RFC 9110 section 12.5.3).
    func variant(accepting header: ByteView) -> Variant {
        let accepted = Self.codings(header.text)
        if accepted.contains("br"), !bodies[Variant.brotli.rawValue].isEmpty { return .brotli }
        if accepted.contains("gzip"), !bodies[Variant.gzip.rawValue].isEmpty { return .gzip }
        return .plain
    }

    /// The codings of an `Accept-Encoding` that are not declined by a weight of 0.
    private static func codings(_ header: String) -> [String] {
        header.lowercased().split(separator: ",").compactMap { element in
            let parts = element.split(separator: ";").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
            if let weight, Double(weight.dropFirst(2)) == 0 { return nil }
            return parts.first
        }
    }

    func withBody(of variant: Variant, _ body: (ByteView) -> Void) {
        bodies[variant.rawValue].withUnsafeBytes { body(ByteView($0)) }
    }

    /// Each encoding is a representation of its own (RFC 9110 section 8.8.3.3).
    private func tag(_ variant: Variant) -> String {
        switch variant {
        case .plain: return "\"\(hash)\""
        case .gzip: return "\"\(hash)-gzip\""
        case .brotli: return "\"\(hash)-br\""
        }
    }

    func isCurrent(_ ifNoneMatch: ByteView, _ variant: Variant) -> Bool {
        !ifNoneMatch.isEmpty && ifNoneMatch.text.contains(tag(variant))
    }

    /// Header lines: caching, tag, encoding. The name with the hash in it may be kept for ever.
    func withFields(of variant: Variant, isImmutable: Bool, _ body: (ByteView) -> Void) {
        let age =
            isImmutable
            ? "public, max-age=31536000, immutable"
            : "public, max-age=3600, stale-while-revalidate=86400"
        var lines = "Cache-Control: \(age)\r\nETag: \(tag(variant))\r\nVary: Accept-Encoding\r\n"
        lines += "Cross-Origin-Resource-Policy: cross-origin\r\n"
        if let map { lines += "SourceMap: \(map)\r\n" }
        switch variant {
        case .plain: break
        case .gzip: lines += "Content-Encoding: gzip\r\n"
        case .brotli: lines += "Content-Encoding: br\r\n"
        }
        lines.withUTF8 { body(ByteView(UnsafeRawBufferPointer($0))) }
    }
}
