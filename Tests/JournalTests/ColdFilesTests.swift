// Goal: a cold file gives back what was put in, merges keep the newest, damage is told from absence,
// and a crash leaves a file whole or not there.
// Method: random batches against a dictionary; every byte flipped; every disk call failing, then power.

import Bytes
import Loop
import Testing
import Units

@testable import Journal

@Suite struct ColdFilesTests {
    private struct Item: Equatable {
        var time: Int64
        var bytes: [UInt8]
    }

    private static func key(_ number: UInt64) -> Hash128 {
        var generator = SplitMix64(seed: number)
        return Hash128(low: generator.next(), high: generator.next())
    }

    private static func batch(_ items: [UInt64: Item]) -> ColdBatch {
        var batch = ColdBatch()
        for (number, item) in items {
            let entry = ColdEntry(key: key(number), time: item.time, offset: number)
            item.bytes.withUnsafeBytes { batch.add(entry, ByteView($0)) }
        }
        return batch
    }

    private static func find(_ file: ColdFile, _ number: UInt64) throws -> Item? {
        var buffer = ByteBuffer(capacity: 64, limit: 1 << 16)
        guard let entry = try file.find(key(number), into: &buffer) else { return nil }
        #expect(entry.offset == number)
        return Item(time: entry.time, bytes: Array(buffer.view.buffer))
    }

    private static func items(
        _ random: inout SplitMix64,
        _ range: Range<UInt64>,
        share: Double
    ) -> [UInt64: Item] {
        var items: [UInt64: Item] = [:]
        for number in range where Double.random(in: 0..<1, using: &random) < share {
            let bytes = (0..<Int.random(in: 0...900, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            items[number] = Item(time: Int64.random(in: 0...1000, using: &random), bytes: bytes)
        }
        return items
    }

    private static func files(_ disk: SimulatedDisk) -> ColdFiles {
        ColdFiles(disk: .simulated(disk), directory: "/c", name: "p007")
    }

    @Test(arguments: [0, 1, 2, 40, 3_000] as [UInt64])
    func everyEntryIsFoundAndNothingElse(count: UInt64) throws {
        var random = SplitMix64(seed: count)
        let items = Self.items(&random, 0..<count, share: 1)
        let file = try Self.files(SimulatedDisk(seed: 1)).write(Self.batch(items), serial: 3)
        #expect(file.count == Int(count))
        #expect(file.newestOffset == (count > 0 ? count - 1 : 0))
        for (number, item) in items { #expect(try Self.find(file, number) == item) }
        var passed = 0
        for number in count..<count + 20_000 {
            if file.mayHold(Self.key(number)) { passed += 1 }
            #expect(try Self.find(file, number) == nil)
        }
        if count >= 40 { #expect(passed < 600) }
    }

    @Test func whatIsMergedIsTheNewestOfEach() throws {
        for seed in 0..<20 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let files = Self.files(SimulatedDisk(seed: seed))
            var expected: [UInt64: Item] = [:]
            var made: [ColdFile] = []
            for serial in 1...5 as ClosedRange<UInt64> {
                let items = Self.items(&random, 0..<200, share: 0.3)
                expected.merge(items) { $1 }
                made.insert(try files.write(Self.batch(items), serial: serial), at: 0)
            }
            let merged = try files.merge(made, serial: 6, expiry: 500)
            #expect(merged.damagedBlocks == 0)
            expected = expected.filter { $0.value.time >= 500 }
            #expect(merged.file.count == expected.count)
            for number in 0..<200 as Range<UInt64> {
                #expect(try Self.find(merged.file, number) == expected[number])
            }
        }
    }

    @Test func namesGoAndHoldersStay() throws {
        let files = Self.files(SimulatedDisk(seed: 1))
        let items: [UInt64: Item] = [4: Item(time: 1, bytes: [1, 2, 3])]
        let file = try files.write(Self.batch(items), serial: 9)
        _ = try files.write(Self.batch(items), serial: 12)
        #expect(try files.serials() == [9, 12])
        try files.remove(9)
        #expect(try files.serials() == [12])
        #expect(try Self.find(file, 4) == items[4])
        #expect(throws: ColdError.missing) { _ = try files.open(9) }
        let checkpoints = CheckpointFiles(
            disk: .simulated(SimulatedDisk(seed: 1)),
            directory: "/c",
            name: "p007"
        )
        #expect(try checkpoints.sequences().isEmpty)
    }

    @Test func everyFlippedByteAndTruncationIsDamageAndNeverAnotherState() throws {
        var random = SplitMix64(seed: 5)
        let disk = SimulatedDisk(seed: 1)
        let items = Self.items(&random, 0..<8, share: 1)
        _ = try Self.files(disk).write(Self.batch(items), serial: 1)
        let path = "/c/p007-cold-00000000000000000001.hgk"
        let original = try #require(disk.content(path))
        var noticed = 0
        for place in original.indices {
            var flipped = original
            flipped[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            for content in [flipped, Array(original[0..<place])] {
                disk.replace(path, content: content)
                if isDamageNoticed(Self.files(disk), items) { noticed += 1 }
            }
        }
        #expect(noticed == 2 * original.count)
    }

    /// Whether somebody was told; nobody may be given other bytes than were put in.
    private func isDamageNoticed(_ files: ColdFiles, _ items: [UInt64: Item]) -> Bool {
        do {
            let file = try files.open(1)
            for (number, item) in items { #expect(try Self.find(file, number) == item) }
            return false
        } catch {
            return error as? ColdError == .damaged
        }
    }

    @Test func aDamagedBlockCostsAMergeThatBlockAlone() throws {
        var random = SplitMix64(seed: 6)
        let disk = SimulatedDisk(seed: 1)
        let items = Self.items(&random, 0..<200, share: 1)
        let files = Self.files(disk)
        _ = try files.write(Self.batch(items), serial: 1)
        let path = "/c/p007-cold-00000000000000000001.hgk"
        var content = try #require(disk.content(path))
        content[200] ^= 1
        disk.replace(path, content: content)
        let merged = try files.merge([files.open(1)], serial: 2, expiry: 0)
        #expect(merged.damagedBlocks == 1)
        #expect(merged.file.count < 200 && merged.file.count > 150)
        for number in 0..<200 as Range<UInt64> {
            if let found = try Self.find(merged.file, number) { #expect(found == items[number]) }
        }
    }

    @Test(arguments: 1..<60 as Range<Int>)
    func aPowerLossLeavesAFileWholeOrNotThere(call: Int) throws {
        for lasts in [false, true] {
            let faults = FaultPlan(failing: call, lasts: lasts)
            let disk = SimulatedDisk(seed: UInt64(call), faults: faults)
            let files = Self.files(disk)
            var random = SplitMix64(seed: 7)
            let items = Self.items(&random, 0..<100, share: 1)
            var durable: [UInt64] = []
            for serial in 1...3 as ClosedRange<UInt64> {
                if (try? files.write(Self.batch(items), serial: serial)) != nil {
                    durable.append(serial)
                }
            }
            if durable.count == 3, (try? merged(files)) != nil { durable.append(4) }
            faults.lift()
            disk.crash()
            let there = try files.serials()
            #expect(Set(durable).isSubset(of: there))
            for serial in there {
                let file = try files.open(serial)
                for (number, item) in items { #expect(try Self.find(file, number) == item) }
            }
        }
    }

    private func merged(_ files: ColdFiles) throws -> ColdFile {
        let all = try [3, 2, 1].map { try files.open($0) }
        return try files.merge(all, serial: 4, expiry: 0).file
    }

    @Test func aListThatIsNotWholeIsToldFromNone() throws {
        var buffer = ByteBuffer(capacity: 256, limit: 1 << 16)
        let key = HashKey(first: 1, second: 2)
        ColdList(key: key, serials: []).write(to: &buffer)
        #expect(buffer.count == 0)
        #expect(try ColdList.read(ByteView("HGSC and what follows")) == nil)
        ColdList(key: key, serials: [9, 4]).write(to: &buffer)
        buffer.append("rest")
        let found = try #require(try ColdList.read(buffer.view))
        #expect(found.list.serials == [9, 4])
        #expect(found.list.key.words == (1, 2))
        #expect(buffer.view(from: found.length).equals("rest"))
        for length in 4..<found.length {
            #expect(throws: ColdError.damaged) { _ = try ColdList.read(buffer.view[0..<length]) }
        }
        for place in 4..<found.length {
            buffer.overwrite(littleEndian: buffer.view[place] ^ 4, at: place)
            #expect(throws: ColdError.damaged) { _ = try ColdList.read(buffer.view) }
            buffer.overwrite(littleEndian: buffer.view[place] ^ 4, at: place)
        }
    }
}
