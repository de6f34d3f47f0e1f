// Goal: the same journal gives byte-identical state live, after recovery and from scratch (I2).
// Method: random records of every kind, cut at random points; at each cut the fold is written,
// read back and goes on. At the end its bytes must equal those of a fold that was never cut.

import Bytes
import Records
import Scoring
import TestSupport
import Testing

struct CheckpointContinuesTests {
    static let cases = 10_000

    @Test func recoveredFoldEndsByteIdentical() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var bytes = 0
        for number in 0..<Self.cases {
            var source = RandomRecords(seed: dice.next())
            let records = source.records(source.dice.roll(1...12), orderFree: false)
            let straight = Scenes.serialized(Scenes.fold(records))
            let resumed = try Scenes.serialized(interrupted(records, &dice))
            bytes += straight.count
            if straight != resumed {
                Issue.record("seed \(seed), case \(number): bytes differ")
                return
            }
        }
        #expect(bytes > Self.cases * 100)
        print("checkpoints: \(Self.cases) cases of seed \(seed), \(bytes) bytes compared")
    }

    private func interrupted(
        _ records: [PackedRecord],
        _ dice: inout Dice
    ) throws -> PartitionFold {
        var fold = PartitionFold(model: Scenes.model)
        for record in records {
            _ = Scenes.apply(record, to: &fold)
            if dice.chance(0.3) { fold = try Scenes.deserialized(Scenes.serialized(fold)) }
        }
        return fold
    }

    @Test func effectsAfterRecoveryAreThoseOfTheLiveRun() throws {
        var source = RandomRecords(seed: 7)
        let records = source.records(400, orderFree: false)
        var live = PartitionFold(model: Scenes.model)
        for record in records.prefix(200) { _ = Scenes.apply(record, to: &live) }
        var recovered = try Scenes.deserialized(Scenes.serialized(live))
        for record in records.dropFirst(200) {
            let (one, other) = (
                Scenes.apply(record, to: &live), Scenes.apply(record, to: &recovered)
            )
            #expect(one?.history.reading.score == other?.history.reading.score)
            #expect(one?.session.session == other?.session.session)
            #expect(one?.keepsHistory == other?.keepsHistory)
        }
    }

    @Test func damagedBytesAreRefused() throws {
        var source = RandomRecords(seed: 3)
        let bytes = Scenes.serialized(Scenes.fold(source.records(20, orderFree: false)))
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: CheckpointError.self) {
                _ = try Scenes.deserialized(Array(bytes[0..<length]))
            }
        }
        #expect(throws: CheckpointError.damaged) { _ = try Scenes.deserialized(bytes + [0]) }
        var other = bytes
        other[4] = 9
        #expect(throws: CheckpointError.unknownVersion(9)) { _ = try Scenes.deserialized(other) }
        other = bytes
        other[8] ^= 1
        #expect(throws: CheckpointError.otherFoldRules) { _ = try Scenes.deserialized(other) }
    }

    @Test func damagedPackedStateIsRefused() {
        var source = RandomRecords(seed: 4)
        let fold = Scenes.fold(source.records(20, orderFree: false))
        var buffer = ByteBuffer(capacity: 4096)
        fold.packState(0, into: &buffer)
        #expect(buffer.count <= 600)
        for length in 0..<buffer.count {
            #expect(PartitionFold.unpackState(buffer.view[0..<length]) == nil)
        }
        #expect(PartitionFold.unpackState(buffer.view) != nil)
    }
}
