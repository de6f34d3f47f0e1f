import Intake
import Loop
import Settings
import Units

/// The ports that beacons come to, opened before any thread begins: a taken port is known at once.
struct ListeningPorts {
    /// Every listener has a socket of its own on every port.
    private(set) var ofListeners: [[ListeningPort]]
    /// The port in force; nil when there is none without TLS.
    private(set) var plain: UInt16?
    /// The port with TLS; nil when there is none.
    private(set) var secure: UInt16?
    private let address: String

    /// Opens what `ingest` asks for, once for each of `listeners`.
    init(_ ingest: HeliographSettings.Ingest, listeners: Int) throws {
        ofListeners = [[ListeningPort]](repeating: [], count: listeners)
        address = ingest.address
        if ingest.edge.isPlain {
            let kind = PortKind(takesProxyHeader: ingest.edge.takesProxyHeader)
            plain = try open(ingest.port, kind)
        }
        if let tls = ingest.edge.tls {
            let kind = PortKind(isEncrypted: true, takesProxyHeader: tls.takesProxyHeader)
            secure = try open(tls.port, kind)
        }
    }

    /// Returns the port in force, also when any free one was asked for.
    private mutating func open(_ wanted: Int, _ kind: PortKind) throws -> UInt16 {
        var port = UInt16(truncatingIfNeeded: wanted)
        try ListeningSocket.checkIsFree(address: address, port: port)
        for index in ofListeners.indices {
            let socket = try ListeningSocket.open(
                address: address,
                port: port,
                backlog: Int32(Limits.listenBacklog)
            )
            port = socket.port
            ofListeners[index].append(ListeningPort(socket: socket, kind: kind))
        }
        return port
    }
}
