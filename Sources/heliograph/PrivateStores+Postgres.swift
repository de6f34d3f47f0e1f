import Glibc

/// The engine's own PostgreSQL: `postgres/` under the data directory, or under `/var/lib/heliograph`
/// when the engine runs as root, because PostgreSQL refuses root and its user cannot enter root's home.
final class PostgresServer: PrivateServer {
    let name = "PostgreSQL"
    let settingName = "postgres.url"
    let installHint = "Install it with: apt-get install postgresql"
    let directory: String
    let startDeadlineMilliseconds: Int64 = 60_000
    /// "Fast" shutdown: ends sessions, writes a checkpoint.
    let stopSignal = SIGINT
    var process: Int32 = 0
    var restarts = RestartPlan()
    private let base: String
    private let socketDirectory: String
    private let isRoot = geteuid() == 0
    private var background = BackgroundSessions(niceness: PostgresServer.niceness)

    static let user = "postgres"
    static let niceness = 10
    static let systemFolder = "/var/lib/heliograph"
    static let socketName = ".s.PGSQL.5432"

    init(directory dataDirectory: String) {
        base =
            isRoot
            ? Self.systemFolder + "/" + SocketFolder.fingerprint(dataDirectory) : dataDirectory
        directory = base + "/postgres"
        socketDirectory = SocketFolder.path(beside: base + "/run", file: Self.socketName)
    }

    var conninfo: String {
        "host='\(socketDirectory)' port=5432 user=heliograph dbname=postgres"
    }

    var logPath: String { base + "/postgres.log" }

    /// At a lower priority than the engine and Redis: on a small machine rows may come a moment later,
    /// scores may not.
    var arguments: [String] {
        ["/usr/bin/nice", "-n", String(Self.niceness)]
            + asServerUser([binary("postgres"), "-D", directory])
    }

    /// Each of its processes begins a session of its own, with a share of its own.
    func tick() { background.lower(childrenOf: process) }

    /// As root, every program of PostgreSQL runs as its own user, with no way back.
    private func asServerUser(_ command: [String]) -> [String] {
        guard isRoot else { return command }
        return [
            "/usr/bin/setpriv", "--reuid=" + Self.user, "--regid=" + Self.user, "--init-groups",
            "--no-new-privs", "--",
        ] + command
    }

    /// Data of one major version is read by that version only, so an existing folder decides.
    private func binary(_ program: String) -> String {
        if let version = Files.read(directory + "/PG_VERSION")?.prefix(while: { $0.isNumber }),
            !version.isEmpty
        {
            let path = "/usr/lib/postgresql/\(version)/bin/\(program)"
            if access(path, X_OK) == 0 { return path }
        }
        return Programs.find(program, also: Programs.postgresFolders()) ?? program
    }

    /// Crash-safe as PostgreSQL is by default; no network, no replication, room for bulk loads.
    private var configuration: String {
        """
        # Written by heliograph at every start; changes are lost.
        listen_addresses = ''
        unix_socket_directories = '\(socketDirectory)'
        unix_socket_permissions = 0700
        port = 5432
        max_connections = 50
        shared_buffers = 128MB
        work_mem = 16MB
        maintenance_work_mem = 128MB
        wal_level = minimal
        max_wal_senders = 0
        wal_buffers = 16MB
        # A recycled segment would keep erased visitors on disk.
        wal_recycle = off
        max_wal_size = 4GB
        checkpoint_timeout = 15min
        checkpoint_completion_target = 0.9
        fsync = on
        synchronous_commit = on
        full_page_writes = on
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        lc_messages = 'C'
        log_min_messages = warning
        log_checkpoints = off
        logging_collector = off
        cluster_name = 'heliograph'

        """
    }

    // MARK: Preparing

    func prepare() throws(StoreStartError) {
        guard access(binary("postgres"), X_OK) == 0, access(binary("initdb"), X_OK) == 0 else {
            throw StoreStartError(
                store: name,
                reason: "its server programs were not found",
                fix: installHint
            )
        }
        do {
            try makeFolders()
            if access(directory + "/PG_VERSION", F_OK) != 0 { try initialise() }
            try Files.write(
                configuration,
                to: directory + "/postgresql.conf",
                mode: 0o600,
                owner: owner
            )
        } catch {
            throw StoreStartError(
                store: name,
                reason: error.message,
                fix: "Check the free space and the permissions of \(base).",
                logTail: Files.lastLines(of: logPath, 8)
            )
        }
    }

    private var owner: Owner? { isRoot ? Owner(user: Self.user) : nil }

    private func makeFolders() throws(FileProblem) {
        if isRoot {
            guard owner != nil else { throw FileProblem("there is no user \(Self.user)") }
            try Files.makeDirectory(Self.systemFolder, mode: 0o755)
            try Files.makeDirectory(base, mode: 0o711)
        } else {
            try Files.makeDirectory(base, mode: 0o755)
        }
        try SocketFolder.make(socketDirectory + "/" + Self.socketName, owner: owner)
        try Files.touch(logPath, mode: 0o600)
    }

    /// Into a folder beside, renamed when complete: an interrupted start leaves nothing half-made.
    private func initialise() throws(FileProblem) {
        let unfinished = directory + ".new"
        Files.removeTree(unfinished)
        try Files.makeDirectory(unfinished, mode: 0o700, owner: owner)
        let command = asServerUser([
            binary("initdb"), "--pgdata=" + unfinished, "--username=heliograph", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-instructions",
        ])
        let status = Spawn.run(command, directory: unfinished, logPath: logPath)
        guard status == 0 else { throw FileProblem("initdb ended with status \(status)") }
        guard rename(unfinished, directory) == 0 else {
            throw FileProblem("cannot rename \(unfinished): " + String(cString: strerror(errno)))
        }
    }

    // MARK: Running

    private var pidLines: [Substring] {
        (Files.read(directory + "/postmaster.pid") ?? "").split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
    }

    func runningProcess() -> Int32? {
        guard let first = pidLines.first, let process = Int32(first), isOurs(process) else {
            return nil
        }
        return process
    }

    /// The eighth line of the pid file is how `pg_ctl` learns the same.
    func answers() -> Bool {
        let lines = pidLines
        guard lines.count >= 8, let first = lines.first, Int32(first) == process else {
            return false
        }
        return lines[7].hasPrefix("ready")
    }

    /// PostgreSQL's lock files keep a second server from the data while processes of a dead one still
    /// write to it; they go only when no process works in the folder any more.
    func removeLeftovers() {
        if Spawn.isAnyProcess(workingIn: directory) { return }
        unlink(directory + "/postmaster.pid")
        unlink(socketDirectory + "/" + Self.socketName)
        unlink(socketDirectory + "/" + Self.socketName + ".lock")
    }
}
