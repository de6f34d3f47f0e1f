import Foundation
import Glibc
import Storage

/// Sends refused events to a running engine again, one at a time over one connection.
final class ReplayClient {
    private static let answerBytesMaximum = 256 * 1024
    private static let timeoutSeconds = 15

    private let host: String
    private let port: String
    private let token: String
    private var socket: Int32 = -1
    private var received: [UInt8] = []

    /// A client of the engine whose ingest port has this URL.
    init(ingest: String, token: String) throws(CommandError) {
        guard let url = URL(string: ingest), url.scheme == "http", let host = url.host,
            let port = url.port
        else { throw CommandError("\(ingest) is no http address with a port") }
        self.host = host
        self.port = String(port)
        self.token = token
    }

    deinit { disconnect() }

    /// What the engine said: the status, and what its body says about the one event.
    struct Answer {
        let status: Int
        let retryAfterSeconds: Int
        /// `accepted`, or the code of the problem.
        let outcome: String
    }

    /// Sends a row. A connection that broke is made anew once: the engine tells repeats apart.
    func send(_ row: RejectedRow) throws(CommandError) -> Answer {
        let request = request(row)
        for isLast in [false, true] {
            if socket < 0 { try connect() }
            if write(request), let answer = readAnswer() { return answer }
            disconnect()
            if isLast { break }
        }
        throw CommandError("the engine at \(host):\(port) does not answer")
    }

    // MARK: - The request

    private func request(_ row: RejectedRow) -> [UInt8] {
        let isPixel = row.format == "pixel"
        let query = isPixel ? "?" + String(decoding: row.body, as: UTF8.self) : ""
        let body = isPixel ? [] : row.body
        var lines = [
            "\(isPixel ? "GET" : "POST") \(row.path)\(query) HTTP/1.1", "Host: \(host):\(port)",
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

    // MARK: - The connection

    private func connect() throws(CommandError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        defer { if let found { freeaddrinfo(found) } }
        let name = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        guard getaddrinfo(name, port, &hints, &found) == 0, let address = found?.pointee else {
            throw CommandError("there is no address \(host)")
        }
        let opened = Glibc.socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        var limit = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard Glibc.connect(opened, address.ai_addr, address.ai_addrlen) == 0 else {
            close(opened)
            throw CommandError("no engine answers at \(host):\(port); is it running?")
        }
        socket = opened
    }

    private func disconnect() {
        if socket >= 0 { close(socket) }
        socket = -1
        received = []
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    socket,
                    raw.baseAddress.map { $0 + done },
                    bytes.count - done,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    // MARK: - The answer

    private func readAnswer() -> Answer? {
        while true {
            if let answer = takeAnswer() { return answer }
            guard received.count < Self.answerBytesMaximum, readMore() else { return nil }
        }
    }

    private func readMore() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count <= 0 { return false }
        received += chunk.prefix(count)
        return true
    }

    /// Takes a whole answer off the front of what was received; nil while it is not whole.
    private func takeAnswer() -> Answer? {
        let end = Data(received).range(of: Data("\r\n\r\n".utf8))
        guard let end else { return nil }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let length = fields["content-length"].flatMap { Int($0) } ?? 0
        guard received.count >= end.upperBound + length else { return nil }
        let body = Data(received[end.upperBound..<end.upperBound + length])
        received.removeFirst(end.upperBound + length)
        if fields["connection"] == "close" { disconnect() }
        return Answer(
            status: status,
            retryAfterSeconds: fields["retry-after"].flatMap { Int($0) } ?? 1,
            outcome: Self.outcome(status, body)
        )
    }

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
