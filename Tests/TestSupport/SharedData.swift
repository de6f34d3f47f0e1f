public import Foundation

/// Public test suites that lie beside the repository and are not part of it. A clone without them
/// skips the tests that need them; `HELIOGRAPH_SHARED` names another place.
public enum SharedData {
    /// Where all of it lies.
    public static let folder: URL = {
        if let place = ProcessInfo.processInfo.environment["HELIOGRAPH_SHARED"] {
            return URL(fileURLWithPath: place)
        }
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("shared")
    }()

    /// JSONTestSuite's cases.
    public static let jsonSuite = file("json-test-suite/test_parsing")
    /// llhttp's cases.
    public static let httpSuite = file("llhttp/test/request")

    /// A file or folder among the data.
    public static func file(_ path: String) -> URL {
        folder.appendingPathComponent("data").appendingPathComponent(path)
    }

    /// Whether this clone has it.
    public static func exists(_ place: URL) -> Bool {
        FileManager.default.fileExists(atPath: place.path)
    }

    /// The files of a folder, by name.
    public static func files(_ place: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
