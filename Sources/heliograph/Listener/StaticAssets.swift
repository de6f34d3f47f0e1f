import Bytes
import Foundation
import Units

/// The files that the ingest port serves: the SDK, under its name and under a name that holds its
/// hash. Read once at start, shared by all listeners, never changed.
final class StaticAssets: Sendable {
    private let script: StaticAsset?

    /// Reads `hg.js` and its compressed forms from `directory`. Missing files are simply not served.
    init(directory: String) {
        script = StaticAsset(directory: directory, name: "hg.js")
    }

    /// Whether the SDK was found.
    var hasScript: Bool { script != nil }

    /// The asset at `path`.
    func find(_ path: ByteView) -> StaticAsset? {
        guard let script else { return nil }
        if path.equals("/hg.js") { return script }
        return script.isImmutablePath(path) ? script : nil
    }
}

/// One file in up to three encodings.
final class StaticAsset: Sendable {
    enum Variant: Int, Sendable {
        case plain, gzip, brotli
    }

    private let bodies: [[UInt8]]
    private let tag: String
    private let immutablePath: [UInt8]

    init?(directory: String, name: String) {
        func read(_ suffix: String) -> [UInt8] {
            let data = FileManager.default.contents(atPath: "\(directory)/\(name)\(suffix)")
            return data.map { [UInt8]($0) } ?? []
        }
        bodies = [read(""), read(".gz"), read(".br")]
        guard !bodies[0].isEmpty else { return nil }
        let hash = bodies[0].withUnsafeBytes {
            Hash128($0, key: HashKey(first: 1, second: 2))
        }
        tag = String(hash.low, radix: 16)
        immutablePath = [UInt8]("/hg.\(tag).js".utf8)
    }

    func isImmutablePath(_ path: ByteView) -> Bool {
        immutablePath.withUnsafeBytes { path.equals(ByteView($0)) }
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

    func isCurrent(_ ifNoneMatch: ByteView) -> Bool {
        !ifNoneMatch.isEmpty && ifNoneMatch.text.contains("\"\(tag)\"")
    }

    /// Header lines: caching, tag, encoding. The name with the hash in it may be kept for ever.
    func withFields(of variant: Variant, path: ByteView, _ body: (ByteView) -> Void) {
        let age =
            isImmutablePath(path)
            ? "public, max-age=31536000, immutable"
            : "public, max-age=3600, stale-while-revalidate=86400"
        var lines = "Cache-Control: \(age)\r\nETag: \"\(tag)\"\r\nVary: Accept-Encoding\r\n"
        lines += "Cross-Origin-Resource-Policy: cross-origin\r\n"
        switch variant {
        case .plain: break
        case .gzip: lines += "Content-Encoding: gzip\r\n"
        case .brotli: lines += "Content-Encoding: br\r\n"
        }
        lines.withUTF8 { body(ByteView(UnsafeRawBufferPointer($0))) }
    }
}
