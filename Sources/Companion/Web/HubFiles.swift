import Foundation
import NIOCore

/// The built Hub: files that hold no data, and are therefore for anybody; what they show is asked for under
/// `/api/v1`, where everybody is asked who they are.
enum HubFiles {
    static let path = "/hub/"

    /// Files by the path they are asked for with; none where the Hub has not been built.
    static func read(_ folder: String) -> [String: StaticPages.Page] {
        var pages: [String: StaticPages.Page] = [:]
        for name in StaticPages.files(in: folder) where name != "manifest.json" {
            guard var page = StaticPages.page("\(folder)/\(name)", policy) else { continue }
            page.compressed = StaticPages.contents("\(folder)/\(name).gz").map {
                ByteBuffer(bytes: $0)
            }
            if name.hasPrefix("part-") { page.caching = forGood }
            pages[name == "index.html" ? path : path + name] = page
        }
        return pages
    }

    /// The name of such a module holds a digest of what is in it.
    private static let forGood = "public, max-age=31536000, immutable"

    /// The one policy `hub` makes the address of the service worker and no other.
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
        "connect-src 'self'", "worker-src 'self'", "form-action 'self'", "base-uri 'none'",
        "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types hub",
    ].joined(separator: "; ")
}

extension ApiProblem {
    static let noHub = notFound(
        "The Hub is not built here: run Sources/Companion/Hub/build, look that companion.hub of the "
            + "settings names its folder, and start the engine again. The live page is at /live."
    )
}
