import Bytes
import Glibc
import Rings
import Synchronization
import Testing

/// A consumer that goes to sleep while a producer pushes is always woken.
@Suite(.serialized) struct WakerLosesNoWakeUpTests {
    /// The race itself, thousands of times: both threads leave a barrier together, one
    /// pushes and wakes, the other announces its sleep and looks once more. If the consumer saw
    /// nothing, the descriptor must be readable once both are done. No clock takes part.
    @Test func eitherTheConsumerSeesTheFrameOrTheProducerSeesTheSleep() {
        // On a busy machine one thread may be ahead in every round, so a race that tells nothing is
        // run again.
        var slept = 0
        for _ in 0..<200 where slept == 0 {
            let race = SleepRace(rounds: raceRounds)
            together({ race.produce() }, { race.consume() })
            #expect(race.lost.load(ordering: .relaxed) == 0, "wake-ups lost")
            slept += race.slept.load(ordering: .relaxed)
        }
        #expect(slept > 0, "the race never met a sleeping consumer")
    }

    /// A ball goes to and fro between two sleeping threads. A lost wake-up would hang it; the
    /// timeout only turns that into a failure.
    @Test func twoSleepersKeepABallInTheAir() {
        let game = PingPong(rounds: 5000 / roundsShare)
        together({ game.play(.serves) }, { game.play(.returns) })
        #expect(game.timeouts.load(ordering: .relaxed) == 0, "a sleeper was not woken")
        #expect(game.hits.load(ordering: .relaxed) == 2 * game.rounds)
    }

    @Test func nobodyIsWokenWhoIsAwake() {
        let waker = Waker()
        waker.wake()
        #expect(!isReadable(waker.descriptor))
        waker.prepareToSleep()
        waker.wake()
        #expect(isReadable(waker.descriptor))
        waker.acknowledge()
        waker.wake()
        #expect(!isReadable(waker.descriptor), "the first wake-up ended the sleep")
    }

    @Test func withdrawingTheAnnouncementStopsWakeUps() {
        let waker = Waker()
        waker.prepareToSleep()
        waker.stayAwake()
        waker.wake()
        #expect(!isReadable(waker.descriptor))
    }

    @Test func aForcedWakeUpNeedsNoSleeper() {
        let waker = Waker()
        waker.forceWake()
        #expect(isReadable(waker.descriptor))
        waker.sleep(timeoutMilliseconds: -1)
        #expect(!isReadable(waker.descriptor))
    }

    /// Enough for the race to be met often; the mutation script asks for more.
    private var raceRounds: Int {
        getenv("RING_RACE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 20_000 / roundsShare
    }
}

private func isReadable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
}

/// Two threads in lockstep. `started` and `finished` count rounds; a round ends when both are done.
private final class SleepRace: Sendable {
    let rounds: Int
    let slept = Atomic<Int>(0)
    let lost = Atomic<Int>(0)
    private let ring = TestRing(capacity: 1024)
    private let waker = Waker()
    private let barrier = Atomic<Int>(0)

    init(rounds: Int) { self.rounds = rounds }

    func produce() {
        stayOnProcessor(0)
        ring.producer.end.withLock { producer in
            var dice = Dice(3)
            for round in 0..<rounds {
                meet(2 * round)
                idle(dice.below(256))
                while !producer.push(kind: 1, first: 0, second: 0, third: 0, body: .empty) {}
                waker.wake()
                meet(2 * round + 1)
            }
        }
    }

    func consume() {
        stayOnProcessor(1)
        ring.consumer.end.withLock { consumer in
            var dice = Dice(5)
            for round in 0..<rounds {
                meet(2 * round)
                idle(dice.below(256))
                waker.prepareToSleep()
                let sleeps = consumer.isEmpty()
                meet(2 * round + 1)
                if sleeps { judge() }
                waker.stayAwake()
                waker.acknowledge()
                consumer.drain(limit: .max) { _ in }
            }
        }
    }

    private func judge() {
        slept.wrappingAdd(1, ordering: .relaxed)
        if !isReadable(waker.descriptor) { lost.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Both threads leave together, as nearly as a spin can make it.
    private func meet(_ number: Int) {
        barrier.wrappingAdd(1, ordering: .acquiringAndReleasing)
        var patience = Patience()
        while barrier.load(ordering: .acquiring) < 2 * (number + 1) { patience.pause() }
    }

    /// Moves the two threads against each other, by more than the last one at the barrier leaves
    /// ahead of the first.
    private func idle(_ steps: Int) {
        for _ in 0..<steps { _ = barrier.load(ordering: .relaxed) }
    }
}

/// Two rings and two wakers; each player sleeps whenever the ball is with the other.
private final class PingPong: Sendable {
    enum Side { case serves, returns }

    let rounds: Int
    let hits = Atomic<Int>(0)
    let timeouts = Atomic<Int>(0)
    private let there = TestRing(capacity: 1024)
    private let back = TestRing(capacity: 1024)
    private let server = Waker()
    private let returner = Waker()

    init(rounds: Int) { self.rounds = rounds }

    func play(_ side: Side) {
        let serves = side == .serves
        (serves ? there : back).producer.end.withLock { out in
            (serves ? back : there).consumer.end.withLock { incoming in
                for round in 0..<rounds {
                    if serves { hit(&out, round, wakes: returner) }
                    guard catchBall(&incoming, round, sleepsOn: serves ? server : returner) else {
                        return
                    }
                    if !serves { hit(&out, round, wakes: server) }
                }
            }
        }
    }

    private func hit(_ out: inout RingProducer, _ round: Int, wakes waker: Waker) {
        if out.push(kind: 1, first: UInt64(round), second: 0, third: 0, body: .empty) {
            hits.wrappingAdd(1, ordering: .relaxed)
        }
        waker.wake()
    }

    /// False when the ball did not come although it was long overdue.
    private func catchBall(
        _ incoming: inout RingConsumer,
        _ round: Int,
        sleepsOn waker: Waker
    ) -> Bool {
        for _ in 0..<100 {
            var caught = false
            incoming.drain(limit: 1) { caught = $0.first == UInt64(round) }
            if caught { return true }
            waker.prepareToSleep()
            guard incoming.isEmpty() else {
                waker.stayAwake()
                continue
            }
            guard isWoken(waker) else { break }
        }
        timeouts.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    /// Sleeps as an engine thread does. Whether somebody woke us is read off the descriptor.
    private func isWoken(_ waker: Waker) -> Bool {
        var entry = pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&entry, 1, 20_000)
        waker.sleep(timeoutMilliseconds: 0)
        return ready == 1
    }
}
