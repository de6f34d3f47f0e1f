import Rings
import Storage
import Synchronization

/// What the two threads of a forwarder hand each other: the one that talks to PostgreSQL, and the one
/// that talks to destinations. Bounded by what lanes hold, because nothing is claimed beyond that.
final class ForwarderMail: Sendable {
    private struct MatchKey: Hashable {
        let lane: LaneName
        let key: String
    }

    private struct Box {
        var rooms: [OutboxRoom] = []
        var claimed: [OutboxRow] = []
        var settlements: [OutboxSettlement] = []
        var health: [DestinationState] = []
        var matches: [MatchKey: Int] = [:]
        var backlog: [OutboxBacklog] = []
        var isFinished = false
    }

    private let box = Mutex(Box())
    /// Wakes the thread that talks to PostgreSQL.
    let outboxWaker = Waker()
    /// Wakes the thread that talks to destinations.
    let loopWaker = Waker()

    // MARK: - The loop's side

    /// Says how much may be claimed.
    func offer(_ rooms: [OutboxRoom]) { box.withLock { $0.rooms = rooms } }

    /// Hands over what became of deliveries.
    func settle(_ settlements: [OutboxSettlement]) {
        if settlements.isEmpty { return }
        box.withLock { $0.settlements += settlements }
        outboxWaker.wake()
    }

    /// Hands over how destinations are.
    func report(_ states: [DestinationState]) { box.withLock { $0.health = states } }

    /// Counts what delivered conversions had that platforms know people by.
    func count(_ keys: [String], of lane: LaneName) {
        box.withLock { box in
            for key in keys { box.matches[MatchKey(lane: lane, key: key), default: 0] += 1 }
        }
    }

    /// What was claimed since.
    func takeClaimed() -> [OutboxRow] {
        box.withLock { box in
            defer { box.claimed = [] }
            return box.claimed
        }
    }

    /// What waits in the outbox, as of a moment ago.
    var backlog: [OutboxBacklog] { box.withLock { $0.backlog } }

    /// Nothing more will be settled.
    func finish() {
        box.withLock { $0.isFinished = true }
        outboxWaker.forceWake()
    }

    // MARK: - The outbox's side

    /// Room that a claim may use up; there is none until more is offered.
    func takeRooms() -> [OutboxRoom] {
        box.withLock { box in
            defer { box.rooms = [] }
            return box.rooms
        }
    }

    /// Hands over what was claimed.
    func deliver(_ rows: [OutboxRow]) {
        if rows.isEmpty { return }
        box.withLock { $0.claimed += rows }
        loopWaker.forceWake()
    }

    /// What became of deliveries since.
    func takeSettlements() -> [OutboxSettlement] {
        box.withLock { box in
            defer { box.settlements = [] }
            return box.settlements
        }
    }

    /// How destinations are; empty when nothing has changed.
    func takeHealth() -> [DestinationState] {
        box.withLock { box in
            defer { box.health = [] }
            return box.health
        }
    }

    /// What was counted since.
    func takeMatches() -> [OutboxMatch] {
        let taken = box.withLock { box in
            defer { box.matches = [:] }
            return box.matches
        }
        return taken.map { match, count in
            OutboxMatch(
                site: match.lane.site,
                destination: match.lane.destination,
                key: match.key,
                conversions: count
            )
        }
    }

    /// Publishes what waits.
    func publish(_ backlog: [OutboxBacklog]) { box.withLock { $0.backlog = backlog } }

    /// Whether everything was settled that ever will be.
    var isFinished: Bool { box.withLock { $0.isFinished && $0.settlements.isEmpty } }
}
