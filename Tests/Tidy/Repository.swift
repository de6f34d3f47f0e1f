import Foundation

/// One file of the repository, as a check sees it.
struct SourceFile {
    let path: String
    let text: String
    let byteCount: Int

    init(path: String, text: String) {
        self.path = path
        self.text = text
        byteCount = text.utf8.count
    }

    init(path: String, byteCount: Int) {
        self.path = path
        text = ""
        self.byteCount = byteCount
    }

    var fileExtension: String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }

    var isSwift: Bool { fileExtension == "swift" }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    func isUnder(_ folders: String...) -> Bool {
        folders.contains { path.hasPrefix($0 + "/") }
    }
}

/// What a check complains about; the description is what the test prints.
struct Finding: CustomStringConvertible, Equatable {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The files that git knows or would add, read once for all checks.
struct Repository {
    let files: [SourceFile]
    var swift: [SourceFile] { files.filter(\.isSwift) }

    static let shared = Repository(root: findRoot())

    init(root: URL) {
        files = Repository.listedByGit(root).compactMap { path in
            let url = root.appendingPathComponent(path)
            guard let data = try? Data(contentsOf: url) else { return nil }
            guard data.count <= blobBytesMax, let text = String(data: data, encoding: .utf8) else {
                return SourceFile(path: path, byteCount: data.count)
            }
            return SourceFile(path: path, text: text)
        }
    }

    /// The folder of the nearest manifest above this file, through any symbolic link on the way.
    private static func findRoot() -> URL {
        var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        repeat {
            folder.deleteLastPathComponent()
        } while folder.path != "/"
            && !FileManager.default.fileExists(
                atPath: folder.appendingPathComponent("Package.swift").path
            )
        return folder
    }

    private static func listedByGit(_ root: URL) -> [String] {
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = [
            "git", "-c", "safe.directory=*", "-C", root.path, "ls-files", "-z", "--cached",
            "--others", "--exclude-standard",
        ]
        git.standardOutput = output
        guard (try? git.run()) != nil else { return [] }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        return Set(data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }).sorted()
    }
}
