/// Where the ingest port serves the SDK, for the page that tells site owners what to paste.
public struct ScriptFacts: Sendable {
    /// A file under both of its names.
    public struct File: Sendable {
        /// The path that holds the file's hash; what is found there never changes.
        public let fixedPath: String
        /// The path that always leads to the newest.
        public let newestPath: String
        /// Value of `integrity` that goes with `fixedPath`.
        public let integrity: String

        /// A file from its parts.
        public init(fixedPath: String, newestPath: String, integrity: String) {
            self.fixedPath = fixedPath
            self.newestPath = newestPath
            self.integrity = integrity
        }
    }

    /// `hg.js`; nil when the SDK was not built.
    public var script: File?
    /// `hg.mjs`; nil when it was not built.
    public var module: File?
    /// A path of the owner's own for beacons; nil for the usual one.
    public var endpoint: String?

    /// Nothing was built.
    public init() {}
}
