import Bytes
import Journal
import Loop
import Records
import Scoring
import TestSupport
import Units

@testable import Storage
@testable import heliograph

/// What the journal holds in the end, folded once from front to back without the engine's stages:
/// what every store must agree with. Repeats are decided by a set of its own.
final class StraightFold {
    private var folds: [PartitionBox]
    private(set) var rows = ArchiveBatch()
    /// Distinct events, and by which record each came first.
    private(set) var events: [SentEvent: UInt64] = [:]
    private(set) var payloads: [[UInt8]] = []
    private(set) var offsets = [UInt64](repeating: 0, count: Partition.count)
    private(set) var rejected = 0
    private(set) var problem: String?

    /// A fold in a place of its own, because it cannot be copied.
    private final class PartitionBox {
        var fold = PartitionFold(model: SimulatedWorld.model)
        /// What Redis may hold of a visitor: a record without consent to profile is not written, but
        /// the time it came is when the visitor is written again for another reason.
        var allowed: [Int32: Set<[UInt8]?>] = [:]

        func state(_ index: Int32) -> [UInt8]? {
            guard fold.isScored(index) else { return nil }
            var packed = ByteBuffer(capacity: 1024, limit: 4096)
            fold.packState(index, into: &packed)
            return Array(packed.view.buffer)
        }

        func note(_ effect: FoldEffect) {
            if effect.score != .none { allowed[effect.visitorIndex] = [] }
            allowed[effect.visitorIndex, default: [nil]].insert(state(effect.visitorIndex))
        }
    }

    init() {
        folds = (0..<Partition.count).map { _ in PartitionBox() }
        // How many a worker still keeps depends on what was learned for good; here none is lost.
        for box in folds { box.fold.wantExamples(from: 0) }
    }

    func take(_ record: JournalRecord) {
        let header = record.header
        offsets[Int(header.partition.index)] = header.offset
        let box = folds[Int(header.partition.index)]
        guard header.kind == .slice else {
            box.fold.pass(header)
            rejected += 1
            if let rejection = Rejection(record.payload) { rows.add(header, rejection) }
            return
        }
        guard let slice = Slice(record.payload) else { return problem = "not a slice" }
        payloads.append(Array(record.payload.buffer))
        checkRepeats(header, slice)
        guard let effect = box.fold.apply(header, slice) else { return }
        box.note(effect)
        guard effect.eventsFolded > 0 else {
            if effect.score == .dropped { rows.addWithdrawal(header, slice) }
            return
        }
        let history = HistoryGain(effect, box.fold.model.tag)
        rows.add(header, slice, effect.session, history, nil)
    }

    private func checkRepeats(_ header: RecordHeader, _ slice: Slice) {
        var expected: UInt64 = 0
        slice.forEachEvent { index, event in
            let name = SentEvent(event, of: slice)
            guard events[name] == nil else { return expected |= 1 << UInt64(index) }
            events[name] = header.sequence
        }
        if expected != header.duplicates {
            problem = "record \(header.sequence): repeats \(header.duplicates), not \(expected)"
        }
    }

    /// Calls `body` with each visitor: key in Redis, name, state (nil when nothing may be held), the
    /// states that Redis may hold, reading, and whether it is ranked.
    func forEachVisitor(
        _ body: (String, String, [UInt8]?, Set<[UInt8]?>, Reading, Bool) -> Void
    ) {
        for box in folds {
            for index in 0..<Int32(box.fold.visitorCount) {
                let (site, visitor) = box.fold.visitor(at: index)
                let name = visitor.withBytes { $0.text }
                let state = box.state(index)
                body(
                    "hg:\(site.withBytes { $0.text }):v:{\(name)}",
                    name,
                    state,
                    box.allowed[index] ?? [],
                    box.fold.reading(of: index),
                    state != nil && !box.fold.isAutomated(index)
                )
            }
        }
    }

    /// Calls `body` with each live minute: key in Redis, field, and value.
    func forEachMinute(_ body: (String, String, [UInt8]) -> Void) {
        var json = ByteBuffer(capacity: 2048, limit: 1 << 16)
        for (partition, box) in folds.enumerated() {
            _ = box.fold.forEachMinute(after: 0, json: &json) { site, minute, value in
                let key = "hg:\(site.withBytes { $0.text }):agg:\(minute)"
                body(key, "\(partition)", Array(value.buffer))
                return true
            }
        }
    }

    /// The bytes of a partition's checkpoint that keeps no lesson but those of `lessons`' first record
    /// and of all after it: a worker forgets what was learned for good, from the front only.
    func checkpoint(_ partition: Int, keeping lessons: [LearnLesson]) -> [UInt8] {
        var bytes = ByteBuffer(capacity: 4096, limit: 1 << 24)
        folds[partition].fold.wantExamples(from: lessons.first?.example.sequence ?? .max)
        folds[partition].fold.serialize(into: &bytes)
        return Array(bytes.view.buffer)
    }

    /// Rows as COPY would bring them.
    var eventRows: [[UInt8]] { rows.days.flatMap { Self.split($0.rows.view) } }
    var rejectedRows: [[UInt8]] { rows.rejectedDays.flatMap { Self.split($0.rows.view) } }
    var withdrawalRows: [[UInt8]] { Self.split(rows.withdrawalRows.view) }
    var choiceRows: [[UInt8]] { Self.split(rows.choiceRows.view) }
    var historyRows: [[UInt8]] { Self.split(rows.historyRows.view) }

    private static func split(_ rows: ByteView) -> [[UInt8]] {
        let bounds = CopyRows.boundaries(rows)
        return zip(bounds, bounds.dropFirst()).map { Array(rows[$0..<$1].buffer) }
    }
}

/// Compares what the stores hold with the straight fold. Each check returns what is wrong, or nil.
struct PipelineJudge {
    let truth: StraightFold
    let world: SimulatedWorld

    func verdict(
        _ senders: SimulatedSenders,
        ranksAreExact: Bool,
        timeIsExact: Bool
    ) -> String? {
        truth.problem ?? world.redis.problem ?? world.postgres.problem
            ?? conservation(senders) ?? order() ?? rows() ?? sessions()
            ?? visitors(ranksAreExact) ?? (timeIsExact ? minutes() : nil) ?? checkpoints()
    }

    /// Every field of every live minute, and no other.
    private func minutes() -> String? {
        var problem: String?
        var known = 0
        truth.forEachMinute { key, field, value in
            known += 1
            if world.redis.content.hashes[key]?[field] != value {
                problem = "\(key): Redis has another minute of partition \(field)"
            }
        }
        let held = world.redis.content.hashes.filter { $0.key.contains(":agg:") }
        let count = held.reduce(0) { $0 + $1.value.count }
        return problem ?? (count == known ? nil : "\(count) fields of minutes, not \(known)")
    }

    /// Everything acknowledged is in the journal, and nothing that nobody sent.
    private func conservation(_ senders: SimulatedSenders) -> String? {
        let held = Set(truth.payloads)
        if let lost = senders.acknowledged.firstIndex(where: { !held.contains($0) }) {
            return "acknowledged batch \(lost) is not in the journal"
        }
        if truth.payloads.contains(where: { !senders.sent.contains($0) }) {
            return "the journal holds a batch that nobody sent"
        }
        return nil
    }

    /// A window sends one batch after the other, so its numbers come in order.
    private func order() -> String? {
        var last: [String: UInt32] = [:]
        let inOrder = truth.events.sorted {
            ($0.value, $0.key.number) < ($1.value, $1.key.number)
        }
        for (event, _) in inOrder where event.messageID.isEmpty {
            if event.number <= last[event.window, default: 0] {
                return "\(event.window): \(event.number) came after \(last[event.window] ?? 0)"
            }
            last[event.window] = event.number
        }
        return nil
    }

    private func rows() -> String? {
        let held = world.postgres.content
        let events = truth.eventRows
        if events.count != truth.events.count { return "the straight fold miscounts" }
        return difference("event", held.events, events)
            ?? difference("history", held.history, truth.historyRows)
            ?? difference("withdrawal", held.withdrawals, truth.withdrawalRows)
            ?? difference("consent", held.choices, truth.choiceRows)
            ?? difference("rejected", held.rejected, truth.rejectedRows)
    }

    private func difference(_ what: String, _ held: [[UInt8]], _ expected: [[UInt8]]) -> String? {
        Self.counted(held) == Self.counted(expected)
            ? nil : "\(held.count) \(what) rows, not these \(expected.count)"
    }

    private static func counted(_ rows: [[UInt8]]) -> [[UInt8]: Int] {
        rows.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    private func sessions() -> String? {
        let held = world.postgres.content.sessions
        guard held.count == truth.rows.sessions.count else {
            return "\(held.count) sessions, not \(truth.rows.sessions.count)"
        }
        for session in truth.rows.sessions {
            let name = SimulatedPostgres.SessionName(
                site: session.site.withBytes { $0.text },
                session: session.session.withBytes { $0.text }
            )
            // The times went through PostgreSQL's epoch.
            guard let row = held[name], row.events == session.events,
                row.pageViews == session.pageViews,
                row.activeMilliseconds == session.activeMilliseconds,
                row.scoreMaximum == session.scoreMaximum, row.bot == session.bot
            else { return "session \(name.session) is not what it should be" }
        }
        return nil
    }

    private func visitors(_ ranksAreExact: Bool) -> String? {
        var problem: String?
        var (known, ranked): (Set<String>, Set<String>) = ([], [])
        truth.forEachVisitor { key, visitor, state, allowed, reading, isRanked in
            if state != nil { known.insert(key) }
            if isRanked { ranked.insert(visitor) }
            let held = world.redis.content.hashes[key]
            if !allowed.contains(held?["state"]) { problem = "\(key): Redis has another state" }
            // A record without consent to profile moves the visitor on and changes nothing in Redis.
            let position = held?["pos"].flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
            if position ?? 0 > reading.offset { problem = "\(key): Redis is ahead" }
        }
        let keys = world.redis.content.hashes.keys.filter { $0.contains(":v:{") }
        if !known.isSuperset(of: keys) { problem = "Redis holds a visitor whom nobody knows" }
        let hot = Set((world.redis.content.ranks["hg:demo:hot"] ?? [:]).keys)
        if ranksAreExact, hot != ranked { problem = "hot holds \(hot.count), not \(ranked.count)" }
        return problem
    }

    /// The last checkpoints of live workers hold, byte for byte, what the straight fold holds.
    private func checkpoints() -> String? {
        var buffer = ByteBuffer(capacity: 4096, limit: 1 << 24)
        for partition in truth.offsets.indices where truth.offsets[partition] > 0 {
            let found = try? world.checkpoints.load(
                Partition(UInt8(partition)),
                atOrBefore: .max,
                into: &buffer
            )
            guard found == truth.offsets[partition],
                let lessons = Self.lessons(buffer.view),
                Array(buffer.view.buffer) == truth.checkpoint(partition, keeping: lessons)
            else { return "the checkpoint of partition \(partition) is another" }
        }
        return nil
    }

    private static func lessons(_ checkpoint: ByteView) -> [LearnLesson]? {
        guard
            var fold = try? PartitionFold(
                deserializing: checkpoint,
                model: SimulatedWorld.model
            )
        else { return nil }
        return fold.takeLessons()
    }
}
