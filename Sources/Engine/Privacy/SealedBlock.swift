public import Bytes
import COpenSSL
import Units

/// Seals what a visitor lets advertisement platforms know, and opens it again: AES-256-GCM (NIST SP
/// 800-38D) under a key of the day, bound to site and visitor, so that a block that was put beside
/// another visitor's row does not open.
///
/// | field | bytes |
/// |---|---|
/// | version (1) | 1 |
/// | day of the key, counted from 1970-01-01 | 4, little-endian |
/// | nonce, random | 12 |
/// | ciphertext | n |
/// | tag | 16 |
///
/// Owned by one thread; its memory is reused.
@safe public struct SealedBlock: ~Copyable {
    /// Bytes of a key.
    public static let keyBytes = 32
    /// Bytes around the ciphertext.
    public static let overheadBytes = headBytes + tagBytes

    private static let version: UInt8 = 1
    private static let nonceBytes = 12
    private static let tagBytes = 16
    private static let headBytes = 5 + nonceBytes

    private let context: OpaquePointer
    private var owner = ByteBuffer(capacity: 512, limit: 1024)

    /// A cipher that holds no key.
    public init() {
        guard let made = unsafe EVP_CIPHER_CTX_new() else {
            invariantFailed("no memory for a cipher", #fileID, #line)
        }
        unsafe context = made
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// The day of the key that `block` was sealed under; nil when it is no sealed block.
    public static func day(of block: ByteView) -> Int32? {
        guard block.count >= overheadBytes, block[0] == version else { return nil }
        return block.load(Int32.self, at: 1)
    }

    /// Appends `text` sealed under the key of `day`. False, with nothing appended, when there is no
    /// room.
    public mutating func seal(
        _ text: ByteView,
        day: Int32,
        key: [UInt8],
        site: ByteView,
        visitor: ByteView,
        into output: inout ByteBuffer
    ) -> Bool {
        invariant(key.count == Self.keyBytes, "a seal's key of another length")
        describe(site, visitor)
        let wanted = Self.overheadBytes + text.count
        guard let room = unsafe output.spare(atLeast: wanted) else { return false }
        let bytes = unsafe room.bindMemory(to: UInt8.self)
        unsafe bytes[0] = Self.version
        for index in 0..<4 {
            unsafe bytes[1 + index] = UInt8(truncatingIfNeeded: day >> Int32(8 * index))
        }
        guard let start = bytes.baseAddress else { return false }
        let isDrawn = unsafe RAND_bytes(start + 5, Int32(Self.nonceBytes)) == 1
        invariant(isDrawn, "no random numbers for a seal")
        let isSealed = unsafe encrypt(text, key, start)
        invariant(isSealed, "AES-256-GCM failed to seal")
        output.commit(wanted)
        return true
    }

    /// Appends the text of `block`. False, with nothing appended, when the key, the owner or a bit is
    /// not what it was sealed with.
    public mutating func open(
        _ block: ByteView,
        key: [UInt8],
        site: ByteView,
        visitor: ByteView,
        into output: inout ByteBuffer
    ) -> Bool {
        guard Self.day(of: block) != nil, key.count == Self.keyBytes else { return false }
        describe(site, visitor)
        let length = block.count - Self.overheadBytes
        guard let room = unsafe output.spare(atLeast: max(length, 1)),
            let target = unsafe room.bindMemory(to: UInt8.self).baseAddress
        else { return false }
        guard unsafe decrypt(block, length, key, target) else { return false }
        output.commit(length)
        return true
    }

    private mutating func describe(_ site: ByteView, _ visitor: ByteView) {
        owner.reset()
        owner.append(site)
        owner.append(0)
        owner.append(visitor)
    }

    private func encrypt(
        _ text: ByteView,
        _ key: [UInt8],
        _ block: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var length: Int32 = 0
        let nonce = unsafe block + 5
        let cipher = unsafe block + Self.headBytes
        return unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_EncryptUpdate(context, nil, &length, Self.start(owner.view), count(owner.view))
                == 1
            && EVP_EncryptUpdate(context, cipher, &length, Self.start(text), count(text)) == 1
            && EVP_EncryptFinal_ex(context, cipher + text.count, &length) == 1
            && EVP_CIPHER_CTX_ctrl(
                context,
                EVP_CTRL_GCM_GET_TAG,
                Int32(Self.tagBytes),
                cipher + text.count
            ) == 1
    }

    private func decrypt(
        _ block: ByteView,
        _ length: Int,
        _ key: [UInt8],
        _ target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var written: Int32 = 0
        guard let start = unsafe Self.start(block) else { return false }
        let cipher = unsafe start + Self.headBytes
        let tag = unsafe UnsafeMutableRawPointer(mutating: cipher + length)
        return unsafe EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, start + 5) == 1
            && EVP_DecryptUpdate(context, nil, &written, Self.start(owner.view), count(owner.view))
                == 1
            && EVP_DecryptUpdate(context, target, &written, cipher, Int32(length)) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagBytes), tag) == 1
            && EVP_DecryptFinal_ex(context, target + length, &written) == 1
    }

    private static func start(_ bytes: ByteView) -> UnsafePointer<UInt8>? {
        unsafe bytes.buffer.bindMemory(to: UInt8.self).baseAddress
    }

    private func count(_ bytes: ByteView) -> Int32 { Int32(bytes.count) }
}
