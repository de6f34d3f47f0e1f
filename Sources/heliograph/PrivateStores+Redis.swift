import Glibc

/// The engine's own Redis: `redis/` under the data directory.
final class RedisServer: PrivateServer {
    let name = "Redis"
    let settingName = "redis.url"
    let installHint = "Install it with: apt-get install redis-server"
    let directory: String
    let startDeadlineMilliseconds: Int64 = 60_000
    let stopSignal = SIGTERM
    var process: Int32 = 0
    var restarts = RestartPlan()
    private let socketPath: String

    init(directory dataDirectory: String) {
        directory = dataDirectory + "/redis"
        socketPath = SocketFolder.path(beside: directory, file: "redis.sock") + "/redis.sock"
    }

    var url: String { "unix://" + socketPath }
    var logPath: String { directory + "/redis.log" }
    var arguments: [String] {
        [Programs.find("redis-server") ?? "redis-server", directory + "/redis.conf"]
    }

    private var pidPath: String { directory + "/redis.pid" }

    /// Durable to a second; what that second held is written again, because Redis tells its positions.
    private var configuration: String {
        """
        # Written by heliograph at every start; changes are lost.
        port 0
        unixsocket "\(socketPath)"
        unixsocketperm 700
        daemonize no
        dir "\(directory)"
        pidfile "\(pidPath)"
        logfile "\(logPath)"
        loglevel notice
        databases 1
        save ""
        appendonly yes
        appendfsync everysec
        no-appendfsync-on-rewrite yes
        auto-aof-rewrite-percentage 100
        auto-aof-rewrite-min-size 256mb
        maxmemory-policy noeviction
        # A visitor is one small block of memory, its packed state included, instead of a table.
        hash-max-listpack-value 1024
        lazyfree-lazy-user-del yes
        always-show-logo no
        set-proc-title no

        """
    }

    func prepare() throws(StoreStartError) {
        do {
            try Files.makeDirectory(directory, mode: 0o700)
            try SocketFolder.make(socketPath)
            try Files.write(configuration, to: directory + "/redis.conf", mode: 0o600)
        } catch {
            throw StoreStartError(
                store: name,
                reason: error.message,
                fix: "Give the engine a data directory that it may write to."
            )
        }
        if Programs.find("redis-server") == nil {
            throw StoreStartError(
                store: name,
                reason: "redis-server is not installed",
                fix: installHint
            )
        }
    }

    func runningProcess() -> Int32? {
        guard let text = Files.read(pidPath), let process = Int32(text.prefix { $0.isNumber }),
            isOurs(process)
        else { return nil }
        return process
    }

    func answers() -> Bool {
        UnixSocket.ask(socketPath, "PING\r\n", expecting: "+PONG")
    }

    func removeLeftovers() {
        unlink(socketPath)
        unlink(pidPath)
    }
}
