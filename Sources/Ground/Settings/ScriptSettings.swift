/// Where the SDK's files and the place of beacons are found on the ingest port, beside their usual
/// paths. Blockers go by names, so a site owner may choose some that nobody else has.
public struct ScriptSettings: Sendable, Equatable {
    /// A path of the owner's own for `hg.js`; nil for none.
    public var script: String?
    /// The same for `hg-core.js`.
    public var core: String?
    /// The same for `hg.mjs`.
    public var module: String?
    /// A path of the owner's own for beacons, beside `/v1/e`; pages name it in `data-endpoint`.
    public var endpoint: String?
    /// Whether source maps are served.
    public var servesMaps = false

    /// The usual paths only.
    public init() {}

    /// Reads the section `sdk` but for its folder.
    init(_ section: YAMLSection) {
        script = Self.path("script", endingIn: [".js"], section)
        core = Self.path("core", endingIn: [".js"], section)
        module = Self.path("module", endingIn: [".mjs", ".js"], section)
        endpoint = Self.path("endpoint", endingIn: [], section)
        servesMaps = section.boolean("source_maps", default: servesMaps)
        let paths = [script, core, module, endpoint].compactMap { $0 }
        if Set(paths).count != paths.count {
            section.problem("script", "must differ from core, module and endpoint")
        }
    }

    private static func path(
        _ key: String,
        endingIn suffixes: [String],
        _ section: YAMLSection
    ) -> String? {
        guard section.has(key) else { return nil }
        let path = section.text(key, bytesMaximum: Limits.scriptPathBytesMaximum)
        if !isPath(path) {
            section.problem(key, "must be a path such as /assets/shop.js of a-z, A-Z, 0-9, - . _")
        } else if isTaken(path) {
            section.problem(key, "is \(path), which the engine uses itself")
        } else if !suffixes.isEmpty, !suffixes.contains(where: path.hasSuffix) {
            section.problem(key, "must end in \(suffixes.joined(separator: " or "))")
        }
        return path
    }

    /// Plain segments only, so that no proxy and no browser can read the path in another way.
    private static func isPath(_ path: String) -> Bool {
        guard path.hasPrefix("/") else { return false }
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            Characters.isParameter(String($0)) && !$0.hasPrefix(".") && !$0.hasSuffix(".")
        }
    }

    private static func isTaken(_ path: String) -> Bool {
        takenPaths.contains(path) || takenFolders.contains { path.hasPrefix($0) }
    }

    private static let takenPaths: Set<String> = [
        "/healthz", "/readyz", "/metrics", "/p.gif", "/batch", "/b",
    ]
    private static let takenFolders = ["/v1/", "/r/", "/beacon/", "/pixel/", "/hg.", "/hg-core."]
}
