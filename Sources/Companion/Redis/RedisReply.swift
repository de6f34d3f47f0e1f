/// What Redis answered, as a value that may go to any thread.
enum RedisReply: Sendable, Equatable {
    case none
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])
    /// Redis refused the command, in its own words.
    case refused(String)

    /// The bytes as text; nil when the answer is none.
    var text: String? {
        guard case .bytes(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The elements of an array; empty for anything else.
    var elements: [RedisReply] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// An array of keys and values by key, as `HGETALL` gives it.
    var pairs: [String: [UInt8]] {
        var pairs: [String: [UInt8]] = [:]
        let elements = elements
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            guard let key = elements[index].text, case .bytes(let value) = elements[index + 1]
            else { continue }
            pairs[key] = value
        }
        return pairs
    }
}

/// A command: its name and arguments, never joined into one text.
typealias RedisCommand = [String]

/// Redis could not be asked. Says nothing about what was stored.
enum RedisFailure: Error, Equatable {
    /// There is no connection, and making one failed.
    case unreachable
    /// The connection broke before the answer.
    case broken
    /// Too many reads are waiting already.
    case busy
    /// The companion is stopping.
    case stopping
}
