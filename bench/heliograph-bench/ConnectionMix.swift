import BenchLoad
import CBench

/// How connections are made, and how long they last. Owned by the load thread.
struct ConnectionMix {
    /// Part of the requests that come over a connection of their own, from 0 to 1.
    var renewedFraction = 0.0
    /// Part of the connections that are encrypted, from 0 to 1.
    var encryptedFraction = 0.0
    /// Where those go.
    var secureTarget: Target?
    private var client: TLSClient?
    private var random = SplitMix(seed: 0x6d69_78)

    /// A mix as the command line asks for; `secureTarget` is needed when part of it is encrypted.
    init(_ settings: RunSettings, secureTarget: Target?) throws(BenchFailure) {
        renewedFraction = settings.renewedFraction
        encryptedFraction = settings.encryptedFraction
        guard encryptedFraction > 0 else { return }
        guard let secureTarget else {
            throw .addresses("no ingest_tls in it; configure ingest.tls, or leave --tls out")
        }
        self.secureTarget = secureTarget
        client = try TLSClient()
    }

    /// Where connection `index` of `count` goes, and what encrypts it.
    func route(_ index: Int, of count: Int, plain: Target) -> (Target, TLSClient?) {
        guard let secureTarget, Double(index) < encryptedFraction * Double(count) else {
            return (plain, nil)
        }
        return (secureTarget, client)
    }

    /// Whether the next request comes over a new connection.
    @inline(__always)
    mutating func renews() -> Bool {
        guard renewedFraction > 0 else { return false }
        return Double(random.next() &>> 11) * 0x1p-53 < renewedFraction
    }
}

/// The client's side of TLS. Takes any certificate: load is sent to this machine only.
final class TLSClient {
    private let context: UnsafeMutableRawPointer

    init() throws(BenchFailure) {
        guard let context = cbench_tls_context() else { throw .system("SSL_CTX_new", 0) }
        self.context = context
    }

    deinit { cbench_tls_context_free(context) }

    /// Shakes hands over a blocking socket; nil when that fails. Every handshake is a full one.
    func open(_ descriptor: Int32) -> UnsafeMutableRawPointer? {
        cbench_tls_open(context, descriptor)
    }
}
