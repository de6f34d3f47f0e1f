import Foundation

/// Public test suites that lie beside the repository and are not part of it. A clone without them
/// skips the tests that need them; `HELIOGRAPH_SHARED` names another place.
enum SharedData {
    static let folder: URL = {
        if let place = ProcessInfo.processInfo.environment["HELIOGRAPH_SHARED"] {
            return URL(fileURLWithPath: place)
        }
        return URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("shared")
    }()

    static let jsonSuite = folder.appendingPathComponent("data/json-test-suite/test_parsing")
    static let httpSuite = folder.appendingPathComponent("data/llhttp/test/request")

    static func exists(_ place: URL) -> Bool {
        FileManager.default.fileExists(atPath: place.path)
    }

    /// The files of a folder, by name.
    static func files(_ place: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
