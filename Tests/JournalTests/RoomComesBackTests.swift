import Journal
import Loop
import Records
import Testing
import Units

/// A full journal must find out by itself that there is room again: those who see that it is full keep
/// batches from it, so that no append may ever come.
@Suite struct RoomComesBackTests {
    @Test func roomIsFoundWithoutAnAppend() throws {
        let clock = SimulatedClock(epochMilliseconds: 1_000_000)
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1, capacityBytes: 100 << 10))
        var writer = try JournalWriter(
            directory: "/j",
            disk: disk,
            limits: smallLimits(),
            time: .simulated(clock)
        )
        #expect(throws: JournalError.full) { try writer.appendAll(windows: 0..<2000) }
        try writer.commit()
        let wasShort = writer.isShortOfRoom
        #expect(wasShort)
        clock.advance(milliseconds: 300)
        try writer.lookForRoom()
        #expect(writer.gauges.isFull, "nothing has gone yet")
        try writer.saveDeduplication()
        let taken = (0..<256).map { writer.nextOffset(Partition(UInt8($0))) - 1 }
        _ = try writer.retain(JournalRetention(takenOffsets: taken, safetyMilliseconds: 0))
        try writer.lookForRoom()
        #expect(!writer.gauges.isFull)
        let isShort = writer.isShortOfRoom
        #expect(!isShort)
    }

    @Test func lookingIsRareWhileItIsFull() throws {
        let clock = SimulatedClock(epochMilliseconds: 1_000_000)
        let simulated = SimulatedDisk(seed: 2, capacityBytes: 100 << 10)
        var writer = try JournalWriter(
            directory: "/j",
            disk: .simulated(simulated),
            limits: smallLimits(),
            time: .simulated(clock)
        )
        #expect(throws: JournalError.full) { try writer.appendAll(windows: 0..<2000) }
        try writer.commit()
        try writer.saveDeduplication()
        let taken = (0..<256).map { writer.nextOffset(Partition(UInt8($0))) - 1 }
        clock.advance(milliseconds: 300)
        try writer.lookForRoom()
        #expect(writer.gauges.isFull)
        // Room that this journal made itself is found at once, whenever the last look was.
        _ = try writer.retain(JournalRetention(takenOffsets: taken, safetyMilliseconds: 0))
        try writer.lookForRoom()
        #expect(!writer.gauges.isFull)
    }
}
