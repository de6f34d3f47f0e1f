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
    /// An answer is outstanding: bytes that arrive are kept, not handled.
    var isPaused = false
    /// Reading was stopped because too much was kept.
    var isReadStopped = false
    var closesAfterWriting = false
    /// Everything was sent and our side is closed; what still arrives is thrown away until the peer
    /// closes too, because a close with unread bytes would reset the connection and take the answer
    /// with it (RFC 9112 section 9.6).
    var isLingering = false
    var shutdownRequest = uv_shutdown_t()
    /// A `uv_write` is under way with the content of `output`.
    var isWriting = false
    /// Handling must not look at the input before it holds this many bytes.
    var wantedBytes = 0
    /// Bytes received and not yet handled; empty, without memory worth speaking of, when idle.
    var input = ByteBuffer(capacity: 16, limit: ConnectionLimits.inputBytesMaximum)
    /// Bytes under way to the kernel.
    var output = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
    /// Bytes that wait for `output` to leave.
    var queued = ByteBuffer(capacity: 16, limit: ConnectionLimits.outputBytesMaximum)
    /// Loop time at which the first byte of the request under way arrived; 0 between requests.
    var requestStartedAt: UInt64 = 0
    /// Loop time of the last byte in either direction.
    var lastActivityAt: UInt64 = 0
    /// Bytes received since `requestStartedAt`.
    var requestBytes = 0
    /// The peer's address: 4 or 16 bytes, and how many of them count.
    var address = InlineArray<16, UInt8>(repeating: 0)
    var addressLength = 0

    init(table: Unmanaged<ConnectionTable>, index: UInt32) {
        self.table = table
        self.index = index
    }

    var id: ConnectionID { ConnectionID(slot: index, generation: generation) }
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
}
