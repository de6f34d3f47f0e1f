import Bytes
import Journal
import Loop
import Records
import TestSupport
import Units

/// Which faults a life may meet, and how many it has met.
struct LifeFaults {
    enum Kind: String, CaseIterable, Sendable {
        case processDies, powerFails, diskFails
        case redisCrashes, redisIsFlushed, redisSwallowsAnswers, redisIsAway
        case postgresSwallowsCommit, postgresDiesInCopy, postgresIsRestored, postgresIsAway
        case clockJumps, clockSticks, longPause
        case clientHangsUp, ringsOverflow
    }

    var met: [Kind: Int] = [:]

    mutating func note(_ kind: Kind) { met[kind, default: 0] += 1 }
}

/// One life of the pipeline from a seed: clients, engine, stores and whatever befalls them; in the end
/// everything is mended, drains, and is judged.
struct PipelineLife {
    /// Turns within which everything must have drained once all is mended.
    private static let drainTurnsMaximum = 4_000

    let seed: UInt64
    let world: SimulatedWorld
    private(set) var faults = LifeFaults()
    private(set) var restarts = 0
    private(set) var eventsStored = 0
    private var senders: SimulatedSenders
    private var engine: SimulatedEngine?
    /// Turns until a fault that was set off kills the process.
    private var turnsToDeath: Int?
    private var losesPower = false
    private let truth = StraightFold()
    private var capturedSequence: UInt64 = 0
    /// An older copy of PostgreSQL to come back with.
    private var copyOfPostgres = SimulatedPostgres.Content()
    /// Either clocks jump and old segments go, or PostgreSQL comes back from a copy: a copy older than
    /// what the journal still holds cannot be brought up to date by anybody.
    private let hasClockFaults: Bool
    private var hasJumped = false

    init(seed: UInt64, diskLies: Bool = false) {
        self.seed = seed
        // Neighbouring seeds of the dice give the same numbers, one further on.
        var seeds = Dice(seed: seed)
        var dice = Dice(seed: seeds.next())
        hasClockFaults = dice.chance(0.4)
        let visitors = dice.roll(1...6)
        senders = SimulatedSenders(visitors: visitors, batches: dice.roll(10...60), &dice)
        world = SimulatedWorld(seed: seed, dice: dice, diskLies: diskLies)
    }

    /// Nil when all is as it should be.
    mutating func run() -> String? {
        for _ in 0..<world.dice.roll(200...900) { turn() }
        if let problem = drain() { return problem + world.story }
        let judge = PipelineJudge(truth: truth, world: world)
        eventsStored = world.postgres.content.events.count
        faults.met[.ringsOverflow, default: 0] += engine?.ringFallbacks ?? 0
        // A sweep that read while Redis was forgetting may take a visitor out that comes back.
        let hasForgotten = [.redisIsFlushed, .redisCrashes].contains { faults.met[$0] != nil }
        let ranksAreExact = !hasJumped && !hasForgotten
        // Minutes that are hours old by the wall's clock are not written any more.
        return judge.verdict(senders, ranksAreExact: ranksAreExact, timeIsExact: !hasJumped)
            .map { $0 + world.story }
    }

    // MARK: - Turns

    private mutating func turn() {
        if world.dice.chance(0.02) { befall() }
        guard let engine else { return start() }
        step(engine)
        if let left = turnsToDeath { turnsToDeath = left - 1 }
        if engine.isDead || turnsToDeath ?? 1 <= 0 || world.faults.hasStruck && losesPower { die() }
    }

    private mutating func step(_ engine: SimulatedEngine) {
        switch world.dice.roll(0...99) {
        case 0..<26: talk(engine)
        case 26..<48: engine.turnJournal()
        case 48..<70:
            let index = world.dice.roll(0...(world.workers - 1))
            engine.turnWorker(index, ticks: world.dice.chance(0.3))
        case 70..<84: turnRedis(engine)
        case 84..<92: engine.turnArchive()
        case 92..<95: engine.turnCheckpoints()
        default:
            world.clock.advance(milliseconds: Int64(world.dice.roll(1...8_000)))
            capture(engine)
            engine.turnUpkeep()
        }
    }

    private mutating func talk(_ engine: SimulatedEngine) {
        let now = world.clock.epochMilliseconds
        for _ in 0..<world.dice.roll(1...6) {
            guard let (connection, batch) = senders.next(at: now, &world.dice) else { continue }
            if !engine.offer(batch, on: connection) {
                senders.answered(connection, isDurable: false)
            }
        }
        if !senders.isDone, world.dice.chance(0.05) { engine.reject(Self.rejection) }
        engine.takeAnswers { senders.answered($0, isDurable: $1) }
    }

    private static let rejection: [UInt8] = {
        var buffer = ByteBuffer(capacity: 128)
        var rejection = Rejection()
        rejection.reason = ByteView("key-unknown")
        _ = rejection.begin(in: &buffer)
        buffer.append(text: "{}")
        return Array(buffer.view.buffer)
    }()

    private mutating func turnRedis(_ engine: SimulatedEngine) {
        let pipe = engine.pipes[world.dice.roll(0...(engine.pipes.count - 1))]
        pipe.turn(answering: world.dice.roll(0...40))
        if world.dice.chance(0.1) { world.redis.save() }
    }

    /// What the journal holds beyond what was looked at before. Called before anything may be removed.
    private mutating func capture(_ engine: SimulatedEngine) {
        let bound = engine.committedSequence
        guard bound > capturedSequence else { return }
        var reader = world.reader()
        do {
            try reader.seek(.sequence(capturedSequence + 1))
            _ = try reader.read(upTo: bound) { record in
                truth.take(record)
                capturedSequence = record.header.sequence
            }
        } catch {
            // The disk fails just now: the next look sees more.
        }
    }

    // MARK: - Birth and death

    private mutating func start() {
        world.faults.lift()
        (turnsToDeath, losesPower) = (nil, false)
        restarts += 1
        engine = try? SimulatedEngine(world)
        world.note("starts: \(engine.map { "record \($0.committedSequence)" } ?? "in vain")")
        if engine == nil, world.dice.chance(0.3) { world.postgres.isUp = true }
    }

    /// The process is gone, and with it every answer that was under way.
    private mutating func die() {
        for pipe in engine?.pipes ?? [] where pipe.isWaiting && world.dice.chance(0.5) {
            pipe.swallow(world.dice.roll(0...60))
        }
        faults.met[.ringsOverflow, default: 0] += engine?.ringFallbacks ?? 0
        world.note("dies")
        engine = nil
        senders.loseAnswers()
        world.faults.lift()
        if losesPower { world.disk.crash() }
        (turnsToDeath, losesPower) = (nil, false)
    }

    // MARK: - What befalls

    private mutating func befall() {
        let kinds = LifeFaults.Kind.allCases
        let kind = kinds[world.dice.roll(0...(kinds.count - 1))]
        world.note("\(kind.rawValue) after record \(engine?.committedSequence ?? 0)")
        switch kind {
        case .processDies, .powerFails, .diskFails: befallProcess(kind)
        case .redisCrashes, .redisIsFlushed, .redisSwallowsAnswers, .redisIsAway: befallRedis(kind)
        case .postgresSwallowsCommit, .postgresDiesInCopy, .postgresIsRestored, .postgresIsAway:
            befallPostgres(kind)
        case .clockJumps, .clockSticks, .longPause: befallClock(kind)
        case .clientHangsUp:
            senders.hangUp(&world.dice)
            faults.note(kind)
        case .ringsOverflow: break
        }
    }

    /// From some system call on, none succeeds; then the process is gone, or the power.
    private mutating func befallProcess(_ kind: LifeFaults.Kind) {
        guard engine != nil, turnsToDeath == nil else { return }
        faults.note(kind)
        if kind != .processDies || world.dice.chance(0.7) {
            world.faults.arm(after: world.dice.roll(0...60))
        }
        losesPower = kind == .powerFails
        turnsToDeath = world.dice.roll(1...40)
    }

    private mutating func befallRedis(_ kind: LifeFaults.Kind) {
        faults.note(kind)
        switch kind {
        case .redisIsFlushed: world.redis.flushAll()
        case .redisIsAway: world.redis.isUp.toggle()
        case .redisSwallowsAnswers:
            for pipe in engine?.pipes ?? [] { pipe.swallow(world.dice.roll(0...60)) }
        default:
            world.redis.crash()
            for pipe in engine?.pipes ?? [] { pipe.lose() }
        }
    }

    private mutating func befallPostgres(_ kind: LifeFaults.Kind) {
        let postgres = world.postgres
        switch kind {
        case .postgresIsAway:
            postgres.isUp.toggle()
        case .postgresDiesInCopy: postgres.copiesUntilDeath = world.dice.roll(1...4)
        case .postgresIsRestored:
            if hasClockFaults { return }
            postgres.restore(copyOfPostgres)
        default:
            postgres.fate = SimulatedPostgres.Fate.allCases[world.dice.roll(1...3)]
            postgres.openTakesEffect = world.dice.chance(0.5)
        }
        faults.note(kind)
        if world.dice.chance(0.3) { copyOfPostgres = postgres.content }
    }

    private mutating func befallClock(_ kind: LifeFaults.Kind) {
        guard hasClockFaults else { return }
        faults.note(kind)
        hasJumped = true
        let now = world.clock.epochMilliseconds
        switch kind {
        case .clockSticks:
            world.clock.advance(milliseconds: 20_000)
            world.clock.jump(toEpochMilliseconds: now)
        case .longPause: world.clock.advance(milliseconds: 11 * 60_000)
        default:
            let year: Int64 = 365 * 86_400_000
            let steps = [1_000, 3_600_000, 86_400_000, 10 * year]
            let step = steps[world.dice.roll(0...3)]
            let target = world.dice.chance(0.5) ? now + step : now - step
            world.clock.jump(toEpochMilliseconds: target)
        }
    }

    // MARK: - The end

    /// Mends everything and lets it drain. Nil when it has.
    private mutating func drain() -> String? {
        mend()
        for round in 0..<Self.drainTurnsMaximum {
            guard let engine else {
                start()
                continue
            }
            if engine.isDead {
                die()
                continue
            }
            everything(engine)
            guard senders.isDone, round % 16 == 15, isSettled() else { continue }
            for _ in 0..<8 {
                engine.stopWorkers()
                for pipe in engine.pipes { pipe.turn(answering: .max) }
            }
            return nil
        }
        return "did not settle: " + unsettled()
    }

    private mutating func mend() {
        if losesPower { die() }
        world.faults.lift()
        turnsToDeath = nil
        world.redis.isUp = true
        world.postgres.isUp = true
        world.postgres.copiesUntilDeath = 0
        world.postgres.fate = .answered
    }

    private mutating func everything(_ engine: SimulatedEngine) {
        world.postgres.isUp = true
        talk(engine)
        engine.turnJournal()
        for index in 0..<world.workers {
            engine.turnWorker(index, ticks: false)
            engine.turnWorker(index, ticks: true)
        }
        for pipe in engine.pipes { pipe.turn(answering: .max) }
        engine.turnArchive()
        engine.turnCheckpoints()
        world.clock.advance(milliseconds: 500)
        capture(engine)
        engine.turnUpkeep()
    }

    /// Whether both stores stand where the journal ends.
    private func isSettled() -> Bool {
        world.postgres.positions() == truth.offsets && truth.offsets == redisOffsets()
    }

    private func redisOffsets() -> [UInt64] {
        (0..<Partition.count).map { index in
            world.redis.content.texts["hg:pos:\(index)"].flatMap { UInt64($0) } ?? 0
        }
    }

    private func unsettled() -> String {
        var places: [String] = []
        if !senders.isDone { places.append("senders (\(senders.batchesLeft) batches left)") }
        if world.postgres.positions() != truth.offsets { places.append("PostgreSQL") }
        if redisOffsets() != truth.offsets { places.append("Redis") }
        return places.joined(separator: ", ")
    }
}
