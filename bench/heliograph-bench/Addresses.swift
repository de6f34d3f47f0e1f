import Foundation

/// Where a running engine can be found: what `heliograph up` writes to `var/addresses.json`.
struct Addresses: Decodable, Sendable {
    var ingest: String
    /// Present when the engine has a port with TLS.
    var ingestTLS: String?
    var companion: String?
    var redis: String?
    var postgres: String?
    var pid: Int32?

    private enum CodingKeys: String, CodingKey {
        case ingest, companion, redis, postgres, pid
        case ingestTLS = "ingest_tls"
    }

    /// Reads the file.
    static func read(_ path: String) throws(BenchFailure) -> Addresses {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .addresses("\(path) cannot be read; start the engine with ./deploy/run first")
        }
        do {
            return try JSONDecoder().decode(Addresses.self, from: data)
        } catch {
            throw .addresses("\(path) is not what the engine writes: \(error)")
        }
    }

    /// The ingest address, which must be on this machine: load never leaves it.
    func ingestTarget() throws(BenchFailure) -> Target {
        try Self.target(ingest, scheme: "http")
    }

    /// The ingest address with TLS; nil when there is none.
    func secureTarget() throws(BenchFailure) -> Target? {
        guard let ingestTLS else { return nil }
        return try Self.target(ingestTLS, scheme: "https")
    }

    /// The loopback address that a URL with a port names.
    static func target(_ text: String, scheme: String) throws(BenchFailure) -> Target {
        guard let url = URL(string: text), url.scheme == scheme, let host = url.host,
            let port = url.port.flatMap({ UInt16(exactly: $0) })
        else { throw .addresses("not an \(scheme) URL with a port: \(text)") }
        let address = host == "localhost" ? "127.0.0.1" : host
        guard address.hasPrefix("127.") else {
            throw .addresses("\(host) is not a loopback address; load is sent to loopback only")
        }
        return Target(host: address, port: port)
    }
}
