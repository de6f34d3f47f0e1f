import Foundation
import Glibc

/// A connection that sends exactly what a test says and reads what comes, with no library between.
final class TestClient {
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: Int, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &timeout,
            socklen_t(MemoryLayout<timeval>.size)
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Reads until the bytes contain `text`; returns everything read so far, or nil at the end.
    func read(until text: String) -> String? {
        while true {
            let soFar = String(decoding: buffer, as: UTF8.self)
            if soFar.contains(text) { return soFar }
            if !fill() { return nil }
        }
    }

    /// Whether the server has closed the connection; reads everything before.
    func readToEnd() -> Bool {
        while fill() {}
        return errno != EAGAIN
    }

    func forget() { buffer = [] }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        errno = 0
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 { buffer += chunk[0..<count] }
        return count > 0
    }

    /// One request with `Connection: close`, and its answer.
    static func get(
        _ path: String,
        port: Int,
        method: String = "GET",
        host: String = "127.0.0.1",
        headers: String = "",
        body: String = ""
    ) throws -> Answer {
        let client = try TestClient(port: port)
        client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\(headers)\r\n\(body)"
        )
        _ = client.readToEnd()
        return parse(String(decoding: client.buffer, as: UTF8.self))
    }

    private static func parse(_ text: String) -> Answer {
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.components(separatedBy: ": ")
            headers[pair[0].lowercased()] = pair.dropFirst().joined(separator: ": ")
        }
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        return Answer(
            status: status,
            headers: headers,
            body: parts.dropFirst().joined(separator: "\r\n\r\n")
        )
    }
}
