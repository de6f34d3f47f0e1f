import Foundation
import Glibc

/// nginx that answers every POST with 204: the least that a web server can do with a beacon.
///
/// It runs under its own configuration in a temporary folder, on a free loopback port, and is
/// stopped by its process id.
final class NginxFloor {
    let target: Target
    let process: Int32
    private let folder: String

    private static let startNanoseconds: Int64 = 5_000_000_000
    private static let pollNanoseconds: Int64 = 20_000_000

    init() throws(BenchFailure) {
        guard let program = Self.program() else {
            throw .nginx("not installed; install Debian's package nginx, or leave --floor out")
        }
        folder = try Self.makeFolder()
        target = Target(host: "127.0.0.1", port: try Self.freePort())
        let path = folder + "/nginx.conf"
        let text = Self.configuration(folder: folder, port: target.port)
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
            throw .nginx("cannot write \(path)")
        }
        process = try Self.spawn([program, "-c", path, "-p", folder, "-e", folder + "/error.log"])
        try waitUntilItListens()
    }

    /// Stops it and removes its folder.
    func stop() {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func waitUntilItListens() throws(BenchFailure) {
        let end = Clock.monotonicNanoseconds() + Self.startNanoseconds
        while Clock.monotonicNanoseconds() < end {
            let descriptor = target.connect(blocking: true)
            if descriptor >= 0 {
                close(descriptor)
                return
            }
            Clock.sleep(nanoseconds: Self.pollNanoseconds)
        }
        let log = FileManager.default.contents(atPath: folder + "/error.log") ?? Data()
        stop()
        throw .nginx("did not start: \(String(decoding: log.suffix(400), as: UTF8.self))")
    }

    /// One worker for each core; `return` discards the body and keeps the connection.
    private static func configuration(folder: String, port: UInt16) -> String {
        """
        daemon off;
        worker_processes \(sysconf(Int32(_SC_NPROCESSORS_ONLN)));
        error_log \(folder)/error.log error;
        pid \(folder)/nginx.pid;
        events { worker_connections 4096; }
        http {
            access_log off;
            keepalive_timeout 600s;
            keepalive_requests 1000000000;
            client_body_temp_path \(folder)/body;
            proxy_temp_path \(folder)/proxy;
            fastcgi_temp_path \(folder)/fastcgi;
            uwsgi_temp_path \(folder)/uwsgi;
            scgi_temp_path \(folder)/scgi;
            server {
                listen 127.0.0.1:\(port) reuseport backlog=4096;
                location / { return 204; }
            }
        }
        """
    }

    private static func program() -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        return folders.map { $0 + "/nginx" }.first { access($0, X_OK) == 0 }
    }

    private static func makeFolder() throws(BenchFailure) -> String {
        var template = Array("/tmp/heliograph-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("mkdtemp", errno) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A port that nobody listened on a moment ago.
    private static func freePort() throws(BenchFailure) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else { throw .system("bind", errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func spawn(_ words: [String]) throws(BenchFailure) -> Int32 {
        let copies = words.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, words[0], nil, nil, copies + [nil], environ)
        guard status == 0 else { throw .system("posix_spawn", status) }
        return process
    }
}
