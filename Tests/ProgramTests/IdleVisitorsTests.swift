// Goal: whatever leaves memory and whatever fails, each visitor's state is what it would be if nobody
// ever left (I2, I6), and nothing that a kept checkpoint stands on is ever removed.
// Method: folds with room for ten visitors, checkpoints and merges on a disk whose every call fails
// once, alone and with all after it; then power fails, and recovery must find the checkpoint that was
// known to be durable and arrive at the states of a fold that nobody left.

import Bytes
import Foundation
import Journal
import Loop
import Records
import Settings
import Telemetry
import TestSupport
import Testing
import Units

@testable import Scoring
@testable import heliograph

/// Records of one partition.
private struct Course {
    static let visitors = 60
    static let partition = Partition(5)
    static let model: ScoringModel = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        do {
            return ScoringModel(try ScoringFile.load(path: root.path + "/config/scoring.yaml"))
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    let records: [PackedRecord]

    init(seed: UInt64, count: Int) {
        var dice = Dice(seed: seed)
        records = (1...count).map { number in
            var record = TestRecord()
            record.visitor = Self.name(dice.roll(0...Self.visitors - 1))
            record.session = dice.chance(0.3) ? "" : "session-\(dice.roll(1...4))"
            record.receivedAt += Int64(number) * 60_000
            record.offset = UInt64(number)
            record.events = (0...dice.roll(0...2)).map { _ in
                Self.event(at: record.receivedAt, &dice)
            }
            var packed = record.packed()
            packed.header.partition = Self.partition
            return packed
        }
    }

    private static func event(at time: Int64, _ dice: inout Dice) -> TestEvent {
        switch dice.roll(0...5) {
        case 0: return TestEvent(.navigation, at: time, #"{"ty":"u"}"#)
        case 1: return TestEvent(.custom, at: time, name: "add_to_cart")
        case 2: return TestEvent(.consent, at: time, #"{"bits":\#(dice.chance(0.2) ? 1 : 63)}"#)
        case 3: return TestEvent(.pageView, at: time, #"{"u":"https://a.example/pricing"}"#)
        default:
            let active = dice.roll(1000...60_000)
            return TestEvent(
                .pageSummary,
                at: time,
                #"{"vz":[\#(active),\#(active),\#(active),0,0,0,1,\#(active)]}"#
            )
        }
    }

    static func name(_ number: Int) -> String { "visitor-\(number)" }
}

/// Everything that a process has of one partition.
private final class World {
    let folds = FoldSet(model: Course.model, worker: 5, of: 256)
    let thread: CheckpointThread
    let checkpoints: PartitionCheckpoints
    let board = PartitionBoard()
    let metrics = Metrics()
    let mover: ColdMover
    var held: Int32?

    init(_ disk: JournalDisk, visitorsMaximum: Int = 10) throws {
        checkpoints = PartitionCheckpoints(disk: disk, directory: "/c")
        thread = CheckpointThread(
            checkpoints,
            archived: board,
            learning: LearnBoard(
                LearnedFiles(disk: disk, directory: "/c"),
                ModelTimeline(Course.model),
                workers: 1
            ),
            metrics: metrics,
            onProblem: { _ in }
        )
        mover = ColdMover(
            folds: folds,
            checkpointThread: thread,
            visitorsMaximum: visitorsMaximum,
            time: .simulated(SimulatedClock(epochMilliseconds: TestRecord().receivedAt))
        )
        mover.isHeld = { [unowned self] _, index in index == held }
        try thread.learn()
    }

    var fold: Owned<PartitionFold> { folds.fold(Course.partition) }
    var shelf: ColdShelf { folds.shelf(Course.partition) }

    /// True when the record has been folded.
    func apply(_ record: PackedRecord) -> Bool {
        held = record.withSlice { folds.apply($0, $1) }?.visitorIndex
        return !folds.isStuck
    }

    func checkpoint() {
        var buffer = ByteBuffer(capacity: 1 << 12, limit: 1 << 24)
        folds.serialize(Course.partition, into: &buffer)
        thread.submit(
            Course.partition,
            offset: fold.value.offset,
            content: buffer.view,
            pastSerial: mover.pastSerial(Course.partition)
        )
    }

    func load(atOrBefore bound: UInt64 = .max) throws {
        let bounds = [UInt64](repeating: bound, count: Partition.count)
        try folds.load(checkpoints, atOrBefore: bounds)
    }

    /// The states of all visitors, in memory or not.
    func states() -> [[UInt8]] {
        (0..<Course.visitors).map { number in
            var buffer = ByteBuffer(capacity: 1024, limit: ColdState.recallBytesMaximum)
            withView(Course.name(number)) { visitor in
                if let index = fold.value.table.find(visitor, site: 0) {
                    var state = fold.value.table[index]
                    state.encode(&buffer)
                } else if shelf.recall(fold.value.table.hash(visitor, 0), &buffer) == .found {
                    buffer.dropFirst(1)
                } else {
                    buffer.reset()
                }
            }
            return Array(buffer.view.buffer)
        }
    }
}

private struct Tally {
    var runs = 0
    var recoveredFromCheckpoint = 0
    var returned = 0
    var removed: Int64 = 0
}

@Suite struct IdleVisitorsTests {
    private static let course = Course(seed: 11, count: 400)
    private static let expected: [[UInt8]] = {
        do {
            let world = try World(.simulated(SimulatedDisk(seed: 0)), visitorsMaximum: .max)
            for record in course.records { _ = world.apply(record) }
            return world.states()
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Folds on from where `world` stands, with visitors leaving and checkpoints in between. Ends at a
    /// record that waits for a disk that does not come back.
    private func work(_ world: World, seed: UInt64, upTo last: Int = course.records.count) {
        var dice = Dice(seed: seed)
        var attempts = 0
        while world.fold.value.offset < last {
            if !world.apply(Self.course.records[Int(world.fold.value.offset)]) {
                attempts += 1
                if attempts > Limits.coldReadAttemptsMaximum / 2 { return }
            }
            if dice.chance(0.3) { world.mover.tick() }
            if dice.chance(0.1) { world.checkpoint() }
            if dice.chance(0.2) { _ = world.thread.turn() }
            if dice.chance(0.05), world.fold.value.offset > 40 {
                world.board[Course.partition] = world.fold.value.offset - UInt64(dice.roll(0...40))
            }
        }
    }

    private func agrees(_ world: World) -> Bool { world.states() == Self.expected }

    private func finish(_ world: World, _ tally: inout Tally) throws {
        world.folds.stopWaitingForDisk()
        try world.load()
        if world.fold.value.offset > 0 { tally.recoveredFromCheckpoint += 1 }
        work(world, seed: 99)
        #expect(world.fold.value.offset == UInt64(Self.course.records.count))
        #expect(agrees(world))
        #expect(world.folds.coldSize.lost == 0)
        tally.returned += world.folds.coldSize.returned
        tally.removed += world.metrics.total(.coldFilesRemoved)
    }

    /// Refolds as the archive does, from the checkpoint that is kept for it.
    private func archiveAgrees(_ disk: JournalDisk, _ before: World) throws {
        let bound = before.board[Course.partition]
        let needed = before.thread.needed(Course.partition, archived: bound)
        let world = try World(disk, visitorsMaximum: .max)
        try world.load(atOrBefore: bound)
        #expect(world.fold.value.offset >= needed)
        let place = ColdPlace(world.checkpoints, nil)
        for record in Self.course.records.dropFirst(Int(world.fold.value.offset)) {
            #expect(world.apply(record))
            try world.folds.trim(to: 8, place, now: record.header.receivedAt)
        }
        #expect(agrees(world))
        let left = try disk.names(in: "/c").filter { $0.contains("scratch") }
        #expect(left.isEmpty)
    }

    /// One life that ends with a power loss, and the one after it.
    private func run(seed: UInt64, _ faults: FaultPlan, _ tally: inout Tally) throws {
        let disk = SimulatedDisk(seed: seed, faults: faults)
        tally.runs += 1
        guard let first = try? World(.simulated(disk)) else { return }
        first.folds.stopWaitingForDisk()
        work(first, seed: seed)
        let durable = first.thread.newest(Course.partition)
        faults.lift()
        disk.crash()
        let second = try World(.simulated(disk))
        try second.load()
        #expect(second.fold.value.offset >= durable)
        try archiveAgrees(.simulated(disk), first)
        try finish(second, &tally)
    }

    @Test func nothingFailsAndMemoryStaysWithinItsBounds() throws {
        let world = try World(.simulated(SimulatedDisk(seed: 3)))
        var most = 0
        for record in Self.course.records {
            #expect(world.apply(record))
            world.mover.tick()
            _ = world.thread.turn()
            world.mover.tick()
            most = max(most, world.fold.value.visitorCount)
            #expect(world.shelf.files.count <= Limits.coldFilesMaximum + 1)
        }
        #expect(most <= 12)
        #expect(agrees(world))
        world.checkpoint()
        _ = world.thread.turn()
        let files = try world.checkpoints.cold(Course.partition).serials()
        #expect(Set(files) == Set(world.shelf.serials))
    }

    @Test func everyDiskCallFailsOnceAndPowerAfterIt() throws {
        let plan = FaultPlan()
        var tally = Tally()
        try run(seed: 1, plan, &tally)
        let calls = plan.calls
        let start = try startCalls()
        #expect(calls > start + 300)
        // Every call on a machine that has minutes, some sixty otherwise.
        let isLong = ProcessInfo.processInfo.environment["HELIOGRAPH_LONG_TESTS"] != nil
        let step = isLong ? 1 : max(1, (calls - start) / 60)
        for call in stride(from: start + 1, through: calls, by: step) {
            for lasts in [false, true] {
                try run(seed: UInt64(call), FaultPlan(failing: call, lasts: lasts), &tally)
            }
        }
        #expect(tally.recoveredFromCheckpoint > tally.runs / 2)
        #expect(tally.returned > tally.runs)
        #expect(tally.removed > Int64(tally.runs))
        print("idle visitors: \(tally)")
    }

    /// Calls that learning what there is on an empty disk takes.
    private func startCalls() throws -> Int {
        let plan = FaultPlan()
        _ = try World(.simulated(SimulatedDisk(seed: 1, faults: plan)))
        return plan.calls
    }

    @Test func aCheckpointWithoutItsColdFilesGivesWayToTheOneBefore() throws {
        let disk = SimulatedDisk(seed: 4)
        let first = try World(.simulated(disk))
        work(first, seed: 5)
        first.checkpoint()
        _ = first.thread.turn()
        let offsets = try first.checkpoints.offsets(Course.partition)
        let newest = try first.checkpoints.listed(Course.partition, offset: offsets[1])
        let before = try first.checkpoints.listed(Course.partition, offset: offsets[0])
        let own = try #require(newest.first { !before.contains($0) })
        try first.checkpoints.cold(Course.partition).remove(own)
        let second = try World(.simulated(disk))
        try second.load()
        #expect(second.fold.value.offset == offsets[0])
        #expect(second.folds.isPastPassedOver)
        work(second, seed: 6)
        #expect(agrees(second))
    }

    @Test func aStateThatIsDamagedIsCountedAndOthersAreNot() throws {
        let disk = SimulatedDisk(seed: 7)
        let world = try World(.simulated(disk))
        work(world, seed: 8)
        let serial = try #require(world.shelf.serials.first)
        let digits = String(serial)
        let path =
            "/c/p005-cold-" + String(repeating: "0", count: 20 - digits.count) + digits + ".hgk"
        var content = try #require(disk.content(path))
        content[100] ^= 1
        disk.replace(path, content: content)
        let reopened = try world.checkpoints.cold(Course.partition).open(serial)
        world.shelf.replace(1, with: reopened)
        let found = world.states()
        #expect(world.folds.coldSize.lost > 0)
        let others = zip(found, Self.expected).filter { !$0.0.isEmpty }
        #expect(others.count > 10 && others.allSatisfy { $0.0 == $0.1 })
    }

    @Test func aDiskThatNeverAnswersHoldsNobodyUpForEver() throws {
        let faults = FaultPlan()
        let world = try World(.simulated(SimulatedDisk(seed: 9, faults: faults)))
        world.folds.stopWaitingForDisk()
        work(world, seed: 10, upTo: 300)
        faults.arm(failing: .pread)
        var stuck = 0
        while world.fold.value.offset < 400 {
            if !world.apply(Self.course.records[Int(world.fold.value.offset)]) { stuck += 1 }
        }
        let lost = world.folds.coldSize.lost
        #expect(lost > 0)
        #expect(stuck == lost * (Limits.coldReadAttemptsMaximum - 1))
    }
}
