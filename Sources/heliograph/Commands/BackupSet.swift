import Foundation
import Glibc

/// What a backup says of itself: `manifest.json`, written last, so that a backup without one is
/// unfinished.
struct BackupManifest: Codable {
    /// The version that is written, and the newest that can be read.
    static let format = 1
    static let fileName = "manifest.json"
    static let dump = "postgres.dump"
    static let journal = "journal"
    static let checkpoints = "checkpoints"
    static let settings = "settings"
    static let pseudonymKey = "pseudonym.key"
    static let quotas = "quotas"
    static let models = ModelTimeline.fileName
    static let erasureKey = "erasure.key"

    /// A file of the backup.
    struct File: Codable {
        /// Relative to the backup's folder.
        let path: String
        let bytes: Int
        let sha256: String
        /// Whoever has this file has more than visitors' data: a key or a password.
        let secret: Bool
    }

    var format = Self.format
    /// Moments as RFC 3339. Everything acknowledged before `startedAt` is in the backup.
    var startedAt = ""
    /// Everything journaled before this moment is in the backup, nothing behind it.
    var cutAt = ""
    var finishedAt = ""
    /// Sequence of the last record.
    var lastSequence: UInt64 = 0
    /// Whether PostgreSQL was the engine's own private server.
    var postgresIsPrivate = true
    /// What the operator has to keep in another way.
    var notIncluded: [String] = []
    var files: [File] = []

    var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    func write(to folder: String) throws {
        try BackupFiles.write(jsonText, to: "\(folder)/\(Self.fileName)")
    }

    static func read(from folder: String) throws(CommandError) -> BackupManifest {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(fileName)") else {
            throw CommandError(
                """
                there is no \(fileName) in \(folder)
                  Name the folder that `heliograph backup --to` made. A backup without a manifest \
                was interrupted: take another.
                """
            )
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let manifest = try? decoder.decode(BackupManifest.self, from: data) else {
            throw CommandError("\(folder)/\(fileName) is damaged: use another backup")
        }
        guard manifest.format == format else {
            throw CommandError(
                """
                \(folder) has backup format \(manifest.format), this program reads \(format)
                  Restore it with the program that made it, or a newer one.
                """
            )
        }
        for file in manifest.files where !isInside(file.path) {
            throw CommandError("\(folder)/\(fileName) names a path outside the backup")
        }
        return manifest
    }

    /// A manifest comes from elsewhere: its paths must not lead out of the folder.
    private static func isInside(_ path: String) -> Bool {
        !path.isEmpty && !path.hasPrefix("/")
            && !path.split(separator: "/", omittingEmptySubsequences: false).contains {
                $0 == ".." || $0.isEmpty || $0 == "."
            }
    }

    /// Reads every file and throws what is not as it was written.
    func verify(in folder: String, _ bar: inout ProgressBar) throws(CommandError) {
        bar.begin("checking the backup", unit: "bytes", total: bytes)
        var done = 0
        var wrong: [String] = []
        for file in files {
            let found = try BackupFiles.digest(of: "\(folder)/\(file.path)") { count in
                done += count
                bar.update(done)
            }
            if let found {
                guard found != (file.bytes, file.sha256) else { continue }
                wrong.append("\(file.path) is not what was written")
            } else {
                wrong.append("\(file.path) is missing")
            }
        }
        bar.end(done)
        guard wrong.isEmpty else {
            throw CommandError(
                "the backup is damaged; nothing was restored. Use another one.\n  "
                    + wrong.prefix(20).joined(separator: "\n  ")
            )
        }
    }
}
