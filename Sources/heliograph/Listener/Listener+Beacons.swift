import Admission
import Bytes
import Enrichment
import Intake
import Records
import Settings
import Telemetry
import Wire

/// Beacons of the SDK: from a whole request to a slice on its way to the journal.
extension Listener {
    /// The most that a body may have at `path`: servers bring more at a time than browsers.
    func bodyBytesMaximum(_ path: ByteView) -> Int {
        if isBeaconPath(path) { return Limits.bodyBytesMaximum }
        return WireEndpoint(path: path) == nil
            ? Limits.bodyBytesMaximum : Limits.serverBodyBytesMaximum
    }

    /// Whether the SDK's beacons come to `path`.
    func isBeaconPath(_ path: ByteView) -> Bool {
        path.equals("/v1/e") || around.assets.isEndpoint(path)
    }

    func serveBeacon(
        _ head: RequestHead,
        _ body: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        guard head.method == .post else { return serveWithoutBeacon(head, connection, session) }
        do throws(Refusal) {
            try admit(head, connection)
            let plain = try inflate(body, head, into: &inflated)
            return try takeBeacon(plain, head, connection, session)
        } catch {
            return answer(error, connection, origin: head.origin)
        }
    }

    /// What holds for every request that brings events.
    func admit(_ head: RequestHead, _ connection: ConnectionID) throws(Refusal) {
        if head.body == .none { throw Refusal(.lengthRequired, at: "Content-Length") }
        try admitSender(connection)
    }

    /// What holds for every request, whether it has a body or not.
    func admitSender(_ connection: ConnectionID) throws(Refusal) {
        if isDraining, !around.health.isReady { throw Refusal(.stopping, at: "engine") }
        try admitAddress(of: connection)
    }

    private func admitAddress(of connection: ConnectionID) throws(Refusal) {
        let rate = edge.edge.addressRate
        guard rate.isLimited else { return }
        let client = connections.client(of: connection)
        if client.isLoopback { return }
        let limiter = around.limiter
        try limiter.take(
            sender: client.withBytes { limiter.sender(address: $0) },
            units: 1,
            rate: rate,
            nowNanoseconds: around.time.monotonicNanoseconds()
        ).orThrow(.addressRateExceeded, at: "address")
    }

    /// How close the way to the disk is to its limit.
    var pressure: Pressure {
        max(
            Pressure(used: toJournal.depth, of: toJournal.capacity),
            around.progress.pressure
        )
    }

    /// Near a limit, what matters least is left with its sender for a while.
    private func admit(_ slice: ByteView, under pressure: Pressure) throws(Refusal) {
        if pressure != .none, sheds(slice, pressure) { throw Refusal(.shed, at: "engine") }
    }

    /// A request is shed as a whole, and not if it brings one slice that must be taken.
    func admit(_ bundle: borrowing SliceBundle, under pressure: Pressure) throws(Refusal) {
        if pressure == .none { return }
        var isShed = true
        bundle.forEach { slice, _ in
            isShed = sheds(slice, pressure)
            return isShed
        }
        if isShed { throw Refusal(.shed, at: "engine") }
    }

    private func sheds(_ slice: ByteView, _ pressure: Pressure) -> Bool {
        guard let slice = Slice(slice) else { return false }
        return pressure.sheds(Importance(slice)) { around.warm.contains(visitor: slice.visitor) }
    }

    /// What a site may bring, and a visitor if it is one's, asked for when it is known how much it is.
    func admit(_ events: Int, visitor: ByteView?, site: Int) throws(Refusal) {
        let limiter = around.limiter
        let now = around.time.monotonicNanoseconds()
        if let visitor, edge.edge.visitorRate.isLimited {
            try limiter.take(
                sender: limiter.sender(visitor: visitor, site: site),
                units: events,
                rate: edge.edge.visitorRate,
                nowNanoseconds: now
            ).orThrow(.visitorRateExceeded, at: "visitor")
        }
        let rate = edge.edge.rate(ofSite: site)
        try limiter.take(
            site: Int(rate.slot),
            events: events,
            rate: rate.events,
            nowNanoseconds: now
        ).orThrow(.siteRateExceeded, at: "site")
        guard rate.eventsPerDay > 0 else { return }
        try limiter.take(
            site: Int(rate.slot),
            events: events,
            perDay: rate.eventsPerDay,
            nowMilliseconds: around.time.epochMilliseconds()
        ).orThrow(.siteQuotaExceeded, at: "site")
    }

    /// The body as text: inflated when it says so, by header or by the SDK's `z=1`.
    func inflate(
        _ body: ByteView,
        _ head: RequestHead,
        into inflated: inout ByteBuffer
    ) throws(Refusal) -> ByteView {
        let isMarked = head.query.hasParameter("z=1")
        switch head.coding {
        case .identity where !isMarked: return body
        case .other: throw keep(Refusal(.encodingUnsupported, at: "Content-Encoding"), head)
        default: break
        }
        inflated.reset()
        do {
            try inflater.inflate(
                body,
                gzip: head.coding != .deflate,
                limit: inflated.limit,
                into: &inflated
            )
        } catch {
            throw keep(Refusal(BeaconProblems.problem(of: error), at: "body"), head)
        }
        return inflated.view
    }

    /// Keeps that a body could not be inflated, without its bytes: nobody can see what is in them.
    private func keep(_ refusal: Refusal, _ head: RequestHead) -> Refusal {
        var facts = RejectionFacts(
            problem: refusal.problem,
            place: refusal.place,
            receivedAt: around.time.epochMilliseconds()
        )
        facts.path = isBeaconPath(head.path) ? ByteView("/v1/e") : head.path
        rejections.keep(facts, .undecodable(.empty))
        return refusal
    }

    /// When the request counts as received; a replay says so itself.
    func receipt(_ head: RequestHead) -> ReplayGate.Receipt {
        around.replayGate.receipt(head.receivedAt, now: around.time.epochMilliseconds())
    }

    private func takeBeacon(
        _ body: ByteView,
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) throws(Refusal) -> Bool {
        let receipt = receipt(head)
        let outcome = connections.withAddress(of: connection) { address in
            route.take(
                body,
                BeaconRoute.Surroundings(
                    // A replay comes from this machine, wherever the event came from.
                    facts: facts(head, receipt.isReplay ? .empty : address),
                    hasPrivacyControl: head.hasPrivacyControl,
                    asksNotToTrack: head.asksNotToTrack,
                    receivedAt: receipt.at,
                    isReplay: receipt.isReplay,
                    isHistory: receipt.isHistory
                )
            )
        }
        let origin = parkedOrigin(head.origin, site: route.site)
        let cookie = DeviceCookie.decide(route.deviceWish, head, host: host(head, connection))
        session.pointee.park { ($0.origin, $0.cookie) = (origin, cookie) }
        switch outcome {
        case .slice(let partition, let events, let visitor, let site):
            try admit(route.slice, under: pressure)
            try admit(events, visitor: visitor, site: site)
            let wait = beginWait(head, connection)
            do throws(Refusal) {
                try handOver(route.slice, partition, events, receipt.at, connection, wait, session)
            } catch {
                waits.end(wait)
                throw error
            }
            if head.wantsVerdicts, edge.edge.sites[site].debug {
                route.appendVerdicts(to: &session.pointee.body)
                session.pointee.park { $0.success = .body(type: "application/json") }
            }
            return true
        case .nothing:
            acknowledge(connection, session, position: nil)
            return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
        case .refused(let refusal): throw refusal
        }
    }

    /// The host that the browser asked for: what a proxy of ours says, else the request's own.
    private func host(_ head: RequestHead, _ connection: ConnectionID) -> ByteView {
        let trusted = edge.edge.trustedProxies
        guard !trusted.isEmpty, !head.forwardedHost.isEmpty else { return head.host }
        let peer = connections.peer(of: connection)
        return trusted.contains { $0.contains(peer) } ? head.forwardedHost : head.host
    }

    /// Gives one slice to the journal; the answer waits for it.
    private func handOver(
        _ slice: ByteView,
        _ partition: Partition,
        _ events: Int,
        _ receivedAt: Int64,
        _ connection: ConnectionID,
        _ wait: UInt64,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) throws(Refusal) {
        guard push(slice, partition, receivedAt, connection, wait: wait) else {
            throw Refusal(.overloaded, at: "journal ring")
        }
        session.pointee.park { $0.scoreWait = wait }
        expect(slices: 1, events: events, session)
    }

    /// Gives all slices of a request to the journal; the answer waits for the last of them.
    ///
    /// When the ring takes only some, those take effect and the request is answered with 503 once
    /// they have: what the sender then sends again is told apart by its message ids.
    func handOver(
        _ bundle: borrowing SliceBundle,
        _ receivedAt: Int64,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) throws(Refusal) {
        var pushed = 0
        bundle.forEach { slice, partition in
            guard push(slice, partition, receivedAt, connection) else { return false }
            pushed += 1
            return true
        }
        guard pushed > 0 else { throw Refusal(.overloaded, at: "journal ring") }
        expect(slices: pushed, events: bundle.events, session)
        if pushed < bundle.count { session.pointee.park { $0.failure = .overloaded } }
    }

    private func push(
        _ slice: ByteView,
        _ partition: Partition,
        _ receivedAt: Int64,
        _ connection: ConnectionID,
        wait: UInt64 = 0
    ) -> Bool {
        toJournal.push(
            kind: ListenerMessage.slice.rawValue,
            first: connection.word,
            second: UInt64(bitPattern: receivedAt),
            third: UInt64(partition.index) | wait << 8,
            body: slice
        )
    }

    private func expect(
        slices: Int,
        events: Int,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) {
        let now = around.time.monotonicNanoseconds()
        session.pointee.park { parked in
            parked.events = Int32(events)
            parked.outstanding = Int32(slices)
            parked.receivedAtNanoseconds = now
        }
        around.journalWaker.wake()
    }

    /// What the headers and the connection say of the sender.
    func facts(_ head: RequestHead, _ address: ByteView) -> RequestFacts {
        var facts = RequestFacts()
        facts.userAgent = head.userAgent
        facts.brands = head.brands
        facts.mobileHint = head.mobileHint
        facts.platformHint = head.platformHint
        facts.acceptLanguage = head.acceptLanguage
        facts.acceptEncoding = head.acceptEncoding
        facts.fetchMode = head.fetchMode
        facts.origin = head.origin
        facts.address = address
        facts.isPrefetch = head.isPrefetch
        facts.isSecure = head.origin.starts(with: "https:")
        return facts
    }

    func parkedOrigin(_ origin: ByteView, site: Int?) -> HTTPSession.ParkedOrigin {
        guard !origin.isEmpty, let site else { return .none }
        let sites = edge.edge.sites
        if sites[site].allowsAnyOrigin { return .any }
        guard sites.allows(origin: origin, site: site), let text = ShortText(origin) else {
            return .none
        }
        return .listed(text)
    }
}

extension Passage {
    func orThrow(_ problem: Problem, at place: String) throws(Refusal) {
        guard case .refused(let seconds) = self else { return }
        throw Refusal(problem, at: place, retryAfterSeconds: seconds)
    }
}
