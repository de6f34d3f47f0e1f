// Goal: a checkpoint is whole or not there, the newest valid one at or before a bound is found, and
// older generations go only afterwards.
// Method: save, damage, load, on a simulated disk.

import Bytes
import Loop
import Records
import Testing

@testable import Journal

@Suite struct CheckpointFilesTests {
    private func load(
        _ files: CheckpointFiles,
        atOrBefore bound: UInt64 = .max
    ) throws -> (UInt64?, String) {
        var buffer = ByteBuffer(capacity: 64, limit: 1 << 20)
        let sequence = try files.load(atOrBefore: bound, into: &buffer)
        return (sequence, buffer.view.text)
    }

    @Test func theNewestTwoAreKeptAndFoundByBound() throws {
        let disk = SimulatedDisk(seed: 1)
        let files = CheckpointFiles(disk: .simulated(disk), directory: "/c", name: "p017")
        #expect(try load(files).0 == nil)
        try files.save(sequence: 5, content: ByteView("five"))
        try files.save(sequence: 9, content: ByteView("nine"))
        try files.save(sequence: 12, content: ByteView("twelve"))
        #expect(try files.sequences() == [9, 12])
        #expect(try load(files) == (12, "twelve"))
        #expect(try load(files, atOrBefore: 11) == (9, "nine"))
        #expect(try load(files, atOrBefore: 8).0 == nil)
        let other = CheckpointFiles(disk: .simulated(disk), directory: "/c", name: "p01")
        #expect(try other.sequences().isEmpty)
    }

    @Test func everyFlippedByteAndTruncationFallsBackToTheOneBefore() throws {
        let disk = SimulatedDisk(seed: 1)
        let files = CheckpointFiles(disk: .simulated(disk), directory: "/c", name: "p")
        try files.save(sequence: 1, content: ByteView("the one before"))
        try files.save(sequence: 2, content: ByteView("the newest one"))
        let path = "/c/p-00000000000000000002.hgc"
        let original = try #require(disk.content(path))
        for place in original.indices {
            var flipped = original
            flipped[place] ^= 1
            for content in [flipped, Array(original[0..<place])] {
                disk.replace(path, content: content)
                #expect(try load(files) == (1, "the one before"))
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func aPowerLossLeavesTheOldOrTheNewOne(seed: UInt64) throws {
        let faults = FaultPlan(failing: Int(20 + seed % 12), lasts: true)
        let disk = SimulatedDisk(seed: seed, faults: faults)
        let files = CheckpointFiles(disk: .simulated(disk), directory: "/c", name: "p")
        try files.save(sequence: 1, content: ByteView("one"))
        try files.save(sequence: 2, content: ByteView("two"))
        let saved = (try? files.save(sequence: 3, content: ByteView("three"))) != nil
        faults.lift()
        disk.crash()
        let found = try load(files)
        if saved { #expect(found == (3, "three")) }
        #expect(found == (2, "two") || found == (3, "three"))
    }
}
