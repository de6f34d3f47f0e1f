import Foundation
import Privacy

/// What was done about a request: proof for the person and for an authority, naming nobody.
struct Receipt: Codable, Equatable {
    /// What a store held.
    struct Found: Codable, Equatable {
        let store: String
        let count: Int
    }

    var format = 1
    let request: String
    let action: String
    let site: String
    /// Digests of the subjects under the installation's key, as hexadecimal digits.
    let subjects: [String]
    let requestedAt: String
    let completedAt: String
    /// Sequence of the journal's last record when the erasure began to hold: nothing of the subjects
    /// stands behind it.
    let upToSequence: UInt64
    /// What was found and removed, by store.
    let found: [Found]
    /// What was still found when everything was done.
    let remaining: Int
    /// What could not be done, as sentences.
    let notDone: [String]
    /// Whether the process ended meanwhile; counts outside PostgreSQL are then of the last attempt.
    let wasResumed: Bool
}

/// A receipt with its signature: HMAC-SHA-256 over the receipt as `document` writes it.
struct SignedReceipt: Codable {
    let receipt: Receipt
    let signature: String

    init(_ receipt: Receipt, key: SubjectKey) {
        self.receipt = receipt
        signature = Self.signature(of: receipt, key)
    }

    static func read(at path: String) throws(CommandError) -> SignedReceipt {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let content = FileManager.default.contents(atPath: path),
            let receipt = try? decoder.decode(SignedReceipt.self, from: content)
        else { throw CommandError("\(path) is no receipt") }
        return receipt
    }

    /// Whether nothing of it was changed. Takes the same time wherever the first difference lies.
    func isGenuine(_ key: SubjectKey) -> Bool {
        let (mine, theirs) = (Self.signature(of: receipt, key).utf8, signature.utf8)
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func signature(of receipt: Receipt, _ key: SubjectKey) -> String {
        Hexadecimal.text(key.signature(of: Array(receipt.jsonText.utf8)))
    }
}

extension Hexadecimal {
    /// Two lower-case digits for each byte.
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// Moments as receipts and exports write them.
enum Moment {
    static func text(_ epochMilliseconds: Int64) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(
            from: Date(timeIntervalSince1970: Double(epochMilliseconds) / 1_000)
        )
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
