import Foundation
import Glibc

/// The engine that runs on a data folder, as other programs find it.
enum RunningEngine {
    /// Its addresses; an explanation when none runs there.
    static func addresses(_ data: String) throws(CommandError) -> Addresses {
        guard let content = FileManager.default.contents(atPath: "\(data)/addresses.json"),
            let addresses = try? JSONDecoder().decode(Addresses.self, from: content)
        else {
            throw CommandError(
                """
                no engine runs on the data folder \(data): there is no addresses.json
                  Start it with `heliograph up`, or name its folder with --data.
                """
            )
        }
        guard kill(addresses.pid, 0) == 0 || errno == EPERM else {
            throw CommandError(
                """
                the engine of \(data) is gone: process \(addresses.pid) has ended
                  Start it again with `heliograph up`; it recovers by itself.
                """
            )
        }
        return addresses
    }

    /// A figure without labels, as the engine tells it now; nil when it does not answer.
    static func metric(_ name: String, _ addresses: Addresses) throws -> Int? {
        let connection = try IngestConnection(ingest: addresses.ingest)
        try connection.connect()
        let lines = [
            "GET /metrics HTTP/1.1", "Host: \(connection.host):\(connection.port)", "", "",
        ]
        guard connection.write(Array(lines.joined(separator: "\r\n").utf8)),
            let answer = connection.readAnswer()
        else { return nil }
        let figures = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        return figures.first { $0.hasPrefix("\(name) ") }
            .flatMap { Int($0.dropFirst(name.count + 1)) }
    }
}
