import Bytes
import COpenSSL

/// The TLS of one connection. Owned by its slot.
final class TLSSession {
    /// What a step of the protocol came to.
    enum Outcome {
        case done
        /// More bytes of the peer are needed.
        case wantsBytes
        /// The peer says that it sends nothing more (RFC 8446 section 6.1).
        case peerClosed
        /// The connection cannot go on; an alert may be in the pipe.
        case failed
    }

    private let tls: OpaquePointer
    private let pipe: TLSPipe
    /// Kept so that the certificates outlive every handshake that may still choose among them.
    private let context: TLSContext
    /// After a failure nothing may be asked of OpenSSL any more.
    private var hasFailed = false

    /// A session that waits for the peer's first bytes.
    init?(_ context: TLSContext, _ pipe: TLSPipe) {
        guard let tls = SSL_new(context.first) else { return nil }
        guard let bio = pipe.makeBIO() else {
            SSL_free(tls)
            return nil
        }
        self.tls = tls
        self.pipe = pipe
        self.context = context
        // One BIO for both directions, which the session owns from here.
        SSL_set_bio(tls, bio, bio)
        SSL_set_accept_state(tls)
    }

    deinit { SSL_free(tls) }

    /// Whether a record has arrived in part, which OpenSSL keeps memory for.
    var holdsPartialRecord: Bool { !hasFailed && SSL_has_pending(tls) == 1 }

    /// Goes on with the handshake.
    func shakeHands() -> Outcome { outcome(of: { SSL_do_handshake(tls) }) }

    /// Decrypts into the pipe's `plain`; how many bytes, or why there are none.
    func decrypt() -> (count: Int, Outcome) {
        var count: Int32 = 0
        let outcome = outcome {
            count = SSL_read(tls, pipe.plain, Int32(TLSPipe.plainBytes))
            return count
        }
        return (max(0, Int(count)), outcome)
    }

    /// Encrypts into the pipe. False when the connection is broken.
    func encrypt(_ bytes: ByteView) -> Bool {
        if bytes.isEmpty { return true }
        let outcome = outcome { SSL_write(tls, bytes.buffer.baseAddress, Int32(bytes.count)) }
        return outcome == .done
    }

    /// Tells the peer that nothing more is sent, so that it can tell an end from a cut.
    func sayGoodbye() {
        guard !hasFailed, SSL_is_init_finished(tls) == 1 else { return }
        ERR_clear_error()
        _ = SSL_shutdown(tls)
    }

    private func outcome(of step: () -> Int32) -> Outcome {
        if hasFailed { return .failed }
        // OpenSSL's queue of errors belongs to the thread: what another session left would be ours.
        ERR_clear_error()
        let result = step()
        if result > 0 { return .done }
        switch SSL_get_error(tls, result) {
        case SSL_ERROR_WANT_READ: return .wantsBytes
        case SSL_ERROR_ZERO_RETURN: return .peerClosed
        default:
            hasFailed = true
            return .failed
        }
    }
}
