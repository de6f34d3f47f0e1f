import COpenSSL
public import Settings

/// Everything that new TLS connections need: certificates and keys, checked and loaded. Never
/// changes; a reload makes another and has every listener `install` it, while connections that are
/// open keep the one they began with.
///
/// Shared by all listeners, so that a session ticket of one is taken by the others.
public final class TLSContext: Sendable {
    /// In the order of the settings; clients without a name, or with one that nobody has, get the first.
    private let entries: [CertifiedContext]
    /// What an operator should hear though it is no mistake: certificates that have ended or soon will.
    public let warnings: [String]

    /// When the end of a certificate is near enough to be warned of.
    private static let warningSeconds = 14 * 86_400

    /// Loads every certificate; throws what is wrong with the first that cannot be used.
    public init(_ certificates: [TLSCertificate]) throws(TLSError) {
        var entries: [CertifiedContext] = []
        var warnings: [String] = []
        for certificate in certificates {
            let entry = try CertifiedContext(certificate)
            if let warning = Self.warning(entry.secondsLeft) {
                warnings.append("\(certificate.place): \(certificate.certificate) \(warning)")
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else {
            throw TLSError(place: "ingest.tls", reason: "there is no certificate")
        }
        self.entries = entries
        self.warnings = warnings
        // OpenSSL keeps the first for the time of the handshake, and sessions keep us.
        hg_tls_set_name_callback(
            entries[0].handle,
            chooseCertificate,
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private static func warning(_ secondsLeft: Int) -> String? {
        if secondsLeft < 0 { return "has expired" }
        return secondsLeft < warningSeconds ? "expires in \(secondsLeft / 86_400) days" : nil
    }

    /// The context that a connection begins with.
    var first: OpaquePointer { entries[0].handle }

    /// The context for a client that asks for `name`; nil when no certificate is meant for it.
    fileprivate func context(for name: String) -> OpaquePointer? {
        entries.first { $0.answers(to: name) }?.handle
    }
}

/// Called by OpenSSL in a handshake, when the client's extensions are known (RFC 6066 section 3).
private func chooseCertificate(
    _ tls: OpaquePointer?,
    _ alert: UnsafeMutablePointer<Int32>?,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let tls, let argument, let text = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name)
    else { return SSL_TLSEXT_ERR_NOACK }
    let name = String(cString: text)
    let chosen = Unmanaged<TLSContext>.fromOpaque(argument)._withUnsafeGuaranteedRef {
        $0.context(for: name)
    }
    // Without a match the first certificate stays, as browsers' errors then name the site.
    guard let chosen else { return SSL_TLSEXT_ERR_NOACK }
    _ = SSL_set_SSL_CTX(tls, chosen)
    return SSL_TLSEXT_ERR_OK
}
