public import Telemetry

/// Where a Redis server is and how to sign in, read from a URL.
public struct RedisAddress: Sendable {
    /// The way to the server.
    public enum Endpoint: Equatable, Sendable {
        /// A socket in the file system.
        case unix(path: String)
        /// A host and a port.
        case tcp(host: String, port: Int)
    }

    /// The way to the server.
    public let endpoint: Endpoint
    /// The database to select.
    public let database: Int
    /// The password; nil when none is needed.
    public let password: Secret?
    /// The user that the password belongs to; nil for the default user.
    public let user: String?

    /// Reads `unix:///path[?db=n]` or `redis://[user][:password@]host[:port][/db]`, percent
    /// escapes resolved in user and password; nil when it is neither.
    public init?(_ url: String) {
        if url.hasPrefix("unix://") {
            self.init(unix: url.dropFirst("unix://".count))
        } else if url.hasPrefix("redis://") {
            self.init(tcp: url.dropFirst("redis://".count))
        } else {
            return nil
        }
    }

    private init?(unix rest: Substring) {
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0].hasPrefix("/"), parts[0].utf8.count < 108 else { return nil }
        endpoint = .unix(path: String(parts[0]))
        user = nil
        password = nil
        if parts.count == 1 {
            database = 0
        } else {
            guard parts[1].hasPrefix("db="), let number = Self.number(parts[1].dropFirst(3)) else {
                return nil
            }
            database = number
        }
    }

    private init?(tcp rest: Substring) {
        var rest = rest
        var credentials: [String?] = [nil, nil]
        if let at = rest.lastIndex(of: "@") {
            guard let read = Self.credentials(rest[..<at]) else { return nil }
            credentials = read
            rest = rest[rest.index(after: at)...]
        }
        (user, password) = (credentials[0], credentials[1].map { Secret($0) })
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let endpoint = Self.endpoint(parts[0]) else { return nil }
        self.endpoint = endpoint
        guard let database = parts.count == 1 || parts[1].isEmpty ? 0 : Self.number(parts[1]) else {
            return nil
        }
        self.database = database
    }

    private static func credentials(_ text: Substring) -> [String?]? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = unescape(parts[0]),
            let password = parts.count == 2 ? unescape(parts[1]) : "",
            !password.isEmpty
        else { return nil }
        return [user.isEmpty ? nil : user, password]
    }

    private static func endpoint(_ text: Substring) -> Endpoint? {
        let searched = text.lastIndex(of: "]").map { text[$0...] } ?? text
        guard let colon = searched.firstIndex(of: ":") else {
            return text.isEmpty ? nil : .tcp(host: bare(text), port: 6379)
        }
        guard let port = number(text[text.index(after: colon)...]), (1...65_535).contains(port),
            colon != text.startIndex
        else { return nil }
        return .tcp(host: bare(text[..<colon]), port: port)
    }

    /// A host without the brackets of an IPv6 address.
    private static func bare(_ host: Substring) -> String {
        host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy(Characters.isDigit) && text.utf8.count <= 5 ? Int(text) : nil
    }

    private static func unescape(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// What is wrong with a URL, without repeating it; nil when it is fine.
    static func problem(with url: String) -> String? {
        if RedisAddress(url) != nil { return nil }
        if url.hasPrefix("rediss://") {
            return "asks for TLS; use a TLS tunnel and give its local address here"
        }
        return "must be unix:///path or redis://[:password@]host:port[/database]"
    }
}
