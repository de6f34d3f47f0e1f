import Loop
import Settings
import Synchronization
import Units

/// The thread that listens to Redis' channels: one subscription per watched site for all readers,
/// and none while nobody looks, so that an unwatched engine pays nothing for the live page.
final class LiveListener: Sendable {
    private let address: RedisAddress
    private let channels: [String]
    private let hub: LiveHub
    private let wakeup: Wakeup
    private let time: TimeSource
    private let isStopping = Atomic(false)

    /// `channels` has the name of each site's channel, in the order of the sites.
    init(
        _ address: RedisAddress,
        channels: [String],
        hub: LiveHub,
        wakeup: Wakeup,
        time: TimeSource
    ) {
        self.address = address
        self.channels = channels
        self.hub = hub
        self.wakeup = wakeup
        self.time = time
    }

    /// Starts the thread. It ends after `stop`.
    func start() -> EngineThread {
        EngineThread.start(name: "hg-companion-live") { self.run() }
    }

    /// Lets the thread end.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
    }

    private var isRunning: Bool { !isStopping.load(ordering: .acquiring) }

    private func run() {
        var backoffMilliseconds = Limits.storeBackoffMillisecondsMinimum
        while isRunning {
            if hub.wantedSites(now: time.epochMilliseconds()).isEmpty {
                _ = wakeup.wait(other: nil, milliseconds: -1)
                continue
            }
            do throws(RedisFailure) {
                let connection = try RedisConnection.open(address)
                backoffMilliseconds = Limits.storeBackoffMillisecondsMinimum
                var session = ListenSession()
                try listen(connection, &session)
            } catch {
                wait(milliseconds: backoffMilliseconds)
                backoffMilliseconds = min(
                    backoffMilliseconds * 2,
                    Limits.storeBackoffMillisecondsMaximum
                )
            }
        }
    }

    /// Waits out a pause; a new reader does not shorten it, stopping does.
    private func wait(milliseconds: Int) {
        let end = time.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
        while isRunning {
            let left = (end - time.monotonicNanoseconds()) / 1_000_000
            if left <= 0 { return }
            _ = wakeup.wait(other: nil, milliseconds: Int32(left))
        }
    }

    /// Listens until nobody watches, or until the connection breaks.
    private func listen(
        _ connection: borrowing RedisConnection,
        _ session: inout ListenSession
    ) throws(RedisFailure) {
        defer { for site in session.listening { hub.setListening(site: site, false) } }
        do throws(RedisFailure) {
            while isRunning {
                let wanted = Set(hub.wantedSites(now: time.epochMilliseconds()))
                if wanted.isEmpty { return }
                try follow(wanted, connection, &session)
                try takeMessages(connection, &session)
                sendBurst(&session)
            }
        } catch {
            hub.tellGap(reason: "redis_reconnect")
            throw error
        }
    }

    private func follow(
        _ wanted: Set<Int>,
        _ connection: borrowing RedisConnection,
        _ session: inout ListenSession
    ) throws(RedisFailure) {
        let added = wanted.subtracting(session.asked).sorted()
        let removed = session.asked.subtracting(wanted).sorted()
        if added.isEmpty && removed.isEmpty { return }
        if !added.isEmpty { try connection.append(["SUBSCRIBE"] + added.map { channels[$0] }) }
        if !removed.isEmpty {
            try connection.append(["UNSUBSCRIBE"] + removed.map { channels[$0] })
        }
        try connection.send()
        session.asked = wanted
        for site in removed where session.listening.remove(site) != nil {
            hub.setListening(site: site, false)
        }
    }

    private func takeMessages(
        _ connection: borrowing RedisConnection,
        _ session: inout ListenSession
    ) throws(RedisFailure) {
        let wait = session.waitMilliseconds(now: time.monotonicNanoseconds())
        let isReadable = wakeup.wait(other: connection.descriptor, milliseconds: wait)
        let now = time.monotonicNanoseconds()
        if isReadable {
            session.heardAt = now
            session.isPinged = false
            var replies: [RedisReply] = []
            try connection.receive { replies.append($0) }
            for reply in replies { take(reply, &session) }
        } else if session.isSilent(now: now) {
            // A dead peer answers no ping, and then the silence is the proof.
            if session.isPinged { throw .broken }
            try connection.append(["PING"])
            try connection.send()
            session.isPinged = true
            session.heardAt = now
        }
    }

    private func take(_ reply: RedisReply, _ session: inout ListenSession) {
        let parts = reply.elements
        guard parts.count == 3, let channel = parts[1].text,
            let site = channels.firstIndex(of: channel)
        else { return }
        switch parts[0].text {
        case "message":
            if case .bytes(let bytes) = parts[2] { session.add(bytes, site) }
        case "subscribe":
            session.listening.insert(site)
            hub.setListening(site: site, true)
        default: break
        }
    }

    private func sendBurst(_ session: inout ListenSession) {
        let now = time.monotonicNanoseconds()
        guard session.isBurstDue(now: now) else { return }
        session.burstAt = now
        for site in session.pending.keys.sorted() {
            let changes = session.pending[site]?.take(Limits.companionBurstMessagesMaximum) ?? []
            if session.pending[site]?.isEmpty ?? true { session.pending[site] = nil }
            hub.publish(site: site, changes)
        }
    }
}

/// What one connection of the listener knows. Owned by the listener's thread.
private struct ListenSession {
    /// Sites subscribed to, and those for which Redis has confirmed it.
    var asked: Set<Int> = []
    var listening: Set<Int> = []
    var pending: [Int: PendingChanges] = [:]
    var burstAt: Int64 = .min / 2
    var heardAt: Int64 = TimeSource.real.monotonicNanoseconds()
    var isPinged = false

    mutating func add(_ message: [UInt8], _ site: Int) {
        let empty = PendingChanges(maximum: Limits.companionPendingMaximum)
        pending[site, default: empty].add(message)
    }

    private var burstDueAt: Int64 {
        burstAt + Int64(Limits.companionBurstMilliseconds) * 1_000_000
    }

    func isBurstDue(now: Int64) -> Bool { !pending.isEmpty && now >= burstDueAt }

    func isSilent(now: Int64) -> Bool {
        now - heardAt >= Int64(Limits.companionHeartbeatSeconds) * 1_000_000_000
    }

    /// Until the next burst, or until silence must be looked into.
    func waitMilliseconds(now: Int64) -> Int32 {
        let silence = Int64(Limits.companionHeartbeatSeconds) * 1_000_000_000 + heardAt - now
        let wait = pending.isEmpty ? silence : min(silence, burstDueAt - now)
        return Int32(clamping: max(0, (wait + 999_999) / 1_000_000))
    }
}
