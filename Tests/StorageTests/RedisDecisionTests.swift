// Goal: the link's decisions and its address, as tables. Method: pure values, no server.
import Testing

@testable import Storage

struct RedisDecisionTests {
    @Test func theWayToReadyAndBack() {
        var state = RedisLinkState()
        #expect(state.take(.start) == .connect)
        #expect(state.take(.opened) == .greet)
        #expect(state.take(.greeted) == .announce)
        #expect(state.take(.failed(random: 0)) == .wait(milliseconds: 25, wasReady: true))
        #expect(state.take(.failed(random: 0)) == .none)
        #expect(state.take(.retry) == .connect)
        #expect(state.take(.failed(random: 25)) == .wait(milliseconds: 50 + 25, wasReady: false))
        #expect(state.take(.stop) == .close)
        #expect(state.take(.retry) == .none)
    }

    @Test func waitsGrowToTheCapAndStartAgainAfterSuccess() {
        var backoff = Backoff()
        let waits = (0..<80).map { _ in backoff.next(random: 0) }
        #expect(waits.prefix(4) == [25, 50, 100, 200])
        #expect(waits.last == StorageLimits.backoffLongestMilliseconds / 2)
        #expect(backoff.next(random: .max) <= StorageLimits.backoffLongestMilliseconds)
        backoff.succeeded()
        #expect(backoff.next(random: 0) == 25)
    }

    @Test(arguments: [
        ("unix:///run/redis.sock", "unix:///run/redis.sock", 0),
        ("unix:///run/redis.sock?db=3", "unix:///run/redis.sock", 3),
        ("redis://cache", "redis://cache:6379", 0),
        ("redis://:pa:ss@cache:6380/2", "redis://cache:6380", 2),
        ("redis://me:secret@10.0.0.1:1/", "redis://10.0.0.1:1", 0),
    ]) func addressesAreReadAndPrintedWithoutSecrets(url: String, shown: String, database: Int) {
        let address = RedisAddress(url: url)
        #expect(address?.description == shown)
        #expect(address?.database == database)
    }

    @Test(arguments: [
        "", "redis://", "http://x", "unix://relative", "redis://h:0", "redis://h:99999",
        "redis://h:1/x", "unix:///s?db=-1", "redis://a:1:2",
    ]) func wrongAddressesAreRefused(url: String) {
        #expect(RedisAddress(url: url) == nil)
    }
}
