// Goal: the engine's own servers start, survive what the engine does not, and leave nothing behind.
// Method: real servers in a temporary folder; killed, left running, stopped, started again.
import Glibc
import Testing

@testable import heliograph

@Suite(.serialized)
struct PrivateStoresTests {
    @Test func bothStartServeAndStop() throws {
        let test = try TestStores(redis: true, postgres: true)
        #expect(test.redis("PING") == .text("PONG"))
        #expect(test.sql("SELECT 1") == [["1"]])
        #expect(test.redis("CONFIG", "GET", "maxmemory-policy").strings.last == "noeviction")
        #expect(test.redis("CONFIG", "GET", "appendonly").strings.last == "yes")
        #expect(test.sql("SHOW listen_addresses") == [[""]])
        #expect(test.sql("SHOW synchronous_commit") == [["on"]])
        let processes = test.stores.processes
        #expect(test.stores.stop())
        for process in processes.values { #expect(!Spawn.isAlive(process)) }
        TestStores.remove(test.folder)
    }

    @Test func serversThatACrashLeftRunningAreTakenOver() throws {
        let test = try TestStores(redis: true, postgres: true)
        defer { test.end() }
        _ = test.redis("SET", "k", "v")
        let next = PrivateStores(dataDirectory: test.folder)
        _ = try next.start()
        #expect(next.processes == test.stores.processes)
        #expect(next.superviseTick().isEmpty)
        #expect(test.redis("GET", "k") == .text("v"))
    }

    @Test func staleFilesDoNotHinderAStart() throws {
        let test = try TestStores(redis: true, postgres: true)
        defer { test.end() }
        for process in test.stores.processes.values { kill(process, SIGKILL) }
        for process in test.stores.processes.values {
            #expect(Spawn.waitForEnd(process, milliseconds: 10_000))
        }
        let next = PrivateStores(dataDirectory: test.folder)
        _ = try next.start()
        #expect(test.redis("PING") == .text("PONG"))
        #expect(test.sql("SELECT 1") == [["1"]])
        next.stop()
    }

    @Test func aDeadServerIsStartedAgainAndItsDataIsThere() throws {
        let test = try TestStores(redis: true)
        defer { test.end() }
        _ = test.redis("SET", "k", "v")
        usleep(1_500_000)  // appendfsync everysec: a second of Redis may be lost, by design
        let process = try #require(test.stores.processes["Redis"])
        kill(process, SIGKILL)
        while test.stores.superviseTick().isEmpty { usleep(10_000) }
        #expect(test.stores.processes["Redis"] != process)
        for _ in 0..<500 where test.redis("GET", "k") != .text("v") { usleep(10_000) }
        #expect(test.redis("GET", "k") == .text("v"))
    }

    @Test func aStoppedServerStillStops() throws {
        let test = try TestStores(redis: true)
        defer { TestStores.remove(test.folder) }
        let process = try #require(test.stores.processes["Redis"])
        kill(process, SIGSTOP)
        #expect(test.stores.stop())
        #expect(!Spawn.isAlive(process))
    }

    @Test func childrenHaveASessionOfTheirOwnAndNoneOfOurDescriptors() throws {
        let marker = open("/dev/null", O_RDONLY)
        defer { close(marker) }
        let child = try Spawn.start(["/bin/sleep", "60"]).get()
        defer {
            kill(child, SIGKILL)
            _ = Spawn.waitForEnd(child, milliseconds: 1_000)
        }
        for _ in 0..<200 where Files.linkTarget("/proc/\(child)/exe")?.contains("sleep") != true {
            usleep(5_000)
        }
        #expect(getsid(child) == child)
        let held = Files.names(in: "/proc/\(child)/fd").compactMap { Int($0) }
        #expect(held.sorted() == [0, 1, 2])
    }

    @Test func aServerThatCannotStartSaysWhy() throws {
        let folder = TestStores.makeFolder()
        defer { TestStores.remove(folder) }
        Files.removeTree(folder)
        try Files.write("", to: folder, mode: 0o600)
        let stores = PrivateStores(dataDirectory: folder, wantsPostgres: false)
        let error = #expect(throws: StoreStartError.self) { _ = try stores.start() }
        #expect(error?.description.contains("Redis did not start") == true)
        #expect(error?.description.contains("data directory") == true)
    }

    @Test func longPathsGetAShortSocketFolder() {
        let long = "/srv/" + String(repeating: "x", count: 120)
        #expect(SocketFolder.path(beside: "/srv/data", file: "redis.sock") == "/srv/data")
        let short = SocketFolder.path(beside: long, file: "redis.sock")
        #expect(short.utf8.count < 60 && short.hasPrefix("/tmp/heliograph-"))
    }

    @Test func restartsSlowDownAndAreForgiven() {
        var plan = RestartPlan()
        var starts: [Int64] = []
        for now in stride(from: Int64(100_000), to: 400_000, by: 1_000) {
            if plan.mayRestart(nowMilliseconds: now) { starts.append(now) }
        }
        let gaps = zip(starts.dropFirst(), starts).map { $0 - $1 }
        #expect(gaps.prefix(4) == [1_000, 2_000, 4_000, 8_000])
        #expect(gaps.max() == RestartPlan.longestWaitMilliseconds)
        let afterALongLife = [1_000_000, 1_001_000].map { plan.mayRestart(nowMilliseconds: $0) }
        #expect(afterALongLife == [true, true])
    }
}
