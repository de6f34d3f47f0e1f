import Glibc
import Storage

/// Runs PostgreSQL's own tools on the schema `heliograph`.
///
/// How to connect travels in a service file that only we can read: a password on a command line is
/// everybody's to see.
final class BackupDatabase {
    private static let service = "heliograph"

    private let folder: String
    private var log: String { folder + "/tool.log" }
    private var serviceFile: String { folder + "/service" }

    /// Writes the service file into a folder of its own, which goes away with the value.
    init(conninfo: String) throws(CommandError) {
        var template = Array("/tmp/heliograph-backup-XXXXXX".utf8CString)
        folder = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "" }
            return String(cString: made)
        }
        guard !folder.isEmpty else { throw .last("cannot make a folder in /tmp") }
        guard let text = PostgresService.file(name: Self.service, conninfo: conninfo) else {
            throw CommandError("postgres.url is no connection string that libpq can read")
        }
        try BackupFiles.write(text, to: serviceFile)
        setenv("PGSERVICEFILE", serviceFile, 1)
    }

    deinit { Files.removeTree(folder) }

    /// Dumps the schema from one snapshot to a new file.
    func dump(to path: String) throws(CommandError) {
        try run(
            "pg_dump",
            [
                "--schema=heliograph", "--format=custom", "--compress=1", "--no-owner",
                "--no-privileges", "--file=" + path,
            ]
        )
    }

    /// Brings a dump in, whole or not at all.
    func restore(from path: String) throws(CommandError) {
        try run(
            "pg_restore",
            ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", path]
        )
    }

    private func run(_ program: String, _ arguments: [String]) throws(CommandError) {
        guard let path = Programs.find(program, also: Programs.postgresFolders()) else {
            throw CommandError(
                "\(program) is not installed\n  Install it with: apt-get install postgresql-client"
            )
        }
        let command =
            ["/usr/bin/nice", "-n", "10", path, "--dbname=service=" + Self.service] + arguments
        guard Spawn.run(command, directory: folder, logPath: log) == 0 else {
            throw CommandError(
                "\(program) failed; it says:\n    "
                    + Files.lastLines(of: log, 8).joined(separator: "\n    ")
            )
        }
    }
}
