public import Bytes
import CLibuv
public import Loop
import Settings
import Units

/// What is done with the bytes of connections. Called on the listener's thread only.
public protocol ByteHandler: AnyObject {
    /// Bytes have arrived that begin a message or continue one. Returns what was done with them.
    func received(_ bytes: ByteView, from connection: ConnectionID) -> Handled
    /// The connection is gone; nothing can be sent any more.
    func closed(_ connection: ConnectionID)
    /// A deadline has passed while a request was under way; an answer may still be sent.
    func timedOut(_ connection: ConnectionID)
}

/// What a handler did with the bytes it was given.
public struct Handled {
    /// Bytes from the start that are done with.
    public var consumed: Int
    /// Bytes, from the first that was not consumed, without which there is no use in asking again.
    public var wanted: Int
    /// Whether the connection waits for an answer and must not be asked before `resume`.
    public var pauses: Bool

    /// An outcome from its parts.
    public init(consumed: Int, wanted: Int = 0, pauses: Bool = false) {
        self.consumed = consumed
        self.wanted = wanted
        self.pauses = pauses
    }
}

/// The connections of one listener.
///
/// Reads go into one buffer that all connections share; only what cannot be handled at once is copied
/// into the connection's own. So an idle connection costs little more than its handles.
/// Everything here belongs to the listener's thread.
public final class ConnectionTable {
    let loop: EventLoop
    unowned(unsafe) let handler: any ByteHandler
    /// Addresses of all slots ever made; a slot's memory is kept for the next connection.
    var slots: [UnsafeMutablePointer<ConnectionSlot>] = []
    var free: [UInt32] = []
    let connectionsMaximum: Int
    private let readBuffer: UnsafeMutableRawPointer
    private static let readBufferBytes = 65_536
    /// Connections that are open.
    public private(set) var openCount = 0
    /// Connections accepted since the start.
    public private(set) var acceptedCount: UInt64 = 0
    /// Connections turned away because the table was full.
    public private(set) var turnedAwayCount: UInt64 = 0
    /// Connections closed because a deadline passed.
    public internal(set) var timedOutCount: UInt64 = 0

    /// An empty table on `loop` that hands bytes to `handler`, which must outlive it.
    public init(loop: EventLoop, handler: any ByteHandler, connectionsMaximum: Int) {
        self.loop = loop
        self.handler = handler
        self.connectionsMaximum = connectionsMaximum
        readBuffer = .allocate(byteCount: Self.readBufferBytes, alignment: 64)
    }

    deinit {
        readBuffer.deallocate()
        for slot in slots {
            slot.deinitialize(count: 1)
            slot.deallocate()
        }
    }

    // MARK: - Opening and closing

    /// Takes the next connection that waits on `listener`.
    func accept(from listener: UnsafeMutablePointer<uv_stream_t>) {
        acceptedCount &+= 1
        guard let slot = takeSlot() else { return turnAway(listener) }
        _ = uv_tcp_init(loop.handle, &slot.pointee.tcp)
        slot.pointee.tcp.data = UnsafeMutableRawPointer(slot)
        slot.pointee.isOpen = true
        openCount += 1
        guard uv_accept(listener, slot.stream) == 0 else { return close(slot) }
        _ = uv_tcp_nodelay(&slot.pointee.tcp, 1)
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        slot.notePeerAddress()
        startReading(slot)
    }

    /// A free slot; when all are taken, that of the connection that has been idle for longest.
    private func takeSlot() -> UnsafeMutablePointer<ConnectionSlot>? {
        if let index = free.popLast() { return slots[Int(index)] }
        guard slots.count < connectionsMaximum else {
            if let idle = longestIdle() { close(idle) }
            return nil
        }
        let slot = UnsafeMutablePointer<ConnectionSlot>.allocate(capacity: 1)
        slot.initialize(
            to: ConnectionSlot(table: .passUnretained(self), index: UInt32(slots.count))
        )
        slots.append(slot)
        return slot
    }

    private func longestIdle() -> UnsafeMutablePointer<ConnectionSlot>? {
        slots.filter { $0.pointee.isIdle }
            .min { $0.pointee.lastActivityAt < $1.pointee.lastActivityAt }
    }

    /// Accepts and closes at once, so that the client learns it now and not by a timeout.
    private func turnAway(_ listener: UnsafeMutablePointer<uv_stream_t>) {
        turnedAwayCount &+= 1
        let extra = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
        extra.initialize(to: uv_tcp_t())
        _ = uv_tcp_init(loop.handle, extra)
        extra.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { _ = uv_accept(listener, $0) }
        extra.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { $0?.deallocate() }
        }
    }

    /// Closes a connection now; what was not sent is lost.
    func close(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard slot.pointee.isOpen else { return }
        slot.pointee.isOpen = false
        openCount -= 1
        handler.closed(slot.pointee.id)
        slot.pointee.generation &+= 1
        slot.withHandle { handle in
            uv_close(handle) { closed in
                guard let raw = closed?.pointee.data else { return }
                let slot = raw.assumingMemoryBound(to: ConnectionSlot.self)
                slot.pointee.table._withUnsafeGuaranteedRef { $0.recycle(slot) }
            }
        }
    }

    private func recycle(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        slot.pointee.forgetRequest()
        slot.pointee.input = ByteBuffer(
            capacity: 16,
            limit: ConnectionLimits.inputBytesMaximum
        )
        slot.pointee.output = ByteBuffer(
            capacity: 16,
            limit: ConnectionLimits.outputBytesMaximum
        )
        slot.pointee.queued = ByteBuffer(
            capacity: 16,
            limit: ConnectionLimits.outputBytesMaximum
        )
        slot.pointee.isPaused = false
        slot.pointee.isReadStopped = false
        slot.pointee.closesAfterWriting = false
        slot.pointee.isWriting = false
        slot.pointee.isLingering = false
        free.append(slot.pointee.index)
    }

    /// The open connection with this id.
    func find(_ id: ConnectionID) -> UnsafeMutablePointer<ConnectionSlot>? {
        guard Int(id.slot) < slots.count else { return nil }
        let slot = slots[Int(id.slot)]
        return slot.pointee.isOpen && slot.pointee.generation == id.generation ? slot : nil
    }

    /// Whether the connection is still there.
    public func isOpen(_ id: ConnectionID) -> Bool { find(id) != nil }

    // MARK: - Reading

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
        if status != 0 { close(slot) }
    }

    private func didRead(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
        guard count > 0 else {
            // 0 means nothing to read yet; below is the peer's end or an error.
            if count < 0 { close(slot) }
            return
        }
        // After its last answer a connection says nothing that matters.
        if slot.pointee.isLingering || slot.pointee.closesAfterWriting { return }
        slot.pointee.noteArrival(count, at: loop.nowMilliseconds)
        let arrived = ByteView(base: readBuffer, count: count)
        if slot.pointee.input.count == 0, !slot.pointee.isPaused {
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
        if slot.pointee.isOpen, !slot.pointee.isPaused { offerKept(slot) }
    }

    private func keep(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) {
        slot.pointee.input.append(bytes)
        if slot.pointee.input.overflowed { return close(slot) }
        if slot.pointee.isPaused,
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
        guard slot.pointee.isOpen else { return }
        slot.pointee.input.dropFirst(done)
        if slot.pointee.input.count == 0 {
            slot.pointee.input = ByteBuffer(
                capacity: 16,
                limit: ConnectionLimits.inputBytesMaximum
            )
        }
    }

    /// Offers `bytes` to the handler again and again; returns how many are done with.
    private func offer(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: ByteView) -> Int {
        var done = 0
        while done < bytes.count {
            let handled = handler.received(bytes[done..<bytes.count], from: slot.pointee.id)
            guard slot.pointee.isOpen else { return bytes.count }
            done &+= handled.consumed
            slot.pointee.wantedBytes = handled.wanted
            if handled.pauses { slot.pointee.isPaused = true }
            if handled.pauses || handled.consumed == 0 { break }
            if !slot.pointee.isPaused, done == bytes.count { slot.pointee.forgetRequest() }
        }
        return done
    }

    /// An answer has been sent; the connection may bring its next request.
    public func resume(_ id: ConnectionID) {
        guard let slot = find(id), slot.pointee.isPaused else { return }
        slot.pointee.isPaused = false
        slot.pointee.forgetRequest()
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        if slot.pointee.input.count > 0 {
            slot.pointee.requestStartedAt = loop.nowMilliseconds
            offerKept(slot)
        }
        if slot.pointee.isOpen, slot.pointee.isReadStopped, !slot.pointee.isPaused {
            slot.pointee.isReadStopped = false
            startReading(slot)
        }
    }
}
