import Foundation
import Glibc

/// A connection to the ingest port of a running engine, for commands that send events. Blocking; made when
/// the first request is written, and anew after it broke.
final class IngestConnection {
    private static let answerBytesMaximum = 256 * 1024
    private static let timeoutSeconds = 15

    let host: String
    let port: String
    /// Below 0 while there is none.
    private(set) var socket: Int32 = -1
    private var received: [UInt8] = []

    /// To the engine whose ingest port has this URL.
    init(ingest: String) throws(CommandError) {
        guard let url = URL(string: ingest), url.scheme == "http", let host = url.host,
            let port = url.port
        else { throw CommandError("\(ingest) is no http address with a port") }
        self.host = host
        self.port = String(port)
    }

    deinit { disconnect() }

    /// What the engine said.
    struct Answer {
        let status: Int
        let fields: [String: String]
        let body: Data

        var retryAfterSeconds: Int { fields["retry-after"].flatMap { Int($0) } ?? 1 }
        /// Whether the engine asks to be left alone for a while.
        var isBusy: Bool { [408, 429, 503].contains(status) }
    }

    /// Makes the connection, if there is none.
    func connect() throws(CommandError) {
        if socket >= 0 { return }
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

    func disconnect() {
        if socket >= 0 { close(socket) }
        socket = -1
        received = []
    }

    /// Sends a whole request; false when the connection broke.
    func write(_ bytes: [UInt8]) -> Bool {
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

    /// Waits for an answer; nil when the connection broke or none came in time.
    func readAnswer() -> Answer? {
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
        return Answer(status: status, fields: fields, body: body)
    }
}
