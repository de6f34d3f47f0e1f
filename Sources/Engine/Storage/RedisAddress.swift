/// Where Redis is. Its description leaves the password out.
public struct RedisAddress: Equatable, Sendable, CustomStringConvertible {
    /// How to get there.
    public enum Route: Equatable, Sendable {
        /// A socket in the file system.
        case unix(path: String)
        /// A host and a port.
        case network(host: String, port: Int32)
    }

    /// How to get there.
    public let route: Route
    /// Number of the database.
    public let database: Int
    let user: String
    let password: String

    /// Reads `unix:///path/redis.sock?db=1`, or `redis://[[user]:password@]host[:port][/db]`.
    /// Nil when the text is neither.
    public init?(url: String) {
        if let rest = Self.rest(of: url, after: "unix://") {
            let parts = rest.split(separator: "?", maxSplits: 1)
            guard let path = parts.first, path.hasPrefix("/") else { return nil }
            let query = parts.count == 2 ? Self.rest(of: String(parts[1]), after: "db=") : "0"
            guard let query, let database = Int(query), database >= 0 else { return nil }
            route = .unix(path: String(path))
            (self.database, user, password) = (database, "", "")
            return
        }
        guard let rest = Self.rest(of: url, after: "redis://") else { return nil }
        var place = Substring(rest)
        (user, password) = Self.takeCredentials(&place)
        let parts = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let database = Int(parts.count == 2 && !parts[1].isEmpty ? parts[1] : "0"),
            database >= 0, let route = Self.network(parts[0])
        else { return nil }
        self.database = database
        self.route = route
    }

    /// The address in words, safe to print.
    public var description: String {
        switch route {
        case .unix(let path): return "unix://" + path
        case .network(let host, let port): return "redis://" + host + ":" + String(port)
        }
    }

    private static func rest(of text: String, after prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    private static func takeCredentials(_ place: inout Substring) -> (String, String) {
        guard let sign = place.lastIndex(of: "@") else { return ("", "") }
        let credentials = place[..<sign]
        place = place[place.index(after: sign)...]
        guard let colon = credentials.firstIndex(of: ":") else { return ("", String(credentials)) }
        return (
            String(credentials[..<colon]), String(credentials[credentials.index(after: colon)...])
        )
    }

    private static func network(_ text: Substring) -> Route? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty,
            let port = Int32(parts.count == 2 ? parts[1] : "6379"), port > 0, port < 65_536
        else { return nil }
        return .network(host: String(host), port: port)
    }
}
