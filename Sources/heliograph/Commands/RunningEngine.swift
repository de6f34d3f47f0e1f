import Foundation
import Glibc

/// The engine that runs on a data folder, as other programs find it.
enum RunningEngine {
    /// Its addresses; an explanation when none runs there.
    static func addresses(_ data: String) throws(CommandError) -> Addresses {
        guard let content = FileManager.default.contents(atPath: "\(data)/addresses.json"),
            let addresses = try? JSONDecoder().decode(Addresses.self, from: content)
        else {
            throw CommandError(
                """
                no engine runs on the data folder \(data): there is no addresses.json
                  Start it with `heliograph up`, or name its folder with --data.
                """
            )
        }
        guard kill(addresses.pid, 0) == 0 || errno == EPERM else {
            throw CommandError(
                """
                the engine of \(data) is gone: process \(addresses.pid) has ended
                  Start it again with `heliograph up`; it recovers by itself.
                """
            )
        }
        return addresses
    }
}
