import BenchLoad
import CHiredis
import Glibc

/// Where Redis is, from a URL such as `unix:///run/redis.sock` or `redis://:secret@127.0.0.1:6379`.
enum RedisAddress: Sendable, Equatable {
    case unix(path: String)
    case tcp(host: String, port: Int32, password: String?)

    init?(_ url: String) {
        if url.hasPrefix("unix://") {
            self = .unix(path: String(url.dropFirst("unix://".count)))
            return
        }
        guard url.hasPrefix("redis://") else { return nil }
        let authority = url.dropFirst("redis://".count).prefix { $0 != "/" }
        let parts = authority.split(separator: "@", maxSplits: 1).map(String.init)
        let place = (parts.last ?? "").split(separator: ":").map(String.init)
        guard let host = place.first, let port = Int32(place.count > 1 ? place[1] : "6379") else {
            return nil
        }
        let secret = parts.count > 1 ? parts[0].split(separator: ":").last.map(String.init) : nil
        self = .tcp(host: host == "localhost" ? "127.0.0.1" : host, port: port, password: secret)
    }
}

/// A blocking connection that only reads.
struct RedisReader: ~Copyable {
    private let context: UnsafeMutablePointer<redisContext>

    /// Connects and, when the address has a password, says it.
    static func connect(_ address: RedisAddress) throws(BenchFailure) -> RedisReader {
        switch address {
        case .unix(let path):
            return RedisReader(try usable(redisConnectUnix(path), address))
        case .tcp(let host, let port, let password):
            let reader = RedisReader(try usable(redisConnect(host, port), address))
            if let password {
                reader.append(["AUTH", password])
                _ = try reader.reply()
            }
            return reader
        }
    }

    private init(_ context: UnsafeMutablePointer<redisContext>) { self.context = context }

    private static func usable(
        _ opened: UnsafeMutablePointer<redisContext>?,
        _ address: RedisAddress
    ) throws(BenchFailure) -> UnsafeMutablePointer<redisContext> {
        guard let opened else { throw .redis("no memory for a connection") }
        guard opened.pointee.err == 0 else {
            redisFree(opened)
            throw .redis("cannot connect to \(address)")
        }
        return opened
    }

    deinit { redisFree(context) }

    /// Puts a command into the pipeline.
    func append(_ words: [String]) {
        var lengths = words.map(\.utf8.count)
        withPointers(words) { pointers in
            _ = redisAppendCommandArgv(context, Int32(words.count), pointers, &lengths)
        }
    }

    /// The next reply's text, or nil for a null reply.
    func reply() throws(BenchFailure) -> String? {
        var raw: UnsafeMutableRawPointer?
        guard redisGetReply(context, &raw) == REDIS_OK, let raw else {
            throw .redis("connection lost")
        }
        defer { freeReplyObject(raw) }
        let reply = raw.assumingMemoryBound(to: redisReply.self).pointee
        guard let text = reply.str else { return nil }
        let value = String(
            decoding: UnsafeRawBufferPointer(start: text, count: Int(reply.len)),
            as: UTF8.self
        )
        if reply.type == REDIS_REPLY_ERROR { throw .redis(value) }
        return value
    }

    /// The process that answers.
    func serverProcess() throws(BenchFailure) -> Int32? {
        append(["INFO", "server"])
        let lines = (try reply() ?? "").split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.hasPrefix("process_id:") }) else { return nil }
        return Int32(line.dropFirst("process_id:".count))
    }

    private func withPointers(
        _ words: [String],
        _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Void
    ) {
        let copies = words.map { strdup($0) }
        var pointers = copies.map { UnsafePointer<CChar>($0) }
        body(&pointers)
        for copy in copies { free(copy) }
    }
}
