import Foundation

/// A score change as the engine publishes it.
struct ScoreChange: Sendable, Equatable {
    let visitor: String
    let updated: Int64
    /// The message itself, one line of JSON.
    let data: String

    private struct Message: Codable {
        let visitor: String
        let score: Double
        let band: String
        let profile: String
        let updated: Int64
    }

    /// Reads a message; nil when it is not one. It is written anew, so that whatever else somebody
    /// may have published cannot reach a browser, nor a line break the framing of the stream.
    init?(_ bytes: [UInt8]) {
        guard let message = try? JSONDecoder().decode(Message.self, from: Data(bytes)),
            let encoded = try? ScoreChange.encoder().encode(message)
        else { return nil }
        visitor = message.visitor
        updated = message.updated
        data = String(decoding: encoded, as: UTF8.self)
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

/// Messages that wait for the next burst: per visitor only the newest counts. They are decoded when
/// they are taken, because under load most are overwritten before.
struct PendingChanges {
    private var newest: [ArraySlice<UInt8>: [UInt8]] = [:]
    private var order: [ArraySlice<UInt8>] = []
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    var isEmpty: Bool { order.isEmpty }

    /// Takes a message in. A visitor beyond the bound is let go: its next change will come.
    mutating func add(_ message: [UInt8]) {
        let key = Self.key(of: message)
        if newest[key] == nil {
            if order.count >= maximum { return }
            order.append(key)
        }
        newest[key] = message
    }

    /// The changes of the next burst, those that wait longest first.
    mutating func take(_ count: Int) -> [ScoreChange] {
        let keys = order.prefix(count)
        order.removeFirst(keys.count)
        return keys.compactMap { newest.removeValue(forKey: $0).flatMap { ScoreChange($0) } }
    }

    private static let prefix = Array("{\"visitor\":\"".utf8)

    /// The visitor's bytes, or the whole message where they are not where the engine puts them.
    private static func key(of message: [UInt8]) -> ArraySlice<UInt8> {
        guard message.starts(with: prefix),
            let end = message[prefix.count...].firstIndex(of: UInt8(ascii: "\""))
        else { return message[...] }
        return message[prefix.count..<end]
    }
}
