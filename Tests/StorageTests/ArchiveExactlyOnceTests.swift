// Goal: what PostgreSQL holds is exactly what was handed over, once, whatever breaks.
// Method: a real private PostgreSQL; backends killed and answers swallowed at the worst moments.
import Bytes
import Glibc
import Records
import Testing

@testable import Storage

@Suite(.serialized)
struct ArchiveExactlyOnceTests {
    private func withArchive(_ body: (TestDatabase, ArchiveWriter) throws -> Void) throws {
        let stores = try TestStores.database()
        let archive = ArchiveWriter(conninfo: stores.conninfo)
        try archive.connect()
        try body(stores, archive)
    }

    private func fill(_ archive: ArchiveWriter, from first: UInt64, count: UInt64) {
        for offset in first..<first + count {
            TestRecord(
                visitor: "v\(offset % 7)",
                offset: offset,
                events: [.init(number: UInt32(offset), properties: "{\"k\":\(offset)}", name: "n")],
                partition: UInt8(offset % 3)
            ).add(to: archive)
        }
    }

    @Test func everyColumnArrives() throws {
        try withArchive { stores, archive in
            let record = TestRecord(
                visitor: "v1",
                offset: 9,
                events: [
                    .init(number: 3, properties: "{\"p\":\"ü\\n\",\"x\":[1,2.5]}", name: "buy"),
                    .init(number: 4, name: "again"), .init(number: 5, kind: .pageView),
                ],
                duplicates: 0b010,
                flags: [.bot]
            )
            var point = HistoryPoint(reason: .band, reading: testReading(score: 41.25))
            point.terms.take(0, -0.25)
            point.changesProfile = true
            point.profileBefore = .skeptic
            point.profileTerms.take(Signal.count, 1.5)
            #expect(record.add(to: archive, history: point) == .added)
            let report = try archive.commit()
            #expect(report.events == 2)
            #expect(
                stores.sql(
                    """
                    SELECT n, type, name, site, visitor_id, session_id, window_id, message_id,
                        user_id, consent, bot, address, context->>'la', properties->>'p',
                        properties->'x'->>1, page, journal_offset,
                        extract(epoch FROM received_at) * 1000,
                        extract(epoch FROM occurred_at) * 1000
                    FROM heliograph.event ORDER BY n
                    """
                ) == [
                    [
                        "3", "cu", "buy", "demo", "v1", "s1", "w-v1", "null", "null", "7", "t",
                        "192.0.2.0", "de", "ü\n", "2.5", "1", "9", "1773500000000.000000",
                        "1773499999990.000000",
                    ],
                    [
                        "5", "pv", "null", "demo", "v1", "s1", "w-v1", "null", "null", "7", "t",
                        "192.0.2.0", "de", "null", "null", "1", "9", "1773500000000.000000",
                        "1773499999990.000000",
                    ],
                ]
            )
            #expect(
                stores.sql(
                    """
                    SELECT score, band, profile, reason, bot, model, profile_before,
                        terms->0->>'name', terms->0->>'adds', profile_terms->0->>'name',
                        profile_terms->0->>'adds'
                    FROM heliograph.score_history
                    """
                ) == [
                    [
                        "41.25", "warm", "proof-driven", "band", "t", "0123456789ab", "skeptic",
                        "scroll_velocity", "-0.2500", "content:pricing", "1.5000",
                    ]
                ]
            )
            #expect(archive.stored(record.header.partition) == 9)
        }
    }

    @Test func sessionsMergeByLeastGreatestAndSum() throws {
        try withArchive { stores, archive in
            for (offset, at) in [(1, 2_000), (2, 1_000), (3, 3_000)] as [(UInt64, Int64)] {
                TestRecord(
                    visitor: "v1",
                    offset: offset,
                    receivedAt: 1_773_500_000_000 + at,
                    events: [.init(number: UInt32(offset))]
                ).add(to: archive)
                if offset == 2 { _ = try archive.commit() }
            }
            _ = try archive.commit()
            #expect(
                stores.sql(
                    """
                    SELECT events, page_views, active_milliseconds,
                        (extract(epoch FROM started_at) * 1000)::bigint,
                        (extract(epoch FROM ended_at) * 1000)::bigint FROM heliograph.session
                    """
                ) == [["3", "3", "1500", "1773500000990", "1773500003000"]]
            )
        }
    }

    @Test func recordsAlreadyStoredAreNotStoredAgain() throws {
        try withArchive { stores, archive in
            fill(archive, from: 1, count: 30)
            _ = try archive.commit()
            let again = ArchiveWriter(conninfo: stores.conninfo)
            #expect(try again.connect()[1] == 28)
            fill(again, from: 1, count: 40)
            #expect(try again.commit().events == 10)
            #expect(
                stores.sql("SELECT count(*), count(DISTINCT n) FROM heliograph.event")
                    == [["40", "40"]]
            )
        }
    }

    @Test func dayBoundariesFallIntoTheirPartitions() throws {
        try withArchive { stores, archive in
            let midnight: Int64 = 1_773_532_800_000
            for (offset, at) in [(1, midnight - 1), (2, midnight)] as [(UInt64, Int64)] {
                TestRecord(
                    visitor: "v1",
                    offset: offset,
                    receivedAt: at,
                    events: [.init(number: UInt32(offset))]
                ).add(to: archive)
            }
            _ = try archive.commit()
            #expect(
                stores.sql(
                    """
                    SELECT (SELECT relname FROM pg_class WHERE oid = e.tableoid), n
                    FROM heliograph.event e ORDER BY n
                    """
                )
                    == [["event_20260314", "1"], ["event_20260315", "2"]]
            )
        }
    }

    @Test func aSecondWriterIsFenced() throws {
        try withArchive { stores, archive in
            let zombie = ArchiveWriter(conninfo: stores.conninfo)
            try zombie.connect()
            fill(archive, from: 1, count: 9)
            fill(zombie, from: 1, count: 6)
            _ = try archive.commit()
            #expect(throws: ArchiveError.self) { _ = try zombie.commit() }
            #expect(try zombie.abandonBatch()[0] == 9)
            #expect(stores.sql("SELECT count(*) FROM heliograph.event") == [["9"]])
        }
    }

    @Test func aDatabaseThatWentBackIsNoticed() throws {
        try withArchive { stores, archive in
            fill(archive, from: 1, count: 3)
            _ = try archive.commit()
            _ = stores.sql("UPDATE heliograph.position SET \"offset\" = 0 WHERE partition = 1")
            fill(archive, from: 4, count: 3)
            #expect(
                throws: ArchiveError.positionMoved([
                    MovedPosition(partition: Partition(1), expected: 1, found: 0)
                ])
            ) { _ = try archive.commit() }
        }
    }

    @Test func oneBadRowHarmsItselfAlone() throws {
        try withArchive { stores, archive in
            for offset in 1...200 as ClosedRange<UInt64> {
                let bad = offset == 57 || offset == 181
                let properties = offset == 57 ? "{\"x\":1e999999}" : "{\"x\":\"\\u0000\"}"
                TestRecord(
                    visitor: "v\(offset)",
                    offset: offset,
                    events: [
                        .init(number: 1), .init(number: 2, properties: bad ? properties : "{}"),
                    ],
                    partition: 5
                ).add(to: archive)
            }
            let report = try archive.commit()
            #expect(report.events == 398)
            #expect(report.refused.map(\.reason) == ["22003", "22P05"])
            #expect(
                stores.sql("SELECT count(*), count(DISTINCT visitor_id) FROM heliograph.event")
                    == [["398", "200"]]
            )
            #expect(
                stores.sql(
                    "SELECT reason, position('e999999' in encode(row_bytes, 'escape')) > 0"
                        + " FROM heliograph.refused_row ORDER BY reason"
                )
                    == [["22003", "t"], ["22P05", "f"]]
            )
            #expect(archive.stored(Partition(5)) == 200)
        }
    }

    @Test func migrationsApplyOnceEvenSideBySide() throws {
        let stores = try TestStores.database()
        let (first, second) = (
            ArchiveWriter(conninfo: stores.conninfo), ArchiveWriter(conninfo: stores.conninfo)
        )
        try first.connect()
        try second.connect()
        try first.connect()
        let applied = stores.sql("SELECT number FROM heliograph.migration ORDER BY number")
        #expect(applied == PostgresSchema.migrations.map { ["\($0.number)"] })
        #expect(stores.sql("SELECT count(*) FROM heliograph.position") == [["256"]])
    }

    @Test func aReaderDoesNotHoldUpTheNextDay() throws {
        try withArchive { stores, archive in
            fill(archive, from: 1, count: 3)
            _ = try archive.commit()
            let reader = try PostgresConnection(conninfo: stores.conninfo)
            try reader.run("BEGIN; SELECT count(*) FROM heliograph.event")
            // The partition of tomorrow was made ahead; that of the day after has to wait.
            TestRecord(
                visitor: "v",
                offset: 10,
                receivedAt: 1_773_500_000_000 + 86_400_000,
                events: [.init(number: 9)],
                partition: 9
            ).add(to: archive)
            #expect(try archive.commit().events == 1)
            try reader.run("COMMIT")
        }
    }

    @Test func deepNestingHarmsNobody() throws {
        try withArchive { stores, archive in
            let depth = 60_000
            let deep =
                "{\"x\":" + String(repeating: "[", count: depth)
                + String(repeating: "]", count: depth) + "}"
            TestRecord(
                visitor: "v",
                offset: 1,
                events: [.init(number: 1, properties: deep), .init(number: 2)],
                partition: 9
            ).add(to: archive)
            let report = try archive.commit()
            #expect(report.events == 1)
            #expect(report.refused.map(\.reason) == ["54001"])
        }
    }
}
