import Bytes
import CLibuv
import Loop
import Settings

extension ConnectionTable {
    func startReading(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        let status = uv_read_start(
            slot.stream,
            { handle, _, buffer in
                guard let raw = handle?.pointee.data else { return }
                let slot = raw.assumingMemoryBound(to: ConnectionSlot.self)
                slot.pointee.table._withUnsafeGuaranteedRef { table in
                    buffer?.pointee = uv_buf_init(
                        table.readBuffer.assumingMemoryBound(to: CChar.self),
                        UInt32(ConnectionTable.readBufferBytes)
                    )
                }
            },
            { stream, count, _ in
                guard let raw = stream?.pointee.data else { return }
                let slot = raw.assumingMemoryBound(to: ConnectionSlot.self)
                slot.pointee.table._withUnsafeGuaranteedRef { $0.didRead(slot, count) }
            }
        )
        if status != 0 { close(slot, .peer) }
    }

    private func didRead(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
        guard count > 0 else {
            // 0 means nothing to read yet; below is the peer's end or an error.
            if count < 0 { didEnd(slot, isOrderly: count == Int(UV_EOF.rawValue)) }
            return
        }
        // After its last answer a connection says nothing that matters.
        if slot.pointee.isLingering || slot.pointee.closesAfterWriting { return }
        slot.pointee.noteArrival(count, at: loop.nowMilliseconds)
        let arrived = ByteView(base: readBuffer, count: count)
        if slot.pointee.phase == .requests, slot.pointee.tls == nil {
            take(slot, arrived)
        } else {
            takeFiltered(slot, arrived)
        }
        settle(slot)
    }

    /// The peer sends nothing more. An orderly end leaves its other side open, and whoever has asked
    /// something may still read (RFC 9112 section 9.6 speaks of half-closed connections).
    func didEnd(_ slot: UnsafeMutablePointer<ConnectionSlot>, isOrderly: Bool) {
        if slot.pointee.isLingering { return close(slot, slot.pointee.closeReason) }
        guard isOrderly, slot.pointee.isBlocked else {
            return close(slot, .peer)
        }
        slot.pointee.hasPeerClosed = true
    }

    /// Takes bytes of requests, decrypted.
    func take(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ arrived: ByteView) {
        if slot.pointee.input.count == 0, !slot.pointee.isBlocked {
            handleDirectly(slot, arrived)
        } else {
            handleKept(slot, arrived)
        }
    }

    /// The usual case: a whole request lies in the shared buffer and nothing is copied.
    private func handleDirectly(
        _ slot: UnsafeMutablePointer<ConnectionSlot>,
        _ arrived: ByteView
    ) {
        let done = offer(slot, arrived)
        guard slot.pointee.isOpen, done < arrived.count else { return }
        keep(slot, arrived[done..<arrived.count])
    }

    private func handleKept(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ arrived: ByteView) {
        keep(slot, arrived)
        if slot.pointee.isOpen, !slot.pointee.isBlocked { offerKept(slot) }
    }

    private func keep(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) {
        // After the last answer nothing is looked at.
        if slot.pointee.closesAfterWriting { return }
        slot.pointee.input.append(bytes)
        if slot.pointee.input.overflowed { return close(slot, .overflowed) }
        if slot.pointee.isBlocked,
            slot.pointee.input.count > ConnectionLimits.keptWhilePausedBytesMaximum,
            !slot.pointee.isReadStopped
        {
            slot.pointee.isReadStopped = true
            _ = uv_read_stop(slot.stream)
        }
    }

    /// Hands on what was kept, until it is used up, more is wanted, or an answer is outstanding.
    func offerKept(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard slot.pointee.input.count >= slot.pointee.wantedBytes else { return }
        let done = offer(slot, slot.pointee.input.view)
        guard slot.pointee.isOpen, slot.pointee.input.count > 0 else { return }
        slot.pointee.input.dropFirst(done)
        if slot.pointee.input.count == 0 { slot.pointee.releaseInput() }
    }

    /// Offers `bytes` to the handler again and again; returns how many are done with.
    private func offer(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) -> Int {
        isOffering = true
        defer { isOffering = false }
        var (done, requests) = (0, 0)
        while done < bytes.count {
            let handled = handler.received(bytes[done..<bytes.count], from: slot.pointee.id)
            // Whoever was given up inside has let its input go.
            guard slot.pointee.isOpen, !slot.pointee.isLingering else { return bytes.count }
            done &+= handled.consumed
            slot.pointee.note(handled, at: loop.nowMilliseconds)
            if handled.pauses || handled.consumed == 0 || slot.pointee.isWriting { break }
            requests &+= 1
            if requests == Limits.requestsPerTurnMaximum, done < bytes.count {
                yield(slot)
                break
            }
        }
        if done == bytes.count, slot.pointee.isBetweenRequests { slot.pointee.forgetRequest() }
        return done
    }

    /// Lets others have their turn: whoever sends many requests at once is served a few at a time.
    private func yield(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        slot.pointee.isYielding = true
        yielded.append(slot.pointee.id)
        let timer = turnTimer ?? LoopTimer(loop: loop) { [unowned self] in takeTurns() }
        turnTimer = timer
        if yielded.count == 1 { timer.start(afterMilliseconds: 0) }
    }

    /// A turn for each connection that has yielded.
    private func takeTurns() {
        let waiting = yielded
        yielded = []
        for id in waiting {
            guard let slot = find(id) else { continue }
            slot.pointee.isYielding = false
            proceed(slot)
            settle(slot)
        }
    }

    /// An answer has been sent; the connection may bring its next request.
    public func resume(_ id: ConnectionID) {
        guard let slot = find(id), slot.pointee.isPaused else { return }
        slot.pointee.isPaused = false
        slot.pointee.forgetRequest()
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        proceed(slot)
        settle(slot)
    }

    /// Goes on with what was kept, when neither an answer nor a write stands in the way.
    func proceed(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard slot.pointee.mayBeAsked else { return }
        if slot.pointee.input.count > 0, slot.pointee.phase == .requests {
            slot.pointee.restartClocks(at: loop.nowMilliseconds)
            offerKept(slot)
        }
        guard slot.pointee.mayBeAsked else { return }
        // Nothing can complete what a peer that has closed leaves unfinished.
        if slot.pointee.hasPeerClosed { return close(slot, .peer) }
        if slot.pointee.isReadStopped {
            slot.pointee.isReadStopped = false
            startReading(slot)
        }
    }
}

extension ConnectionSlot {
    /// Whether the next request may be handled.
    var mayBeAsked: Bool {
        isOpen && !isBlocked && !closesAfterWriting && !isLingering
    }

    /// Whether something is to happen on our side before the next request is looked at.
    var isBlocked: Bool { isPaused || isWriting || isYielding }

    /// Whether nothing of a request has arrived that is not answered.
    var isBetweenRequests: Bool { !isPaused && bodyWindowStartedAt == 0 }

    mutating func note(_ handled: Handled, at now: UInt64) {
        wantedBytes = handled.wanted
        handlerBytes = handled.kept
        if handled.pauses { isPaused = true }
        if !handled.awaitsBody {
            bodyWindowStartedAt = 0
        } else if bodyWindowStartedAt == 0 {
            bodyWindowStartedAt = max(now, 1)
            bodyWindowBytes = 0
        }
    }

    mutating func beginRequest(at now: UInt64) {
        if requestStartedAt == 0 { requestStartedAt = max(now, 1) }
    }

    /// What was kept while we were busy is not late for it.
    mutating func restartClocks(at now: UInt64) {
        requestStartedAt = max(now, 1)
        if bodyWindowStartedAt != 0 {
            bodyWindowStartedAt = requestStartedAt
            bodyWindowBytes = 0
        }
    }

    mutating func noteArrival(_ count: Int, at now: UInt64) {
        lastActivityAt = now
        beginRequest(at: now)
        bodyWindowBytes &+= count
    }

    mutating func forgetRequest() {
        requestStartedAt = 0
        bodyWindowStartedAt = 0
        wantedBytes = 0
        handlerBytes = 0
    }
}
