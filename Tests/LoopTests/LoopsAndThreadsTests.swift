import Foundation
import Loop
import Synchronization
import Testing

/// Timers, watches and threads do what they say, once, and end when they are told to.
@Suite struct LoopsAndThreadsTests {
    /// A fresh loop, run to its end and closed.
    private func run(_ body: (EventLoop) -> Void) {
        let loop = EventLoop()
        body(loop)
        loop.run()
        loop.close()
    }

    @Test func aTimerFiresOnceUnlessToldOtherwise() {
        var fired = 0
        run { loop in
            let once = LoopTimer(loop: loop) { fired += 1 }
            once.start(afterMilliseconds: 1)
            let end = LoopTimer(loop: loop) { loop.stop() }
            end.start(afterMilliseconds: 30)
        }
        #expect(fired == 1)
    }

    @Test func aPeriodicTimerFiresUntilItIsClosed() {
        var fired = 0
        var timer: LoopTimer?
        // The loop ends by itself: nothing is attached any more.
        run { loop in
            timer = loop.every(milliseconds: 1) {
                fired += 1
                if fired == 5 { timer?.close() }
            }
        }
        #expect(fired == 5)
        timer?.close()
    }

    @Test func aStoppedTimerIsSilentAndMayStartAgain() {
        var fired = 0
        run { loop in
            let timer = LoopTimer(loop: loop) { fired += 1 }
            timer.start(afterMilliseconds: 1, thenEveryMilliseconds: 1)
            timer.stop()
            let later = LoopTimer(loop: loop) { timer.start(afterMilliseconds: 0) }
            later.start(afterMilliseconds: 10)
            let end = LoopTimer(loop: loop) { loop.stop() }
            end.start(afterMilliseconds: 40)
        }
        #expect(fired == 1)
    }

    @Test func timersFireInTheOrderOfTheirTimes() {
        var order: [Int] = []
        run { loop in
            for delay in [30, 10, 20] {
                let timer = LoopTimer(loop: loop) { order.append(delay) }
                timer.start(afterMilliseconds: UInt64(delay))
            }
            let end = LoopTimer(loop: loop) { loop.stop() }
            end.start(afterMilliseconds: 50)
        }
        #expect(order == [10, 20, 30])
    }

    @Test func theLoopsClockOnlyGrows() {
        var seen: [UInt64] = []
        run { loop in
            _ = loop.every(milliseconds: 2) {
                seen.append(loop.nowMilliseconds)
                if seen.count == 5 { loop.stop() }
            }
        }
        #expect(seen == seen.sorted())
        #expect(seen[4] >= seen[0] + 8)
    }

    @Test func aWatchTellsOfEveryByteUntilItIsClosed() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        var received: [UInt8] = []
        var watch: LoopWatch?
        run { loop in
            watch = loop.watch(readable: reading) {
                var byte: UInt8 = 0
                if read(reading, &byte, 1) == 1 { received.append(byte) }
                if received.count == 3 { watch?.close() }
            }
            var bytes: [UInt8] = [1, 2, 3, 4]
            write(writing, &bytes, 4)
        }
        #expect(received == [1, 2, 3])
        // The descriptor stays ours, with what nobody has read.
        var byte: UInt8 = 0
        #expect(read(reading, &byte, 1) == 1)
        #expect(byte == 4)
        close(reading)
        close(writing)
    }

    @Test func closingALoopEndsWhatIsStillAttached() {
        for _ in 0..<50 {
            let loop = EventLoop()
            var fired = 0
            let timer = loop.every(milliseconds: 1) {
                fired += 1
                loop.stop()
            }
            loop.run()
            timer.close()
            loop.close()
            #expect(fired == 1)
        }
    }

    @Test func aThreadHasItsNameAndIsWaitedFor() {
        let name = Mutex("")
        let thread = EngineThread.start(name: "hg-test-thread") {
            let found = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            name.withLock { $0 = found ?? "" }
        }
        thread.join()
        #expect(name.withLock { $0 } == "hg-test-thread\n")
    }

    @Test func aValueIsHandedToAThreadWhole() {
        let handoff = Handoff([1, 2, 3])
        let sum = Atomic<Int>(0)
        let thread = EngineThread.start(name: "hg-taker") {
            sum.store(handoff.take().reduce(0, +), ordering: .releasing)
        }
        thread.join()
        #expect(sum.load(ordering: .acquiring) == 6)
    }
}
