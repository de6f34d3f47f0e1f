/// Why a connection ended, for the counters.
public enum CloseReason: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// The peer closed it, or went away.
    case peer
    /// Its last answer was sent.
    case served
    /// Nothing was asked for a while.
    case idle
    /// The longest idle made room for a newcomer.
    case crowdedOut
    /// The request did not arrive in time.
    case requestTimeout
    /// The body came slower than it may.
    case bodyTooSlow
    /// The client did not read its answer.
    case writeTimeout
    /// Unfinished requests held too much memory, this one the most.
    case overloaded
    /// There were too many connections, none of them idle.
    case tooMany
    /// A request or an answer was larger than a connection may hold.
    case overflowed
    /// What came was no TLS handshake that we take, or broke the protocol later.
    case handshakeFailed
    /// The handshake did not end in time.
    case handshakeTimeout
    /// The PROXY header was missing or malformed, or did not come in time.
    case proxyHeaderRefused
    /// The engine stops.
    case stopping
}

/// Why a request is not waited for any longer.
public enum RequestRefusal: UInt8, Sendable {
    /// It did not arrive in time.
    case timeout
    /// Its body came slower than it may.
    case bodyTooSlow
    /// Unfinished requests hold too much memory, this one the most.
    case overloaded
    /// There are too many connections.
    case tooManyConnections

    var closeReason: CloseReason {
        switch self {
        case .timeout: return .requestTimeout
        case .bodyTooSlow: return .bodyTooSlow
        case .overloaded: return .overloaded
        case .tooManyConnections: return .tooMany
        }
    }
}
