import Glibc

/// One certificate chain with its key, in files in PEM form.
public struct TLSCertificate: Sendable, Equatable {
    /// The file with the certificate, the issuers' behind it.
    public var certificate: String
    /// The file with the private key, without a passphrase.
    public var key: String
    /// Names that are to get this certificate; empty for those that the certificate holds.
    public var names: [String]
    /// File and line of the settings, for problems that show only when the files are loaded.
    public var place: String

    /// A certificate from its parts.
    public init(certificate: String, key: String, names: [String] = [], place: String) {
        self.certificate = certificate
        self.key = key
        self.names = names
        self.place = place
    }
}

/// The encrypted port that beacons come to.
public struct TLSPort: Sendable, Equatable {
    /// Port to listen at; 0 takes any free one.
    public var port: Int
    /// Whether every connection begins with a PROXY header.
    public var takesProxyHeader: Bool
    /// The first is for clients that name none of the others.
    public var certificates: [TLSCertificate]
}

/// What stands between a client and its first request.
public struct IngestEdge: Sendable, Equatable {
    /// Whether there is a port without TLS.
    public var isPlain = true
    /// The port with TLS, if there is one.
    public var tls: TLSPort?
    /// Whether every connection to the plain port begins with a PROXY header.
    public var takesProxyHeader = false
    /// Peers whose `X-Forwarded-For` and PROXY headers are believed.
    public var trustedProxies: [AddressRange] = []
    /// Memory that the unfinished requests of one listener may hold.
    public var heldBytesMaximum = Limits.heldBytesDefault
    /// How long readiness says no before connections are refused, when the engine stops.
    public var readinessLeadMilliseconds = Limits.readinessLeadMillisecondsDefault

    /// A plain port alone.
    public init() {}

    /// Reads what of the section `ingest` is about the edge. `file` and `folder` are the settings'.
    init(_ section: YAMLSection, file: String, folder: String) {
        isPlain = section.boolean("plain", default: isPlain)
        takesProxyHeader = section.boolean("proxy_protocol", default: false)
        trustedProxies = Self.readProxies(section)
        heldBytesMaximum = section.integer(
            "unfinished_bytes_maximum",
            in: Limits.heldBytesMinimum...Limits.heldBytesMaximum,
            default: heldBytesMaximum
        )
        readinessLeadMilliseconds = section.integer(
            "readiness_lead_milliseconds",
            in: 0...Limits.readinessLeadMillisecondsMaximum,
            default: readinessLeadMilliseconds
        )
        if section.has("tls") {
            tls = section.section("tls") { Self.readTLS($0, file: file, folder: folder) }
        }
        if !isPlain && tls == nil {
            section.problem("plain", "is false and there is no tls: nothing would be listened to")
        }
    }

    private static func readProxies(_ section: YAMLSection) -> [AddressRange] {
        let texts = section.texts("trusted_proxies", bytesMaximum: 64)
        if texts.count > Limits.trustedProxiesMaximum {
            section.problem(
                "trusted_proxies",
                "holds \(texts.count), may hold \(Limits.trustedProxiesMaximum)"
            )
        }
        return texts.compactMap { text in
            if let range = AddressRange(text) { return range }
            section.problem(
                "trusted_proxies",
                "holds \"\(text)\", must hold addresses or networks such as 10.0.0.0/8, "
                    + "without bits behind the prefix"
            )
            return nil
        }
    }

    private static func readTLS(
        _ section: YAMLSection,
        file: String,
        folder: String
    ) -> TLSPort {
        let port = TLSPort(
            port: section.integer("port", in: 0...65_535, default: Limits.tlsPortDefault),
            takesProxyHeader: section.boolean("proxy_protocol", default: false),
            certificates: section.sections("certificates") {
                readCertificate($0, file: file, folder: folder)
            }
        )
        if !(1...Limits.certificatesMaximum).contains(port.certificates.count) {
            section.problem(
                "certificates",
                "must hold 1 to \(Limits.certificatesMaximum) certificates"
            )
        }
        return port
    }

    private static func readCertificate(
        _ section: YAMLSection,
        file: String,
        folder: String
    ) -> TLSCertificate {
        let names = section.texts("names", bytesMaximum: 253)
        for name in names where !isName(name) {
            section.problem("names", "holds \"\(name)\", must hold host names or *.example.com")
        }
        return TLSCertificate(
            certificate: readableFile(section, "certificate", folder),
            key: readableFile(section, "key", folder),
            names: names,
            place: "\(file):\(section.line)"
        )
    }

    private static func readableFile(
        _ section: YAMLSection,
        _ key: String,
        _ folder: String
    ) -> String {
        guard let path = section.optionalPath(key, folder) else {
            section.problem(key, "is missing")
            return ""
        }
        if unsafe access(path, R_OK) != 0 {
            let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? ""
            section.problem(key, "\(path) cannot be read: \(reason)")
        }
        return path
    }

    private static func isName(_ text: String) -> Bool {
        let host = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return !host.isEmpty
            && host.utf8.allSatisfy { Characters.isAlphanumeric($0) || $0 == 45 || $0 == 46 }
    }
}
