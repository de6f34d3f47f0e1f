import Foundation

/// Where a running engine can be found: what `heliograph up` writes to `var/addresses.json`.
struct Addresses: Decodable, Sendable {
    var ingest: String
    var companion: String?
    var redis: String?
    var postgres: String?
    var pid: Int32?

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
        guard let url = URL(string: ingest), url.scheme == "http", let host = url.host,
            let port = url.port.flatMap({ UInt16(exactly: $0) })
        else { throw .addresses("ingest is not an http URL with a port: \(ingest)") }
        let address = host == "localhost" ? "127.0.0.1" : host
        guard address.hasPrefix("127.") else {
            throw .addresses("\(host) is not a loopback address; load is sent to loopback only")
        }
        return Target(host: address, port: port)
    }
}
