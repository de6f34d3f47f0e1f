// Goal: Redis holds the published contract field by field, and never claims what it does not hold.
// Method: a real private Redis, flushed, killed and stopped while the writer works.
import Bytes
import CLibuv
import Glibc
import Records
import Testing

@testable import Storage
@testable import heliograph

/// A writer on a loop that the test turns by hand.
final class LiveRig {
    let loop = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    private(set) var outcomes: [LiveModelWriter.Outcome] = []
    private(set) var problems: [String] = []
    private(set) lazy var writer = LiveModelWriter(
        address: address,
        keyPrefix: prefix,
        loop: loop,
        onProblem: { [unowned self] in self.problems.append($0) },
        onOutcome: { [unowned self] in self.outcomes.append($0) }
    )
    private let address: RedisAddress
    private let prefix: String

    init(_ url: String, prefix: String = "") throws {
        address = try #require(RedisAddress(url: url))
        self.prefix = prefix
        uv_loop_init(loop)
        writer.start()
    }

    deinit {
        writer.close()
        uv_run(loop, UV_RUN_DEFAULT)
        uv_loop_close(loop)
        loop.deallocate()
    }

    /// Turns the loop until `condition` holds; the bound only ends a test that has failed.
    func turn(until condition: () -> Bool) -> Bool {
        for _ in 0..<20_000 {
            uv_run(loop, UV_RUN_NOWAIT)
            if condition() { return true }
            usleep(500)
        }
        return false
    }

    func connect() -> Bool {
        guard turn(until: { self.writer.isConnected }) else { return false }
        for index in 0...255 { writer.endResync(partition: Partition(UInt8(index))) }
        return true
    }

    func forgetOutcomes() { outcomes.removeAll() }

    @discardableResult
    func stage(
        _ visitor: String,
        _ reading: Reading,
        masked: Bool = false,
        silent: Bool = false
    ) -> Bool {
        var text = ByteBuffer(capacity: 64)
        text.append(text: visitor)
        return writer.stage(
            site: ByteView("demo"),
            visitor: text.view,
            reading: reading,
            likelihood: Likelihood(probability: 0.25, low: 0.1, high: 0.5, source: .drifted),
            model: ByteView("abc123"),
            state: ByteView("\u{1}packed\r\n"),
            masked: masked,
            silent: silent
        )
    }

    func flushAll() -> Bool {
        writer.flush()
        return turn(until: { self.writer.isIdle })
    }
}

@Suite(.serialized)
struct LiveModelTests {
    @Test func theHashIsTheContract() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        rig.stage("v1", testReading(score: 41.26, offset: 77))
        #expect(rig.flushAll())
        #expect(
            stores.redis("HGETALL", "hg:demo:v:{v1}").strings == [
                "score", "41.3", "band", "warm", "profile", "proof-driven", "confidence", "0.5000",
                "likelihood", "0.2500", "likelihood_low", "0.1000", "likelihood_high", "0.5000",
                "likelihood_by", "drifted", "model", "abc123", "updated", "1773500000000", "seen",
                "1773499999995", "state", "\u{1}packed\r\n", "pos", "77",
            ]
        )
        guard case .number(let life) = stores.redis("PTTL", "hg:demo:v:{v1}") else {
            Issue.record("no time to live")
            return
        }
        #expect(life > 0 && life <= StorageLimits.visitorLifeMilliseconds)
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v1").string.flatMap(Double.init) == 41.3)
    }

    @Test func maskedVisitorsAreStoredButNotRanked() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL, prefix: "app:")
        #expect(rig.connect())
        rig.stage("v1", testReading(score: 10))
        rig.stage("v2", testReading(score: 20), masked: true)
        #expect(rig.flushAll())
        rig.stage("v1", testReading(score: 10), masked: true)
        #expect(rig.flushAll())
        #expect(stores.redis("EXISTS", "app:hg:demo:v:{v2}") == .number(1))
        #expect(stores.redis("EXISTS", "app:hg:demo:hot") == .number(0))
        // Two visitors, and a position of every partition.
        #expect(stores.redis("DBSIZE") == .number(258))
    }

    @Test func positionsFollowTheirValues() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        #expect(rig.outcomes == [.connected([UInt64](repeating: 0, count: 256))])
        for step in 1...3 as ClosedRange<UInt64> {
            rig.stage("v1", testReading(score: Double(step), offset: step * 10))
            rig.writer.stagePosition(partition: Partition(7), offset: step * 10)
            #expect(rig.flushAll())
            #expect(stores.redis("GET", "hg:pos:7").string == String(step * 10))
            #expect(rig.writer.confirmed(Partition(7)) == step * 10)
        }
        let other = try LiveRig(stores.redisURL)
        #expect(other.connect())
        #expect(other.writer.confirmed(Partition(7)) == 30)
    }

    @Test func aFlushIsNoticedAndNothingIsClaimed() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        rig.stage("v1", testReading(score: 1))
        rig.writer.stagePosition(partition: Partition(7), offset: 10)
        #expect(rig.flushAll())
        _ = stores.redis("FLUSHALL")
        rig.stage("v2", testReading(score: 2))
        rig.writer.stagePosition(partition: Partition(7), offset: 11)
        #expect(rig.flushAll())
        #expect(rig.outcomes.contains(.wentBack([Partition(7)])))
        #expect(stores.redis("GET", "hg:pos:7").string ?? "0" == "0")
        // Withheld until everything lost is staged again.
        rig.writer.stagePosition(partition: Partition(7), offset: 12)
        #expect(rig.flushAll())
        #expect(stores.redis("GET", "hg:pos:7").string ?? "0" == "0")
        rig.stage("v1", testReading(score: 1), silent: true)
        rig.writer.endResync(partition: Partition(7))
        rig.writer.stagePosition(partition: Partition(7), offset: 12)
        #expect(rig.flushAll())
        #expect(stores.redis("GET", "hg:pos:7").string == "12")
        #expect(stores.redis("ZCARD", "hg:demo:hot") == .number(2))
    }

    @Test func anOlderPositionIsPutBack() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        rig.writer.stagePosition(partition: Partition(3), offset: 10)
        #expect(rig.flushAll())
        _ = stores.redis("SET", "hg:pos:3", "4")
        rig.writer.stagePosition(partition: Partition(3), offset: 11)
        #expect(rig.flushAll())
        #expect(rig.outcomes.contains(.wentBack([Partition(3)])))
        #expect(stores.redis("GET", "hg:pos:3").string == "4")
        #expect(rig.writer.confirmed(Partition(3)) == 4)
    }

    @Test func aProbeNoticesALossWhereNothingIsWritten() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        rig.writer.stagePosition(partition: Partition(200), offset: 10)
        #expect(rig.flushAll())
        _ = stores.redis("FLUSHALL")
        rig.writer.probePositions()
        // What nobody has written yet is missed as well.
        let all = (0...255).map { Partition(UInt8($0)) }
        #expect(rig.turn(until: { rig.outcomes.contains(.wentBack(all)) }))
    }

    @Test func killedInAPipelineItComesBack() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        for number in 0..<5_000 { rig.stage("v\(number)", testReading(score: 5)) }
        rig.writer.stagePosition(partition: Partition(7), offset: 5_000)
        let process = try #require(stores.stores.processes["Redis"])
        rig.writer.flush()
        kill(process, SIGKILL)
        #expect(rig.turn(until: { rig.outcomes.contains(.disconnected) }))
        #expect(!rig.stage("late", testReading(score: 5)))
        rig.forgetOutcomes()
        while stores.stores.superviseTick().isEmpty { usleep(10_000) }
        #expect(rig.connect())
        guard case .connected(let positions) = rig.outcomes.first else {
            Issue.record("not connected first")
            return
        }
        #expect(positions[7] == 0, "values of the flight were never confirmed")
        rig.stage("v1", testReading(score: 5))
        rig.writer.stagePosition(partition: Partition(7), offset: 5_000)
        #expect(rig.flushAll())
        #expect(stores.redis("GET", "hg:pos:7").string == "5000")
    }

    @Test func aRefusingServerLosesTheConnectionNotThePosition() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        _ = stores.redis("CONFIG", "SET", "maxmemory", "1")
        rig.stage("v1", testReading(score: 5))
        rig.writer.stagePosition(partition: Partition(7), offset: 9)
        rig.writer.flush()
        #expect(rig.turn(until: { rig.outcomes.contains(.disconnected) }))
        _ = stores.redis("CONFIG", "SET", "maxmemory", "0")
        #expect(stores.redis("GET", "hg:pos:7").string ?? "0" == "0")
        #expect(rig.problems.contains { $0.contains("OOM") })
    }

    @Test func aKeyOfTheWrongTypeHarmsItselfAlone() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        _ = stores.redis("SET", "hg:demo:v:{v1}", "mine")
        rig.stage("v1", testReading(score: 5))
        rig.stage("v2", testReading(score: 6))
        rig.writer.stagePosition(partition: Partition(7), offset: 9)
        #expect(rig.flushAll())
        #expect(rig.writer.refusedCommands == 1)
        #expect(stores.redis("HGET", "hg:demo:v:{v2}", "score").string == "6.0")
        #expect(stores.redis("GET", "hg:pos:7").string == "9")
    }

    @Test func theHotSetIsSweptOfTheOldAndRescored() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        let now: Int64 = 1_773_500_000_000
        for number in 0..<700 {
            let age = number % 2 == 0 ? 0 : StorageLimits.hotAgeMilliseconds + 1
            rig.stage("v\(number)", testReading(score: 50, updatedAt: now - age))
        }
        #expect(rig.flushAll())
        rig.writer.sweepHot(now: now) { _, _, state, _ in
            state.equals("\u{1}packed\r\n") ? 7.5 : nil
        }
        #expect(rig.turn(until: { !rig.writer.sweep.isPending && rig.writer.isIdle }))
        #expect(stores.redis("ZCARD", "hg:demo:hot") == .number(350))
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v0").string == "7.5")
    }

    @Test func aFullHotSetIsTrimmedAndKeepsTheLowOut() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        let limit = StorageLimits.hotMembersMaximum
        for number in 0..<limit + 50 {
            rig.stage("v\(number)", testReading(score: number < 50 ? 1 : 20))
        }
        #expect(rig.flushAll())
        rig.writer.sweepHot(now: 1_773_500_000_000)
        #expect(rig.turn(until: { !rig.writer.sweep.isPending && rig.writer.isIdle }))
        #expect(stores.redis("ZCARD", "hg:demo:hot") == .number(Int64(limit)))
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v3") == .none)
        rig.writer.probePositions()
        #expect(rig.turn(until: { rig.writer.isIdle }))
        rig.stage("v3", testReading(score: 2))
        rig.stage("v60", testReading(score: 3))
        rig.stage("new", testReading(score: 30))
        #expect(rig.flushAll())
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v3") == .none)
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v60") == .none)
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "new").string == "30")
    }

    @Test func overTheNetworkWithAPassword() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let port = try #require(TestRedis.openPort(stores.redisURL))
        _ = stores.redis("CONFIG", "SET", "requirepass", "s3cret")
        let stranger = try LiveRig("redis://:wrong@127.0.0.1:\(port)")
        #expect(stranger.turn(until: { !stranger.problems.isEmpty }))
        #expect(!stranger.writer.isConnected)
        #expect(stranger.problems.allSatisfy { !$0.contains("wrong@") && !$0.contains("s3cret") })
        let rig = try LiveRig("redis://:s3cret@127.0.0.1:\(port)")
        #expect(rig.connect())
        rig.stage("v1", testReading(score: 5))
        rig.writer.stagePosition(partition: Partition(7), offset: 9)
        #expect(rig.flushAll())
        #expect(rig.writer.confirmed(Partition(7)) == 9)
    }

    @Test func aServerThatIsNotThereIsTriedAgain() throws {
        let rig = try LiveRig("unix:///nonexistent/redis.sock")
        #expect(rig.turn(until: { rig.problems.count > 3 }))
        #expect(!rig.stage("v1", testReading(score: 5)))
        rig.writer.flush()
        rig.writer.probePositions()
        rig.writer.sweepHot(now: 0)
        #expect(rig.outcomes.isEmpty)
    }

    /// More is staged than a socket takes at once, while answers come in: order and counts must hold.
    @Test func largePipelinesKeepTheirOrder() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        var staged = 0
        for round in 0..<4 {
            while staged < (round + 1) * 9_000,
                rig.stage("v\(staged)", testReading(score: Double(staged % 100)))
            { staged += 1 }
            rig.writer.stagePosition(partition: Partition(9), offset: UInt64(staged))
            rig.writer.flush()
            uv_run(rig.loop, UV_RUN_NOWAIT)
        }
        #expect(rig.flushAll())
        #expect(stores.redis("DBSIZE") == .number(Int64(staged + 257)))
        #expect(stores.redis("GET", "hg:pos:9").string == String(staged))
        #expect(rig.problems.isEmpty)
    }

    @Test func aProbeLeavesThePartitionsOfOtherWorkersAlone() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let (first, second) = (try LiveRig(stores.redisURL), try LiveRig(stores.redisURL))
        #expect(first.turn(until: { first.writer.isConnected }))
        #expect(second.turn(until: { second.writer.isConnected }))
        first.writer.endResync(partition: Partition(1))
        second.writer.endResync(partition: Partition(2))
        second.writer.stagePosition(partition: Partition(2), offset: 10)
        #expect(second.flushAll())
        first.writer.probePositions()
        #expect(first.turn(until: { first.outcomes.contains(.applied) && first.writer.isIdle }))
        second.writer.stagePosition(partition: Partition(2), offset: 20)
        #expect(second.flushAll())
        for rig in [first, second] {
            #expect(
                !rig.outcomes.contains { outcome in
                    if case .wentBack = outcome { return true }
                    return false
                }
            )
        }
        #expect(stores.redis("GET", "hg:pos:2").string == "20")
    }

    @Test func aRemovedVisitorThatReturnsIsWhole() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        rig.stage("v1", testReading(score: 5))
        #expect(rig.flushAll())
        #expect(rig.writer.stageRemoval(site: ByteView("demo"), visitor: ByteView("v1")))
        #expect(rig.flushAll())
        #expect(stores.redis("DBSIZE") == .number(256))
        rig.stage("v1", testReading(score: 5))
        #expect(rig.flushAll())
        #expect(stores.redis("ZSCORE", "hg:demo:hot", "v1").string == "5")
        #expect(stores.redis("PTTL", "hg:demo:v:{v1}") != .number(-1))
    }
}
