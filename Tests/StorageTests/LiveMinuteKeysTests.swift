// Goal: a minute's hash holds a whole field per partition, is overwritten however often it comes, ends
// by itself also after Redis lost everything, and no position is claimed before it.
// Method: a real private Redis, flushed while the writer works.
import Bytes
import CLibuv
import Records
import Testing

@testable import Storage
@testable import heliograph

@Suite(.serialized)
struct LiveMinuteKeysTests {
    private let minute: UInt32 = 29_558_333

    @discardableResult
    private func stage(
        _ rig: LiveRig,
        _ value: StaticString,
        minute: UInt32,
        partition: UInt8 = 3
    ) -> Bool {
        rig.writer.stageMinute(
            site: ByteView("demo"),
            minute: minute,
            partition: Partition(partition),
            value: ByteView(value)
        )
    }

    private func end(_ stores: TestStores, _ key: String) -> Int64? {
        guard case .number(let moment) = stores.redis("EXPIRETIME", key) else { return nil }
        return moment
    }

    /// Far enough in the future that Redis does not end it during the test.
    private let coming: UInt32 = 60_000_000
    /// When it ends: 49 hours after it began, in seconds.
    private let comingEnd = Int64(3_600_176_400)

    @Test func aFieldPerPartitionIsOverwrittenWhole() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        for _ in 0..<3 {
            stage(rig, "{\"events\":1}", minute: coming)
            stage(rig, "{\"events\":9}", minute: coming, partition: 200)
            stage(rig, "{\"events\":2}", minute: coming)
            #expect(rig.flushAll())
        }
        let key = "hg:demo:agg:60000000"
        #expect(stores.redis("HLEN", key) == .number(2))
        #expect(stores.redis("HGET", key, "3").string == "{\"events\":2}")
        #expect(stores.redis("HGET", key, "200").string == "{\"events\":9}")
        #expect(end(stores, key) == comingEnd)
    }

    @Test func whatIsLongOverEndsAtOnce() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(rig.connect())
        stage(rig, "{\"events\":1}", minute: minute - 10_000_000)
        #expect(rig.flushAll())
        // Every partition has a position from the beginning.
        #expect(stores.redis("DBSIZE") == .number(256))
    }

    @Test func lifeIsSetAgainAfterALoss() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL, prefix: "t:")
        #expect(rig.connect())
        stage(rig, "{\"events\":1}", minute: coming)
        rig.writer.stagePosition(partition: Partition(3), offset: 10)
        #expect(rig.flushAll())
        _ = stores.redis("FLUSHALL")
        stage(rig, "{\"events\":2}", minute: coming)
        rig.writer.stagePosition(partition: Partition(3), offset: 11)
        #expect(rig.flushAll())
        #expect(rig.outcomes.contains(.wentBack([Partition(3)])))
        stage(rig, "{\"events\":2}", minute: coming)
        #expect(rig.flushAll())
        #expect(end(stores, "t:hg:demo:agg:60000000") == comingEnd)
    }

    @Test func nothingIsStagedWhileRedisIsAway() throws {
        let stores = try TestStores(redis: true)
        defer { stores.end() }
        let rig = try LiveRig(stores.redisURL)
        #expect(!stage(rig, "{\"events\":1}", minute: minute))
        #expect(rig.connect())
        #expect(stage(rig, "{\"events\":1}", minute: coming))
    }
}
