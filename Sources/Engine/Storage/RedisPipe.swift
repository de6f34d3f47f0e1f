import Bytes
public import CLibuv

/// What the live model's writer asks of a connection to Redis: the real one, or a simulated one that
/// loses answers when told to. Used a few times in each pipeline, never for a command.
protocol RedisPipe: AnyObject {
    /// Called when the connection has become usable, and when it is lost.
    var onEvent: (RedisPipeEvent) -> Void { get set }
    /// Called for each answer to what was sent.
    var onReply: (UnsafeMutablePointer<RedisReply>) -> Void { get set }
    /// Hears why a connection failed.
    var onProblem: (String) -> Void { get set }

    /// Connects, and keeps reconnecting until `close`.
    func start()

    /// Lets go of everything. No callback comes afterwards.
    func close()

    /// Takes the whole content of `commands`, leaving an empty buffer behind, and sends it.
    func send(_ commands: inout ByteBuffer)

    /// An answer is owed, or no longer: its deadline begins or ends.
    func expectAnswer(_ isExpected: Bool)

    /// Drops the connection because of what the owner found in an answer, and tries again later.
    func abort(_ reason: String)
}

/// What became of a connection to Redis.
enum RedisPipeEvent {
    case ready, lost
}

/// A way to Redis, of which every worker opens a connection of its own.
public struct RedisRoute: Sendable {
    let open: @Sendable (UnsafeMutablePointer<uv_loop_t>) -> any RedisPipe

    /// The way to a server.
    public init(_ address: RedisAddress) {
        open = { loop in RedisLink(address: address, loop: loop) }
    }

    /// A way that somebody else has made, such as a simulation.
    init(opening open: @escaping @Sendable (UnsafeMutablePointer<uv_loop_t>) -> any RedisPipe) {
        self.open = open
    }
}

extension LiveModelWriter {
    /// A writer to a server.
    public convenience init(
        address: RedisAddress,
        keyPrefix: String = "",
        loop: UnsafeMutablePointer<uv_loop_t>,
        onProblem: @escaping (String) -> Void = { _ in },
        onOutcome: @escaping (Outcome) -> Void
    ) {
        self.init(
            route: RedisRoute(address),
            keyPrefix: keyPrefix,
            loop: loop,
            onProblem: onProblem,
            onOutcome: onOutcome
        )
    }
}
