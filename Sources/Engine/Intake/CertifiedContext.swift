import COpenSSL
import Glibc
import Settings

/// What is wrong with a certificate, and where the settings name it.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The settings' words for the place, such as `heliograph.yaml:12`.
    public let place: String
    /// What is wrong. Names files, never what is in them.
    public let reason: String

    /// Place and reason, as compilers write it.
    public var description: String { "\(place): \(reason)" }
}

/// One certificate chain with its key, loaded into a context of OpenSSL's.
///
/// Sendable because: OpenSSL counts references to a context and locks what it shares; nothing here is
/// changed once it is loaded.
final class CertifiedContext: Sendable {
    nonisolated(unsafe) let handle: OpaquePointer
    private let names: [String]

    init(_ certificate: TLSCertificate) throws(TLSError) {
        guard let handle = SSL_CTX_new(TLS_server_method()) else {
            throw TLSError(place: certificate.place, reason: "OpenSSL gives no context")
        }
        self.handle = handle
        names = certificate.names
        Self.harden(handle)
        try load(certificate)
    }

    deinit { SSL_CTX_free(handle) }

    /// TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers, and nothing else.
    private static func harden(_ context: OpaquePointer) {
        _ = hg_tls_set_oldest(context, TLS1_2_VERSION)
        hg_tls_set_options(context)
        hg_tls_set_modes(context)
        _ = hg_tls_set_groups(context, "X25519:P-256:P-384")
        _ = SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        // A key that needs a passphrase is refused instead of asked for at a terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
        SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    }

    private func load(_ certificate: TLSCertificate) throws(TLSError) {
        func fail(_ reason: String) -> TLSError {
            TLSError(place: certificate.place, reason: reason)
        }
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(handle, certificate.certificate) == 1 else {
            throw fail("\(certificate.certificate) holds no certificate in PEM form")
        }
        guard SSL_CTX_use_PrivateKey_file(handle, certificate.key, SSL_FILETYPE_PEM) == 1 else {
            // A key of another kind than the certificate is told apart at once, an equal kind below.
            throw fail(
                "\(certificate.key) holds no private key in PEM form without a passphrase that fits "
                    + certificate.certificate
            )
        }
        guard SSL_CTX_check_private_key(handle) == 1 else {
            throw fail("the key \(certificate.key) is not that of \(certificate.certificate)")
        }
    }

    /// Whether a client that asks for `name` is to get this certificate.
    func answers(to name: String) -> Bool {
        if !names.isEmpty { return names.contains { TLSName.matches($0, name) } }
        guard let leaf = SSL_CTX_get0_certificate(handle) else { return false }
        return X509_check_host(leaf, name, name.utf8.count, 0, nil) == 1
    }

    /// Seconds until the certificate ends; negative when it has.
    var secondsLeft: Int {
        guard let leaf = SSL_CTX_get0_certificate(handle) else { return 0 }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(leaf)) == 1 else { return 0 }
        return Int(days) * 86_400 + Int(seconds)
    }
}

/// Names in settings, against the name a client asks for.
enum TLSName {
    /// Whether `pattern`, which may begin with `*.` for exactly one label, covers `name`.
    static func matches(_ pattern: String, _ name: String) -> Bool {
        let name = name.lowercased()
        guard pattern.hasPrefix("*.") else { return pattern.lowercased() == name }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return false }
        return name[dot...] == pattern.dropFirst().lowercased()
    }
}

/// Chooses `http/1.1` (RFC 7301); a client that offers protocols without it cannot be served.
private func selectProtocol(
    _ tls: OpaquePointer?,
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let chosen, let chosenLength else { return SSL_TLSEXT_ERR_NOACK }
    let wanted: StaticString = "http/1.1"
    var index = 0
    // A list of names, each behind a byte with its length.
    while index < Int(offeredLength) {
        let length = Int(offered[index])
        guard index + 1 + length <= Int(offeredLength) else { break }
        if length == wanted.utf8CodeUnitCount,
            memcmp(offered + index + 1, wanted.utf8Start, length) == 0
        {
            chosen.pointee = offered + index + 1
            chosenLength.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        index += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
