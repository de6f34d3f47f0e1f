import Bytes
import CShims
import Glibc
import Privacy
import Units

/// Keeps the salts of names without cookies in a file of their own, which no backup should hold: who
/// has it can tell for a day whether a guessed address and browser were there.
struct CookielessSaltFile: Sendable {
    private let path: String
    private let onProblem: @Sendable (String) -> Void

    /// The salts of the engine whose data lie in `directory`; new ones where there is no file, or one
    /// that cannot be read: visitors without cookies are then strangers once.
    static func open(
        directory: String,
        onProblem: @escaping @Sendable (String) -> Void
    ) -> CookielessSalts {
        let folder = directory + "/keys"
        _ = mkdir(folder, 0o700)
        let file = CookielessSaltFile(path: folder + "/cookieless.salts", onProblem: onProblem)
        return CookielessSalts(file.read()) { file.write($0.bytes) }
    }

    private func read() -> CookielessSalts.Pair? {
        let file = hg_open(path, O_RDONLY, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let pair = bytes[0..<count].withUnsafeBytes { CookielessSalts.Pair(ByteView($0)) }
        if pair == nil { onProblem("\(path) is damaged; visitors without cookies are split once") }
        return pair
    }

    /// Written under another name and renamed when it is durable; the bytes of the file before are
    /// overwritten, so that the salt that has gone is gone from the disk, too.
    private func write(_ bytes: [UInt8]) {
        let draft = path + ".tmp"
        let old = hg_open(path, O_WRONLY, 0)
        let file = hg_open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0, Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0,
            rename(draft, path) == 0
        else {
            // Names go on in memory; a restart splits visitors once.
            onProblem("cannot write \(path): \(String(cString: strerror(errno)))")
            if file >= 0 { close(file) }
            if old >= 0 { close(old) }
            return
        }
        close(file)
        guard old >= 0 else { return }
        let zeros = [UInt8](repeating: 0, count: bytes.count)
        _ = Glibc.write(old, zeros, zeros.count)
        _ = fsync(old)
        close(old)
    }
}

extension CookielessSalts {
    /// Draws today's salt when a day has begun, whether or not anybody asks for a name.
    func renew() {
        let day = TimeSource.real.epochMilliseconds() / 86_400_000
        _ = pair(day: day)
    }
}
