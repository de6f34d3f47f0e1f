import Bytes
import Delivery
import Foundation
import Settings
import Units

/// Stands for a destination's settings and secrets.
enum DestinationFingerprint {
    /// A keyed hash, so that nothing of a secret can be read off it.
    static func make(_ settings: DestinationSettings) -> String {
        var buffer = ByteBuffer(capacity: 1024)
        buffer.append(text: "\(settings)")
        for source in secrets(of: settings) {
            (try? source.load())?.expose { buffer.append(text: $0) }
            buffer.append(0 as UInt8)
        }
        let hash = buffer.view.hash128(key: HashKey(first: 0x7374_6f70, second: 0x6d61_726b))
        return String(hash.low, radix: 36) + String(hash.high, radix: 36)
    }

    private static func secrets(of settings: DestinationSettings) -> [SecretSource] {
        switch settings.platform {
        case .meta(let meta): return [meta.token] + [meta.appSecret].compactMap { $0 }
        case .googleAnalytics(let google): return [google.secret]
        case .webhook(let webhook): return [webhook.secret]
        }
    }
}

/// A file that says: this destination's credentials were refused. It outlives the process, so that a
/// restart does not ask again with credentials that are known to be no good.
struct StopMark {
    private let path: String

    init(_ directory: String, _ name: LaneName) {
        path = "\(directory)/\(name.site).\(name.destination).stopped"
    }

    /// Writes the mark. One that cannot be written costs one request after the next start.
    func set(_ fingerprint: String, _ code: String, _ reason: String) {
        let text = [fingerprint, code, reason].joined(separator: "\n")
        _ = FileManager.default.createFile(
            atPath: path,
            contents: Data(text.utf8),
            attributes: [.posixPermissions: 0o600]
        )
    }

    /// Stops the lane if it was stopped with these settings; forgets the mark if they are others.
    func apply(to lane: DestinationLane) {
        guard let content = FileManager.default.contents(atPath: path) else { return }
        let lines = String(decoding: content, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        if lines.count == 3, lines[0] == lane.fingerprint {
            lane.lane.stop(code: String(lines[1]), reason: String(lines[2]))
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
