import Bytes
import Rings
import Synchronization
import Testing

/// What two threads can see: the same, at any speed of either.
@Suite(.serialized) struct RingBetweenThreadsTests {
    /// Random sizes, random drain limits; every body is filled from its number, every word checked.
    @Test(arguments: [1024, 16 * 1024, 1 << 20])
    func contentSurvivesTwoThreads(capacity: Int) {
        let frames = 100_000 / roundsShare
        let ring = TestRing(capacity: capacity)
        let tally = Tally()
        together({ sendFrames(frames, ring, tally) }, { receiveFrames(frames, ring, tally) })
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        #expect(tally.received.load(ordering: .relaxed) == frames)
    }

    /// Ten million small frames; a few seconds in release, so only asked for there.
    @Test(
        .enabled(
            if: !isDebug && roundsShare == 1,
            "ten million frames: optimised, without sanitizer"
        )
    )
    func tenMillionFramesArriveInOrder() {
        let frames = 10_000_000
        let ring = TestRing(capacity: 1 << 16)
        let tally = Tally()
        together({ sendFrames(frames, ring, tally) }, { receiveFrames(frames, ring, tally) })
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        #expect(tally.received.load(ordering: .relaxed) == frames)
    }
}

private final class Tally: Sendable {
    let wrong = Atomic<Int>(0)
    let received = Atomic<Int>(0)
}

private var isDebug: Bool {
    #if DEBUG
        return true
    #else
        return false
    #endif
}

/// Bodies of 0 to 255 bytes from a table: byte i is i plus the frame's number.
private func sendFrames(_ frames: Int, _ ring: TestRing, _ tally: Tally) {
    let table = (0..<512).map { UInt8(truncatingIfNeeded: $0) }
    ring.producer.end.withLock { producer in
        var dice = Dice(11)
        var patience = Patience()
        withView(table) { bytes in
            for number in 0..<frames {
                let start = number & 255
                let length = dice.below(256)
                let body = bytes[start..<start + length]
                while !producer.push(
                    kind: UInt32(length),
                    first: UInt64(number),
                    second: checksum(body),
                    third: UInt64(number) ^ .max,
                    body: body
                ) { patience.pause() }
            }
        }
    }
}

private func receiveFrames(_ frames: Int, _ ring: TestRing, _ tally: Tally) {
    ring.consumer.end.withLock { consumer in
        var dice = Dice(13)
        var patience = Patience()
        var next = 0
        var wrong = 0
        // A frame too many, or one that cannot be right, ends the loop as well.
        while next < frames, wrong == 0 {
            let count = consumer.drain(limit: 1 + dice.below(64)) { frame in
                if !isRight(frame, number: next) { wrong += 1 }
                next += 1
            }
            if count == 0 { patience.pause() }
        }
        if !consumer.isEmpty() { wrong += 1 }
        tally.wrong.store(wrong, ordering: .relaxed)
        tally.received.store(next, ordering: .relaxed)
        // Whatever is wrong, the producer must not be left waiting for room.
        if wrong > 0 { while next < frames { next += consumer.drain(limit: .max) { _ in } } }
    }
}

private func isRight(_ frame: Frame, number: Int) -> Bool {
    frame.first == UInt64(number) && frame.third == ~UInt64(number)
        && Int(frame.kind) == frame.body.count && frame.second == checksum(frame.body)
}

/// Position-dependent, so that swapped or stale bytes show.
private func checksum(_ bytes: ByteView) -> UInt64 {
    var sum = UInt64(bytes.count)
    var index = 0
    while index &+ 8 <= bytes.count {
        sum = (sum ^ bytes.load(UInt64.self, at: index)) &* 0x9e37_79b9_7f4a_7c15
        index &+= 8
    }
    while index < bytes.count {
        sum = (sum ^ UInt64(bytes[index])) &* 0x9e37_79b9_7f4a_7c15
        index &+= 1
    }
    return sum
}
