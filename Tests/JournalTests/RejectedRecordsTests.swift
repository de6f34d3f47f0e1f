// Goal: what was refused is durable like everything else and takes no part in deduplication.
// Method: rejections between slices, restarts with and without a checkpoint, and bytes that are made
// to look like a record.
import Bytes
import Loop
import Records
import Testing

@testable import Journal

struct RejectedRecordsTests {
    private func rejection(_ bytes: String) -> [UInt8] {
        var buffer = ByteBuffer(capacity: 4096)
        var rejection = Rejection()
        rejection.reason = ByteView("key-unknown")
        _ = rejection.begin(in: &buffer)
        buffer.append(text: bytes)
        return Array(buffer.view.buffer)
    }

    private func append(_ bytes: [UInt8], _ writer: inout JournalWriter) throws -> Appended {
        try bytes.withUnsafeBytes {
            try writer.append(
                kind: .rejected,
                partition: Partition(3),
                receivedAt: 5,
                payload: ByteView($0)
            )
        }
    }

    @Test func theyAreNumberedWithTheSlicesAndNeverCalledRepeats() throws {
        let disk = JournalDisk.simulated(SimulatedDisk(seed: 1))
        let payload = rejection("{}")
        for round in 0..<3 {
            var writer = try JournalWriter(directory: "/j", disk: disk, limits: smallLimits())
            for _ in 0..<2 {
                let appended = try append(payload, &writer)
                #expect(appended.duplicates == 0)
            }
            let slice = try withSlice(window: "w", numbers: [1, 2]) {
                try writer.append(partition: Partition(3), receivedAt: 5, payload: $0)
            }
            #expect(slice.duplicates == (round == 0 ? 0 : 0b11))
            #expect(slice.position.offset == UInt64(round * 3 + 3))
            try writer.commit()
            if round == 1 { try writer.saveDeduplication() }
        }
        let found = try readAll(disk, "/j", smallLimits())
        #expect(found.records.map(\.offset) == Array(1...9))
        #expect(found.damage.count == 0)
        #expect(found.records.filter { $0.payload == payload }.count == 6)
    }
}
