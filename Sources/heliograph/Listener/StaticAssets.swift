import Bytes
import Companion
import Settings

/// The files that the ingest port serves: the SDK's, each under its plain name, under a name of the
/// site owner's choosing, and under names that hold its hash. Read once at start, shared by all
/// listeners, never changed.
final class StaticAssets: Sendable {
    /// A file at a path that it may be asked for with.
    struct Place: Sendable {
        let path: String
        let asset: StaticAsset
        /// Whether the path holds the file's hash: what is found there will never change.
        let isImmutable: Bool
    }

    /// Every place, the plain one of a file before those of the owner's choosing.
    let places: [Place]
    private let endpoint: String

    /// Reads the files and their compressed forms from `directory`. Missing ones are simply not served.
    init(directory: String, settings: ScriptSettings = ScriptSettings()) {
        var files = [
            ("hg.js", settings.script), ("hg-core.js", settings.core), ("hg.mjs", settings.module),
            ("hg.d.ts", nil),
        ]
        if settings.servesMaps { files += files.prefix(3).map { ("\($0.0).map", nil) } }
        places = files.flatMap { name, own -> [Place] in
            let map = settings.servesMaps ? "/\(name).map" : nil
            guard let asset = StaticAsset(directory: directory, name: name, map: map) else {
                return []
            }
            return ["/" + name, own].compactMap { $0 }.flatMap { Self.places(of: asset, at: $0) }
        }
        endpoint = settings.endpoint ?? ""
    }

    private static func places(of asset: StaticAsset, at path: String) -> [Place] {
        [
            Place(path: path, asset: asset, isImmutable: false),
            Place(path: asset.immutablePath(path), asset: asset, isImmutable: true),
        ]
    }

    /// Whether the SDK was found.
    var hasScript: Bool { places.contains { $0.path == "/hg.js" } }

    /// What site owners are told: their own path of a file where they chose one.
    var facts: ScriptFacts {
        var facts = ScriptFacts()
        facts.script = file("hg.js")
        facts.module = file("hg.mjs")
        facts.endpoint = endpoint.isEmpty ? nil : endpoint
        return facts
    }

    private func file(_ name: String) -> ScriptFacts.File? {
        let known = places.filter { $0.asset.name == name }
        guard let newest = known.last(where: { !$0.isImmutable }),
            let fixed = known.last(where: { $0.isImmutable })
        else { return nil }
        return ScriptFacts.File(
            fixedPath: fixed.path,
            newestPath: newest.path,
            integrity: newest.asset.integrity
        )
    }

    /// The file at `path`.
    func find(_ path: ByteView) -> Place? {
        places.first { Self.equals($0.path, path) }
    }

    /// Whether beacons come to `path` because the site owner said so.
    func isEndpoint(_ path: ByteView) -> Bool { !endpoint.isEmpty && Self.equals(endpoint, path) }

    private static func equals(_ text: String, _ bytes: ByteView) -> Bool {
        text.utf8.withContiguousStorageIfAvailable {
            bytes.equals(ByteView(UnsafeRawBufferPointer($0)))
        } ?? false
    }
}
