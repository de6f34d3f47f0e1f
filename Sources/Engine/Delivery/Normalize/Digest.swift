import COpenSSL
import Units

/// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) as lower-case hexadecimal digits.
public enum Digest {
    private static let bytesCount = 32

    /// The digest of a text's UTF-8 bytes.
    public static func sha256(_ text: String) -> String {
        var digest = [UInt8](repeating: 0, count: bytesCount)
        var copy = text
        let made = copy.withUTF8 { bytes in
            EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil)
        }
        invariant(made == 1, "SHA-256 failed")
        return hexadecimal(digest)
    }

    /// The digest of `message` under `key`.
    public static func hmac(key: String, message: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: bytesCount)
        var copy = key
        var length: UInt32 = 0
        let made = copy.withUTF8 { key in
            HMAC(
                EVP_sha256(),
                key.baseAddress,
                Int32(key.count),
                message,
                message.count,
                &digest,
                &length
            ) != nil
        }
        invariant(made && length == 32, "HMAC-SHA-256 failed")
        return hexadecimal(digest)
    }

    /// A value that was hashed before it came to us, in lower case; nil unless it is exactly 64
    /// hexadecimal digits. MD5 is not taken, whatever else takes it.
    public static func hashed(_ text: String) -> String? {
        let trimmed = TextForms.trimmed(text)
        guard trimmed.utf8.count == 64, trimmed.utf8.allSatisfy(isHexadecimal) else { return nil }
        return trimmed.lowercased()
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
