import BenchLoad
import Glibc

/// Fetches the engine's own account of itself.
struct MetricsPage: Sendable {
    let target: Target

    private static let chunkLength = 65_536

    /// The text of `/metrics`.
    func fetch() throws(BenchFailure) -> String {
        let descriptor = target.connect(blocking: true)
        guard descriptor >= 0 else { throw .unreachable(target.host, target.port) }
        defer { close(descriptor) }
        let lines = [
            "GET /metrics HTTP/1.1", "Host: \(target.host):\(target.port)", "Accept: text/plain",
            "Connection: close", "", "",
        ]
        let request = lines.joined(separator: "\r\n")
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        else { throw .metrics("the request could not be sent") }
        let answer = String(decoding: readAll(descriptor), as: UTF8.self)
        guard answer.hasPrefix("HTTP/1.1 200") else {
            throw .metrics("answered \(answer.prefix(12))")
        }
        return answer
    }

    /// Events folded and events found to be repeats, since the engine started.
    func folds() throws(BenchFailure) -> (folded: Int, duplicates: Int) {
        let text = try fetch()
        guard let folded = Prometheus.sum(of: "heliograph_events_folded_total", in: text) else {
            throw .metrics("heliograph_events_folded_total is missing")
        }
        let duplicates = Prometheus.sum(of: "heliograph_events_duplicate_total", in: text) ?? 0
        return (Int(folded), Int(duplicates))
    }

    private func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.chunkLength)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return all }
            all.append(contentsOf: chunk[..<count])
        }
    }
}
