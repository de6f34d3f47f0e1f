import Settings
import Storage
import Telemetry
import Units

/// Claims deliveries for the lanes and writes what became of them. Blocks on PostgreSQL, which is why
/// it has a thread of its own; owned by that thread.
final class OutboxThread {
    private let conninfo: Secret
    private let claimant: String
    private let mail: ForwarderMail
    private let stop: StopSignal
    private let time: TimeSource
    private let onProblem: @Sendable (String) -> Void
    private var outbox: Outbox?
    /// What PostgreSQL has not taken yet.
    private var unsettled: [OutboxSettlement] = []
    private var isAway = false
    /// Monotonic milliseconds.
    private var claimAt: Int64 = 0
    private var backlogAt: Int64 = 0

    init(
        conninfo: Secret,
        claimant: String,
        mail: ForwarderMail,
        stop: StopSignal,
        time: TimeSource,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.conninfo = conninfo
        self.claimant = claimant
        self.mail = mail
        self.stop = stop
        self.time = time
        self.onProblem = onProblem
    }

    private var now: Int64 { time.monotonicNanoseconds() / 1_000_000 }

    /// Works until the loop has finished and everything is written, or there is no time left.
    func run() {
        while !stop.isOverdue(at: time) {
            let isBusy = turn()
            if mail.isFinished && unsettled.isEmpty { return }
            mail.outboxWaker.prepareToSleep()
            let wait = isAway ? 1_000 : isBusy ? 10 : Int32(Limits.outboxPollMilliseconds)
            mail.outboxWaker.sleep(timeoutMilliseconds: wait)
        }
        if !unsettled.isEmpty {
            onProblem("PostgreSQL is away: \(unsettled.count) outcomes stay in the log beside it")
        }
    }

    /// Whether there was something to do.
    private func turn() -> Bool {
        unsettled += mail.takeSettlements()
        do throws(ArchiveError) {
            let outbox = try connection()
            let wrote = try settle(outbox)
            try report(outbox)
            let claimed = try claim(outbox)
            isAway = false
            return wrote || claimed
        } catch {
            if !isAway { onProblem("outbox: \(error); trying again") }
            isAway = true
            outbox = nil
            return false
        }
    }

    private func connection() throws(ArchiveError) -> Outbox {
        if let outbox { return outbox }
        let made = try conninfo.expose { conninfo throws(ArchiveError) in
            try Outbox(conninfo: conninfo, claimant: claimant)
        }
        outbox = made
        return made
    }

    private func settle(_ outbox: Outbox) throws(ArchiveError) -> Bool {
        let wrote = !unsettled.isEmpty
        while !unsettled.isEmpty {
            let part = Array(unsettled.prefix(Limits.outboxSettlementsMaximum))
            let changed = try outbox.settle(part)
            unsettled.removeFirst(part.count)
            if changed < part.count {
                onProblem(
                    "\(part.count - changed) claims had ended before their outcome was written"
                )
            }
        }
        return wrote
    }

    private func report(_ outbox: Outbox) throws(ArchiveError) {
        let states = mail.takeHealth()
        if !states.isEmpty { try outbox.report(states) }
        guard now >= backlogAt else { return }
        backlogAt = now + Int64(Limits.outboxBacklogMilliseconds)
        let matches = mail.takeMatches()
        // A statistic: what is lost with the connection is not counted again.
        if !matches.isEmpty { try outbox.count(matches) }
        mail.publish(try outbox.backlog())
    }

    private func claim(_ outbox: Outbox) throws(ArchiveError) -> Bool {
        if stop.isRequested || now < claimAt { return false }
        let rooms = mail.takeRooms()
        let rows = try outbox.claim(
            rooms,
            nowMilliseconds: time.epochMilliseconds(),
            leaseMilliseconds: Int64(Limits.deliveryLeaseMilliseconds)
        )
        mail.deliver(rows)
        let wait = rows.isEmpty ? Int64(Limits.outboxPollMilliseconds) : 0
        claimAt = now + wait
        return !rows.isEmpty
    }
}
