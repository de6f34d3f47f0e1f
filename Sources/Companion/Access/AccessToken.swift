import COpenSSL
import Foundation
public import Telemetry
import Units

/// A secret that opens the API: `hgt_`, 8 characters that name it, `_`, 43 that carry 256 random bits,
/// and 6 that check the rest, so that a typo is told from a forgery. A session's is the same with `hgs_`.
///
/// Only the digest of the whole text is ever stored.
public struct AccessToken: Sendable {
    /// What carries the secret.
    public enum Kind: String, Sendable {
        /// A program's, in a header.
        case token
        /// A browser's, in a cookie.
        case session

        fileprivate var prefix: String { self == .token ? "hgt_" : "hgs_" }
    }

    /// What carries it.
    public let kind: Kind
    /// The part that names it, which is no secret.
    public let id: String
    private let text: Secret

    /// The whole text, to be shown once.
    public var secret: Secret { text }

    /// SHA-256 of the text.
    var digest: [UInt8] { text.expose { Self.sha256($0) } }

    private static let letters = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
    private static let idLength = 8
    private static let secretLength = 43
    private static let checkLength = 6
    private static let length = 4 + idLength + 1 + secretLength + checkLength

    /// A new one.
    public init(_ kind: Kind) {
        var random = SystemRandomNumberGenerator()
        let id = String((0..<Self.idLength).map { _ in Self.letter(random.next()) })
        let bits = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let body = kind.prefix + id + "_" + Data(bits).base64URL
        self.kind = kind
        self.id = id
        text = Secret(body + Self.check(body))
    }

    /// What `text` is; nil when it is no token, or was mistyped.
    public init?(_ text: String) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy({ $0 < 0x80 }),
            let kind = [Kind.token, .session].first(where: { text.hasPrefix($0.prefix) }),
            String(text.suffix(Self.checkLength)) == Self.check(text.dropLast(Self.checkLength))
        else { return nil }
        self.kind = kind
        id = String(text.dropFirst(4).prefix(Self.idLength))
        guard id.allSatisfy({ Self.letters.contains($0) }) else { return nil }
        self.text = Secret(text)
    }

    private static func letter(_ bits: UInt64) -> Character {
        letters[Int(bits % UInt64(letters.count))]
    }

    private static func check(_ body: some StringProtocol) -> String {
        var sum = Array(body.utf8).withUnsafeBytes { UInt64(Checksum.crc32c($0)) }
        var characters: [Character] = []
        for _ in 0..<checkLength {
            characters.append(letter(sum))
            sum /= UInt64(letters.count)
        }
        return String(characters)
    }

    /// SHA-256 of a text's UTF-8 bytes.
    static func sha256(_ text: String) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var copy = text
        let made = copy.withUTF8 { bytes in
            EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil)
        }
        invariant(made == 1, "SHA-256 failed")
        return digest
    }

    /// Whether two digests are the same, in a time that does not tell where they differ.
    static func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        !one.isEmpty && one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}

extension Data {
    /// Base64url without padding (RFC 4648 section 5).
    var base64URL: String {
        base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    /// What such a text stands for; nil when it is none.
    init?(base64URL text: String) {
        let plain = text.replacingOccurrences(of: "-", with: "+")
            .replacingOccurrences(of: "_", with: "/")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        self.init(base64Encoded: plain + padding)
    }
}
