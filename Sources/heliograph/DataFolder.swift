import CShims
import Glibc

/// The folder that one engine keeps its data in, and the lock that keeps a second engine out.
///
/// The lock is the kernel's: it goes with the process, however that ends.
final class DataFolder {
    let path: String
    private let lock: Int32

    /// Makes the folder where there is none, and locks it. One that a restore has not finished is taken
    /// for another restore only.
    init(_ path: String, forRestore: Bool = false) throws(StartError) {
        self.path = path
        if !forRestore, RestoreMark.isSet(in: path) {
            throw StartError(
                """
                a restore into the data folder \(path) did not end
                  Move the folder away and restore the backup again.
                """
            )
        }
        lock = try Self.prepare(path)
    }

    private static func prepare(_ path: String) throws(StartError) -> Int32 {
        for folder in ["", "/journal", "/checkpoints", "/log"]
        where mkdir(path + folder, 0o750) != 0 {
            guard errno == EEXIST else {
                throw StartError(
                    "cannot make the data folder \(path + folder): \(String(cString: strerror(errno)))"
                )
            }
        }
        let lock = hg_open("\(path)/engine.lock", O_RDWR | O_CREAT, 0o640)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw StartError(
                """
                another engine uses the data folder \(path)
                  Stop it first, or give this one a folder of its own with --data.
                """
            )
        }
        return lock
    }

    deinit { close(lock) }
}
