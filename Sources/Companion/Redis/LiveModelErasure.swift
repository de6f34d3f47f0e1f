import Settings
import Telemetry

/// Takes single visitors out of the live model, and makes Redis forget them on disk, too. Blocking;
/// owned by one thread.
public final class LiveModelErasure {
    /// Redis could not be asked.
    public struct Failure: Error, CustomStringConvertible {
        /// A sentence for an operator.
        public let description: String
    }

    private let connection: RedisConnection
    private let prefix: String

    /// Connects. Keys begin with `keyPrefix`.
    public init(url: String, keyPrefix: String) throws(Failure) {
        guard let address = RedisAddress(url) else {
            throw Failure(description: "redis.url is neither unix:///path nor redis://host:port")
        }
        prefix = keyPrefix
        do throws(RedisFailure) { connection = try RedisConnection.open(address) } catch {
            throw Failure(description: "Redis cannot be reached: \(error)")
        }
    }

    /// The position that Redis holds for each of the `count` partitions; 0 where it has none.
    public func positions(count: Int) throws(Failure) -> [UInt64] {
        let reply = try ask([["MGET"] + (0..<count).map { "\(prefix)hg:pos:\($0)" }])[0]
        return reply.elements.map { $0.text.flatMap { UInt64($0) } ?? 0 }
    }

    /// Removes the visitors' hashes and ranks, and tells whoever watches that they are gone. Returns
    /// how many hashes there were.
    public func erase(site: String, visitors: [String]) throws(Failure) -> Int {
        var removed = 0
        for visitor in visitors {
            let replies = try ask([
                ["DEL", key(site, visitor)], ["ZREM", "\(prefix)hg:\(site):hot", visitor],
            ])
            guard case .integer(let keys) = replies[0], case .integer(let ranks) = replies[1],
                keys + ranks > 0
            else { continue }
            removed += Int(keys)
            let message = "{\"visitor\":\"\(Self.escaped(visitor))\",\"gone\":true}"
            _ = try ask([["PUBLISH", "\(prefix)hg:\(site):live", message]])
        }
        return removed
    }

    /// How many of the visitors Redis knows.
    public func count(site: String, visitors: [String]) throws(Failure) -> Int {
        var found = 0
        for visitor in visitors {
            let replies = try ask([
                ["EXISTS", key(site, visitor)], ["ZSCORE", "\(prefix)hg:\(site):hot", visitor],
            ])
            if replies[0] != .integer(0) || replies[1] != .none { found += 1 }
        }
        return found
    }

    /// What Redis holds of a visitor, packed sums as their number of bytes.
    public func document(site: String, visitor: String) throws(Failure) -> [String: String] {
        let fields = try ask([["HGETALL", key(site, visitor)]])[0].pairs
        return fields.reduce(into: [:]) { document, field in
            document[field.key] =
                field.key == "state"
                ? "\(field.value.count) bytes of packed sums"
                : String(decoding: field.value, as: UTF8.self)
        }
    }

    private func key(_ site: String, _ visitor: String) -> String {
        "\(prefix)hg:\(site):v:{\(visitor)}"
    }

    /// Ids are of a grammar that needs no escaping; what is not is kept from breaking the message.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, letter in
            if letter == "\"" || letter == "\\" { escaped.append("\\") }
            escaped.append(letter)
        }
    }

    // MARK: - Bytes on disk

    /// Whether Redis keeps its commands in a file.
    public func keepsLog() throws(Failure) -> Bool { try information("aof_enabled") == "1" }

    /// Begins to write Redis' files anew, without what is gone.
    public func beginRewrite() throws(Failure) { _ = try ask([["BGREWRITEAOF"]]) }

    /// Whether a rewriting that was begun, or that waits for another, has ended.
    public func hasRewritten() throws(Failure) -> Bool {
        let running = try information("aof_rewrite_in_progress")
        let waiting = try information("aof_rewrite_scheduled")
        guard running == "0", waiting == "0" else { return false }
        guard try information("aof_last_bgrewrite_status") == "ok" else {
            throw Failure(description: "Redis could not rewrite its append-only file")
        }
        return true
    }

    private func information(_ name: String) throws(Failure) -> String? {
        let text = try ask([["INFO", "persistence"]])[0].text ?? ""
        return text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    private func ask(_ commands: [RedisCommand]) throws(Failure) -> [RedisReply] {
        let replies: [RedisReply]
        do throws(RedisFailure) { replies = try connection.ask(commands) } catch {
            throw Failure(description: "Redis stopped answering: \(error)")
        }
        if case .refused(let reason) = replies.first { throw Failure(description: reason) }
        return replies
    }
}
