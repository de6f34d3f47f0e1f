import BenchLoad
import CBench
import Glibc

/// The load generator: one thread, one epoll, many keep-alive connections.
///
/// Slots are what may be in flight: `depth` on each connection. A slot is free, or holds a
/// request until its fate is known. In a closed loop a free slot sends at once, in an open loop
/// when the schedule says so. A request that was answered 503, or whose connection broke, keeps
/// its slot and is sent again as the SDK would: the same batch under new stamps.
struct LoadLoop: ~Copyable {
    private let target: Target
    private let renderer: Renderer
    private let probe: FreshnessProbe?
    private let connections: UnsafeMutablePointer<Connection>
    private let connectionCount: Int
    private let epoll: Int32
    private var mix: ConnectionMix
    private let tags: UnsafeMutablePointer<UInt32>
    private var population: Population
    private var repeats: Repeats

    private var freeSlots: SlotQueue
    private var dirty: [Int] = []
    /// Connections that wait for their time to resume.
    private var resting: [Int] = []
    private var outcome = PhaseOutcome()
    private var schedule = Schedule(rate: nil, startNanoseconds: 0)
    private var isMeasuring = false
    private var givesUp = false
    private var isIssuing = false
    private var nextSampleNanoseconds = Int64.max
    private var sampleStepNanoseconds: Int64 = 0
    /// Wall time minus monotonic time, so that one clock reading gives both.
    private var epochOffsetNanoseconds: Int64 = 0

    private enum Limits {
        static let tagsAtOnce = 256
        static let drainNanoseconds: Int64 = 15_000_000_000
        static let reconnectNanoseconds: Int64 = 20_000_000
        static let longestWaitNanoseconds: Int64 = 50_000_000
        static let shortestRetrySeconds: Int64 = 1
    }

    init(
        target: Target,
        renderer: consuming Renderer,
        population: consuming Population,
        repeats: Repeats,
        probe: FreshnessProbe?,
        mix: ConnectionMix,
        connections: Int,
        depth: Int
    ) throws(BenchFailure) {
        self.target = target
        self.mix = mix
        self.probe = probe
        self.repeats = repeats
        self.population = population
        connectionCount = connections
        epoll = cbench_epoll_create()
        guard epoll >= 0 else { throw .system("epoll_create1", errno) }
        tags = .allocate(capacity: Limits.tagsAtOnce)
        self.connections = .allocate(capacity: connections)
        for index in 0..<connections {
            (self.connections + index).initialize(
                to: Connection(depth: depth, longestRequest: renderer.longestRequest)
            )
        }
        freeSlots = SlotQueue(connections: connections, depth: depth)
        self.renderer = renderer
    }

    deinit {
        for index in 0..<connectionCount { (connections + index).deinitialize(count: 1) }
        connections.deallocate()
        tags.deallocate()
        close(epoll)
    }
}

/// The free slots, oldest first, so that a low rate uses all connections in turn.
struct SlotQueue {
    private var ring: [Int]
    private var first = 0
    private(set) var count: Int

    init(connections: Int, depth: Int) {
        ring = (0..<(connections * depth)).map { $0 % connections }
        count = ring.count
    }

    var isFull: Bool { count == ring.count }

    @inline(__always)
    mutating func pop() -> Int? {
        guard count > 0 else { return nil }
        let slot = ring[first]
        first = first &+ 1 < ring.count ? first &+ 1 : 0
        count &-= 1
        return slot
    }

    @inline(__always)
    mutating func push(_ connection: Int) {
        var place = first &+ count
        if place >= ring.count { place &-= ring.count }
        ring[place] = connection
        count &+= 1
    }
}

// MARK: - A phase

extension LoadLoop {
    /// Runs one stretch of load and returns when the fate of all its requests is known, or after
    /// a bounded wait for it. `usage` is called at both ends of the measured part.
    mutating func run(
        _ plan: PhasePlan,
        usage: () -> UsageSnapshot
    ) throws(BenchFailure) -> PhaseOutcome {
        try begin(plan)
        let warm = outcome.startedAtNanoseconds + Int64(plan.warmupSeconds * 1e9)
        try turn(until: warm)
        outcome.usageBefore = usage()
        let start = Clock.monotonicNanoseconds()
        startSampling(plan, at: start)
        isMeasuring = true
        try turn(until: start + Int64(plan.seconds * 1e9))
        isMeasuring = false
        outcome.measuredSeconds = Double(Clock.monotonicNanoseconds() - start) / 1e9
        outcome.usageAfter = usage()
        try drain()
        return outcome
    }

    private mutating func begin(_ plan: PhasePlan) throws(BenchFailure) {
        let now = Clock.monotonicNanoseconds()
        outcome = PhaseOutcome()
        outcome.startedAtNanoseconds = now
        epochOffsetNanoseconds = Clock.epochNanoseconds() - now
        outcome.startedAtEpochMilliseconds = (now + epochOffsetNanoseconds) / 1_000_000
        schedule = Schedule(rate: plan.rate, startNanoseconds: now, arrivals: plan.arrivals)
        givesUp = plan.givesUp
        nextSampleNanoseconds = .max
        for index in 0..<connectionCount where connections[index].descriptor < 0 {
            try open(index)
        }
        isIssuing = true
    }

    private mutating func startSampling(_ plan: PhasePlan, at now: Int64) {
        guard probe != nil, plan.samplesPerSecond > 0 else { return }
        sampleStepNanoseconds = Int64(1e9 / plan.samplesPerSecond)
        nextSampleNanoseconds = now
    }

    private mutating func turn(until end: Int64) throws(BenchFailure) {
        var now = Clock.monotonicNanoseconds()
        while now < end {
            try step(now, until: end)
            now = Clock.monotonicNanoseconds()
        }
    }

    /// Sends nothing new, waits for what is in flight and settles what is owed.
    private mutating func drain() throws(BenchFailure) {
        isIssuing = false
        nextSampleNanoseconds = .max
        let end = Clock.monotonicNanoseconds() + Limits.drainNanoseconds
        var now = Clock.monotonicNanoseconds()
        while now < end, !freeSlots.isFull {
            try step(now, until: end)
            now = Clock.monotonicNanoseconds()
        }
        if !freeSlots.isFull { abandonUnresolved() }
    }

    private mutating func step(_ now: Int64, until end: Int64) throws(BenchFailure) {
        wakeResting(now)
        issue(now)
        let count = cbench_epoll_wait(
            epoll,
            tags,
            Int32(Limits.tagsAtOnce),
            waitNanoseconds(now, until: end)
        )
        guard count >= 0 else { throw .system("epoll_wait", errno) }
        for index in 0..<Int(count) { handle(Int(tags[index])) }
    }

    /// How long there is nothing to do but wait for answers.
    private func waitNanoseconds(_ now: Int64, until end: Int64) -> Int64 {
        var next = min(end, now &+ Limits.longestWaitNanoseconds)
        if isIssuing, schedule.rate != nil, freeSlots.count > 0 {
            next = min(next, schedule.nextNanoseconds)
        }
        for index in resting { next = min(next, connections[index].resumesAtNanoseconds) }
        return max(0, next &- now)
    }

    private mutating func abandonUnresolved() {
        for index in 0..<connectionCount {
            connections[index].abandonSocket()
            for flight in connections[index].takeOwed() {
                if flight.mayBeTaken { outcome.unresolved += 1 }
                freeSlots.push(index)
            }
        }
        resting.removeAll()
    }
}

// MARK: - Sending

extension LoadLoop {
    /// Fills free slots as far as the schedule allows.
    @inline(__always)
    private mutating func issue(_ now: Int64) {
        guard isIssuing else { return }
        while freeSlots.count > 0, let due = schedule.takeDue(nowNanoseconds: now) {
            guard let index = freeSlots.pop() else { break }
            if isMeasuring, schedule.rate != nil {
                outcome.measured.issued &+= 1
                outcome.measured.sendDelays.record(nanoseconds: now &- due)
            }
            submit(nextFlight(due, now), on: index, now)
        }
        flushDirty()
    }

    private mutating func nextFlight(_ due: Int64, _ now: Int64) -> Flight {
        let epochMilliseconds = (now &+ epochOffsetNanoseconds) / 1_000_000
        if now >= nextSampleNanoseconds {
            nextSampleNanoseconds = max(
                nextSampleNanoseconds &+ sampleStepNanoseconds,
                now &- sampleStepNanoseconds
            )
            let recipe = population.nextWatchedRecipe(nowEpochMilliseconds: epochMilliseconds)
            return Flight(
                recipe: recipe,
                countsFromNanoseconds: due,
                isRepeat: false,
                isWatched: true
            )
        }
        if let recipe = repeats.next() {
            return Flight(
                recipe: recipe,
                countsFromNanoseconds: due,
                isRepeat: true,
                isWatched: false
            )
        }
        let recipe = population.nextRecipe(nowEpochMilliseconds: epochMilliseconds)
        return Flight(recipe: recipe, countsFromNanoseconds: due, isRepeat: false, isWatched: false)
    }

    private mutating func submit(_ flight: Flight, on index: Int, _ now: Int64) {
        if connections[index].isIdle, connections[index].resumesAtNanoseconds == 0, mix.renews() {
            renew(index)
        }
        guard connections[index].descriptor >= 0, connections[index].resumesAtNanoseconds == 0
        else {
            connections[index].owe(flight)
            return
        }
        let place = connections[index].room(for: renderer.longestRequest)
        connections[index].outputEnd &+= renderer.render(
            flight.recipe,
            nowEpochMilliseconds: (now &+ epochOffsetNanoseconds) / 1_000_000,
            to: place
        )
        connections[index].push(flight)
        if flight.isWatched { probe?.expect(flight.recipe.visitor) }
        if !connections[index].isDirty {
            connections[index].isDirty = true
            dirty.append(index)
        }
    }

    @inline(__always)
    private mutating func flushDirty() {
        guard !dirty.isEmpty else { return }
        for index in dirty {
            connections[index].isDirty = false
            flush(index)
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private mutating func flush(_ index: Int) {
        guard connections[index].descriptor >= 0 else { return }
        switch connections[index].flush() {
        case .done: if connections[index].wantsRoom { watch(index, writable: false) }
        case .full: if !connections[index].wantsRoom { watch(index, writable: true) }
        case .lost: lose(index)
        }
    }

    private mutating func watch(_ index: Int, writable: Bool) {
        let status = cbench_epoll_watch(
            epoll,
            connections[index].descriptor,
            UInt32(index),
            writable ? 1 : 0,
            connections[index].isWatched ? 1 : 0
        )
        connections[index].isWatched = status == 0
        connections[index].wantsRoom = writable
    }
}

// MARK: - Receiving

extension LoadLoop {
    private mutating func handle(_ index: Int) {
        guard connections[index].descriptor >= 0 else { return }
        if connections[index].wantsRoom { flush(index) }
        guard connections[index].descriptor >= 0 else { return }
        switch connections[index].receive() {
        case .some: readAnswers(index, Clock.monotonicNanoseconds())
        case .nothing: break
        case .lost: lose(index)
        }
    }

    private mutating func readAnswers(_ index: Int, _ now: Int64) {
        while connections[index].inputCount > 0 {
            let bytes = UnsafeBufferPointer(
                start: connections[index].input,
                count: connections[index].inputCount
            )
            switch ResponseScanner.scan(bytes) {
            case .unfinished:
                if bytes.count == Connection.inputCapacity { lose(index) }
                issue(now)
                return
            case .malformed:
                lose(index)
                return
            case .complete(let response):
                connections[index].consumeInput(response.length)
                guard let flight = connections[index].pop() else { return lose(index) }
                settle(flight, response, on: index, now)
                if response.closes { return lose(index) }
            }
        }
        issue(now)
    }

    @inline(__always)
    private mutating func settle(
        _ flight: Flight,
        _ response: Response,
        on index: Int,
        _ now: Int64
    ) {
        outcome.whole.count(response, to: flight, nowNanoseconds: now)
        if isMeasuring { outcome.measured.count(response, to: flight, nowNanoseconds: now) }
        switch response.status {
        case 200, 204:
            if !flight.isRepeat, !flight.isWatched { repeats.acknowledged(flight.recipe) }
            freeSlots.push(index)
        case let status where Self.asksToComeAgain(status) && !givesUp:
            if flight.isWatched { probe?.forget(flight.recipe.visitor) }
            rest(index, owing: flight, response, now)
        default:
            if flight.isWatched { probe?.forget(flight.recipe.visitor) }
            freeSlots.push(index)
        }
    }

    /// As the SDK understands a status.
    private static func asksToComeAgain(_ status: Int) -> Bool {
        status == 408 || status == 425 || status == 429 || (500...599).contains(status)
    }

    /// Waits as long as the engine asked, then sends the batch again.
    private mutating func rest(
        _ index: Int,
        owing flight: Flight,
        _ response: Response,
        _ now: Int64
    ) {
        connections[index].owe(flight)
        let seconds = max(Limits.shortestRetrySeconds, Int64(response.retryAfterSeconds))
        putToRest(index, until: now &+ seconds &* 1_000_000_000)
    }

    private mutating func putToRest(_ index: Int, until time: Int64) {
        if connections[index].resumesAtNanoseconds == 0 { resting.append(index) }
        connections[index].resumesAtNanoseconds = time
    }
}

// MARK: - Connections that come and go

extension LoadLoop {
    private mutating func open(_ index: Int) throws(BenchFailure) {
        let (place, _) = mix.route(index, of: connectionCount, plain: target)
        guard connect(index) else { throw .unreachable(place.host, place.port) }
    }

    private mutating func connect(_ index: Int) -> Bool {
        let (place, client) = mix.route(index, of: connectionCount, plain: target)
        guard connections[index].connect(place, client) else { return false }
        watch(index, writable: false)
        return true
    }

    /// Leaves a connection on which nothing is under way for a new one; the request behind it
    /// bears the handshake in its latency.
    private mutating func renew(_ index: Int) {
        connections[index].abandonSocket()
        if isMeasuring { outcome.measured.newConnections &+= 1 }
        if !connect(index) {
            putToRest(index, until: Clock.monotonicNanoseconds() + Limits.reconnectNanoseconds)
        }
    }

    /// Lets go of a broken connection. What was in flight may or may not have been taken, so it
    /// is sent again with the same numbers.
    private mutating func lose(_ index: Int) {
        outcome.whole.lostConnections += 1
        if isMeasuring { outcome.measured.lostConnections += 1 }
        connections[index].abandonSocket()
        for flight in connections[index].owed where flight.isWatched {
            probe?.forget(flight.recipe.visitor)
        }
        putToRest(index, until: Clock.monotonicNanoseconds() + Limits.reconnectNanoseconds)
    }

    private mutating func wakeResting(_ now: Int64) {
        guard !resting.isEmpty else { return }
        let waiting = resting
        resting.removeAll(keepingCapacity: true)
        for index in waiting {
            if connections[index].resumesAtNanoseconds > now {
                resting.append(index)
            } else {
                resume(index, now)
            }
        }
        flushDirty()
    }

    private mutating func resume(_ index: Int, _ now: Int64) {
        connections[index].resumesAtNanoseconds = 0
        if connections[index].descriptor < 0 {
            guard connect(index) else {
                putToRest(index, until: now + Limits.reconnectNanoseconds)
                return
            }
        }
        for flight in connections[index].takeOwed() { submitAgain(flight, on: index, now) }
    }

    /// A watched batch that is sent again is no longer a fair sample.
    private mutating func submitAgain(_ flight: Flight, on index: Int, _ now: Int64) {
        var again = flight
        again.isWatched = false
        submit(again, on: index, now)
    }
}
