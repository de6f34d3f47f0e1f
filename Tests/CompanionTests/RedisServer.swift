import Foundation
import Glibc
import Settings
import Telemetry

@testable import Companion

/// A real Redis server of a test's own, on a socket in a folder that goes with it.
final class RedisServer {
    private let folder: String
    private var process: pid_t = 0

    init() throws {
        folder = NSTemporaryDirectory() + "hgc-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var url: String { "unix://\(folder)/r.sock" }

    /// By posix_spawn and waitpid: Foundation's Process waits for an end through a run loop, which
    /// does not hear of it on a thread of a task executor.
    func start() throws {
        let words = [
            "/usr/bin/env", "redis-server", "--port", "0", "--unixsocket", "\(folder)/r.sock",
            "--save", "", "--dir", folder, "--logfile", "\(folder)/log",
        ]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&process, words[0], nil, nil, &arguments, environ) == 0 else {
            throw RedisFailure.unreachable
        }
        while (try? ask([["PING"]])) == nil {
            guard waitpid(process, nil, WNOHANG) == 0 else {
                process = 0
                throw RedisFailure.unreachable
            }
            usleep(10_000)
        }
    }

    func stop() {
        guard process > 0 else { return }
        // Not SIGTERM: the runner's threads block it, and children inherit that.
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        process = 0
    }

    @discardableResult
    func ask(_ commands: [RedisCommand]) throws -> [RedisReply] {
        guard let address = RedisAddress(url) else { throw RedisFailure.unreachable }
        return try RedisConnection.open(address).ask(commands)
    }

    /// Stores a visitor as the engine does, without packed sums.
    func store(_ visitor: String, score: Double, seen: Int64) throws {
        try ask([
            [
                "HSET", "hg:demo:v:{\(visitor)}", "score", "\(score)", "band", "warm", "profile",
                "skeptic", "confidence", "0.5", "likelihood", "0.25", "model", "m1", "updated",
                "\(seen)", "seen", "\(seen)", "pos", "7",
            ],
            ["ZADD", "hg:demo:hot", "\(score)", visitor],
        ])
    }

    func publish(_ visitor: String, score: Double, updated: Int64) throws {
        let message =
            "{\"visitor\":\"\(visitor)\",\"score\":\(score),\"band\":\"hot\","
            + "\"profile\":\"skeptic\",\"updated\":\(updated)}"
        try ask([["PUBLISH", "hg:demo:live", message]])
    }
}
