public import Bytes
import COpenSSL
public import Units

/// Names that stand for an id and lead nobody back to it: HMAC-SHA-256 (RFC 2104) under a secret of
/// this installation, so that a list of guesses helps only those who have the secret too.
///
/// The same id of the same site gives the same name for as long as the secret lives. Owned by one
/// thread; all memory is reused.
public struct Pseudonymizer: ~Copyable {
    /// What is renamed: the same text as a user and as a visitor gives two names.
    public enum Purpose: UInt8 {
        case user = 1
        case visitor
    }

    /// Beside the purposes: the key of fingerprints.
    private static let keyPurpose: UInt8 = 0

    /// Bytes of the secret.
    public static let secretBytes = 32
    /// Letters of a visitor's name: 128 bits.
    public static let visitorLetters = 32
    private let secret: [UInt8]
    private var message = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var digest = ByteBuffer(capacity: 64)
    private var messageKey = HashKey(first: 0, second: 0)

    /// Names under `secret`, of `secretBytes`.
    public init(secret: [UInt8]) {
        invariant(secret.count == Self.secretBytes, "a pseudonym secret of another length")
        self.secret = secret
        computeDigest(Self.keyPurpose, site: .empty, .empty)
        messageKey = HashKey(
            first: digest.view.load(UInt64.self, at: 0),
            second: digest.view.load(UInt64.self, at: 8)
        )
    }

    /// Appends `h:` and 64 hexadecimal digits: the form of a user id that may not be kept.
    public mutating func append(user id: ByteView, site: ByteView, into output: inout ByteBuffer) {
        computeDigest(Purpose.user.rawValue, site: site, id)
        output.append("h:")
        Hexadecimal.append(digest.view, into: &output)
    }

    /// Appends 32 hexadecimal digits that stand for a visitor.
    public mutating func append(
        visitor text: ByteView,
        _ purpose: Purpose = .visitor,
        site: ByteView,
        into output: inout ByteBuffer
    ) {
        computeDigest(purpose.rawValue, site: site, text)
        Hexadecimal.append(digest.view[0..<Self.visitorLetters / 2], into: &output)
    }

    /// A fingerprint of bytes that is the same in the next process, for ids that senders left out.
    public func fingerprint(_ bytes: ByteView) -> Hash128 { bytes.hash128(key: messageKey) }

    /// What is hashed names purpose and site with its length, so that no two texts run together.
    private mutating func computeDigest(_ purpose: UInt8, site: ByteView, _ text: ByteView) {
        message.reset()
        message.append(purpose)
        message.append(UInt8(truncatingIfNeeded: site.count))
        message.append(site)
        message.append(text)
        digest.reset()
        MessageCode.append(key: secret, message.view, into: &digest)
    }
}

/// HMAC-SHA-256 (RFC 2104).
enum MessageCode {
    private static let digestBytes = 32

    /// Appends the 32 bytes of a message's code under a key.
    static func append(key: [UInt8], _ message: ByteView, into digest: inout ByteBuffer) {
        guard let room = unsafe digest.spare(atLeast: digestBytes) else { return }
        var length: UInt32 = 0
        let bytes = unsafe message.buffer
        let made = unsafe key.withUnsafeBytes { key in
            unsafe HMAC(
                EVP_sha256(),
                key.baseAddress,
                Int32(key.count),
                bytes.bindMemory(to: UInt8.self).baseAddress,
                bytes.count,
                room.bindMemory(to: UInt8.self).baseAddress,
                &length
            )
        }
        let isMade = unsafe made != nil
        invariant(isMade && length == 32, "HMAC-SHA-256 failed")
        digest.commit(digestBytes)
    }
}

/// Bytes as lower-case hexadecimal digits.
public enum Hexadecimal {
    /// Appends two digits for each byte.
    public static func append(_ bytes: ByteView, into output: inout ByteBuffer) {
        for index in 0..<bytes.count {
            output.append(digit(bytes[index] >> 4))
            output.append(digit(bytes[index] & 15))
        }
    }

    /// Appends the 32 digits of a fingerprint.
    public static func append(_ hash: Hash128, into output: inout ByteBuffer) {
        for word in [hash.low, hash.high] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                output.append(digit(byte >> 4))
                output.append(digit(byte & 15))
            }
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }
}
