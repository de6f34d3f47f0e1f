import Bytes
import Rings
import Testing

/// What one thread can see: everything pushed comes out once, in order, as it was.
@Suite struct RingKeepsOrderAndContentTests {
    private static let table = (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 &>> 8) }

    private func body(_ length: Int, seed: Int) -> [UInt8] {
        Array(Self.table[(seed & 255)..<(seed & 255) + length])
    }

    private func pushEmpty(_ producer: inout RingProducer, _ number: UInt64) -> Bool {
        producer.push(kind: 1, first: number, second: 0, third: 0, body: .empty)
    }

    private func pushMany(_ producer: inout RingProducer, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 + (pushEmpty(&producer, UInt64($1)) ? 1 : 0) }
    }

    @Test func aFrameComesOutAsItWentIn() {
        var ring = ByteRing.make(capacity: 1024)
        let content = body(100, seed: 7)
        let pushed = withView(content) {
            ring.producer.push(
                kind: 3,
                first: 1,
                second: .max,
                third: 0x8000_0000_0000_0000,
                body: $0
            )
        }
        #expect(pushed)
        var frames = 0
        let count = ring.consumer.drain(limit: 10) { frame in
            frames += 1
            #expect(frame.kind == 3)
            #expect(frame.first == 1)
            #expect(frame.second == .max)
            #expect(frame.third == 0x8000_0000_0000_0000)
            #expect(frame.body.array == content)
        }
        #expect(count == 1 && frames == 1)
        let again = ring.consumer.drain(limit: 10) { _ in }
        #expect(again == 0, "a frame came twice")
    }

    @Test func everyLengthUpToTheLongestSurvivesEveryPlaceInTheRing() {
        var ring = ByteRing.make(capacity: 1024)
        let longest = ring.producer.bodyLengthMaximum
        #expect(longest == 480)
        for round in 0..<2 {
            for length in 0...longest {
                let content = body(length, seed: round &+ length)
                let pushed = withView(content) {
                    ring.producer.push(
                        kind: 1,
                        first: UInt64(length),
                        second: 0,
                        third: 0,
                        body: $0
                    )
                }
                #expect(pushed, "an empty ring refused \(length) bytes")
                var seen: [UInt8]?
                ring.consumer.drain(limit: 1) { seen = $0.body.array }
                #expect(seen == content)
            }
        }
    }

    @Test func aTrailerFollowsTheBody() {
        var ring = ByteRing.make(capacity: 4096)
        for split in 0...64 {
            let content = body(64, seed: split)
            let pushed = withView(content) {
                ring.producer.push(
                    kind: 1,
                    first: 0,
                    second: 0,
                    third: 0,
                    body: $0[0..<split],
                    trailer: $0[split..<64]
                )
            }
            #expect(pushed)
            ring.consumer.drain(limit: 1) { #expect($0.body.array == content) }
        }
    }

    @Test func bodyAndTrailerTogetherMayNotPassTheLongest() {
        var ring = ByteRing.make(capacity: 1024)
        let longest = ring.producer.bodyLengthMaximum
        withView(body(longest + 1, seed: 0)) { bytes in
            let whole = ring.producer.push(kind: 1, first: 0, second: 0, third: 0, body: bytes)
            #expect(!whole)
            let split = ring.producer.push(
                kind: 1,
                first: 0,
                second: 0,
                third: 0,
                body: bytes[0..<longest],
                trailer: bytes[longest..<longest + 1]
            )
            #expect(!split)
        }
        let isEmpty = ring.consumer.isEmpty()
        let depth = ring.producer.depth
        #expect(isEmpty && depth == 0)
    }

    @Test func aFullRingRefusesAndLosesNothing() {
        var ring = ByteRing.make(capacity: 1024)
        var accepted: UInt64 = 0
        while pushEmpty(&ring.producer, accepted) { accepted += 1 }
        // 32 bytes of front and no body: the ring is used up to its last byte.
        #expect(accepted == 32)
        let depths = (ring.producer.depth, ring.consumer.depth())
        #expect(depths == (1024, 1024))
        var expected: UInt64 = 0
        ring.consumer.drain(limit: .max) {
            #expect($0.first == expected)
            expected += 1
        }
        #expect(expected == accepted)
        let pushed = pushEmpty(&ring.producer, 0)
        #expect(pushed)
    }

    @Test func roomComesBackOnlyForWhatWasDrained() {
        var ring = ByteRing.make(capacity: 1024)
        let filled = pushMany(&ring.producer, 40)
        ring.consumer.drain(limit: 3) { _ in }
        let refilled = pushMany(&ring.producer, 40)
        #expect(filled == 32 && refilled == 3)
    }

    @Test func aMessageThatIsNotWantedYetStays() {
        var ring = ByteRing.make(capacity: 1024)
        let pushed = pushMany(&ring.producer, 5)
        #expect(pushed == 5)
        let taken = ring.consumer.drainWhile(limit: 10) { $0.first < 2 }
        #expect(taken == 2)
        var rest: [UInt64] = []
        ring.consumer.drain(limit: 10) { rest.append($0.first) }
        #expect(rest == [2, 3, 4])
    }

    @Test(arguments: [1024, 4096, 65536])
    func randomTrafficMatchesAQueue(capacity: Int) {
        var dice = Dice(UInt64(capacity))
        var ring = ByteRing.make(capacity: capacity)
        var queue: [[UInt8]] = []
        let longest = min(ring.producer.bodyLengthMaximum, 4000)
        for step in 0..<1000 {
            let content = body(dice.below(longest + 1), seed: step)
            let pushed = withView(content) {
                ring.producer.push(kind: 9, first: UInt64(step), second: 0, third: 0, body: $0)
            }
            if pushed { queue.append(content) }
            let limit = dice.below(4)
            let wanted = min(limit, queue.count)
            var seen: [[UInt8]] = []
            let count = ring.consumer.drain(limit: limit) { seen.append($0.body.array) }
            if count != wanted || seen != Array(queue[0..<wanted]) {
                Issue.record("content differs at step \(step)")
                return
            }
            queue.removeFirst(wanted)
            if !pushed, queue.isEmpty { ring.consumer.drain(limit: .max) { _ in } }
        }
    }

    @Test func aCapacityThatIsNoPowerOfTwoStopsTheProcess() async {
        await #expect(processExitsWith: .failure) { _ = ByteRing.make(capacity: 1000) }
        await #expect(processExitsWith: .failure) { _ = ByteRing.make(capacity: 512) }
    }
}
