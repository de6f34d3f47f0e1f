import Settings
import Telemetry

/// Reads the whole live model out of Redis, for commands that compare or rebuild it. Blocking; owned by
/// one thread.
public final class LiveModelScan {
    /// Redis could not be asked.
    public struct Failure: Error, CustomStringConvertible {
        /// A sentence for an operator.
        public let description: String
    }

    /// A visitor's hash.
    public struct Entry {
        /// The site's name.
        public let site: String
        /// The visitor's id.
        public let visitor: String
        /// Offset of the record that the hash stands at.
        public let position: UInt64
        /// Packed sums.
        public let state: [UInt8]
        /// Packed sums of the person that the visitor is read as part of; nil when it is read alone.
        public let joined: [UInt8]?
        /// Readiness with one decimal, as text.
        public let score: String
        /// `cold`, `warm` or `hot`.
        public let band: String
        /// The profile's name.
        public let profile: String
        /// The name of the model that wrote it.
        public let model: String
        /// Likelihood, its bounds, and who says so, between spaces; nil where there are no bounds.
        public let likelihood: String?
    }

    private let connection: RedisConnection
    private let prefix: String

    private static let keysPerScan = "1000"
    private static let fields = [
        "pos", "state", "score", "band", "profile", "model", "joined", "likelihood",
        "likelihood_low", "likelihood_high", "likelihood_by",
    ]

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
        let keys = (0..<count).map { "\(prefix)hg:pos:\($0)" }
        let reply = try ask([["MGET"] + keys])[0]
        return reply.elements.map { $0.text.flatMap { UInt64($0) } ?? 0 }
    }

    /// Every visitor, in no order; those written meanwhile may come twice.
    public func visitors(_ body: (Entry) -> Void) throws(Failure) {
        let start = prefix + "hg:"
        try scan(matching: Self.escaped(start) + "*:v:{*}") { keys throws(Failure) in
            let replies = try ask(keys.map { ["HMGET", $0] + Self.fields })
            for (key, reply) in zip(keys, replies) {
                if let entry = Self.entry(key.dropFirst(start.count), reply) { body(entry) }
            }
        }
    }

    /// What Redis has of one visitor; nil when there is none.
    public func visitor(site: String, visitor: String) throws(Failure) -> Entry? {
        let key = "\(site):v:{\(visitor)}"
        let reply = try ask([["HMGET", "\(prefix)hg:" + key] + Self.fields])[0]
        return Self.entry(key[...], reply)
    }

    /// Every partition's share of every live minute: site, minute, partition, its JSON.
    public func minutes(
        _ body: (String, UInt32, UInt8, [UInt8]) -> Void
    ) throws(Failure) {
        let start = prefix + "hg:"
        try scan(matching: Self.escaped(start) + "*:agg:*") { keys throws(Failure) in
            let replies = try ask(keys.map { ["HGETALL", $0] })
            for (key, reply) in zip(keys, replies) {
                let parts = key.dropFirst(start.count).split(separator: ":")
                guard parts.count == 3, let minute = UInt32(parts[2]) else { continue }
                for (field, value) in reply.pairs {
                    guard let partition = UInt8(field) else { continue }
                    body(String(parts[0]), minute, partition, value)
                }
            }
        }
    }

    private static func entry(_ key: Substring, _ reply: RedisReply) -> Entry? {
        let values = reply.elements
        guard let cut = key.firstRange(of: ":v:{"), key.hasSuffix("}"),
            values.count == fields.count,
            let position = values[0].text.flatMap({ UInt64($0) }),
            case .bytes(let state) = values[1]
        else { return nil }
        let bounds = values[7..<11].compactMap(\.text)
        var joined: [UInt8]?
        if case .bytes(let sums) = values[6] { joined = sums }
        return Entry(
            site: String(key[..<cut.lowerBound]),
            visitor: String(key[cut.upperBound...].dropLast()),
            position: position,
            state: state,
            joined: joined,
            score: values[2].text ?? "",
            band: values[3].text ?? "",
            profile: values[4].text ?? "",
            model: values[5].text ?? "",
            likelihood: bounds.count == 4 ? bounds.joined(separator: " ") : nil
        )
    }

    /// Takes the positions away, so that a running engine writes everything anew.
    public func forgetPositions(count: Int) throws(Failure) {
        _ = try ask([["UNLINK"] + (0..<count).map { "\(prefix)hg:pos:\($0)" }])
    }

    /// Takes every key of the live model away. Returns how many there were.
    public func clear() throws(Failure) -> Int {
        var count = 0
        try scan(matching: Self.escaped(prefix) + "hg:*") { keys throws(Failure) in
            _ = try ask([["UNLINK"] + keys])
            count += keys.count
        }
        return count
    }

    /// What the pattern language of SCAN would take for more than a letter.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, letter in
            if "*?[]\\".contains(letter) { escaped.append("\\") }
            escaped.append(letter)
        }
    }

    private func scan(
        matching pattern: String,
        _ body: ([String]) throws(Failure) -> Void
    ) throws(Failure) {
        var cursor = "0"
        repeat {
            let command = ["SCAN", cursor, "MATCH", pattern, "COUNT", Self.keysPerScan]
            let elements = try ask([command])[0].elements
            guard elements.count == 2, let next = elements[0].text else {
                throw Failure(description: "Redis answered SCAN in a way that is not understood")
            }
            let keys = elements[1].elements.compactMap(\.text)
            if !keys.isEmpty { try body(keys) }
            cursor = next
        } while cursor != "0"
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
