public import Bytes
import CLibuv
import Loop

extension ConnectionTable {
    /// Sends `bytes`: at once if the kernel takes them, else as soon as it does.
    public func send(_ bytes: ByteView, to id: ConnectionID) {
        guard let slot = find(id), !slot.pointee.isLingering else { return }
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        slot.pointee.isKnownDelivered = false
        if slot.pointee.tls == nil {
            transmit(slot, bytes)
        } else {
            encrypt(slot, bytes)
        }
    }

    /// Hands bytes to the kernel as they are.
    func transmit(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) {
        if slot.pointee.isWriting {
            slot.pointee.queued.append(bytes)
            if slot.pointee.queued.overflowed { close(slot, .overflowed) }
            return
        }
        let sent = tryWrite(slot, bytes)
        if sent < 0 { return close(slot, .peer) }
        if sent < bytes.count {
            slot.pointee.output.append(bytes[sent..<bytes.count])
            // Half an answer would be taken for a whole one: better none.
            if slot.pointee.output.overflowed { return close(slot, .overflowed) }
            startWriting(slot)
        }
    }

    /// Closes the connection once everything handed to `send` has left.
    public func closeAfterSending(_ id: ConnectionID) {
        guard let slot = find(id), !slot.pointee.closesAfterWriting else { return }
        slot.pointee.closesAfterWriting = true
        sayGoodbye(slot)
        if slot.pointee.isOpen, !slot.pointee.isWriting { linger(slot) }
        if !isOffering { account(slot) }
    }

    /// Closes our side and waits a moment for the peer to close its own.
    private func linger(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard !slot.pointee.isLingering else { return }
        if slot.pointee.hasPeerClosed { return close(slot, slot.pointee.closeReason) }
        slot.pointee.isLingering = true
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        if uv_shutdown(&slot.pointee.shutdownRequest, slot.stream, { _, _ in }) != 0 {
            return close(slot, slot.pointee.closeReason)
        }
        if slot.pointee.isReadStopped {
            slot.pointee.isReadStopped = false
            startReading(slot)
        }
    }

    /// Bytes written, 0 when the kernel takes none now, negative when the connection is broken.
    private func tryWrite(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ bytes: ByteView
    ) -> Int {
        var buffer = uv_buf_init(
            UnsafeMutablePointer(
                mutating: bytes.buffer.bindMemory(to: CChar.self).baseAddress
            ),
            UInt32(bytes.count)
        )
        let status = uv_try_write(slot.stream, &buffer, 1)
        return status == UV_EAGAIN.rawValue ? 0 : Int(status)
    }

    private func startWriting(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        slot.pointee.isWriting = true
        slot.pointee.writeStartedAt = loop.nowMilliseconds
        var buffer = uv_buf_init(
            UnsafeMutablePointer(
                mutating: slot.pointee.output.view.buffer.bindMemory(to: CChar.self).baseAddress
            ),
            UInt32(slot.pointee.output.count)
        )
        slot.pointee.writeRequest.data = UnsafeMutableRawPointer(slot)
        let status = uv_write(&slot.pointee.writeRequest, slot.stream, &buffer, 1) {
            request,
            status in
            guard let raw = request?.pointee.data else { return }
            let slot = raw.assumingMemoryBound(to: ConnectionSlot.self)
            slot.pointee.table._withUnsafeGuaranteedRef { $0.didWrite(slot, status) }
        }
        if status != 0 { close(slot, .peer) }
    }

    private func didWrite(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ status: Int32) {
        slot.pointee.isWriting = false
        guard slot.pointee.isOpen else { return }
        if status < 0 { return close(slot, .peer) }
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        slot.pointee.releaseOutput()
        if slot.pointee.queued.count > 0 {
            swap(&slot.pointee.output, &slot.pointee.queued)
            startWriting(slot)
        } else if slot.pointee.closesAfterWriting {
            linger(slot)
        } else {
            proceed(slot)
        }
        settle(slot)
    }
}
