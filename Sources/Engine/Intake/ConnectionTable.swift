public import Bytes
import CLibuv
import Glibc
public import Loop
public import Settings
import Units

/// What is done with the bytes of connections. Called on the listener's thread only.
public protocol ByteHandler: AnyObject {
    /// Bytes have arrived that begin a message or continue one. Returns what was done with them.
    func received(_ bytes: ByteView, from connection: ConnectionID) -> Handled
    /// The connection is gone; nothing can be sent any more.
    func closed(_ connection: ConnectionID)
    /// The request under way is given up. What is kept for it is to be let go, an answer may be sent,
    /// and `closeAfterSending` is to be called.
    func gaveUp(_ connection: ConnectionID, because refusal: RequestRefusal)
}

/// What a handler did with the bytes it was given.
public struct Handled {
    /// Bytes from the start that are done with.
    public var consumed: Int
    /// Bytes, from the first that was not consumed, without which there is no use in asking again.
    public var wanted: Int
    /// Whether the connection waits for an answer and must not be asked before `resume`.
    public var pauses: Bool
    /// Whether the head of a request is complete and its body is not: its rate counts from here.
    public var awaitsBody: Bool
    /// Bytes of an unfinished request that the handler keeps itself.
    public var kept: Int

    /// An outcome from its parts.
    public init(
        consumed: Int,
        wanted: Int = 0,
        pauses: Bool = false,
        awaitsBody: Bool = false,
        kept: Int = 0
    ) {
        self.consumed = consumed
        self.wanted = wanted
        self.pauses = pauses
        self.awaitsBody = awaitsBody
        self.kept = kept
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
    let heldBytesMaximum: Int
    let readBuffer: UnsafeMutableRawPointer
    static let readBufferBytes = 65_536
    /// Idle connections by their last activity, and those that hold memory by how much.
    var lists = IndexLists(count: ConnectionList.count)
    /// Peers whose word on the client's address counts; none for whoever reaches a port that takes
    /// PROXY headers.
    public var trustedProxies: [AddressRange]
    /// What TLS connections are accepted with from now on.
    var tlsContext: TLSContext?
    /// Made with the first TLS connection.
    var tlsPipe: TLSPipe?
    /// Connections that wait for their next turn.
    var yielded: [ConnectionID] = []
    /// Brings the next turn; made when it is first needed.
    var turnTimer: LoopTimer?
    /// Connections that are open.
    public private(set) var openCount = 0
    /// Connections accepted since the start.
    public private(set) var acceptedCount: UInt64 = 0
    /// Memory that unfinished requests and answers hold, in bytes.
    public internal(set) var heldBytes = 0
    /// Bytes are with the handler: the input must stay where it is.
    var isOffering = false
    private var closeCounts = InlineArray<16, UInt64>(repeating: 0)

    /// An empty table on `loop` that hands bytes to `handler`, which must outlive it.
    public init(
        loop: EventLoop,
        handler: any ByteHandler,
        connectionsMaximum: Int,
        heldBytesMaximum: Int = Limits.heldBytesDefault,
        trustedProxies: [AddressRange] = []
    ) {
        self.loop = loop
        self.handler = handler
        self.connectionsMaximum = connectionsMaximum
        self.heldBytesMaximum = heldBytesMaximum
        self.trustedProxies = trustedProxies
        readBuffer = .allocate(byteCount: Self.readBufferBytes, alignment: 64)
    }

    deinit {
        readBuffer.deallocate()
        for slot in slots {
            slot.deinitialize(count: 1)
            slot.deallocate()
        }
    }

    /// Connections that ended for `reason` since the start.
    public func closedCount(_ reason: CloseReason) -> UInt64 { closeCounts[Int(reason.rawValue)] }

    /// TLS connections accepted from now on use `context`; those that are open keep theirs. To be
    /// called on the listener's thread.
    public func install(_ context: TLSContext) { tlsContext = context }

    // MARK: - Opening and closing

    /// Takes the next connection that waits on `listener`.
    func accept(from listener: UnsafeMutablePointer<uv_stream_t>, on port: PortKind) {
        acceptedCount &+= 1
        let isCrowded = openCount >= connectionsMaximum && !closeLongestIdle()
        // A moment's place for telling so; over TLS that would cost a handshake.
        let mayBeTold = openCount < connectionsMaximum + Limits.connectionsTurnedAwayMaximum
        if isCrowded, !mayBeTold || port.isEncrypted { return turnAway(listener) }
        let slot = takeSlot()
        _ = uv_tcp_init(loop.handle, &slot.pointee.tcp)
        slot.pointee.tcp.data = UnsafeMutableRawPointer(slot)
        slot.pointee.isOpen = true
        openCount += 1
        guard uv_accept(listener, slot.stream) == 0 else { return close(slot, .peer) }
        _ = uv_tcp_nodelay(&slot.pointee.tcp, 1)
        slot.pointee.lastActivityAt = loop.nowMilliseconds
        slot.notePeerAddress()
        prepare(slot, for: port)
        if slot.pointee.isOpen { startReading(slot) }
        if slot.pointee.isOpen, isCrowded { giveUp(slot, .tooManyConnections) }
        settle(slot)
    }

    /// What comes before requests on this kind of port.
    private func prepare(_ slot: UnsafeMutablePointer<ConnectionSlot>, for port: PortKind) {
        if port.isEncrypted {
            beginTLS(slot)
            slot.pointee.phase = .handshake
        }
        if port.takesProxyHeader {
            guard isTrusted(slot.pointee.peer) else { return close(slot, .proxyHeaderRefused) }
            slot.pointee.phase = .proxyHeader
        }
        if slot.pointee.phase != .requests {
            slot.pointee.requestStartedAt = max(loop.nowMilliseconds, 1)
        }
    }

    private func isTrusted(_ address: InternetAddress) -> Bool {
        trustedProxies.isEmpty || trustedProxies.contains { $0.contains(address) }
    }

    private func takeSlot() -> UnsafeMutablePointer<ConnectionSlot> {
        if let index = free.popLast() { return slots[Int(index)] }
        let slot = UnsafeMutablePointer<ConnectionSlot>.allocate(capacity: 1)
        slot.initialize(
            to: ConnectionSlot(table: .passUnretained(self), index: UInt32(slots.count))
        )
        slots.append(slot)
        lists.reserve(slots.count)
        return slot
    }

    /// Makes room for a newcomer. False when no connection is idle.
    private func closeLongestIdle() -> Bool {
        guard let index = lists.first(of: ConnectionList.idle) else { return false }
        close(slots[Int(index)], .crowdedOut)
        return true
    }

    /// Accepts and closes at once, so that the client learns it now and not by a timeout.
    private func turnAway(_ listener: UnsafeMutablePointer<uv_stream_t>) {
        count(.tooMany)
        let extra = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
        extra.initialize(to: uv_tcp_t())
        _ = uv_tcp_init(loop.handle, extra)
        extra.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { _ = uv_accept(listener, $0) }
        extra.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { $0?.deallocate() }
        }
    }

    private func count(_ reason: CloseReason) { closeCounts[Int(reason.rawValue)] &+= 1 }

    /// Closes a connection now; what was not sent is lost.
    func close(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ reason: CloseReason) {
        guard slot.pointee.isOpen else { return }
        slot.pointee.isOpen = false
        openCount -= 1
        count(reason)
        handler.closed(slot.pointee.id)
        slot.pointee.generation &+= 1
        lists.remove(slot.pointee.index)
        heldBytes -= slot.pointee.countedBytes
        slot.pointee.countedBytes = 0
        slot.withHandle { handle in
            uv_close(handle) { closed in
                guard let raw = closed?.pointee.data else { return }
                let slot = raw.assumingMemoryBound(to: ConnectionSlot.self)
                slot.pointee.table._withUnsafeGuaranteedRef { $0.recycle(slot) }
            }
        }
    }

    /// Closes a connection whose peer does not read: what the kernel still has for it is dropped.
    func reset(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ reason: CloseReason) {
        var descriptor: uv_os_fd_t = -1
        slot.withHandle { _ = uv_fileno($0, &descriptor) }
        var option = Glibc.linger(l_onoff: 1, l_linger: 0)
        if descriptor >= 0 {
            let size = socklen_t(MemoryLayout<Glibc.linger>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        }
        close(slot, reason)
    }

    private func recycle(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        slot.pointee.reset()
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

    /// Looks at the client's address: 4 bytes for IPv4, 16 for IPv6, none when unknown.
    public func withAddress<Result>(
        of id: ConnectionID,
        _ body: (ByteView) -> Result
    ) -> Result {
        client(of: id).withBytes(body)
    }

    /// Whose request is being handled: the peer, or whom a trusted proxy names.
    public func client(of id: ConnectionID) -> InternetAddress {
        find(id)?.pointee.client ?? InternetAddress()
    }

    /// Who speaks to us: the peer of the connection, or whom a PROXY header names.
    public func peer(of id: ConnectionID) -> InternetAddress {
        find(id)?.pointee.peer ?? InternetAddress()
    }

    /// Whose request is being handled, when the peer speaks for others. Holds until it is said anew.
    public func noteClient(_ address: InternetAddress, of id: ConnectionID) {
        find(id)?.pointee.client = address
    }
}

extension UnsafeMutablePointer where Pointee == ConnectionSlot {
    /// The connection as libuv's stream type, whose layout every TCP handle begins with.
    var stream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: uv_stream_t.self)
    }

    func withHandle(_ body: (UnsafeMutablePointer<uv_handle_t>) -> Void) {
        body(UnsafeMutableRawPointer(self).assumingMemoryBound(to: uv_handle_t.self))
    }

    func notePeerAddress() {
        var storage = sockaddr_storage()
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                uv_tcp_getpeername(&self.pointee.tcp, $0, &length)
            }
        }
        guard status == 0 else { return }
        let isV6 = Int32(storage.ss_family) == AF_INET6
        // sockaddr_in has its address at byte 4, sockaddr_in6 at byte 8.
        let place = isV6 ? 8..<24 : 4..<8
        pointee.peer = withUnsafeBytes(of: &storage) { InternetAddress(ByteView($0)[place]) }
        pointee.client = pointee.peer
    }
}
