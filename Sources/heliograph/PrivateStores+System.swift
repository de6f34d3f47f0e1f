import Glibc

/// What went wrong with a file, in words.
struct FileProblem: Error {
    let message: String

    init(_ message: String) { self.message = message }

    static func last(_ what: String) -> FileProblem {
        FileProblem(what + ": " + String(cString: strerror(errno)))
    }
}

/// The user that files are made for.
struct Owner {
    let user: uid_t
    let group: gid_t

    init?(user name: String) {
        guard let entry = getpwnam(name) else { return nil }
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }
}

/// Small blocking file operations of the start.
enum Files {
    static func absolute(_ path: String) -> String {
        var text = path
        if !text.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { return text }
            defer { free(current) }
            text = String(cString: current) + "/" + text
        }
        while text.count > 1 && text.hasSuffix("/") { text.removeLast() }
        return text
    }

    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    static func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                return nil
            }
            let length = readlink(path, base, buffer.count)
            guard length >= 0 else { return nil }
            return String(decoding: buffer.prefix(length), as: UTF8.self)
        }
    }

    /// Makes a directory and those above it.
    static func makeDirectory(
        _ path: String,
        mode: mode_t,
        owner: Owner? = nil
    ) throws(FileProblem) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            let parent = String(path[..<slash])
            if access(parent, F_OK) != 0 { try makeDirectory(parent, mode: 0o755) }
        }
        if mkdir(path, mode) != 0 && errno != EEXIST { throw .last("cannot make \(path)") }
        if let owner, chown(path, owner.user, owner.group) != 0 {
            throw .last("cannot give \(path)")
        }
        if chmod(path, mode) != 0 { throw .last("cannot protect \(path)") }
    }

    static func touch(_ path: String, mode: mode_t) throws(FileProblem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .last("cannot make \(path)") }
        close(descriptor)
    }

    /// Writes beside and renames, so that a reader never sees half a file. `isDurable` waits for the
    /// disk.
    static func write(
        _ text: String,
        to path: String,
        mode: mode_t,
        owner: Owner? = nil,
        isDurable: Bool = false
    ) throws(FileProblem) {
        let unfinished = path + ".new"
        unlink(unfinished)
        let descriptor = open(
            unfinished,
            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
            mode
        )
        guard descriptor >= 0 else { throw .last("cannot write \(path)") }
        defer { close(descriptor) }
        var copy = text
        let isWritten = copy.withUTF8 {
            Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count
        }
        guard isWritten else { throw .last("cannot write \(path)") }
        if let owner { fchown(descriptor, owner.user, owner.group) }
        if isDurable, fsync(descriptor) != 0 { throw .last("cannot make \(path) durable") }
        if rename(unfinished, path) != 0 { throw .last("cannot replace \(path)") }
        if isDurable { try synchronizeFolder(of: path) }
    }

    private static func synchronizeFolder(of path: String) throws(FileProblem) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("cannot open \(folder)") }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw .last("cannot make \(path) durable") }
    }

    /// At most 64 KiB from `offset` on.
    static func read(_ path: String, from offset: off_t = 0) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
            return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }

    static func lastLines(of path: String, _ count: Int) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0 else { return [] }
        let tail = read(path, from: max(0, status.st_size - 16 * 1024)) ?? ""
        return tail.split(separator: "\n").suffix(count).map(String.init)
    }

    /// Names of the entries of a folder; none when it cannot be read.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var found: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            found.append(name)
        }
        return found
    }

    /// Removes a folder that this program made.
    static func removeTree(_ path: String) {
        if access(path, F_OK) == 0 { _ = Spawn.run(["/bin/rm", "-rf", "--", path]) }
    }
}

/// Finds programs as a shell would, and in folders that Debian keeps out of PATH.
enum Programs {
    static func find(_ name: String, also folders: [String] = []) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let system = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"]
        let all = folders + path.split(separator: ":").map(String.init) + system
        return all.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
    }

    /// `/usr/lib/postgresql/<major>/bin`, the newest first.
    static func postgresFolders() -> [String] {
        let parent = "/usr/lib/postgresql"
        let majors = Files.names(in: parent).compactMap { Int($0) }
        return majors.sorted(by: >).map { "\(parent)/\($0)/bin" }
    }
}

/// Where a socket file goes: beside the data, unless the path is longer than the kernel takes.
enum SocketFolder {
    /// `sun_path` has 108 bytes with its end.
    static let pathBytesMaximum = 100

    static func path(beside directory: String, file: String) -> String {
        let whole = directory + "/" + file
        if whole.utf8.count <= pathBytesMaximum { return directory }
        return "/tmp/heliograph-\(geteuid())-" + fingerprint(directory)
    }

    /// Makes the folder of a socket: for its owner alone, and really a folder of that owner.
    static func make(_ socketPath: String, owner: Owner? = nil) throws(FileProblem) {
        guard let slash = socketPath.lastIndex(of: "/") else { return }
        let folder = String(socketPath[..<slash])
        if folder.hasPrefix("/tmp/heliograph-") {
            var status = stat()
            if lstat(folder, &status) == 0 {
                let wanted = [geteuid(), owner?.user ?? geteuid()]
                guard status.st_mode & S_IFMT == S_IFDIR, wanted.contains(status.st_uid) else {
                    throw FileProblem("\(folder) belongs to someone else")
                }
            }
        }
        try Files.makeDirectory(folder, mode: 0o700, owner: owner)
    }

    /// 64 bits of FNV-1a over the path: names a folder, protects nothing.
    static func fingerprint(_ path: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Files.resolved(path).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Time on the machine's monotonic clock; the start is allowed to block.
enum Pause {
    static func monotonicMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    static func milliseconds(_ count: UInt32) { usleep(count * 1_000) }
}

/// Child processes: own session, no descriptor of ours, output to a file.
enum Spawn {
    private static let newSession: Int16 = 0x80  // POSIX_SPAWN_SETSID, hidden behind _GNU_SOURCE

    static func start(
        _ arguments: [String],
        directory: String = "/",
        logPath: String = "/dev/null"
    ) -> Result<Int32, FileProblem> {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for descriptor in openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = newSession | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, flags)
        return launch(
            ["/bin/sh", "-c", inFolder, "sh", directory] + arguments,
            actions,
            attributes
        )
    }

    /// The folder travels as an argument, never as text of the script.
    private static let inFolder = "cd \"$1\" && shift && exec \"$@\""

    private static func launch(
        _ arguments: [String],
        _ actions: posix_spawn_file_actions_t,
        _ attributes: posix_spawnattr_t
    ) -> Result<Int32, FileProblem> {
        var (actions, attributes) = (actions, attributes)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        vector.append(nil)
        defer { vector.forEach { free($0) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, arguments[0], &actions, &attributes, vector, environ)
        if status != 0 { return .failure(FileProblem(String(cString: strerror(status)))) }
        return .success(process)
    }

    private static func openDescriptors() -> [Int32] {
        Files.names(in: "/proc/self/fd").compactMap { Int32($0) }
    }

    /// Runs a program to its end. The exit status, or 127 when it could not be started.
    static func run(
        _ arguments: [String],
        directory: String = "/",
        logPath: String = "/dev/null"
    ) -> Int32 {
        guard case .success(let process) = start(arguments, directory: directory, logPath: logPath)
        else { return 127 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return readable(status)
    }

    /// As a shell says it: the exit status, or 128 and the signal.
    private static func readable(_ status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// The status of a child that has ended; nil while it runs or when it is not our child.
    static func exitStatus(_ process: Int32) -> Int32? {
        var status: Int32 = 0
        return waitpid(process, &status, WNOHANG) == process ? readable(status) : nil
    }

    /// Whether a process runs; one that has ended and is our child is collected.
    static func isAlive(_ process: Int32) -> Bool {
        if exitStatus(process) != nil { return false }
        if kill(process, 0) != 0 && errno == ESRCH { return false }
        return !isZombie(process)
    }

    /// A process of a former engine whose new parent has not collected it yet.
    private static func isZombie(_ process: Int32) -> Bool {
        guard let text = Files.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")")
        else { return false }
        return text[end...].dropFirst(2).hasPrefix("Z")
    }

    /// Whether any process that we may look at has `directory` as its working directory.
    static func isAnyProcess(workingIn directory: String) -> Bool {
        let wanted = Files.resolved(directory)
        return Files.names(in: "/proc").contains { name in
            Int32(name) != nil && Files.linkTarget("/proc/" + name + "/cwd") == wanted
        }
    }

    static func waitForEnd(_ process: Int32, milliseconds: Int64) -> Bool {
        let deadline = Pause.monotonicMilliseconds() + milliseconds
        while isAlive(process) {
            if Pause.monotonicMilliseconds() >= deadline { return false }
            Pause.milliseconds(10)
        }
        return true
    }
}

/// One question to a server on a unix socket.
enum UnixSocket {
    static func ask(_ path: String, _ question: String, expecting: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &patience,
            socklen_t(MemoryLayout<timeval>.size)
        )
        guard connect(descriptor, to: path) else { return false }
        guard send(descriptor, question, question.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else {
            return false
        }
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            return count > 0
                && String(decoding: buffer.prefix(count), as: UTF8.self).hasPrefix(expecting)
        }
    }

    private static func connect(_ descriptor: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, length) == 0
            }
        }
    }
}
