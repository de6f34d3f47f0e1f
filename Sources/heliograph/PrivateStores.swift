import Glibc

/// Why a private store did not start, with what to do about it. Printed as it is.
struct StoreStartError: Error, CustomStringConvertible {
    let store: String
    let reason: String
    let fix: String
    /// Last lines of the store's log.
    var logTail: [String] = []

    var description: String {
        var text = store + " did not start: " + reason + "\n  " + fix
        if !logTail.isEmpty {
            text += "\n  Its log ends:\n" + logTail.map { "    " + $0 }.joined(separator: "\n")
        }
        return text
    }
}

/// A Redis and a PostgreSQL of the engine's own, under its data directory.
///
/// Invariants: at most one server runs per data directory, also after a crash left one behind; servers
/// listen on sockets that nobody else may enter, never on the network; they survive the engine's Ctrl-C
/// (a session of their own) and hold none of its descriptors. Owned by the thread that made it.
final class PrivateStores {
    private let log: (String) -> Void
    private var servers: [any PrivateServer] = []
    private let redis: RedisServer?
    private let postgres: PostgresServer?

    init(
        dataDirectory: String,
        wantsRedis: Bool = true,
        wantsPostgres: Bool = true,
        log: @escaping (String) -> Void = { _ in }
    ) {
        let directory = Files.absolute(dataDirectory)
        redis = wantsRedis ? RedisServer(directory: directory) : nil
        postgres = wantsPostgres ? PostgresServer(directory: directory) : nil
        self.log = log
        if let redis { servers.append(redis) }
        if let postgres { servers.append(postgres) }
    }

    /// Starts what is wanted, or takes over what a crash left running. Nil where nothing is wanted.
    func start() throws(StoreStartError) -> (redisURL: String?, postgresConninfo: String?) {
        for server in servers {
            let began = Pause.monotonicMilliseconds()
            let outcome = try bringUp(server)
            let took = Pause.monotonicMilliseconds() - began
            log("\(server.name) \(outcome), pid \(server.process), \(took) ms")
        }
        return (redis?.url, postgres?.conninfo)
    }

    private func bringUp(_ server: any PrivateServer) throws(StoreStartError) -> String {
        try server.prepare()
        if let process = server.runningProcess() {
            server.process = process
            if answers(server, within: 5_000) { return "was left running and is taken over" }
            _ = halt(server, deadlineMilliseconds: 5_000)
        }
        // Processes of a server that was killed end by themselves, a moment later.
        let deadline = Pause.monotonicMilliseconds() + 5_000
        while Spawn.isAnyProcess(workingIn: server.directory),
            Pause.monotonicMilliseconds() < deadline
        { Pause.milliseconds(20) }
        server.removeLeftovers()
        try launch(server)
        try waitUntilHealthy(server)
        return "started"
    }

    private func launch(_ server: any PrivateServer) throws(StoreStartError) {
        let started = Spawn.start(
            server.arguments,
            directory: server.directory,
            logPath: server.logPath
        )
        switch started {
        case .success(let process): server.process = process
        case .failure(let problem):
            throw StoreStartError(
                store: server.name,
                reason: "cannot run \(server.arguments[0]): \(problem.message)",
                fix: server.installHint
            )
        }
    }

    private func waitUntilHealthy(_ server: any PrivateServer) throws(StoreStartError) {
        let deadline = Pause.monotonicMilliseconds() + server.startDeadlineMilliseconds
        while Pause.monotonicMilliseconds() < deadline {
            if server.answers() { return }
            if let status = Spawn.exitStatus(server.process) {
                server.process = 0
                throw startError(server, "it ended with status \(status)")
            }
            Pause.milliseconds(20)
        }
        throw startError(
            server,
            "no answer within \(server.startDeadlineMilliseconds / 1_000) seconds"
        )
    }

    private func startError(_ server: any PrivateServer, _ reason: String) -> StoreStartError {
        StoreStartError(
            store: server.name,
            reason: reason,
            fix: "Read \(server.logPath), remove the cause and start again; or set "
                + "\(server.settingName) to use a server of your own.",
            logTail: Files.lastLines(of: server.logPath, 8)
        )
    }

    private func answers(_ server: any PrivateServer, within milliseconds: Int64) -> Bool {
        let deadline = Pause.monotonicMilliseconds() + milliseconds
        repeat {
            if server.answers() { return true }
            Pause.milliseconds(20)
        } while Pause.monotonicMilliseconds() < deadline
        return false
    }

    /// Restarts what has died. To be called about once a second; returns what it did, for the log.
    /// Does not wait for the server to be healthy: its clients reconnect by themselves.
    @discardableResult
    func superviseTick() -> [String] {
        var done: [String] = []
        for server in servers where server.hasDied() {
            guard server.mayRestart(now: Pause.monotonicMilliseconds()) else { continue }
            server.removeLeftovers()
            do {
                try launch(server)
                done.append("\(server.name) had died and was started again, pid \(server.process)")
            } catch {
                done.append(error.description)
            }
        }
        done.forEach(log)
        for server in servers { server.tick() }
        return done
    }

    /// Process ids of the running servers, for tests and for the addresses file.
    var processes: [String: Int32] {
        Dictionary(uniqueKeysWithValues: servers.map { ($0.name, $0.process) })
    }

    /// Stops the servers, those started last first; a server that takes longer is killed.
    @discardableResult
    func stop(deadlineMilliseconds: Int64 = 8_000) -> Bool {
        let deadline = Pause.monotonicMilliseconds() + deadlineMilliseconds
        var isClean = true
        for server in servers.reversed() where server.process > 0 {
            kill(server.process, server.stopSignal)
        }
        for server in servers.reversed() where server.process > 0 {
            let left = max(0, deadline - Pause.monotonicMilliseconds())
            isClean = halt(server, deadlineMilliseconds: left) && isClean
        }
        return isClean
    }

    /// Asks a server to stop, waits, and kills it when it does not. False when it had to be killed.
    private func halt(_ server: any PrivateServer, deadlineMilliseconds: Int64) -> Bool {
        let process = server.process
        defer { server.process = 0 }
        kill(process, server.stopSignal)
        // A stopped process (SIGSTOP) takes its signals when it continues.
        kill(process, SIGCONT)
        if Spawn.waitForEnd(process, milliseconds: deadlineMilliseconds) {
            server.removeLeftovers()
            return true
        }
        log("\(server.name) does not stop and is killed")
        kill(process, SIGKILL)
        _ = Spawn.waitForEnd(process, milliseconds: 2_000)
        return false
    }
}

/// What `PrivateStores` needs to know of a server.
protocol PrivateServer: AnyObject {
    var name: String { get }
    /// The setting that replaces this server by one of the operator's.
    var settingName: String { get }
    var installHint: String { get }
    /// Where it runs; its process's working directory, by which it is recognised.
    var directory: String { get }
    var logPath: String { get }
    var arguments: [String] { get }
    var startDeadlineMilliseconds: Int64 { get }
    /// The signal that ends it in an orderly way.
    var stopSignal: Int32 { get }
    /// 0 when it does not run.
    var process: Int32 { get set }
    var restarts: RestartPlan { get set }

    /// Makes folders and files. Repeating it changes nothing.
    func prepare() throws(StoreStartError)
    /// A process of an earlier engine that serves this directory.
    func runningProcess() -> Int32?
    /// Whether it serves requests now.
    func answers() -> Bool
    /// Removes pid files and sockets of a server that is gone.
    func removeLeftovers()
    /// About once a second while it runs.
    func tick()
}

extension PrivateServer {
    func tick() {}

    func hasDied() -> Bool {
        if process > 0 && !Spawn.isAlive(process) { process = 0 }
        return process == 0
    }

    func mayRestart(now: Int64) -> Bool { restarts.mayRestart(nowMilliseconds: now) }

    /// A process id is reused by strangers; a process is ours when it works in our directory.
    func isOurs(_ process: Int32) -> Bool {
        Spawn.isAlive(process)
            && Files.linkTarget("/proc/\(process)/cwd") == Files.resolved(directory)
    }
}

/// How often a server that keeps dying is started again: at once, then ever more slowly.
struct RestartPlan {
    private var nextMilliseconds: Int64 = 0
    private var waitMilliseconds: Int64 = 0

    static let longestWaitMilliseconds: Int64 = 30_000
    /// A server that lived this long is forgiven.
    static let forgivenAfterMilliseconds: Int64 = 60_000

    mutating func mayRestart(nowMilliseconds now: Int64) -> Bool {
        if now < nextMilliseconds { return false }
        let isForgiven = now - nextMilliseconds > Self.forgivenAfterMilliseconds
        waitMilliseconds =
            isForgiven ? 1_000 : min(max(waitMilliseconds * 2, 1_000), Self.longestWaitMilliseconds)
        nextMilliseconds = now + waitMilliseconds
        return true
    }
}
