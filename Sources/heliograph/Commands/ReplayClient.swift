import Foundation
import Storage

/// Sends refused events to a running engine again, one at a time over one connection.
final class ReplayClient {
    private let connection: IngestConnection
    private let token: String

    /// A client of the engine whose ingest port has this URL.
    init(ingest: String, token: String) throws(CommandError) {
        connection = try IngestConnection(ingest: ingest)
        self.token = token
    }

    /// What the engine said: the status, and what its body says about the one event.
    struct Answer {
        let isBusy: Bool
        let retryAfterSeconds: Int
        /// `accepted`, or the code of the problem.
        let outcome: String
    }

    /// Sends a row. A connection that broke is made anew once: the engine tells repeats apart.
    func send(_ row: RejectedRow) throws(CommandError) -> Answer {
        let request = request(row)
        for _ in 0..<2 {
            try connection.connect()
            if connection.write(request), let answer = connection.readAnswer() {
                return Answer(
                    isBusy: answer.isBusy,
                    retryAfterSeconds: answer.retryAfterSeconds,
                    outcome: Self.outcome(answer.status, answer.body)
                )
            }
            connection.disconnect()
        }
        throw CommandError("the engine at \(connection.host):\(connection.port) does not answer")
    }

    // MARK: - The request

    private func request(_ row: RejectedRow) -> [UInt8] {
        let isPixel = row.format == "pixel"
        let query = isPixel ? "?" + String(decoding: row.body, as: UTF8.self) : ""
        let body = isPixel ? [] : row.body
        var lines = [
            "\(isPixel ? "GET" : "POST") \(row.path)\(query) HTTP/1.1",
            "Host: \(connection.host):\(connection.port)",
            "X-Heliograph-Received-At: \(row.receivedAt) \(token)", "X-Heliograph-Debug: 1",
        ]
        if !row.userAgent.isEmpty { lines.append("User-Agent: \(row.userAgent)") }
        if let origin = Self.origin(row) { lines.append("Origin: \(origin)") }
        if !isPixel {
            lines.append("Content-Type: \(row.format == "sdk" ? "text/plain" : "application/json")")
            lines.append("Content-Length: \(body.count)")
        }
        if row.format != "sdk", !row.key.isEmpty {
            let secret = Data("\(row.key):".utf8).base64EncodedString()
            lines.append("Authorization: Basic \(secret)")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }

    /// What was refused for its origin is judged by the same origin again: the place names it.
    private static func origin(_ row: RejectedRow) -> String? {
        guard row.reason == "origin-not-allowed", row.place.hasPrefix("Origin ") else { return nil }
        return String(row.place.dropFirst(7))
    }

    // MARK: - The answer

    /// A request with one event is taken when nobody says that its event was dropped.
    static func outcome(_ status: Int, _ body: Data) -> String {
        let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any]
        guard status == 200 || status == 204 else {
            return object?["code"] as? String ?? "status-\(status)"
        }
        let results = object?["results"] as? [[String: Any]] ?? []
        for result in results where result["result"] as? String == "drop" {
            // Of a whole batch some may be taken; then the batch is, and the rest is kept anew.
            if results.allSatisfy({ $0["result"] as? String == "drop" }) {
                return result["reason"] as? String ?? "dropped"
            }
        }
        return "accepted"
    }
}
