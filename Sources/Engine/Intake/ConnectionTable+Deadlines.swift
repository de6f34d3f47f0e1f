import CLibuv
import CShims
import Glibc
import Loop
import Settings

/// What a clock has to say about a connection.
enum Lateness: Equatable {
    case close(CloseReason)
    /// Closed hard, because the peer does not take what was sent.
    case reset
    case giveUp(RequestRefusal)
}

extension ConnectionSlot {
    /// Open, between requests, with nothing to send.
    var isIdle: Bool { isOpen && !isBlocked && !isLingering && requestStartedAt == 0 }

    /// What the connection is late with at loop time `now`; nil when it is in time.
    mutating func lateness(at now: UInt64) -> Lateness? {
        let silence = since(lastActivityAt, now)
        if isLingering {
            return silence > ConnectionLimits.lingerMilliseconds ? .close(closeReason) : nil
        }
        if isWriting {
            let isLate = since(writeStartedAt, now) > Limits.responseWriteDeadlineMilliseconds
            return isLate ? .reset : nil
        }
        if isPaused || isYielding { return nil }
        if requestStartedAt == 0 {
            return silence > Limits.keepAliveIdleMilliseconds ? .close(.idle) : nil
        }
        if phase != .requests { return preludeLateness(silence, now) }
        if silence > Limits.requestIdleMilliseconds { return .giveUp(.timeout) }
        return bodyWindowStartedAt == 0 ? headLateness(now) : bodyLateness(now)
    }

    private func since(_ moment: UInt64, _ now: UInt64) -> Int { Int(now) - Int(moment) }

    private func preludeLateness(_ silence: Int, _ now: UInt64) -> Lateness? {
        let isLate =
            silence > Limits.requestIdleMilliseconds
            || since(requestStartedAt, now) > Limits.handshakeDeadlineMilliseconds
        guard isLate else { return nil }
        return .close(phase == .handshake ? .handshakeTimeout : .proxyHeaderRefused)
    }

    private func headLateness(_ now: UInt64) -> Lateness? {
        since(requestStartedAt, now) > Limits.requestDeadlineMilliseconds ? .giveUp(.timeout) : nil
    }

    /// Two clocks: a body may take as long as it needs, as long as it moves, up to an end that only
    /// one that is all overhead can reach.
    private mutating func bodyLateness(_ now: UInt64) -> Lateness? {
        if since(requestStartedAt, now) > Limits.requestWholeMilliseconds {
            return .giveUp(.timeout)
        }
        guard since(bodyWindowStartedAt, now) >= Limits.bodyRateWindowMilliseconds else {
            return nil
        }
        let seconds = Limits.bodyRateWindowMilliseconds / 1_000
        if bodyWindowBytes < Limits.bodyRateBytesPerSecondMinimum * seconds {
            return .giveUp(.bodyTooSlow)
        }
        bodyWindowStartedAt = max(now, 1)
        bodyWindowBytes = 0
        return nil
    }
}

extension ConnectionTable {
    /// Ends connections that have taken too long. To be called about once a second.
    public func enforceDeadlines() { enforceDeadlines(at: loop.nowMilliseconds) }

    /// The same at a loop time of the caller's choice.
    func enforceDeadlines(at now: UInt64) {
        for slot in slots where slot.pointee.isOpen {
            switch slot.pointee.lateness(at: now) {
            case nil: checkDelivery(slot, at: now)
            case .close(let reason): close(slot, reason)
            case .reset: reset(slot, .writeTimeout)
            case .giveUp(let refusal):
                giveUp(slot, refusal)
                settle(slot)
            }
        }
    }

    /// An answer that the kernel took may still wait there for a peer that does not read. Asked once
    /// after each answer, when the peer has been silent for as long as a write may take.
    private func checkDelivery(_ slot: UnsafeMutablePointer<ConnectionSlot>, at now: UInt64) {
        guard slot.pointee.isIdle, !slot.pointee.isKnownDelivered,
            Int(now) - Int(slot.pointee.lastActivityAt) > Limits.responseWriteDeadlineMilliseconds
        else { return }
        var descriptor: uv_os_fd_t = -1
        slot.withHandle { _ = uv_fileno($0, &descriptor) }
        if hg_unsent_bytes(descriptor) > 0 { return reset(slot, .writeTimeout) }
        slot.pointee.isKnownDelivered = true
    }

    /// Closes the connections that wait for nothing; those with a request under way stay.
    public func closeIdle() {
        for slot in slots where slot.pointee.isIdle { close(slot, .stopping) }
    }

    /// Closes every connection.
    public func closeAll() {
        for slot in slots where slot.pointee.isOpen { close(slot, .stopping) }
    }
}
