import Bytes
import Intake
import Settings
import Telemetry
import Wire

/// What a listener's connections may take together.
struct ConnectionLimits {
    let connectionsMaximum: Int
    let heldBytesMaximum: Int
}

/// Certificates, the client's address behind proxies, and why connections ended.
extension Listener {
    /// Puts the edge that was just looked up in force.
    func applyEdge() {
        route.sites = edge.edge.sites
        servers.sites = edge.edge.sites
        sender.refresh(edge.edge)
        connections.trustedProxies = edge.edge.trustedProxies
        if let context = edge.edge.tls { connections.install(context) }
    }

    /// Tells the table whose request this is, when proxies of ours may stand between.
    func noteClient(_ head: RequestHead, _ connection: ConnectionID) {
        let trusted = edge.edge.trustedProxies
        if trusted.isEmpty { return }
        connections.noteClient(
            ForwardedAddress.resolve(
                peer: connections.peer(of: connection),
                forwardedFor: head.forwardedFor,
                trusted: trusted
            ),
            of: connection
        )
    }
}

extension BeaconProblems {
    static func problem(of refusal: RequestRefusal) -> Problem {
        switch refusal {
        case .timeout: return .requestTimeout
        case .bodyTooSlow: return .bodyTooSlow
        case .overloaded: return .overloaded
        case .tooManyConnections: return .tooManyConnections
        }
    }
}

/// How many connections had ended when the counters were last brought up to date.
struct CloseCounts {
    private var known = [UInt64](repeating: 0, count: CloseReason.allCases.count)

    mutating func report(_ connections: ConnectionTable, to counters: CounterBlock) {
        for (index, reason) in CloseReason.allCases.enumerated() {
            let count = connections.closedCount(reason)
            counters.add(Self.counter(of: reason), Int(count - known[index]))
            known[index] = count
        }
    }

    private static func counter(of reason: CloseReason) -> Counter {
        switch reason {
        case .peer: return .closedByPeer
        case .served: return .closedServed
        case .idle: return .closedIdle
        case .crowdedOut: return .closedCrowdedOut
        case .requestTimeout: return .closedRequestTimeout
        case .bodyTooSlow: return .closedBodyTooSlow
        case .writeTimeout: return .closedWriteTimeout
        case .overloaded: return .closedOverloaded
        case .tooMany: return .closedTooMany
        case .overflowed: return .closedOverflowed
        case .handshakeFailed: return .closedHandshakeFailed
        case .handshakeTimeout: return .closedHandshakeTimeout
        case .proxyHeaderRefused: return .closedProxyHeader
        case .stopping: return .closedStopping
        }
    }
}
