import CLibpq

/// How PostgreSQL's own tools are told where to connect.
public enum PostgresService {
    /// A libpq service file with one service that connects as `conninfo` does, which may be a URL or a
    /// connection string. Nil when it is neither, or when a value does not fit a line of such a file.
    public static func file(name: String, conninfo: String) -> String? {
        guard let options = PQconninfoParse(conninfo, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var lines = ["[\(name)]"]
        var index = 0
        while let keyword = options[index].keyword {
            if let text = options[index].val {
                let value = String(cString: text)
                guard !value.utf8.contains(10), !value.utf8.contains(13) else { return nil }
                lines.append("\(String(cString: keyword))=\(value)")
            }
            index += 1
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The positions that the schema `heliograph` stands at, by partition; nil when there is no such
    /// schema. Changes nothing.
    public static func positions(conninfo: String) throws(ArchiveError) -> [UInt64]? {
        do {
            let connection = try PostgresConnection(conninfo: conninfo)
            let found = try connection.rows(
                "SELECT 1 FROM pg_namespace WHERE nspname = 'heliograph'"
            )
            return found.count == 0 ? nil : try connection.readPositions()
        } catch {
            throw .unavailable(error.message)
        }
    }
}
