import Records
import TestSupport
import Testing

@testable import heliograph

/// When checkpoints are written, and which partitions and visitors wait for a store.
@Suite struct SchedulesAndSetsTests {
    fileprivate static let all = (0..<Partition.count).map { Partition(UInt8($0)) }

    /// A schedule in a place of its own, because `#expect` cannot change what it looks at.
    private final class Schedule {
        var value: CheckpointSchedule

        init(_ partitions: [Partition] = SchedulesAndSetsTests.all) {
            value = CheckpointSchedule(
                partitions: partitions,
                everyMilliseconds: 2_560,
                nowMilliseconds: 0
            )
        }

        func touchAll() { SchedulesAndSetsTests.all.forEach { value.touch($0) } }

        /// The partitions written from `from` to `to`, looking every millisecond.
        func run(from: Int64, to: Int64, backlog: Int = 0) -> [Partition] {
            (from...to).compactMap { value.next(nowMilliseconds: $0, backlog: backlog) }
        }
    }

    @Test func nothingIsWrittenThatHasNotChanged() {
        let schedule = Schedule()
        #expect(schedule.run(from: 0, to: 10_000).isEmpty)
    }

    @Test func eachChangedPartitionIsWrittenOnceInAnInterval() {
        let schedule = Schedule()
        schedule.touchAll()
        let written = schedule.run(from: 0, to: 2_600)
        #expect(written.count == Partition.count)
        #expect(Set(written).count == Partition.count)
        #expect(schedule.value.dirtyPartitions.isEmpty)
    }

    @Test func noneIsWrittenTwiceInAnInterval() {
        let schedule = Schedule()
        var writtenAt: [Partition: Int64] = [:]
        for now in Int64(0)...10_000 {
            schedule.touchAll()
            guard let partition = schedule.value.next(nowMilliseconds: now, backlog: 0) else {
                continue
            }
            if let before = writtenAt[partition] { #expect(now - before >= 2_560) }
            writtenAt[partition] = now
        }
        #expect(writtenAt.count == Partition.count)
    }

    @Test func manyShortLivesGetEverythingWritten() {
        var written = Set<Partition>()
        for life in Int64(0)..<256 {
            let start = life * 1_237
            var schedule = CheckpointSchedule(
                partitions: Self.all,
                everyMilliseconds: 2_560,
                nowMilliseconds: start
            )
            Self.all.forEach { schedule.touch($0) }
            for now in start...(start + 100) {
                if let partition = schedule.next(nowMilliseconds: now, backlog: 0) {
                    written.insert(partition)
                }
            }
        }
        #expect(written.count == Partition.count)
    }

    @Test func theyAreSpreadOverTheInterval() {
        let schedule = Schedule()
        schedule.touchAll()
        _ = schedule.run(from: 0, to: 3_000)
        schedule.touchAll()
        // 256 partitions in 2560 ms: in any 100 ms about ten, never a burst.
        for start in stride(from: Int64(6_000), to: 8_000, by: 100) {
            #expect(schedule.run(from: start, to: start + 99).count <= 12)
        }
    }

    @Test func aPauseEndsWithoutABurst() {
        let schedule = Schedule()
        schedule.touchAll()
        _ = schedule.value.next(nowMilliseconds: 3_000, backlog: 0)
        #expect(schedule.run(from: 600_000, to: 600_050).count <= 8)
    }

    @Test func noneIsMadeWhileManyWait() {
        let schedule = Schedule()
        schedule.touchAll()
        let full = CheckpointSchedule.backlogMaximum
        #expect(schedule.run(from: 0, to: 10_000, backlog: full).isEmpty)
        #expect(!schedule.run(from: 10_001, to: 10_100, backlog: full - 1).isEmpty)
    }

    @Test func othersPartitionsAreLeftAlone() {
        let own = [Partition(3), Partition(200)]
        let schedule = Schedule(own)
        schedule.touchAll()
        #expect(Set(schedule.run(from: 0, to: 20_000)) == Set(own))
    }

    @Test func aWorkerWithoutPartitionsWritesNothing() {
        let schedule = Schedule([])
        #expect(schedule.run(from: 0, to: 5_000).isEmpty)
    }

    @Test func aPartitionSetIsASet() {
        var dice = Dice(seed: 11)
        for _ in 0..<200 {
            var set = PartitionSet()
            var oracle = Set<UInt8>()
            for _ in 0..<dice.roll(0...40) {
                let index = UInt8(dice.roll(0...255))
                set.insert(Partition(index))
                oracle.insert(index)
            }
            #expect(set.isEmpty == oracle.isEmpty)
            for index in UInt8.min...UInt8.max {
                #expect(set.contains(Partition(index)) == oracle.contains(index))
            }
            var drained: [UInt8] = []
            set.drain { drained.append($0.index) }
            #expect(drained == oracle.sorted())
            #expect(set.isEmpty)
        }
    }

    @Test func aChangedSetTellsNewFromKnown() {
        final class Changed { var set = ChangedSet() }
        let changed = Changed()
        func isNew(_ partition: Partition, _ index: Int) -> Bool {
            changed.set.insert(partition, index)
        }
        let (one, two) = (Partition(0), Partition(255))
        for index in [0, 63, 64, 1_000] {
            #expect(isNew(one, index))
            #expect(!isNew(one, index))
            #expect(isNew(two, index))
        }
        changed.set.remove(one, 64)
        #expect(isNew(one, 64))
        #expect(!isNew(two, 64))
        #expect(!isNew(one, 63))
    }
}
