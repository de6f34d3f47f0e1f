/// A claimed delivery on its way through a lane.
public struct Parcel: Sendable {
    /// The caller's number for it.
    public let ticket: Int64
    /// What is told.
    public internal(set) var conversion: Conversion
    /// Conversions of different groups never share a request.
    public let group: String
    /// Requests that carried it, the one in progress included.
    public internal(set) var attempts: Int
    /// Those whose fate is unknown.
    public internal(set) var doubts: Int
    /// When it was claimed, monotonic milliseconds.
    public let claimedAtMilliseconds: Int64
    /// Whether its click id was found malformed and left out.
    var isWithoutClickID = false

    /// A parcel that no request of this claim has carried.
    public init(
        ticket: Int64,
        conversion: Conversion,
        group: String,
        attempts: Int,
        doubts: Int,
        claimedAtMilliseconds: Int64
    ) {
        self.ticket = ticket
        self.conversion = conversion
        self.group = group
        self.attempts = attempts
        self.doubts = doubts
        self.claimedAtMilliseconds = claimedAtMilliseconds
    }
}

/// How a delivery leaves its lane.
public struct ParcelEnd: Equatable, Sendable {
    /// Where it goes.
    public enum Kind: Equatable, Sendable {
        case delivered, dead, expired, inDoubt
        /// To be sent again.
        case retry
        /// To be claimed again: this claim came to nothing.
        case givenBack
    }

    /// The parcel's number.
    public let ticket: Int64
    /// See `Kind`.
    public let kind: Kind
    /// Requests that carried it.
    public let attempts: Int
    /// Those whose fate is unknown.
    public let doubts: Int
    /// Whether the last of them is one of those.
    public var isDoubtful = false
    /// How long it is to wait.
    public var waitMilliseconds: Int64 = 0
    /// The platform's code.
    public var code = ""
    /// Our or the platform's reason.
    public var reason = ""
    /// The platform's id of the request.
    public var trace = ""
    /// What the platform remarked.
    public var remark = ""

    init(_ parcel: Parcel, _ kind: Kind) {
        ticket = parcel.ticket
        self.kind = kind
        attempts = parcel.attempts
        doubts = parcel.doubts
    }
}

/// What one destination is being told: what waits to be sent, and whether anything may be sent now.
///
/// A value without a clock: times are monotonic milliseconds that the caller reads. One destination's
/// trouble stays in its lane.
public struct Lane: Sendable {
    /// The bounds of a lane.
    public struct Bounds: Sendable, Equatable {
        /// Claimed deliveries that it holds.
        public var parcels: Int
        /// Requests without an answer.
        public var requests: Int
        /// How old a claim may be when its request begins.
        public var claimMilliseconds: Int64

        /// Bounds from their parts.
        public init(parcels: Int, requests: Int, claimMilliseconds: Int64) {
            self.parcels = parcels
            self.requests = requests
            self.claimMilliseconds = claimMilliseconds
        }
    }

    private struct Group {
        var parcels: [Parcel]
        let begunAt: Int64
    }

    let batching: Batching
    let bounds: Bounds
    private var groups: [String: Group] = [:]
    /// Parts of refused requests: they go before all others.
    private var parts: [[Parcel]] = []
    /// Claimed deliveries that are here or on their way.
    public private(set) var held = 0
    /// Requests without an answer.
    public private(set) var inFlight = 0
    /// Whether, and since when, anything may be sent.
    public private(set) var gate = LaneGate()

    /// An empty lane.
    public init(batching: Batching, bounds: Bounds) {
        self.batching = batching
        self.bounds = bounds
    }

    /// How many more deliveries may be claimed for it.
    public func room(at now: Int64) -> Int {
        guard gate.isOpen(at: now) else { return 0 }
        let wanted = gate.isTrying ? batching.eventsMaximum : bounds.parcels
        return max(0, wanted - held)
    }

    /// Stops it, as a process before this one had learned to.
    public mutating func stop(code: String, reason: String) {
        gate.stop(code: code, reason: reason)
    }

    /// Lets it rest although nothing was refused: the platform's allowance is nearly used up.
    public mutating func rest(forMilliseconds milliseconds: Int64, at now: Int64) {
        gate.rest(until: now + milliseconds)
    }

    /// Takes a parcel.
    public mutating func add(_ parcel: Parcel, at now: Int64) {
        held += 1
        groups[parcel.group, default: Group(parcels: [], begunAt: now)].parcels.append(parcel)
    }

    /// The parcels of the next request, counted as sent; nil when none is due.
    public mutating func next(at now: Int64) -> [Parcel]? {
        guard gate.isOpen(at: now), inFlight < (gate.isTrying ? 1 : bounds.requests) else {
            return nil
        }
        var found = parts.popLast() ?? takeGroup(at: now)
        guard found?.isEmpty == false else { return nil }
        inFlight += 1
        for index in found?.indices ?? 0..<0 { found?[index].attempts += 1 }
        return found
    }

    private mutating func takeGroup(at now: Int64) -> [Parcel]? {
        let due = groups.first { _, group in
            group.parcels.count >= batching.eventsMaximum
                || now - group.begunAt >= Int64(batching.delayMilliseconds)
        }
        guard let due else { return nil }
        let taken = Array(due.value.parcels.prefix(batching.eventsMaximum))
        let rest = Array(due.value.parcels.dropFirst(batching.eventsMaximum))
        groups[due.key] = rest.isEmpty ? nil : Group(parcels: rest, begunAt: due.value.begunAt)
        return taken
    }

    /// Parcels that must be claimed anew before they may be sent: their claims are too old, or nothing
    /// can be sent for a while.
    public mutating func giveBack(at now: Int64, everything: Bool = false) -> [ParcelEnd] {
        let isClosed = everything || !gate.isOpen(at: now)
        let wait = gate.isStopped ? 0 : max(0, gate.closedUntil - now)
        var ends: [ParcelEnd] = []
        func keep(_ parcel: Parcel) -> Bool {
            if !isClosed, now - parcel.claimedAtMilliseconds < bounds.claimMilliseconds {
                return true
            }
            var end = ParcelEnd(parcel, .givenBack)
            end.waitMilliseconds = wait
            ends.append(end)
            return false
        }
        for (key, group) in groups {
            let kept = group.parcels.filter(keep)
            groups[key] = kept.isEmpty ? nil : Group(parcels: kept, begunAt: group.begunAt)
        }
        parts = parts.map { $0.filter(keep) }.filter { !$0.isEmpty }
        held -= ends.count
        return ends
    }

    // MARK: - What came of a request

    /// A request that was not sent after all: its parts go before all others.
    public mutating func unsent(_ parcels: [Parcel], inHalves: Bool) {
        inFlight -= 1
        var back = parcels
        for index in back.indices { back[index].attempts -= 1 }
        if inHalves { halve(back) } else { parts.append(back) }
    }

    /// The same of one that cannot be sent at all.
    public mutating func unsendable(_ parcels: [Parcel], reason: String) -> [ParcelEnd] {
        inFlight -= 1
        return end(parcels, .dead) { $0.reason = reason }
    }

    private mutating func halve(_ parcels: [Parcel]) {
        let middle = parcels.count / 2
        parts.append(Array(parcels[middle...]))
        parts.append(Array(parcels[..<middle]))
    }

    private mutating func end(
        _ parcels: [Parcel],
        _ kind: ParcelEnd.Kind,
        _ complete: (inout ParcelEnd) -> Void
    ) -> [ParcelEnd] {
        held -= parcels.count
        return parcels.map { parcel in
            var end = ParcelEnd(parcel, kind)
            complete(&end)
            return end
        }
    }

    /// Takes what the destination made of an answer. What is to be sent again in parts stays here; the
    /// rest leaves. `fraction`, from 0 to 1, spreads waits; `repeats` says whether a conversion that
    /// may have arrived is sent again.
    public mutating func answered(
        _ ruling: Ruling,
        for parcels: [Parcel],
        at now: Int64,
        fraction: () -> Double,
        repeats: (Conversion) -> Bool
    ) -> [ParcelEnd] {
        inFlight -= 1
        gate.note(ruling, at: now, fraction: fraction())
        switch ruling {
        case .delivered(let remark, let trace):
            return end(parcels, .delivered) {
                $0.remark = remark ?? ""
                $0.trace = trace ?? ""
            }
        case .inDoubt(let code): return doubt(parcels, code)
        case .retry(let code, let after, let most, let mayHaveArrived):
            let attempt = Attempt(code: code, after: after, most: most, isDoubtful: mayHaveArrived)
            return parcels.flatMap { retry($0, attempt, fraction(), repeats($0.conversion)) }
        case .pause(let code, _, _), .stop(let code, _):
            let wait = gate.isStopped ? 0 : max(0, gate.closedUntil - now)
            return end(parcels, .retry) {
                $0.code = code
                $0.waitMilliseconds = wait
            }
        case .bisect(let fault):
            if parcels.count == 1 { return settle(parcels[0], fault) }
            halve(parcels)
            return []
        case .split(let code):
            if parcels.count > 1 {
                halve(parcels)
                return []
            }
            return end(parcels, .dead) {
                $0.code = code
                $0.reason = "too-large"
            }
        }
    }

    private struct Attempt {
        let code: String
        let after: Int64?
        let most: Int
        let isDoubtful: Bool
    }

    private mutating func doubt(_ parcels: [Parcel], _ code: String) -> [ParcelEnd] {
        let doubtful = parcels.map { parcel in
            var parcel = parcel
            parcel.doubts += 1
            return parcel
        }
        return end(doubtful, .inDoubt) {
            $0.code = code
            $0.reason = "no-answer"
            $0.isDoubtful = true
        }
    }

    private mutating func retry(
        _ parcel: Parcel,
        _ attempt: Attempt,
        _ fraction: Double,
        _ repeats: Bool
    ) -> [ParcelEnd] {
        if attempt.isDoubtful && !repeats { return doubt([parcel], attempt.code) }
        var parcel = parcel
        if attempt.isDoubtful { parcel.doubts += 1 }
        let isLast = parcel.attempts >= attempt.most
        let kind: ParcelEnd.Kind = isLast ? (parcel.doubts > 0 ? .inDoubt : .dead) : .retry
        let attempts = parcel.attempts
        return end([parcel], kind) {
            $0.code = attempt.code
            $0.reason = isLast ? "attempts-exhausted" : ""
            $0.isDoubtful = attempt.isDoubtful
            $0.waitMilliseconds =
                attempt.after ?? LaneGate.waitMilliseconds(after: attempts, fraction: fraction)
        }
    }

    private mutating func settle(_ parcel: Parcel, _ fault: Fault) -> [ParcelEnd] {
        if fault.end == .resendWithoutClickID, !parcel.isWithoutClickID {
            var again = parcel
            again.isWithoutClickID = true
            again.conversion.contact.fbc = nil
            again.conversion.contact.fbclid = nil
            parts.append([again])
            return []
        }
        return end([parcel], fault.end == .expired ? .expired : .dead) {
            $0.code = fault.code
            $0.reason = fault.reason
            $0.trace = fault.trace ?? ""
        }
    }
}
