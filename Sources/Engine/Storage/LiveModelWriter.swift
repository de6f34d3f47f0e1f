public import Bytes
public import CLibuv
public import Records
import Units

/// Writes the live read model: visitors' hashes, `hot`, the live channel and positions, in Redis.
///
/// Invariants: values are overwritten whole, so repeating is harmless. One pipeline is in flight; what
/// is staged meanwhile goes into the next. A partition's position is written one flight after the
/// values it stands for were confirmed, and only where the position that Redis holds may be replaced
/// (`SET … XX GET`), so Redis never claims what it does not hold. A partition without a position gets
/// 0 before its first values are sent: a position that is missing afterwards tells that they are gone,
/// too. After each connect, and whenever a partition went back, its positions are withheld until
/// `endResync`.
///
/// Never blocks. Owned by the worker whose libuv loop it was given: every call and callback happens on
/// that thread. Needs Redis 7.0 or later.
public final class LiveModelWriter {
    /// What became of the work.
    public enum Outcome: Equatable {
        /// Redis is there. Index is the partition, 0 where it has no position. Stage every visitor
        /// whose last offset is above, silently, then call `endResync` for each partition.
        case connected([UInt64])
        /// A pipeline was confirmed; see `confirmed(_:)` for positions.
        case applied
        /// Redis lost what it had of these partitions: see `confirmed(_:)` for where they stand now,
        /// stage what is above, then call `endResync`.
        case wentBack([Partition])
        /// Redis is gone; what was staged is dropped. Attempts to reconnect go on by themselves.
        case disconnected
    }

    /// Recomputes a score at the time of a sweep: site, visitor, packed state, now.
    public typealias Rescore = (ByteView, ByteView, ByteView, Int64) -> Double?

    /// How long a visitor's hash lives after the last write.
    public static var visitorLifeMilliseconds: Int64 { StorageLimits.visitorLifeMilliseconds }

    let link: any RedisPipe
    let prefix: ByteBuffer
    private let onOutcome: (Outcome) -> Void

    var staged = ByteBuffer(
        capacity: 256 * 1024,
        limit: StorageLimits.liveStagedBytesMaximum + 1024 * 1024
    )
    var stagedCommands = 0
    /// Empty but while it is handed to the link.
    private var outgoing = ByteBuffer(
        capacity: 1024,
        limit: StorageLimits.liveStagedBytesMaximum + 1024 * 1024
    )
    private var message = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var remembered = RememberedVisitors()
    var minuteLives = MinuteLives()

    /// Positions whose values are staged, in flight, and confirmed but not written yet.
    private var stagedOffsets = PartitionOffsets()
    private var flyingOffsets = PartitionOffsets()
    private var readyOffsets = PartitionOffsets()
    /// What Redis holds, as it said last.
    private var held = [UInt64](repeating: 0, count: Partition.count)
    private var isResyncing = [Bool](repeating: true, count: Partition.count)

    private var flight = Flight()
    private var isFlushWanted = false
    private var isProbeWanted = false
    private var isServing = false
    var sweep = HotSweep()

    /// Commands that Redis refused because a key holds something else; each harms itself alone.
    public private(set) var refusedCommands: UInt64 = 0
    /// Pipelines confirmed.
    public private(set) var confirmedFlights: UInt64 = 0

    /// A writer on `loop` that does nothing before `start`. Keys begin with `keyPrefix`.
    public init(
        route: RedisRoute,
        keyPrefix: String = "",
        loop: UnsafeMutablePointer<uv_loop_t>,
        onProblem: @escaping (String) -> Void = { _ in },
        onOutcome: @escaping (Outcome) -> Void
    ) {
        link = route.open(loop)
        var text = ByteBuffer(capacity: 64, limit: 256)
        text.append(text: keyPrefix)
        invariant(!text.overflowed, "a key prefix longer than settings allow")
        prefix = text
        self.onOutcome = onOutcome
        link.onProblem = onProblem
    }

    /// Connects, and keeps reconnecting until `close`.
    public func start() {
        link.onEvent = { [unowned self] event in
            switch event {
            case .ready: self.begin()
            case .lost: self.lose()
            }
        }
        link.onReply = { [unowned self] in self.take($0) }
        link.start()
    }

    /// Lets go of the loop. What is staged is dropped; no callback comes afterwards. The loop must run
    /// once more for its handles to be freed.
    public func close() {
        isServing = false
        link.close()
    }

    /// Whether `stage` can be used.
    public var isConnected: Bool { isServing }

    /// Whether anything is staged, in flight or waiting for its position to be written.
    public var isIdle: Bool {
        stagedCommands == 0 && !flight.isFlying && stagedOffsets.isEmpty && readyOffsets.isEmpty
    }

    /// The position of a partition that Redis has confirmed.
    public func confirmed(_ partition: Partition) -> UInt64 { held[Int(partition.index)] }

    // MARK: Staging

    /// Stages all that Redis is to hold of a visitor. `joined` are the packed sums of the person whose
    /// reading this is, empty when the visitor is read alone; `parts` takes away what may be there of a
    /// person. False when Redis is away or the stage is full: the
    /// caller keeps the visitor and stages it again after the next outcome.
    public func stage(
        site: ByteView,
        visitor: ByteView,
        reading: Reading,
        likelihood: Likelihood,
        model: ByteView,
        state: ByteView,
        joined: ByteView = .empty,
        masked: Bool,
        silent: Bool,
        parts: Bool = false
    ) -> Bool {
        guard isServing, staged.count < StorageLimits.liveStagedBytesMaximum else { return false }
        let siteIndex = sweep.sites.index(of: site)
        let floor = sweep.sites.floor(siteIndex)
        let duties = remembered.update(
            site: site,
            visitor: visitor,
            reading: reading,
            masked: masked
        )
        stageHash(site, visitor, reading, likelihood, model, state, joined)
        if parts { stageParting(site, visitor) }
        if duties.renewsLife { stageLife(site, visitor) }
        if duties.ranks {
            let isLow = reading.score < floor
            if !isLow || masked || duties.lastScore ?? floor >= floor {
                stageRank(site, visitor, reading, isRemoved: masked || isLow)
            }
        }
        if duties.publishes && !masked && !silent { stageMessage(site, visitor, reading) }
        invariant(!staged.overflowed, "one visitor outgrew the stage's reserve")
        return true
    }

    /// Stages that nothing of a visitor is to be held any more: consent was withdrawn.
    public func stageRemoval(site: ByteView, visitor: ByteView) -> Bool {
        guard isServing, staged.count < StorageLimits.liveStagedBytesMaximum else { return false }
        remembered.forget(site: site, visitor: visitor)
        staged.command(2)
        staged.argument("UNLINK")
        staged.key(prefix.view, site, ":v:{", visitor, "}")
        staged.command(3)
        staged.argument("ZREM")
        staged.key(prefix.view, site, ":hot", .empty, "")
        staged.argument(visitor)
        stagedCommands &+= 2
        return true
    }

    private func stageHash(
        _ site: ByteView,
        _ visitor: ByteView,
        _ reading: Reading,
        _ likelihood: Likelihood,
        _ model: ByteView,
        _ state: ByteView,
        _ joined: ByteView
    ) {
        staged.command(joined.isEmpty ? 28 : 30)
        staged.argument("HSET")
        staged.key(prefix.view, site, ":v:{", visitor, "}")
        staged.append("$5\r\nscore\r\n")
        staged.argument(fixed: reading.score, places: 1)
        staged.append("$4\r\nband\r\n")
        staged.argument(reading.band.text)
        staged.append("$7\r\nprofile\r\n")
        staged.argument(reading.profile.text)
        staged.append("$10\r\nconfidence\r\n")
        staged.argument(fixed: reading.confidence, places: 4)
        stageLikelihood(likelihood)
        staged.append("$5\r\nmodel\r\n")
        staged.argument(model)
        staged.append("$7\r\nupdated\r\n")
        staged.argument(decimal: reading.updatedAt)
        staged.append("$4\r\nseen\r\n")
        staged.argument(decimal: reading.seenAt)
        staged.append("$5\r\nstate\r\n")
        staged.argument(state)
        staged.append("$3\r\npos\r\n")
        staged.argument(decimal: Int64(clamping: reading.offset))
        if !joined.isEmpty {
            staged.append("$6\r\njoined\r\n")
            staged.argument(joined)
        }
        stagedCommands &+= 1
    }

    private func stageLikelihood(_ likelihood: Likelihood) {
        staged.append("$10\r\nlikelihood\r\n")
        staged.argument(fixed: likelihood.probability, places: 4)
        staged.append("$14\r\nlikelihood_low\r\n")
        staged.argument(fixed: likelihood.low, places: 4)
        staged.append("$15\r\nlikelihood_high\r\n")
        staged.argument(fixed: likelihood.high, places: 4)
        staged.append("$13\r\nlikelihood_by\r\n")
        staged.argument(likelihood.source.text)
    }

    private func stageRank(
        _ site: ByteView,
        _ visitor: ByteView,
        _ reading: Reading,
        isRemoved: Bool
    ) {
        staged.command(isRemoved ? 3 : 4)
        staged.argument(isRemoved ? "ZREM" : "ZADD")
        staged.key(prefix.view, site, ":hot", .empty, "")
        if !isRemoved { staged.argument(fixed: reading.score, places: 1) }
        staged.argument(visitor)
        stagedCommands &+= 1
    }

    private func stageMessage(_ site: ByteView, _ visitor: ByteView, _ reading: Reading) {
        message.reset()
        message.append("{\"visitor\":")
        JSONText.appendQuoted(visitor, into: &message)
        message.append(",\"score\":")
        message.append(fixed: reading.score, places: 1)
        message.append(",\"band\":\"")
        message.append(reading.band.text)
        message.append("\",\"profile\":\"")
        message.append(reading.profile.text)
        message.append("\",\"updated\":")
        message.append(decimal: reading.updatedAt)
        message.append("}")
        staged.command(3)
        staged.argument("PUBLISH")
        staged.key(prefix.view, site, ":live", .empty, "")
        staged.argument(message.view)
        stagedCommands &+= 1
    }

    /// Says that everything of the partition up to `offset` is staged. Ignored while the partition is
    /// being brought up to date.
    public func stagePosition(partition: Partition, offset: UInt64) {
        guard isServing, !isResyncing[Int(partition.index)],
            offset > held[Int(partition.index)]
        else { return }
        stagedOffsets.raise(partition, to: offset)
    }

    /// Says that everything of the partition above its confirmed position is staged again.
    public func endResync(partition: Partition) { isResyncing[Int(partition.index)] = false }

    // MARK: Flights

    /// Sends what is staged, or as soon as the pipeline in flight is answered.
    public func flush() {
        isFlushWanted = true
        launch()
    }

    /// Asks Redis for its positions, so that a loss is noticed also where nothing is written, and for
    /// the lowest scores of full `hot` sets. To be called by every worker every 10 to 60 s.
    public func probePositions() {
        isProbeWanted = true
        launch()
    }

    /// Brings the `hot` sets up to date: at most `hotMembersMaximum` members, none older than a day,
    /// scores as of `now`. To be called every 60 s by one worker; bounded work per pipeline.
    public func sweepHot(now: Int64, rescore: Rescore? = nil) {
        sweep.begin(now: now, rescore: rescore)
        launch()
    }

    private func launch() {
        guard isServing, !flight.isFlying else { return }
        let sendsData = isFlushWanted && (stagedCommands > 0 || !stagedOffsets.isEmpty)
        guard sendsData || !readyOffsets.isEmpty || isProbeWanted || sweep.isPending else {
            isFlushWanted = false
            return
        }
        isFlushWanted = false
        flight.begin(plain: stagedCommands)
        stagedCommands = 0
        swap(&stagedOffsets, &flyingOffsets)
        for partition in readyOffsets.partitions { appendPosition(partition) }
        if isProbeWanted { appendProbe() }
        flight.sweepAnswers = sweep.appendCommands(to: &staged, prefix: prefix.view)
        if flight.isEmpty { return finishFlight() }
        link.expectAnswer(true)
        sendStaged()
    }

    /// From a buffer of its own: a connection that breaks while it is written to empties `staged`.
    private func sendStaged() {
        swap(&staged, &outgoing)
        link.send(&outgoing)
    }

    private func appendPosition(_ partition: Partition) {
        let index = Int(partition.index)
        staged.command(5)
        staged.argument("SET")
        staged.positionKey(prefix.view, index)
        staged.argument(decimal: Int64(clamping: readyOffsets[partition]))
        staged.argument("XX")
        staged.argument("GET")
        flight.positions.append(partition)
    }

    private func appendProbe() {
        isProbeWanted = false
        flight.probes = 1
        appendReadPositions()
        flight.floors = sweep.sites.count
        sweep.sites.appendFloorQuestions(to: &staged, prefix: prefix.view)
    }

    private func appendReadPositions() {
        staged.command(Partition.count + 1)
        staged.argument("MGET")
        for index in 0..<Partition.count { staged.positionKey(prefix.view, index) }
    }

    /// After each connect: what does Redis hold?
    private func begin() {
        staged.reset()
        flight.begin(plain: 0)
        flight.greets = 1
        appendReadPositions()
        link.expectAnswer(true)
        sendStaged()
    }

    private func lose() {
        let wasServing = isServing
        isServing = false
        staged.reset()
        stagedCommands = 0
        stagedOffsets.removeAll()
        flyingOffsets.removeAll()
        readyOffsets.removeAll()
        flight.end()
        sweep.cancel()
        remembered.forget()
        minuteLives.forget()
        sweep.sites.forgetFloors()
        for index in isResyncing.indices { isResyncing[index] = true }
        if wasServing { onOutcome(.disconnected) }
    }

    // MARK: Answers

    private func take(_ reply: UnsafeMutablePointer<RedisReply>) {
        guard flight.isFlying else { return link.abort("an answer without a question") }
        if reply.pointee.kind == .error, !isHarmless(reply) { return }
        switch flight.next() {
        case .plain: break
        case .position(let partition): takePosition(partition, reply)
        case .probe: takeProbe(reply)
        case .floor(let site): sweep.sites.takeFloor(site, reply)
        case .greeting: return takeGreeting(reply)
        case .sweep: takeSweep(reply)
        }
        if flight.isAnswered { finishFlight() }
    }

    /// A key of the wrong type harms itself alone. Anything else (read-only, out of memory, loading)
    /// means that nothing after it can be believed: the connection is dropped, and no position moves.
    private func isHarmless(_ reply: UnsafeMutablePointer<RedisReply>) -> Bool {
        let isWrongType = reply.pointee.withText { $0?.starts(with: "WRONGTYPE") ?? false }
        guard isWrongType, flight.isPlainNext else {
            link.abort("refused: " + reply.pointee.withText { $0?.text ?? "" })
            return false
        }
        refusedCommands &+= 1
        return true
    }

    private func takePosition(
        _ partition: Partition,
        _ reply: UnsafeMutablePointer<RedisReply>
    ) {
        let index = Int(partition.index)
        guard let text = reply.pointee.withText({ $0?.decimal }) else {
            stageFirstPosition(index)
            return noteLoss(partition, 0)
        }
        let found = UInt64(clamping: text)
        guard found != held[index] else {
            held[index] = readyOffsets[partition]
            return
        }
        stageRestoredPosition(index, found)
        noteLoss(partition, found)
    }

    /// Looks at the partitions that this writer has brought up to date; the others belong to other
    /// workers, who move them.
    private func takeProbe(_ reply: UnsafeMutablePointer<RedisReply>) {
        reply.pointee.forEachElement { index, text in
            if isResyncing[index] { return }
            let found = UInt64(clamping: text?.decimal ?? 0)
            if text == nil { stageFirstPosition(index) }
            if text == nil || found != held[index] {
                noteLoss(Partition(UInt8(index)), found)
            }
        }
    }

    /// Before any value of the partition is staged: so nobody can take a partition that Redis forgot
    /// in between for one that it never knew.
    private func stageFirstPosition(_ index: Int) {
        staged.command(4)
        staged.argument("SET")
        staged.positionKey(prefix.view, index)
        staged.argument(decimal: 0)
        staged.argument("NX")
        stagedCommands &+= 1
        isFlushWanted = true
    }

    /// An older position was overwritten by `SET … XX` before it could be compared: put it back, so
    /// that a crash before the partition is restored cannot leave the claim behind.
    private func stageRestoredPosition(_ index: Int, _ found: UInt64) {
        staged.command(3)
        staged.argument("SET")
        staged.positionKey(prefix.view, index)
        staged.argument(decimal: Int64(clamping: found))
        stagedCommands &+= 1
        isFlushWanted = true
    }

    private func takeSweep(_ reply: UnsafeMutablePointer<RedisReply>) {
        let before = stagedCommands
        sweep.take(reply, staged: &staged, &stagedCommands, prefix: prefix.view)
        if stagedCommands > before { isFlushWanted = true }
    }

    private func noteLoss(_ partition: Partition, _ found: UInt64) {
        let index = Int(partition.index)
        held[index] = found
        isResyncing[index] = true
        if !flight.lost.contains(partition) { flight.lost.append(partition) }
    }

    private func takeGreeting(_ reply: UnsafeMutablePointer<RedisReply>) {
        reply.pointee.forEachElement { index, text in
            held[index] = UInt64(clamping: text?.decimal ?? 0)
            if text == nil { stageFirstPosition(index) }
        }
        flight.end()
        link.expectAnswer(false)
        isServing = true
        onOutcome(.connected(held))
        launch()
    }

    private func finishFlight() {
        link.expectAnswer(false)
        let lost = flight.lost
        readyOffsets.removeAll()
        swap(&readyOffsets, &flyingOffsets)
        flight.end()
        confirmedFlights &+= 1
        for partition in lost {
            readyOffsets.drop(partition)
            stagedOffsets.drop(partition)
        }
        if !lost.isEmpty {
            remembered.forget()
            minuteLives.forget()
            sweep.sites.forgetFloors()
            onOutcome(.wentBack(lost))
        }
        onOutcome(.applied)
        launch()
    }
}
