import Bytes
import Loop
import Settings

/// What lies between the bytes of a connection and its requests: the PROXY header and TLS. A plain
/// connection never comes here.
extension ConnectionTable {
    /// Takes bytes of a connection that brings something before its requests, or is encrypted.
    func takeFiltered(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ arrived: ByteView) {
        if slot.pointee.phase == .proxyHeader {
            takeProxyHeader(slot, arrived)
        } else {
            takeEncrypted(slot, arrived)
        }
    }

    // MARK: - PROXY

    private func takeProxyHeader(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ arrived: ByteView
    ) {
        if slot.pointee.input.count == 0 {
            let used = readProxyHeader(slot, arrived)
            guard slot.pointee.isOpen else { return }
            guard let used else { return slot.pointee.input.append(arrived) }
            return takeBehindHeader(slot, arrived[used..<arrived.count])
        }
        slot.pointee.input.append(arrived)
        guard let used = readProxyHeader(slot, slot.pointee.input.view), slot.pointee.isOpen else {
            return
        }
        // The input becomes that of requests; what came behind the header must outlive that.
        var rest = ByteBuffer(capacity: 16, limit: ConnectionLimits.inputBytesMaximum)
        rest.append(slot.pointee.input.view(from: used))
        slot.pointee.releaseInput()
        takeBehindHeader(slot, rest.view)
    }

    /// How long the header was; nil when it is not complete, or when the connection was closed for it.
    private func readProxyHeader(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ bytes: ByteView
    ) -> Int? {
        switch ProxyHeader.parse(bytes) {
        case .incomplete: return nil
        case .refused:
            close(slot, .proxyHeaderRefused)
            return nil
        case .complete(let length, let client):
            if client.length > 0 {
                slot.pointee.peer = client
                slot.pointee.client = client
            }
            return length
        }
    }

    private func takeBehindHeader(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ rest: ByteView
    ) {
        slot.pointee.phase = slot.pointee.tls == nil ? .requests : .handshake
        // The clock of a handshake goes on; that of a request begins with it.
        if slot.pointee.phase == .requests { slot.pointee.forgetRequest() }
        if rest.isEmpty { return }
        slot.pointee.noteArrival(rest.count, at: loop.nowMilliseconds)
        if slot.pointee.phase == .requests {
            take(slot, rest)
        } else {
            takeEncrypted(slot, rest)
        }
    }

    // MARK: - TLS

    /// Gives a new connection its session.
    func beginTLS(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        let pipe = tlsPipe ?? TLSPipe()
        tlsPipe = pipe
        guard let context = tlsContext, let session = TLSSession(context, pipe) else {
            return close(slot, .handshakeFailed)
        }
        slot.pointee.tls = session
    }

    private func takeEncrypted(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ arrived: ByteView
    ) {
        guard let session = slot.pointee.tls, let pipe = tlsPipe else { return }
        pipe.begin(arrived)
        defer { pipe.end() }
        if slot.pointee.phase == .handshake {
            let outcome = session.shakeHands()
            flush(slot)
            guard slot.pointee.isOpen else { return }
            guard outcome == .done else { return go(on: outcome, slot) }
            slot.pointee.phase = .requests
            slot.pointee.forgetRequest()
            slot.pointee.beginRequest(at: loop.nowMilliseconds)
        }
        takeDecrypted(slot, session, pipe)
        // Nothing of a request was in it, or nothing is left: the connection is idle.
        if slot.pointee.isOpen, slot.pointee.input.count == 0, slot.pointee.isBetweenRequests,
            !session.holdsPartialRecord
        {
            slot.pointee.forgetRequest()
        }
    }

    private func takeDecrypted(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ session: TLSSession,
        _ pipe: TLSPipe
    ) {
        while true {
            let (count, outcome) = session.decrypt()
            guard outcome == .done else {
                // Alerts and answers to key updates.
                flush(slot)
                return go(on: outcome, slot)
            }
            take(slot, ByteView(base: pipe.plain, count: count))
            guard slot.pointee.isOpen, !slot.pointee.isLingering else { return }
        }
    }

    private func go(
        on outcome: TLSSession.Outcome,
        _ slot: UnsafeMutablePointer<ConnectionSlot>
    ) {
        guard slot.pointee.isOpen else { return }
        switch outcome {
        case .done, .wantsBytes: break
        case .peerClosed: didEnd(slot, isOrderly: true)
        case .failed:
            // The alert should arrive: it is all that tells the peer why.
            slot.pointee.closeReason = .handshakeFailed
            slot.pointee.forgetRequest()
            closeAfterSending(slot.pointee.id)
        }
    }

    /// Sends what OpenSSL has written.
    private func flush(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard let pipe = tlsPipe, pipe.leaving.count > 0 else { return }
        transmit(slot, pipe.leaving.view)
        pipe.forgetLeaving()
    }

    /// Sends an answer through the connection's session.
    func encrypt(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) {
        guard slot.pointee.tls?.encrypt(bytes) == true else { return close(slot, .peer) }
        flush(slot)
    }

    /// The last that a TLS peer hears; nothing on a plain connection.
    func sayGoodbye(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard let session = slot.pointee.tls else { return }
        session.sayGoodbye()
        flush(slot)
    }
}
