import Companion
import Glibc

/// The file with the token of whoever runs the engine: it opens the whole companion. Made anew by each
/// start, readable by its owner, gone with the engine.
enum OwnerToken {
    static func path(_ directory: String) -> String { directory + "/companion-token" }

    /// Makes a new token and writes it.
    static func make(in directory: String) throws(StartError) -> AccessToken {
        let token = AccessToken(.token)
        do {
            try token.secret.expose { text throws(FileProblem) in
                try Files.write(text, to: path(directory), mode: 0o600)
            }
        } catch {
            throw StartError("\(error)")
        }
        return token
    }

    static func remove(from directory: String) { unlink(path(directory)) }
}
