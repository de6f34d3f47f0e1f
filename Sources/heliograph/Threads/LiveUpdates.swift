import Bytes
import Loop
import Records
import Scoring
import Settings
import Storage
import Telemetry
import Units

/// Keeps Redis in step with a worker's folds.
///
/// Visitors that changed wait in a queue, each once however often it changes; when the pipeline is free
/// all of them are staged and sent at once, then the positions they stand for. So Redis gets as many
/// updates as it can take, never more, and a burst on one visitor costs one write.
/// Owned by the worker's thread.
final class LiveUpdates {
    private struct Changed: BitwiseCopyable {
        let partition: Partition
        let index: Int32
    }

    private let folds: FoldSet
    private var writer: LiveModelWriter!
    private let counters: CounterBlock
    private let flushes: LatencyHistogram
    private let freshness: LatencyHistogram
    private let time: TimeSource
    private let sweeps: Bool
    private var queue: [Changed] = []
    private var queued = ChangedSet()
    /// Visitors that are not in memory and that Redis has lost.
    private var cold: ColdResync
    private let members: IdentityMembers
    private var touched = PartitionSet()
    private var resyncing = PartitionSet()
    private var isFlying = false
    private var flownAt: Int64 = 0
    /// `received_at` of the oldest record whose effect is queued or in flight, epoch milliseconds.
    private var oldestQueued = Int64.max
    private var oldestFlying = Int64.max
    private var nextSweepAt: Int64 = 0
    private var nextProbeAt: Int64 = 0
    /// Offset up to which live minutes are staged, by partition.
    private var minutesStaged = [UInt64](repeating: 0, count: Partition.count)
    /// When live minutes and positions are due again, monotonic nanoseconds.
    private var positionsDueAt: Int64 = 0
    /// What conversions have taught; scores are written by it from now on.
    var learned = LearnedBook() {
        didSet { named = nil }
    }
    /// The name of `named` with the edition of `learned`.
    private var model = ByteBuffer(capacity: 64, limit: 64)
    private var named: ScoringModel?
    /// Whether Redis may hold scores of the model before.
    private var isOutdated = false
    private var state = ByteBuffer(capacity: 1024, limit: 4096)
    /// What a visitor's person comes to; empty for who is read alone.
    private var joined = ByteBuffer(capacity: 1024, limit: 4096)
    private var minute = ByteBuffer(capacity: 2048, limit: 8192)

    /// How soon a loss is noticed in partitions where nothing is written.
    private static let probeEveryMilliseconds: Int64 = 10_000
    private static let sweepEveryMilliseconds: Int64 = 60_000

    init(
        folds: FoldSet,
        desk: IdentityDesk,
        route: RedisRoute,
        keyPrefix: String,
        loop: EventLoop,
        counters: CounterBlock,
        metrics: Metrics,
        time: TimeSource,
        index: Int,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.folds = folds
        cold = ColdResync(folds: folds, onProblem: onProblem)
        members = IdentityMembers(desk: desk, folds: folds)
        self.counters = counters
        self.time = time
        sweeps = index == 0
        let name = "hg-worker-\(index)"
        flushes = metrics.makeHistogram(.redisFlush, thread: name)
        freshness = metrics.makeHistogram(.freshness, thread: name)
        writer = LiveModelWriter(
            route: route,
            keyPrefix: keyPrefix,
            loop: loop.handle,
            onProblem: onProblem
        ) { [unowned self] outcome in take(outcome) }
        members.arrive(onProblem: onProblem)
        writer.start()
    }

    func close() { writer.close() }

    /// Whether Redis has everything, or is away and will be told when it comes back.
    var isSettled: Bool {
        !writer.isConnected
            || (queue.isEmpty && cold.isEmpty && members.isEmpty && touched.isEmpty
                && writer.isIdle)
    }

    /// Whether the visitor waits in the queue, which knows it by its place in memory.
    func isQueued(_ partition: Partition, _ index: Int32) -> Bool {
        queued.contains(partition, Int(index))
    }

    // MARK: - Changes

    /// A record has changed a visitor.
    func note(_ header: RecordHeader, _ effect: FoldEffect) {
        touched.insert(header.partition)
        oldestQueued = min(oldestQueued, header.receivedAt)
        guard effect.score != .none || effect.link.cause != .none else { return }
        enqueue(header.partition, effect.visitorIndex)
    }

    /// A record has changed no visitor, such as one of repeats alone: Redis only learns that it is
    /// behind us.
    func pass(_ header: RecordHeader) { touched.insert(header.partition) }

    /// While Redis is away nobody waits: with the connection everything comes that it lacks, and until
    /// then visitors may leave memory.
    private func enqueue(_ partition: Partition, _ index: Int32) {
        guard writer.isConnected, queued.insert(partition, Int(index)) else { return }
        queue.append(Changed(partition: partition, index: index))
    }

    /// Sends what waits, unless a pipeline is under way: its end sends the rest. Scores go at once; live
    /// minutes, and the positions that say that Redis has them, a few times a second.
    func flush() {
        guard !isFlying, writer.isConnected else { return }
        let isDue = !touched.isEmpty && arePositionsDue
        members.listen()
        guard isDue || !queue.isEmpty || !cold.isEmpty || !members.isEmpty else { return }
        if stageQueue(), stageMembers(), stageCold(), isDue, stageMinutes() { stagePositions() }
        launch()
    }

    private var arePositionsDue: Bool {
        !resyncing.isEmpty || time.monotonicNanoseconds() >= positionsDueAt
    }

    private func stagePositions() {
        positionsDueAt =
            time.monotonicNanoseconds() + Limits.liveMinuteWriteMilliseconds * 1_000_000
        resyncing.drain { writer.endResync(partition: $0) }
        touched.drain { partition in
            writer.stagePosition(
                partition: partition,
                offset: folds.fold(partition).value.offset
            )
        }
    }

    /// Stages the live minutes of the partitions that records have come for. False when the stage was
    /// full before all were in.
    private func stageMinutes() -> Bool {
        let oldest = LiveMinuteAge.oldestWritten(nowMilliseconds: time.epochMilliseconds())
        return touched.allSatisfy { stageMinutes($0, oldest) }
    }

    private func stageMinutes(_ partition: Partition, _ oldest: Int64) -> Bool {
        let fold = folds.fold(partition)
        let row = Int(partition.index)
        var count = 0
        let above = minutesStaged[row]
        let isWhole = fold.value.forEachMinute(after: above, json: &minute) { site, number, value in
            if Int64(number) < oldest { return true }
            count += 1
            return site.withBytes {
                writer.stageMinute(site: $0, minute: number, partition: partition, value: value)
            }
        }
        counters.add(.redisMinutes, count)
        if isWhole { minutesStaged[row] = fold.value.offset }
        return isWhole
    }

    /// Stages the queue from its front. False when the stage was full before its end.
    private func stageQueue() -> Bool {
        var count = 0
        for item in queue {
            guard stage(item) else { break }
            queued.remove(item.partition, Int(item.index))
            count += 1
        }
        counters.add(.redisVisitors, count)
        let isEmpty = count == queue.count
        if isEmpty { queue.removeAll(keepingCapacity: true) } else { queue.removeFirst(count) }
        return isEmpty
    }

    private func stage(_ item: Changed) -> Bool {
        let fold = folds.fold(item.partition)
        state.reset()
        joined.reset()
        switch fold.value.liveEntry(of: item.index, learned, state: &state) {
        case .nobody:
            // Erased since; who erases takes it out of Redis, too.
            return true
        case .unscored(let site, let visitor):
            // First it is taken from its person.
            _ = members.take(fold, item.index)
            return site.withBytes { site in
                visitor.withBytes { writer.stageRemoval(site: site, visitor: $0) }
            }
        case .scored(let entry):
            if entry.wasLinked, let member = members.take(fold, item.index) {
                return stage(item.partition, member)
            }
            name(fold.value.model)
            return stage(
                entry.site,
                entry.visitor,
                entry.reading,
                entry.likelihood,
                masked: entry.isAutomated,
                silent: resyncing.contains(item.partition),
                parts: entry.wasLinked
            )
        }
    }

    /// Stages what `state`, `joined` and `model` hold. `parts` takes away what may be there of a person.
    /// Who was seen too long ago for `hot`, as in a past that is brought in, is no live news either.
    private func stage(
        _ site: ShortText,
        _ visitor: ShortText,
        _ reading: Reading,
        _ likelihood: Likelihood,
        masked: Bool,
        silent: Bool,
        parts: Bool
    ) -> Bool {
        let oldest = time.epochMilliseconds() - StorageLimits.hotAgeMilliseconds
        let isOld = reading.updatedAt < oldest
        return site.withBytes { site in
            visitor.withBytes { visitor in
                writer.stage(
                    site: site,
                    visitor: visitor,
                    reading: reading,
                    likelihood: likelihood,
                    model: model.view,
                    state: state.view,
                    joined: joined.view,
                    masked: masked || isOld,
                    silent: silent,
                    parts: parts
                )
            }
        }
    }

    private func name(_ model: ScoringModel) {
        if named === model { return }
        named = model
        self.model.reset()
        ModelName.append(model, edition: learned.edition, to: &self.model)
    }

    /// Another model is in force: every score in Redis is written anew.
    func renew() {
        isOutdated = true
        guard writer.isConnected else { return }
        renewAll()
        flush()
    }

    private func renewAll() {
        isOutdated = false
        for partition in folds.partitions { resync(partition, above: 0) }
        members.renew()
    }

    /// Stages some of the visitors that are not in memory. False while there are more.
    private func stageCold() -> Bool {
        let now = time.epochMilliseconds()
        counters.add(
            .redisVisitors,
            cold.step(now: now) { partition, state in stage(partition, state) }
        )
        for item in cold.takeReturned() { enqueue(item.partition, item.index) }
        return cold.isEmpty && queue.isEmpty
    }

    private func stage(_ partition: Partition, _ cold: ColdState) -> Bool {
        guard let site = folds.fold(partition).value.site(of: cold) else { return true }
        guard cold.isScored else {
            return site.withBytes { site in
                cold.visitor.withBytes { writer.stageRemoval(site: site, visitor: $0) }
            }
        }
        // Whoever is part of a person is written anew with it.
        if cold.identity != nil { return true }
        state.reset()
        joined.reset()
        cold.pack(into: &state)
        let model = folds.fold(partition).value.model
        name(model)
        return stage(
            site,
            cold.visitor,
            cold.reading(model),
            cold.likelihood(learned, site: site, model),
            masked: cold.isAutomated,
            silent: true,
            parts: cold.wasLinked
        )
    }

    // MARK: - Persons

    /// Stages some of the visitors whose person has changed. False while there are more.
    private func stageMembers() -> Bool {
        let count = members.step(
            { folds.fold($0).value.model },
            { partition, member in stage(partition, member) }
        )
        counters.add(.redisVisitors, count)
        return members.isEmpty
    }

    private func stage(_ partition: Partition, _ member: IdentityDesk.Member) -> Bool {
        guard members.isComplete else {
            members.wait(member.copy)
            return true
        }
        let model = folds.fold(partition).value.model
        state.reset()
        joined.reset()
        member.copy.state.pack(into: &state)
        if !member.isAlone { member.person.pack(into: &joined) }
        name(model)
        return stage(
            member.copy.site,
            member.copy.visitor,
            member.copy.reading(as: member.person, model),
            member.copy.likelihood(as: member.person, member.context, learned, model),
            masked: false,
            silent: resyncing.contains(partition),
            parts: member.isAlone
        )
    }

    /// What the visitor's key says after a record: for who is part of a person, the person's reading.
    func reading(_ partition: Partition, _ effect: FoldEffect, _ book: LearnedBook) -> Reading {
        let fold = folds.fold(partition)
        let index = effect.visitorIndex
        guard let member = members.take(fold, index), members.isComplete else {
            var reading = effect.history.reading
            reading.likelihood = fold.value.likelihood(of: index, book).probability
            return reading
        }
        let model = fold.value.model
        var reading = member.copy.reading(as: member.person, model)
        reading.likelihood =
            member.copy.likelihood(as: member.person, member.context, book, model).probability
        return reading
    }

    /// A visitor was erased.
    func forget(site: ByteView, visitor: ByteView) {
        members.forget(site: site, visitor: visitor)
    }

    private func launch() {
        isFlying = true
        flownAt = time.monotonicNanoseconds()
        oldestFlying = oldestQueued
        oldestQueued = .max
        counters.add(.redisFlushes)
        writer.flush()
        // There may have been nothing to send after all, and then no answer would end the flight.
        if writer.isIdle { isFlying = false }
    }

    // MARK: - What Redis says

    private func take(_ outcome: LiveModelWriter.Outcome) {
        switch outcome {
        case .connected(let positions):
            isFlying = false
            counters.set(.redisConnected, 1)
            for partition in folds.partitions { resync(partition, after: positions) }
            members.renew()
            if isOutdated { renewAll() }
        case .wentBack(let partitions):
            counters.add(.redisWentBack, partitions.count)
            for partition in partitions { resync(partition, above: writer.confirmed(partition)) }
            members.renew()
        case .applied:
            isFlying = false
            measure()
        case .disconnected:
            isFlying = false
            counters.add(.redisReconnects)
            counters.set(.redisConnected, 0)
            for item in queue { queued.remove(item.partition, Int(item.index)) }
            queue.removeAll()
            cold.removeAll()
            members.removeAll()
        }
        flush()
    }

    /// A position beyond our own is of another journal, as after the data folder was lost, and says
    /// nothing about what Redis has of this one.
    private func resync(_ partition: Partition, after positions: [UInt64]) {
        let held = positions[Int(partition.index)]
        resync(partition, above: held > folds.fold(partition).value.offset ? 0 : held)
    }

    /// Queues every visitor whose last record is beyond what Redis has of the partition.
    private func resync(_ partition: Partition, above offset: UInt64) {
        guard folds.owns(partition) else { return }
        resyncing.insert(partition)
        touched.insert(partition)
        minutesStaged[Int(partition.index)] = offset
        let fold = folds.fold(partition)
        for index in 0..<fold.value.indexEnd
        where fold.value.isVisitor(index) && fold.value.lastOffset(of: index) > offset {
            enqueue(partition, index)
        }
        cold.add(partition, above: offset)
    }

    private func measure() {
        let now = time.monotonicNanoseconds()
        flushes.record(nanoseconds: now - flownAt)
        if oldestFlying != .max {
            freshness.record(
                nanoseconds: (time.epochMilliseconds() - oldestFlying) * 1_000_000
            )
        }
        oldestFlying = .max
    }

    /// Every tick of the worker: looks whether Redis lost something, and sweeps `hot`, when it is time.
    func tick() {
        flush()
        guard writer.isConnected else { return }
        // Not the wall's clock: one that was set back would keep everything waiting.
        let now = time.monotonicNanoseconds() / 1_000_000
        if now >= nextProbeAt {
            nextProbeAt = now + Self.probeEveryMilliseconds
            writer.probePositions()
        }
        guard sweeps, now >= nextSweepAt else { return }
        nextSweepAt = now + Self.sweepEveryMilliseconds
        writer.sweepHot(now: time.epochMilliseconds()) { [model = folds.model] _, _, state, now in
            PackedState(state).map { $0.reading(at: now, model).score }
        }
    }
}
