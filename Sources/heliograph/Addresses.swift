import Foundation
import Glibc
import Settings

/// Where a running engine is to be found; written to `addresses.json` in the data folder.
struct Addresses: Codable {
    var ingest: String
    /// The port with TLS; nil when there is none.
    var ingestTLS: String?
    var companion: String
    var redis: String
    var postgres: String
    var pid: Int32

    private enum CodingKeys: String, CodingKey {
        case ingest, companion, redis, postgres, pid
        case ingestTLS = "ingest_tls"
    }

    /// As one JSON object with its keys in order.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(self)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Writes the file in one step, so that a script never reads half of it. For its owner only: the
    /// addresses of stores may hold passwords.
    func write(to directory: String) throws(FileProblem) {
        try Files.write(json, to: "\(directory)/addresses.json", mode: 0o600)
    }

    /// What may be printed, where it comes to be logged: the passwords of the operator's own stores are
    /// left to the file.
    func printable(_ settings: HeliographSettings) -> Addresses {
        var shown = self
        if let url = settings.redis.url { shown.redis = "\(url)" }
        if let url = settings.postgres.url { shown.postgres = "\(url)" }
        return shown
    }

    /// The engine is gone: scripts must not take its old addresses for good.
    static func remove(from directory: String) { unlink("\(directory)/addresses.json") }
}
