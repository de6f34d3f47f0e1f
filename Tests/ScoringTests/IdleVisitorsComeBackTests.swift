// Goal: who has left memory comes back exactly as it was, whoever left when (I2, I6).
// Method: random records of many visitors go to a fold that nobody leaves and to one from which random
// visitors leave at random moments, some only after they have changed again, and which is written,
// read back and goes on. Every effect and at the end every state must agree, byte for byte.

import Bytes
import Records
import TestSupport
import Testing
import Units

@testable import Scoring

/// States outside memory: batches, the newest first.
private final class Shelf {
    var batches: [[Key: [UInt8]]] = []
    var isAway = false
    var asked = 0

    struct Key: Hashable {
        let low: UInt64
        let high: UInt64

        init(_ hash: Hash128) { (low, high) = (hash.low, hash.high) }
    }

    func recall(_ hash: Hash128, _ buffer: inout ByteBuffer) -> ColdAnswer {
        asked += 1
        if isAway { return .unreadable }
        for batch in batches {
            guard let bytes = batch[Key(hash)] else { continue }
            buffer.reset()
            for byte in bytes { buffer.append(byte) }
            return .found
        }
        return .absent
    }
}

/// A fold from which visitors leave.
private final class Leaving {
    var fold: PartitionFold
    let shelf = Shelf()
    /// Handed out, but still in memory.
    var pending: (leavers: [PartitionFold.Leaver], batch: [Shelf.Key: [UInt8]])?
    var left = 0

    init() {
        fold = PartitionFold(model: Scenes.model)
        attach()
    }

    private func attach() { fold.attach { [shelf] in shelf.recall($0, &$1) } }

    func handOut(_ count: Int, held: Int32?) {
        var batch: [Shelf.Key: [UInt8]] = [:]
        let leavers = fold.leavers(count, isHeld: { $0 == held }) { key, _, _, bytes in
            batch[Shelf.Key(key)] = Array(bytes.buffer)
        }
        pending = (leavers, batch)
    }

    func release(held: Int32?) {
        guard let (leavers, batch) = pending else { return }
        shelf.batches.insert(batch, at: 0)
        left += fold.release(leavers) { $0 == held }
        pending = nil
    }

    func restart() throws {
        fold = try Scenes.deserialized(Scenes.serialized(fold), key: fold.key)
        attach()
        pending = nil
    }

    func state(_ visitor: String) -> [UInt8]? {
        if let bytes = bytes(fold, visitor) { return bytes }
        var buffer = ByteBuffer(capacity: 4096)
        guard shelf.recall(withView(visitor) { fold.table.hash($0, 0) }, &buffer) == .found
        else { return nil }
        return Array(buffer.view.buffer.dropFirst())
    }

    func cold(_ visitor: String) -> ColdState? {
        var buffer = ByteBuffer(capacity: 4096)
        let answer = shelf.recall(withView(visitor) { fold.table.hash($0, 0) }, &buffer)
        return answer == .found ? ColdState(buffer.view) : nil
    }
}

/// The state of a visitor that is in memory.
private func bytes(_ fold: borrowing PartitionFold, _ visitor: String) -> [UInt8]? {
    guard let index = Scenes.index(fold, visitor) else { return nil }
    var state = fold.table[Int(index)]
    var buffer = ByteBuffer(capacity: 4096)
    state.encode(&buffer)
    return Array(buffer.view.buffer)
}

private func text(_ effect: FoldEffect?) -> String {
    guard let effect else { return "none" }
    return """
        \(effect.eventsFolded) \(effect.score) \(effect.keepsHistory) \(effect.history) \
        \(effect.session.session.text) \(effect.session.visitor.text) \
        \(effect.session.startedAt) \(effect.session.scoreMaximum)
        """
}

struct IdleVisitorsComeBackTests {
    static let cases = 1_500

    @Test func nobodyCanTellWhoHasLeftMemory() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var (left, asked) = (0, 0)
        for number in 0..<Self.cases {
            let leaving = Leaving()
            if let problem = try difference(leaving, &dice) {
                Issue.record("seed \(seed), case \(number): \(problem)")
                return
            }
            left += leaving.left
            asked += leaving.shelf.asked
        }
        #expect(left > Self.cases * 5)
        print("idle visitors: \(Self.cases) cases of seed \(seed), \(left) left memory")
    }

    private func difference(_ leaving: Leaving, _ dice: inout Dice) throws -> String? {
        var straight = PartitionFold(model: Scenes.model)
        var source = RandomRecords(seed: dice.next())
        source.visitors = dice.roll(1...12)
        for record in source.records(dice.roll(20...60), orderFree: false) {
            let effect = Scenes.apply(record, to: &leaving.fold)
            let expected = Scenes.apply(record, to: &straight)
            if text(effect) != text(expected) { return "\(text(effect)) for \(text(expected))" }
            let held = dice.chance(0.5) ? effect?.visitorIndex : nil
            if dice.chance(0.2) { leaving.release(held: held) }
            if dice.chance(0.2) { leaving.handOut(dice.roll(1...8), held: held) }
            if dice.chance(0.05) { try leaving.restart() }
        }
        for visitor in (1...source.visitors).map({ "visitor-\($0)" })
        where leaving.state(visitor) != bytes(straight, visitor) {
            return "the state of \(visitor)"
        }
        return nil
    }

    @Test func aStateThatCannotBeReadNowChangesNothing() {
        let leaving = Leaving()
        let first = TestEvent(.navigation, at: Scenes.noon, #"{"ty":"u"}"#)
        _ = Scenes.apply(Scenes.record([first]), to: &leaving.fold)
        leaving.handOut(1, held: nil)
        leaving.release(held: nil)
        let before = Scenes.serialized(leaving.fold)
        leaving.shelf.isAway = true
        let second = TestEvent(.navigation, at: Scenes.noon + 1000, #"{"ty":"u"}"#)
        for consent in [Consent.all, []] {
            let record = Scenes.record(
                [consent.isEmpty ? TestEvent(.consent, at: Scenes.noon, #"{"bits":0}"#) : second],
                consent: consent,
                offset: 2
            )
            #expect(Scenes.apply(record, to: &leaving.fold) == nil)
            #expect(Scenes.serialized(leaving.fold) == before)
            #expect(leaving.fold.offset == 1)
        }
        leaving.shelf.isAway = false
        let record = Scenes.record([second], offset: 2)
        #expect(Scenes.apply(record, to: &leaving.fold)?.score == .updated)
        #expect(leaving.fold.offset == 2)
    }

    @Test func consentCanBeWithdrawnByWhoHasLeftMemory() throws {
        let leaving = Leaving()
        let event = TestEvent(.navigation, at: Scenes.noon, #"{"ty":"u"}"#)
        _ = Scenes.apply(Scenes.record([event]), to: &leaving.fold)
        leaving.handOut(1, held: nil)
        leaving.release(held: nil)
        #expect(leaving.fold.visitorCount == 0)
        let withdrawal = TestEvent(.consent, at: Scenes.noon + 1, #"{"bits":0}"#)
        let record = Scenes.record([withdrawal], consent: [], offset: 2)
        #expect(Scenes.apply(record, to: &leaving.fold)?.score == .dropped)
        leaving.handOut(1, held: nil)
        leaving.release(held: nil)
        let cold = try #require(leaving.cold("visitor-1"))
        #expect(!cold.isScored)
    }

    @Test func whoStaysAwayForThirteenMonthsBeginsAnewWhereverItWas() {
        let later = Scenes.noon + VisitorState.lifeMilliseconds + 1
        let fresh = Scenes.fold([visit(later, offset: 2)])
        for leaves in [false, true] {
            let leaving = Leaving()
            _ = Scenes.apply(visit(Scenes.noon, offset: 1), to: &leaving.fold)
            if leaves {
                leaving.handOut(1, held: nil)
                leaving.release(held: nil)
            }
            _ = Scenes.apply(visit(later, offset: 2), to: &leaving.fold)
            #expect(leaving.state("visitor-1") == bytes(fresh, "visitor-1"))
        }
        let leaving = Leaving()
        _ = Scenes.apply(visit(Scenes.noon, offset: 1), to: &leaving.fold)
        _ = Scenes.apply(visit(later - 1, offset: 2), to: &leaving.fold)
        #expect(leaving.state("visitor-1") != bytes(fresh, "visitor-1"))
    }

    private func visit(_ time: Int64, offset: UInt64) -> PackedRecord {
        Scenes.record([TestEvent(.navigation, at: time, #"{"ty":"u"}"#)], offset: offset)
    }

    @Test func aReplayedRecordSetsNoTimeBack() {
        let old = Scenes.record(
            [TestEvent(.navigation, at: Scenes.noon, #"{"ty":"u"}"#)],
            receivedAt: Scenes.noon,
            offset: 2
        )
        var fold = Scenes.fold([visit(Scenes.noon + 86_400_000, offset: 1)])
        let effect = Scenes.apply(old, to: &fold)
        #expect(effect?.history.reading.updatedAt == Scenes.noon + 86_400_000)
        #expect(fold.reading(of: 0).updatedAt == Scenes.noon + 86_400_000)
        #expect(fold.lastOffset(of: 0) == 2)
    }

    @Test func placesAreTakenAgainAndNobodyIsMistaken() {
        let leaving = Leaving()
        for round in 0..<20 {
            for number in 0..<100 {
                let event = TestEvent(.navigation, at: Scenes.noon + Int64(round), #"{"ty":"b"}"#)
                let record = Scenes.record(
                    [event],
                    visitor: "visitor-\(round)-\(number)",
                    offset: UInt64(round * 100 + number + 1)
                )
                _ = Scenes.apply(record, to: &leaving.fold)
            }
            leaving.handOut(90, held: nil)
            leaving.release(held: nil)
        }
        #expect(leaving.fold.visitorCount == 200)
        #expect(leaving.fold.indexEnd < 400)
        #expect(leaving.fold.memoryBytes < 400 * 1024)
        for round in 0..<20 {
            for number in 0..<100 { #expect(leaving.state("visitor-\(round)-\(number)") != nil) }
        }
    }
}
