public import Bytes
import COpenSSL
import Units

/// Who a request of privacy law is about.
public enum SubjectKind: UInt8, Sendable {
    /// A visitor, by its id.
    case visitor = 1
    /// A user, by the id that its events carry.
    case user = 2
}

/// Names subjects without telling who they are, and signs what was done about them: HMAC-SHA-256
/// (RFC 2104) under a key of this installation that is used for nothing else.
public struct SubjectKey: Sendable {
    /// Bytes of the key.
    public static let bytes = 32
    /// Bytes of a digest.
    public static let digestBytes = 32
    private static let gatePurpose: UInt8 = 0
    private static let receiptPurpose: UInt8 = 255

    private let secret: [UInt8]
    private let gateKey: HashKey

    /// Takes a key of `bytes`.
    public init(secret: [UInt8]) {
        invariant(secret.count == Self.bytes, "an erasure key of another length")
        self.secret = secret
        let digest = Self.digest(secret, [Self.gatePurpose])
        gateKey = HashKey(first: Self.word(digest, 0), second: Self.word(digest, 8))
    }

    /// What stands for a subject in the erasure list, in receipts and in PostgreSQL.
    public func digest(_ kind: SubjectKind, site: String, id: String) -> [UInt8] {
        let name = Array(site.utf8)
        let length = UInt8(truncatingIfNeeded: name.count)
        return Self.digest(secret, [kind.rawValue, length] + name + Array(id.utf8))
    }

    /// Signs a receipt.
    public func signature(of document: [UInt8]) -> [UInt8] {
        Self.digest(secret, [Self.receiptPurpose] + document)
    }

    /// What stands for a subject at the gate: quick, and never 0 or 1, which tables use otherwise.
    @inline(__always)
    public func tag(_ kind: SubjectKind, site: ByteView, id: ByteView) -> UInt64 {
        let place = site.hash128(key: gateKey).high &* 0x9e37_79b9_7f4a_7c15
        let tag = id.hash128(key: gateKey).low ^ place ^ UInt64(kind.rawValue) &<< 56
        return tag < 2 ? tag &+ 2 : tag
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digest(_ secret: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: digestBytes)
        var length: UInt32 = 0
        let made = unsafe HMAC(
            EVP_sha256(),
            secret,
            Int32(secret.count),
            message,
            message.count,
            &output,
            &length
        )
        let isMade = unsafe made != nil
        invariant(isMade && Int(length) == digestBytes, "HMAC-SHA-256 failed")
        return output
    }
}
