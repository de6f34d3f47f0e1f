import Foundation
import Settings

/// Certificates made for one test by the `openssl` command, in a folder that goes with it.
final class Certificates {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hg-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// A self-signed certificate for `host` and its subdomains.
    func make(
        _ host: String,
        kind: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        days: Int = 30,
        names: [String] = []
    ) throws -> TLSCertificate {
        let (certificate, key) = (path("\(host).pem"), path("\(host).key"))
        let output = try Command.run(
            ["openssl", "req", "-x509", "-newkey"] + kind + [
                "-nodes", "-keyout", key, "-out", certificate, "-days", "\(days)",
                "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host),DNS:*.\(host)",
            ]
        )
        guard FileManager.default.fileExists(atPath: certificate) else {
            throw Command.Failure(output: output)
        }
        return TLSCertificate(
            certificate: certificate,
            key: key,
            names: names,
            place: "heliograph.yaml:7"
        )
    }
}

/// A command with its input and both its outputs.
enum Command {
    struct Failure: Error {
        let output: String
    }

    @discardableResult
    static func run(_ words: [String], input: String = "") throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let (source, sink) = (Pipe(), Pipe())
        process.standardInput = source
        process.standardOutput = sink
        process.standardError = sink
        try process.run()
        // On a thread of its own: a command that answers before it has read all would block us.
        let bytes = Data(input.utf8)
        Thread.detachNewThread {
            try? source.fileHandleForWriting.write(contentsOf: bytes)
            try? source.fileHandleForWriting.close()
        }
        let output = sink.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
