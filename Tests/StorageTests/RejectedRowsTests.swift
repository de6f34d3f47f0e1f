// Goal: what was refused is found in PostgreSQL exactly once, with its bytes, for as long as was
// asked for. Method: a real private PostgreSQL; batches that are abandoned and days of long ago.
import Bytes
import Records
import Testing

@testable import Storage

@Suite(.serialized)
struct RejectedRowsTests {
    private func withArchive(_ body: (TestDatabase, ArchiveWriter) throws -> Void) throws {
        let stores = try TestStores.database()
        let archive = ArchiveWriter(conninfo: stores.conninfo)
        try archive.connect()
        try body(stores, archive)
    }

    private func add(
        _ offset: UInt64,
        to archive: ArchiveWriter,
        receivedAt: Int64 = 1_773_500_000_000,
        bytes: StaticString = "{\"v\":1}"
    ) -> ArchiveWriter.Addition {
        var buffer = ByteBuffer(capacity: 4096)
        var rejection = Rejection()
        rejection.flags = [.replayable, .wholeBatch]
        rejection.format = .sdk
        rejection.originalLength = 99
        rejection.reason = ByteView("key-unknown")
        rejection.place = ByteView("k")
        rejection.key = ByteView("pk_old")
        rejection.path = ByteView("/v1/e")
        rejection.id = ByteView("window-1-7")
        rejection.address = ByteView("192.0.2.0")
        rejection.userAgent = ByteView("Browser/1")
        _ = rejection.begin(in: &buffer)
        buffer.append(bytes)
        var header = RecordHeader(
            kind: .rejected,
            partition: Partition(5),
            receivedAt: receivedAt,
            payload: buffer.view
        )
        header.offset = offset
        guard let read = Rejection(buffer.view) else { return .full }
        return archive.add(header: header, rejection: read)
    }

    @Test func everyColumnArrives() throws {
        try withArchive { stores, archive in
            #expect(add(4, to: archive) == .added)
            let report = try archive.commit()
            #expect(report.rejected == 1 && report.events == 0)
            #expect(
                stores.sql(
                    """
                    SELECT journal_offset, partition, flags, bytes_sent, reason, place, site, key,
                        format, path, event_id, address, user_agent,
                        convert_from(bytes, 'UTF8'), replayed_at,
                        outcome, extract(epoch FROM received_at) * 1000
                    FROM heliograph.rejected_event
                    """
                ) == [
                    [
                        "4", "5", "5", "99", "key-unknown", "k", "null", "pk_old", "sdk", "/v1/e",
                        "window-1-7", "192.0.2.0", "Browser/1", "{\"v\":1}", "null", "null",
                        "1773500000000.000000",
                    ]
                ]
            )
            #expect(archive.stored(Partition(5)) == 4)
            #expect(add(4, to: archive) == .alreadyStored)
        }
    }

    @Test func eventsAndRejectionsOfOneBatchArriveTogetherOrNotAtAll() throws {
        try withArchive { stores, archive in
            TestRecord(visitor: "v", offset: 1, events: [.init(number: 1)], partition: 5)
                .add(to: archive)
            #expect(add(2, to: archive) == .added)
            TestRecord(visitor: "v", offset: 3, events: [.init(number: 2)], partition: 5)
                .add(to: archive)
            // A second writer was here: nothing of the batch may be stored.
            _ = stores.sql("UPDATE heliograph.position SET \"offset\" = 9 WHERE partition = 5")
            #expect(throws: ArchiveError.self) { try archive.commit() }
            #expect(stores.sql("SELECT count(*) FROM heliograph.rejected_event") == [["0"]])
            _ = stores.sql("UPDATE heliograph.position SET \"offset\" = 0 WHERE partition = 5")
            _ = try archive.abandonBatch()
            TestRecord(visitor: "v", offset: 1, events: [.init(number: 1)], partition: 5)
                .add(to: archive)
            #expect(add(2, to: archive) == .added)
            let report = try archive.commit()
            #expect(report.events == 1 && report.rejected == 1)
            #expect(archive.stored(Partition(5)) == 2)
        }
    }

    @Test func oldDaysGoAndComeBackForALateRecord() throws {
        try withArchive { stores, archive in
            let day: Int64 = 86_400_000
            for (offset, age) in [(1, 20), (2, 15), (3, 14), (4, 0)] as [(UInt64, Int64)] {
                #expect(add(offset, to: archive, receivedAt: (20_526 - age) * day) == .added)
            }
            _ = try archive.commit()
            // Days 20506, 20511, 20512 and 20526, and the day after each.
            #expect(try archive.dropRejected(before: 20_512) == 3)
            #expect(
                stores.sql("SELECT journal_offset FROM heliograph.rejected_event ORDER BY 1")
                    == [["3"], ["4"]]
            )
            #expect(try archive.dropRejected(before: 20_512) == 0)
            #expect(add(5, to: archive, receivedAt: 20_506 * day) == .added)
            #expect(try archive.commit().rejected == 1)
        }
    }

    @Test func oldDaysOfEventsGoAlone() throws {
        try withArchive { stores, archive in
            let day: Int64 = 86_400_000
            #expect(add(1, to: archive, receivedAt: 20_506 * day) == .added)
            TestRecord(visitor: "v", offset: 2, events: [.init(number: 1)], partition: 5)
                .add(to: archive)
            _ = try archive.commit()
            let newest = Int32(1_773_500_000_000 / day)
            _ = try archive.dropEvents(before: newest)
            #expect(stores.sql("SELECT count(*) FROM heliograph.event") == [["1"]])
            #expect(try archive.dropEvents(before: newest + 1) == 1)
            #expect(stores.sql("SELECT count(*) FROM heliograph.event") == [["0"]])
            #expect(stores.sql("SELECT count(*) FROM heliograph.rejected_event") == [["1"]])
        }
    }

    @Test func aReplayTakesEachRowOnceAndTheRefusedAgain() throws {
        try withArchive { stores, archive in
            for offset in 1...5 as ClosedRange<UInt64> {
                let receivedAt = 1_773_500_000_000 + Int64(offset) * 1_001
                #expect(add(offset, to: archive, receivedAt: receivedAt) == .added)
            }
            _ = try archive.commit()
            let replay = try RejectedArchive(conninfo: stores.conninfo)
            let first = try replay.rows(RejectedFilter(), after: nil, limit: 2)
            #expect(first.map(\.offset) == [1, 2])
            #expect(first.first?.body == Array("{\"v\":1}".utf8))
            #expect(first.first?.receivedAt == 1_773_500_001_001)
            #expect(first.first?.userAgent == "Browser/1" && first.first?.path == "/v1/e")
            for (row, outcome) in zip(first, ["accepted", "key-unknown"]) {
                try replay.mark(row, outcome: outcome)
            }
            let rest = try replay.rows(RejectedFilter(), after: first.last, limit: 10)
            #expect(rest.map(\.offset) == [3, 4, 5])
            let again = try replay.rows(RejectedFilter(), after: nil, limit: 10)
            #expect(again.map(\.offset) == [2, 3, 4, 5])
            var filter = RejectedFilter()
            filter.since = 1_773_500_004_004
            #expect(try replay.rows(filter, after: nil, limit: 10).map(\.offset) == [4, 5])
            filter.reason = "batch-empty"
            #expect(try replay.rows(filter, after: nil, limit: 10).isEmpty)
        }
    }
}
