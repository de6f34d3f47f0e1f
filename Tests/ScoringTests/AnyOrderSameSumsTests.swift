// Goal: sums do not depend on the order of records (invariant I4).
// Method: random records are folded in two random orders; the sums of every signal that the README
// does not name as order-dependent must agree to 1e-9, at one common time.

import Glibc
import Records
import Scoring
import TestSupport
import Testing

struct AnyOrderSameSumsTests {
    static let cases = 10_000
    /// Signals whose observations depend on which record opens a session.
    static let ordered: Set<Signal> = [.returnCadence, .decisionFatigue]

    @Test func shuffledRecordsGiveTheSameSums() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var worst = 0.0
        var compared = 0
        for number in 0..<Self.cases {
            var source = RandomRecords(seed: dice.next())
            let records = source.records(source.dice.roll(2...12), orderFree: true)
            let one = Scenes.fold(records)
            let other = Scenes.fold(records.shuffled(using: &dice))
            for visitor in ["visitor-1", "visitor-2", "visitor-3"] {
                guard Scenes.index(one, visitor) != nil else { continue }
                let apart = distance(Scenes.state(one, visitor), Scenes.state(other, visitor))
                worst = max(worst, apart)
                compared += 1
                if apart > 1e-9 {
                    Issue.record("seed \(seed), case \(number), \(visitor): apart by \(apart)")
                    return
                }
            }
        }
        #expect(compared > Self.cases)
        print("any order: \(compared) states of seed \(seed) compared, worst \(worst)")
    }

    @Test func theOrderTestCanFail() {
        let events = [
            TestEvent(.custom, at: Scenes.noon, name: "add_to_cart"),
            TestEvent(.custom, at: Scenes.noon + 1, name: "purchase"),
        ]
        let records = events.map { Scenes.record([$0], receivedAt: Scenes.noon + 10) }
        let one = Scenes.fold(records)
        let other = Scenes.fold(records.reversed())
        #expect(distance(Scenes.state(one), Scenes.state(other)) == 0)
        let late = [events[0], TestEvent(.custom, at: Scenes.noon - 1, name: "purchase")]
            .map { Scenes.record([$0], receivedAt: Scenes.noon + 10) }
        let before = Scenes.fold(late)
        let after = Scenes.fold(late.reversed())
        #expect(distance(Scenes.state(before), Scenes.state(after)) > 0.01)
    }

    /// The greatest difference of any sum or weight, both taken to one time, relative above 1.
    private func distance(_ one: PackedState, _ other: PackedState) -> Double {
        var worst = 0.0
        for signal in Signal.allCases where !Self.ordered.contains(signal) {
            let (left, right) = (at(one, signal), at(other, signal))
            for (a, b) in [(left.0, right.0), (left.1, right.1)] {
                worst = max(worst, abs(a - b) / max(1, abs(a)))
            }
        }
        return worst
    }

    private func at(_ state: PackedState, _ signal: Signal) -> (Double, Double) {
        let time = Scenes.noon + 20 * 86_400_000
        let halvings = Double(state.landmark - time) / Scenes.model.halfLifeMilliseconds(of: signal)
        let sums = state.sums(of: signal)
        return (sums.sum * exp2(halvings), sums.weight * exp2(halvings))
    }
}
