import Delivery
import Glibc
import Loop
import Settings
import Storage
import Telemetry
import Units

/// Takes claimed deliveries through their lanes to their destinations. Owned by one thread, whose libuv
/// loop carries every connection.
final class ForwarderLoop {
    private let parts: Forwarder.Parts
    private let mail: ForwarderMail
    private let stop: StopSignal
    private let board: ForwarderBoard
    private let loop = EventLoop()
    private let transport: Transport
    private let log: OutcomeLog
    private let arrivals: Arrivals
    private var lanes: [LaneName: DestinationLane] = [:]
    private var settingsVersion = -1
    /// Claimed rows that are in a lane, by ticket.
    private var rows: [Int64: OutboxRow] = [:]
    private var lastTicket: Int64 = 0
    /// Monotonic milliseconds before which nothing is sent because the log could not be written.
    private var logBrokenUntil: Int64 = 0
    private var lookAt: Int64 = 0
    private var publishAt: Int64 = 0
    private var timer: LoopTimer?

    init(
        _ parts: Forwarder.Parts,
        mail: ForwarderMail,
        stop: StopSignal,
        board: ForwarderBoard
    ) throws(SystemCallError) {
        self.parts = parts
        self.mail = mail
        self.stop = stop
        self.board = board
        transport = Transport(loop: loop)
        log = try OutcomeLog(
            directory: parts.directory,
            name: parts.name.replacing("/", with: "-"),
            disk: .real,
            entriesMaximum: Limits.outcomesMaximum,
            nowMilliseconds: parts.time.epochMilliseconds()
        )
        arrivals = Arrivals(log: log, assembly: parts.assembly, folder: parts.folder)
    }

    private var now: Int64 { parts.time.monotonicNanoseconds() / 1_000_000 }
    private var today: Int64 { parts.time.epochMilliseconds() }

    // MARK: - Running

    /// Works until it is asked to stop and every request has its answer, or there is no time left.
    func run() {
        let arrival = loop.watch(readable: mail.loopWaker.descriptor) { [unowned self] in
            mail.loopWaker.acknowledge()
            turn()
        }
        let timer = LoopTimer(loop: loop) { [unowned self] in turn() }
        self.timer = timer
        timer.start(afterMilliseconds: 1, thenEveryMilliseconds: 0)
        loop.run()
        transport.close()
        arrival.close()
        timer.close()
        loop.close()
        mail.finish()
    }

    private func turn() {
        takeSettings()
        admitClaimed()
        if stop.isRequested { return wind() }
        pump()
        for lane in lanes.values where lane.lane.held > 0 { giveBack(from: lane) }
        publish()
        // Nothing spins: a full look twice a second, more often only while something is on its way.
        let wait: UInt64 = rows.isEmpty ? 500 : 25
        timer?.start(afterMilliseconds: wait)
    }

    /// The end: what has not been sent goes back, what was sent gets a moment for its answer.
    private func wind() {
        mail.offer([])
        for lane in lanes.values { giveBack(from: lane, everything: true) }
        if rows.isEmpty || stop.isOverdue(at: parts.time) { return loop.stop() }
        timer?.start(afterMilliseconds: 25)
    }

    // MARK: - Settings

    private func takeSettings() {
        let (version, sites) = board.sites
        let isDue = now >= lookAt
        if isDue { lookAt = now + 2_000 }
        // A stopped destination's secret may be replaced without a change of the settings.
        let someStopped = isDue && lanes.values.contains { $0.lane.gate.isStopped }
        guard version != settingsVersion || someStopped else { return }
        settingsVersion = version
        var next: [LaneName: DestinationLane] = [:]
        for site in sites {
            for settings in site.destinations {
                let name = LaneName(site: site.name, destination: settings.name)
                if let lane = lane(name, site, settings) { next[name] = lane }
            }
        }
        for (name, lane) in lanes where next[name] !== lane {
            giveBack(from: lane, everything: true)
        }
        lanes = next
    }

    private func lane(
        _ name: LaneName,
        _ site: Site,
        _ settings: DestinationSettings
    ) -> DestinationLane? {
        let fingerprint = DestinationFingerprint.make(settings)
        if let known = lanes[name], known.fingerprint == fingerprint { return known }
        do {
            let made = DestinationLane(
                name,
                settings,
                try parts.makeDestination(site, settings),
                fingerprint: fingerprint
            )
            StopMark(parts.directory, name).apply(to: made)
            return made
        } catch {
            parts.onProblem("destination \(name.destination) of \(name.site): \(error)")
            return lanes[name]
        }
    }

    // MARK: - In

    /// What other forwarders of this folder have noted must be known before anything is judged.
    private func admitClaimed() {
        let claimed = mail.takeClaimed()
        if claimed.isEmpty { return }
        do { try log.refresh() } catch {
            logFailed(error)
            return mail.settle(claimed.compactMap(\.unclaimed))
        }
        for row in claimed { admit(row) }
    }

    private func admit(_ row: OutboxRow) {
        let name = LaneName(site: row.site, destination: row.destination)
        guard let lane = lanes[name] else {
            return mail.settle([row.unclaimed].compactMap { $0 })
        }
        switch arrivals.judge(row, for: lane, nowMilliseconds: today) {
        case .settled(let settlement):
            lane.counts.count(settlement.state)
            mail.settle([settlement])
        case .toSend(let row, let conversion):
            lastTicket += 1
            rows[lastTicket] = row
            let parcel = Parcel(
                ticket: lastTicket,
                conversion: conversion,
                group: lane.destination.group(of: conversion),
                attempts: row.attempts,
                doubts: row.doubts,
                claimedAtMilliseconds: now
            )
            lane.lane.add(parcel, at: now)
        case .unknown(let error):
            logFailed(error)
            mail.settle([row.unclaimed].compactMap { $0 })
        }
    }

    // MARK: - Out

    private func pump() {
        guard now >= logBrokenUntil else { return }
        for lane in lanes.values {
            while transport.inFlight < Limits.forwarderRequestsMaximum,
                let parcels = lane.lane.next(at: now)
            {
                guard send(parcels, by: lane) else { return }
            }
        }
        offerRooms()
    }

    /// False when nothing can be sent now.
    private func send(_ parcels: [Parcel], by lane: DestinationLane) -> Bool {
        let request = lane.destination.request(
            for: parcels.map(\.conversion),
            nowMilliseconds: today
        )
        if request.body.count > lane.destination.batching.bytesMaximum {
            if parcels.count > 1 {
                lane.lane.unsent(parcels, inHalves: true)
            } else {
                leave(lane, lane.lane.unsendable(parcels, reason: "too-large"))
            }
            return true
        }
        do {
            try log.note(sending: parcels.map(mark), nowMilliseconds: today)
        } catch {
            lane.lane.unsent(parcels, inHalves: false)
            logFailed(error)
            return false
        }
        lane.counts.requests += 1
        lane.counts.sent += parcels.count
        transport.send(request, lane.options) { [unowned self] answer in
            answered(answer, parcels, lane)
        }
        return true
    }

    /// Without the log a crash could send something twice and nobody would know.
    private func logFailed(_ error: SystemCallError) {
        logBrokenUntil = now + 5_000
        parts.onProblem(
            "the log of deliveries cannot be used (\(error)): nothing is sent meanwhile"
        )
        for lane in lanes.values { giveBack(from: lane, everything: true) }
    }

    private func mark(_ parcel: Parcel) -> DeliveryMark {
        let row = rows[parcel.ticket] ?? OutboxRow()
        return DeliveryMark(
            key: row.logKey,
            attempt: parcel.attempts,
            attemptsWhenClaimed: row.attemptsWhenClaimed
        )
    }

    private func answered(_ answer: Answer, _ parcels: [Parcel], _ lane: DestinationLane) {
        let ruling = lane.destination.read(answer, sent: parcels.count)
        if case .pause = ruling { lane.counts.pauses += 1 }
        let wasStopped = lane.lane.gate.isStopped
        let ends = lane.lane.answered(
            ruling,
            for: parcels,
            at: now,
            fraction: { Double.random(in: 0...1) },
            repeats: lane.repeats
        )
        if let rest = lane.destination.restMilliseconds(after: answer) {
            lane.lane.rest(forMilliseconds: rest, at: now)
        }
        note(ruling, parcels, ends)
        if case .delivered = ruling {
            for parcel in parcels { mail.count(parcel.conversion.contact.matchKeys, of: lane.name) }
        }
        tell(ruling, lane, wasStopped)
        leave(lane, ends)
        if !stop.isRequested {
            // Of a lane that the settings have replaced nothing more is sent.
            giveBack(from: lane, everything: lanes[lane.name] !== lane)
            pump()
        } else {
            wind()
        }
    }

    /// What stays in its lane was not taken: it is sent again in parts.
    private func note(_ ruling: Ruling, _ parcels: [Parcel], _ ends: [ParcelEnd]) {
        let byTicket = Dictionary(ends.map { ($0.ticket, $0) }) { first, _ in first }
        let outcomes = parcels.map { parcel in
            (mark(parcel), byTicket[parcel.ticket]?.outcome ?? .notTaken)
        }
        do { try log.note(outcomes, nowMilliseconds: today) } catch { logFailed(error) }
    }

    private func tell(_ ruling: Ruling, _ lane: DestinationLane, _ wasStopped: Bool) {
        let name = "destination \(lane.name.destination) of \(lane.name.site)"
        switch ruling {
        case .stop(let code, let reason) where !wasStopped:
            StopMark(parts.directory, lane.name).set(lane.fingerprint, code, reason)
            parts.onProblem("\(name) is stopped until its settings change: \(code), \(reason)")
        case .pause(let code, _, let isAlarming):
            let seconds = max(0, lane.lane.gate.closedUntil - now) / 1_000
            let line = "\(name) rests for \(seconds) s: \(code)"
            if isAlarming { parts.onProblem(line) } else { parts.onNote(line) }
        default: break
        }
    }

    // MARK: - Back

    private func giveBack(from lane: DestinationLane, everything: Bool = false) {
        leave(lane, lane.lane.giveBack(at: now, everything: everything))
    }

    private func leave(_ lane: DestinationLane, _ ends: [ParcelEnd]) {
        let today = today
        let settlements = ends.compactMap { end -> OutboxSettlement? in
            guard let row = rows.removeValue(forKey: end.ticket) else { return nil }
            return end.settlement(of: row, nowMilliseconds: today)
        }
        for settlement in settlements { lane.counts.count(settlement.state) }
        mail.settle(settlements)
    }

    private func offerRooms() {
        let rooms = lanes.values.compactMap { lane -> OutboxRoom? in
            if lane.settings.isPaused { return nil }
            let room = lane.lane.room(at: now)
            guard room > 0 else { return nil }
            return OutboxRoom(
                site: lane.name.site,
                destination: lane.name.destination,
                rows: room
            )
        }
        mail.offer(rooms)
    }

    private func publish() {
        guard now >= publishAt else { return }
        publishAt = now + 500
        board.publish(
            lanes.values.map { DestinationReading($0, nowMilliseconds: now) },
            backlog: mail.backlog
        )
        mail.report(board.changedStates())
    }
}

extension OutboxRow {
    /// As it was before it was claimed. Nil for one whose claimant had died: that must not be forgotten,
    /// so this claim ends by itself, too, and the next claimant sees it.
    fileprivate var unclaimed: OutboxSettlement? {
        claimant.isEmpty ? OutboxSettlement(self, attempts > 0 ? .retry : .pending) : nil
    }

    /// What stands for it in the log.
    var logKey: Hash128 {
        DeliveryMark.key(site: site, destination: destination, conversion: conversionID)
    }
}

extension ParcelEnd {
    /// What the log is told.
    var outcome: OutcomeNote.Kind {
        switch kind {
        case .delivered: return .delivered
        case .dead: return .dead
        case .expired: return .expired
        case .inDoubt: return .inDoubt
        case .retry, .givenBack: return isDoubtful ? .doubt : .notTaken
        }
    }

    /// What the outbox is told.
    func settlement(of row: OutboxRow, nowMilliseconds now: Int64) -> OutboxSettlement {
        var made = OutboxSettlement(row, state, dueAtMilliseconds: now + waitMilliseconds)
        made.attempts = attempts
        made.doubts = doubts
        (made.code, made.reason) = (code, reason)
        (made.trace, made.remark) = (trace, remark)
        return made
    }

    private var state: OutboxSettlement.State {
        switch kind {
        case .delivered: return .delivered
        case .dead: return .dead
        case .expired: return .expired
        case .inDoubt: return .inDoubt
        case .retry: return .retry
        case .givenBack: return attempts > 0 ? .retry : .pending
        }
    }
}

extension DestinationCounts {
    /// Counts how a delivery left.
    mutating func count(_ state: OutboxSettlement.State) {
        switch state {
        case .delivered: delivered += 1
        case .dead: refused += 1
        case .expired: expired += 1
        case .cancelled: withheld += 1
        case .inDoubt: inDoubt += 1
        case .held: held += 1
        case .retry: retried += 1
        case .pending: break
        }
    }
}
