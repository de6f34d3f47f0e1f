// Goal: a connection that breaks at the worst moment costs no row and doubles none.
// Method: a proxy between writer and a real PostgreSQL that swallows COMMIT, or its answer, delays it
// past the retry, or cuts COPY in the middle; and a server that is killed outright.
import Glibc
import Records
import Testing

@testable import Storage
@testable import heliograph

@Suite(.serialized)
struct AmbiguousCommitTests {
    private func fill(_ archive: ArchiveWriter, from first: UInt64, count: UInt64) {
        for offset in first..<first + count {
            TestRecord(
                visitor: "v\(offset % 7)",
                offset: offset,
                events: [.init(number: UInt32(offset))],
                partition: UInt8(offset % 5)
            ).add(to: archive)
        }
    }

    private func expectEachOnce(_ sql: (String) -> [[String]], _ count: UInt64) {
        #expect(
            sql("SELECT count(*), count(DISTINCT n), max(n) FROM heliograph.event")
                == [["\(count)", "\(count)", "\(count)"]]
        )
        #expect(sql("SELECT sum(events) FROM heliograph.session") == [["\(count)"]])
    }

    @Test(arguments: ["after", "before", "late", "copy"])
    func everyRowOnce(fault: String) throws {
        let database = try TestStores.database()
        let folder = TestStores.makeFolder()
        let proxy = try startProxy(
            in: folder,
            for: database,
            faults: [fault, "none", fault, fault, "none", fault]
        )
        defer {
            kill(proxy, SIGKILL)
            _ = Spawn.waitForEnd(proxy, milliseconds: 2_000)
            Files.removeTree(folder)
        }
        let name = try #require(database.conninfo.split(separator: " ").last)
        try ArchiveWriter(conninfo: database.conninfo).connect()
        let archive = ArchiveWriter(
            conninfo: "host='\(folder)' port=5432 user=heliograph \(name)"
        )
        try archive.connect()
        var retries = 0
        for round in 0..<8 as Range<UInt64> {
            fill(archive, from: round * 50 + 1, count: 50)
            retries += try archive.commit().retries
        }
        #expect(retries >= (fault == "copy" ? 1 : 4), "the faults must have happened")
        expectEachOnce(database.sql, 400)
    }

    private func startProxy(
        in folder: String,
        for database: TestDatabase,
        faults: [String]
    ) throws -> Int32 {
        let host = try #require(database.conninfo.split(separator: "'").dropFirst().first)
        let path = folder + "/" + PostgresServer.socketName
        let process = try Spawn.start([
            "/usr/bin/python3", "-c", faultyProxy, path,
            host + "/" + PostgresServer.socketName, faults.joined(separator: ","),
        ]).get()
        for _ in 0..<500 where access(path, F_OK) != 0 { usleep(10_000) }
        return process
    }

    @Test func aKilledServerCostsNothing() throws {
        let stores = try TestStores(postgres: true)
        defer { stores.end() }
        let archive = ArchiveWriter(conninfo: stores.conninfo)
        try archive.connect()
        for round in 0..<3 as Range<UInt64> {
            fill(archive, from: round * 50 + 1, count: 50)
            let process = try #require(stores.stores.processes["PostgreSQL"])
            let backend = try #require((archive.connection as? PostgresConnection)?.serverProcess)
            kill(process, SIGKILL)
            kill(backend, SIGKILL)
            let report = try archive.commit(while: {
                stores.stores.superviseTick()
                return true
            })
            #expect(report.retries > 0)
        }
        expectEachOnce(stores.sql, 150)
    }

    @Test func stoppingKeepsTheBatch() throws {
        let archive = ArchiveWriter(conninfo: "host=/nonexistent")
        fill(archive, from: 1, count: 5)
        var asked = 0
        #expect(throws: ArchiveError.stopped) {
            _ = try archive.commit(while: {
                asked += 1
                return asked < 3
            })
        }
        #expect(archive.batchEvents == 5)
    }
}
