import Bytes
import CShims
import Glibc
import Privacy

/// The secret under which ids are renamed, kept in a file of its own beside the data.
///
/// Whoever deletes it makes strangers of everybody who was known by a renamed id.
enum PseudonymSecret {
    private static let fileName = "/pseudonym.key"
    /// The key that names erased subjects and signs receipts, kept in the same way.
    static let erasureFileName = "/erasure.key"

    /// Reads the secret, or makes one where there is none.
    static func load(
        directory: String,
        named name: String = fileName
    ) throws(StartError) -> [UInt8] {
        let path = directory + name
        if access(path, F_OK) != 0 { try make(path) }
        let file = hg_open(path, O_RDONLY, 0)
        guard file >= 0 else { throw problem("read", path) }
        defer { close(file) }
        var secret = [UInt8](repeating: 0, count: Pseudonymizer.secretBytes)
        guard read(file, &secret, secret.count) == secret.count else {
            throw StartError(
                """
                \(path) is shorter than \(Pseudonymizer.secretBytes) bytes
                  Put it back from a backup. Or delete it: visitors known by renamed ids are then \
                strangers, and erasures made under it are no longer known.
                """
            )
        }
        return secret
    }

    /// Written under another name and renamed when it is durable, so that no half of it is ever read.
    private static func make(_ path: String) throws(StartError) {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<Pseudonymizer.secretBytes).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        let draft = path + ".tmp"
        let file = hg_open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw problem("make", path) }
        let isWritten = write(file, secret, secret.count) == secret.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(draft, path) == 0 else { throw problem("write", path) }
    }

    private static func problem(_ action: String, _ path: String) -> StartError {
        StartError("cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
