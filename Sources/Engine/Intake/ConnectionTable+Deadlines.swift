public import Bytes
import CLibuv
import Glibc
import Loop
import Settings

extension ConnectionSlot {
    /// Open, between requests, with nothing to send.
    var isIdle: Bool { isOpen && !isPaused && !isWriting && !isLingering && requestStartedAt == 0 }

    /// A request has begun to arrive and is not complete.
    var isInRequest: Bool { !isLingering && !isWriting && requestStartedAt != 0 }

    mutating func forgetRequest() {
        requestStartedAt = 0
        requestBytes = 0
        wantedBytes = 0
    }

    mutating func noteArrival(_ count: Int, at now: UInt64) {
        lastActivityAt = now
        if requestStartedAt == 0 { requestStartedAt = max(now, 1) }
        requestBytes &+= count
    }

    /// Whether the connection has taken longer than it may, at loop time `now`.
    ///
    /// Two clocks for a request: the time since the last byte, and the time since the first, which
    /// grows with what has arrived, so that a large body on a slow line passes and a trickle does not.
    func isOverdue(at now: UInt64) -> Bool {
        let silence = Int(now &- lastActivityAt)
        if isLingering { return silence > ConnectionLimits.lingerMilliseconds }
        if isWriting { return silence > Limits.responseWriteDeadlineMilliseconds }
        if isPaused { return false }
        if requestStartedAt == 0 { return silence > Limits.keepAliveIdleMilliseconds }
        let allowance = requestBytes / Limits.bodyRateBytesPerSecondMinimum * 1_000
        return silence > Limits.requestIdleMilliseconds
            || Int(now &- requestStartedAt) > Limits.requestDeadlineMilliseconds + allowance
    }
}

extension ConnectionTable {
    /// Closes connections that have taken too long. To be called about once a second.
    public func enforceDeadlines() { enforceDeadlines(at: loop.nowMilliseconds) }

    /// The same at a loop time of the caller's choice.
    func enforceDeadlines(at now: UInt64) {
        for slot in slots where slot.pointee.isOpen && slot.pointee.isOverdue(at: now) {
            let isInRequest = slot.pointee.isInRequest
            if isInRequest {
                timedOutCount &+= 1
                handler.timedOut(slot.pointee.id)
            } else {
                close(slot)
            }
        }
    }

    /// Closes the connections that wait for nothing; those with a request under way stay.
    public func closeIdle() {
        for slot in slots where slot.pointee.isIdle { close(slot) }
    }

    /// Closes every connection.
    public func closeAll() {
        for slot in slots where slot.pointee.isOpen { close(slot) }
    }

    /// Looks at the peer's address: 4 bytes for IPv4, 16 for IPv6, none when unknown.
    public func withAddress<Result>(
        of id: ConnectionID,
        _ body: (ByteView) -> Result
    ) -> Result {
        guard let slot = find(id) else { return body(.empty) }
        return withUnsafeBytes(of: &slot.pointee.address) {
            body(ByteView($0)[0..<slot.pointee.addressLength])
        }
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
        withUnsafeBytes(of: &storage) { bytes in
            // sockaddr_in has its address at byte 4, sockaddr_in6 at byte 8.
            self.pointee.addressLength = isV6 ? 16 : 4
            for index in 0..<self.pointee.addressLength {
                self.pointee.address[index] = bytes[(isV6 ? 8 : 4) + index]
            }
        }
    }
}
