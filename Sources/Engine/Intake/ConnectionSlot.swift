import Bytes
import CLibuv
import Settings

/// Names a connection across threads: the slot in its listener's table and the slot's generation, so
/// that an answer for a connection that is gone finds nobody instead of its successor.
public struct ConnectionID: Hashable, BitwiseCopyable, Sendable {
    /// Index in the table.
    public let slot: UInt32
    /// How often the slot was used before.
    public let generation: UInt32

    /// An id from its parts.
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both parts in one word, for a ring's frame.
    public var word: UInt64 { UInt64(slot) << 32 | UInt64(generation) }

    /// An id out of a frame's word.
    public init(word: UInt64) {
        slot = UInt32(truncatingIfNeeded: word >> 32)
        generation = UInt32(truncatingIfNeeded: word)
    }
}

/// What a connection brings before its requests.
enum ConnectionPhase {
    /// The PROXY header of the proxy in front of us.
    case proxyHeader
    /// The TLS handshake.
    case handshake
    /// Nothing any more.
    case requests
}

/// One connection. Lives in memory of its own at a fixed address, because libuv keeps pointers to the
/// handles inside. Owned by the listener's thread.
struct ConnectionSlot: ~Copyable {
    var tcp = uv_tcp_t()
    var writeRequest = uv_write_t()
    /// The table, which outlives every slot.
    let table: Unmanaged<ConnectionTable>
    let index: UInt32
    var generation: UInt32 = 0
    var isOpen = false
    var phase = ConnectionPhase.requests
    /// Encrypts and decrypts; nil on a plain port.
    var tls: TLSSession?
    /// An answer is outstanding: bytes that arrive are kept, not handled.
    var isPaused = false
    /// It has had its turn, and the others have theirs first.
    var isYielding = false
    /// Reading was stopped because too much was kept.
    var isReadStopped = false
    /// The peer has closed its side and still reads: what it asked for is answered.
    var hasPeerClosed = false
    var closesAfterWriting = false
    /// Why, once everything has left.
    var closeReason = CloseReason.served
    /// Everything was sent and our side is closed; what still arrives is thrown away until the peer
    /// closes too, because a close with unread bytes would reset the connection and take the answer
    /// with it (RFC 9112 section 9.6).
    var isLingering = false
    var shutdownRequest = uv_shutdown_t()
    /// A `uv_write` is under way with the content of `output`. Until it has left, no request is
    /// handled: whoever does not read its answers makes no more of them.
    var isWriting = false
    /// Handling must not look at the input before it holds this many bytes.
    var wantedBytes = 0
    /// Bytes received and not yet handled; empty, without memory worth speaking of, when idle.
    var input = ByteBuffer(capacity: 16, limit: ConnectionLimits.inputBytesMaximum)
    /// Bytes under way to the kernel.
    var output = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
    /// Bytes that wait for `output` to leave.
    var queued = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
    /// Bytes of the request under way that the handler keeps.
    var handlerBytes = 0
    /// What of this connection is counted in the table's `heldBytes`.
    var countedBytes = 0
    /// Loop time at which the first byte of the request under way arrived, or at which the connection
    /// was accepted when something comes before its requests; 0 between requests.
    var requestStartedAt: UInt64 = 0
    /// Loop time of the last byte received or answer begun.
    var lastActivityAt: UInt64 = 0
    /// Loop time at which the window began over which the body's rate is measured; 0 outside bodies.
    var bodyWindowStartedAt: UInt64 = 0
    /// Bytes received since then.
    var bodyWindowBytes = 0
    /// Loop time at which the write under way began.
    var writeStartedAt: UInt64 = 0
    /// The kernel was asked, since the last answer, whether the peer has taken all of it.
    var isKnownDelivered = false
    /// Who speaks to us: the other end, or whom its PROXY header names.
    var peer = InternetAddress()
    /// Whose requests these are: the peer's own, or of whom it says that it speaks for.
    var client = InternetAddress()

    init(table: Unmanaged<ConnectionTable>, index: UInt32) {
        self.table = table
        self.index = index
    }

    var id: ConnectionID { ConnectionID(slot: index, generation: generation) }

    /// Everything as a new connection needs it; memory that a connection took is given back.
    mutating func reset() {
        phase = .requests
        tls = nil
        isPaused = false
        isYielding = false
        isReadStopped = false
        hasPeerClosed = false
        closesAfterWriting = false
        closeReason = .served
        isLingering = false
        isWriting = false
        isKnownDelivered = false
        releaseInput()
        releaseOutput()
        queued = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
        forgetRequest()
    }

    mutating func releaseInput() {
        guard input.capacity > ConnectionLimits.keptCapacityMaximum || input.count > 0 else {
            return
        }
        input = ByteBuffer(capacity: 16, limit: ConnectionLimits.inputBytesMaximum)
    }

    mutating func releaseOutput() {
        output.reset()
        guard output.capacity > ConnectionLimits.keptCapacityMaximum else { return }
        output = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
    }
}

/// Bounds of a connection that follow from the engine's limits.
enum ConnectionLimits {
    static let inputBytesMaximum =
        Limits.headerBytesMaximum + Limits.serverBodyBytesMaximum + 65_536
    static let outputBytesMaximum = 1 << 20
    /// How long a closed connection waits for its peer to close too.
    static let lingerMilliseconds = 2_000
    /// While an answer is outstanding this much of what follows is kept before reading stops.
    static let keptWhilePausedBytesMaximum = 65_536
    /// An empty buffer of a connection keeps at most this much memory.
    static let keptCapacityMaximum = 256
    /// What OpenSSL keeps for a record that has arrived in part.
    static let partialRecordBytes = 17 * 1024
}
