import CHiredis
import Glibc
import Settings
import Telemetry

/// A blocking connection to Redis. Owned by the one thread that made it.
struct RedisConnection: ~Copyable {
    private let context: UnsafeMutablePointer<redisContext>

    private init(owning context: UnsafeMutablePointer<redisContext>) { self.context = context }

    /// Connects, signs in and selects the database.
    static func open(_ address: RedisAddress) throws(RedisFailure) -> RedisConnection {
        guard let context = connect(address) else { throw .unreachable }
        let connection = RedisConnection(owning: context)
        if context.pointee.err != 0 { throw .unreachable }
        redisSetTimeout(context, duration(Limits.storeDeadlineMilliseconds))
        try connection.signIn(address)
        return connection
    }

    deinit { redisFree(context) }

    private static func connect(_ address: RedisAddress) -> UnsafeMutablePointer<redisContext>? {
        let deadline = duration(Limits.storeConnectMilliseconds)
        switch address.endpoint {
        case .unix(let path): return redisConnectUnixWithTimeout(path, deadline)
        case .tcp(let host, let port):
            return redisConnectWithTimeout(host, Int32(port), deadline)
        }
    }

    private static func duration(_ milliseconds: Int) -> timeval {
        timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
    }

    private func signIn(_ address: RedisAddress) throws(RedisFailure) {
        if let password = address.password {
            let user = address.user.map { [$0] } ?? []
            let reply = try password.expose { (text) throws(RedisFailure) in
                try ask([["AUTH"] + user + [text]])
            }
            if case .refused = reply.first { throw .unreachable }
        }
        if address.database != 0 {
            let reply = try ask([["SELECT", "\(address.database)"]])
            if case .refused = reply.first { throw .unreachable }
        }
    }

    /// Sends all commands in one pipeline and waits for all answers.
    func ask(_ commands: [RedisCommand]) throws(RedisFailure) -> [RedisReply] {
        for command in commands { try append(command) }
        var replies: [RedisReply] = []
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw .broken }
            replies.append(Self.take(raw))
        }
        return replies
    }

    /// Puts a command into the output without waiting, for a subscription.
    func append(_ command: RedisCommand) throws(RedisFailure) {
        var copies = command.map { UnsafePointer(Self.copy($0)) as UnsafePointer<CChar>? }
        defer { for copy in copies { copy?.deallocate() } }
        let status = redisAppendCommandArgv(
            context,
            Int32(command.count),
            &copies,
            command.map(\.utf8.count)
        )
        if status != REDIS_OK { throw .broken }
    }

    /// The bytes of an argument, which may hold zeros: its length travels with it.
    private static func copy(_ argument: String) -> UnsafeMutablePointer<CChar> {
        let bytes = argument.utf8
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
        _ = copy.initialize(from: bytes.map { CChar(bitPattern: $0) } + [0])
        return copy.baseAddress ?? .allocate(capacity: 1)
    }

    /// Writes what was appended.
    func send() throws(RedisFailure) {
        var isDone: Int32 = 0
        while isDone == 0 {
            if redisBufferWrite(context, &isDone) != REDIS_OK { throw .broken }
        }
    }

    /// Reads once, which waits unless the descriptor is readable, and hands on every whole message.
    func receive(_ body: (RedisReply) -> Void) throws(RedisFailure) {
        if redisBufferRead(context) != REDIS_OK { throw .broken }
        while true {
            var raw: UnsafeMutableRawPointer?
            if redisGetReplyFromReader(context, &raw) != REDIS_OK { throw .broken }
            guard let raw else { return }
            body(Self.take(raw))
        }
    }

    /// The socket, to wait on.
    var descriptor: Int32 { context.pointee.fd }

    /// Copies an answer and frees the original.
    private static func take(_ raw: UnsafeMutableRawPointer) -> RedisReply {
        defer { freeReplyObject(raw) }
        return copy(raw.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func copy(_ reply: redisReply) -> RedisReply {
        switch reply.type {
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .bytes(bytes(reply))
        case REDIS_REPLY_ERROR: return .refused(String(decoding: bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
            return .array(elements.map { $0.map { copy($0.pointee) } ?? .none })
        default: return .none
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: reply.str, count: reply.len))
    }
}
