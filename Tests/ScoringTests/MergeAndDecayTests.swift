// Goal: what makes merging visitors and reading without writing sound: sums of all 27 signals are
// order-free, merging is associative and commutative and the same as folding everything together, and
// reading at T by decay is reading what was folded anew at T.
// Method: random observations and random records from a printed seed; sums compared to 1e-9.

import Glibc
import Records
import TestSupport
import Testing

@testable import Scoring

struct MergeAndDecayTests {
    private static let shuffles = 10_000
    private let model = Scenes.model

    private struct Observation {
        let sum: Int
        let time: Int64
        let amount: Double
    }

    /// Some observations of every sum that belongs to one of the 27 signals.
    private func observations(_ dice: inout Dice) -> [Observation] {
        var all: [Observation] = []
        for signal in Signal.allCases {
            let weight = Sum.weightIndex(of: signal)
            for _ in 0..<dice.roll(1...4) {
                let time = Scenes.noon + Int64(dice.roll(0...(9 * 86_400_000)))
                let amount = Double(dice.roll(-5...40)) / 4
                all.append(.init(sum: Int(signal.rawValue), time: time, amount: amount))
                guard weight >= 0 else { continue }
                all.append(.init(sum: weight, time: time, amount: abs(amount)))
            }
        }
        return all
    }

    private func folded(_ observations: [Observation]) -> SignalState {
        var state = SignalState()
        for observation in observations {
            var moment = Moment()
            moment.begin(observation.time, &state, model)
            if Sum.isMaximum(observation.sum) {
                let factor = moment.factor(ofSum: observation.sum, model)
                state.sums[observation.sum] = max(
                    state.sums[observation.sum],
                    observation.amount * factor
                )
            } else {
                state.add(observation.amount, toIndex: observation.sum, &moment, model)
            }
        }
        return state
    }

    /// The greatest difference of any sum, both at one time, against what went in.
    private func distance(_ one: SignalState, _ other: SignalState) -> Double {
        var (left, right) = (one, other)
        let common = max(one.landmark, other.landmark)
        left.move(to: common, model)
        right.move(to: common, model)
        return (0..<Sum.count).reduce(0) { worst, index in
            let apart = abs(left.sums[index] - right.sums[index])
            return max(worst, apart / max(10, abs(left.sums[index])))
        }
    }

    @Test func sumsOfAllSignalsDoNotDependOnOrder() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var worst = 0.0
        for number in 0..<Self.shuffles {
            let all = observations(&dice)
            let apart = distance(folded(all), folded(all.shuffled(using: &dice)))
            worst = max(worst, apart)
            guard apart <= 1e-9 else {
                Issue.record("seed \(seed), shuffle \(number): apart by \(apart)")
                return
            }
        }
        print("\(Self.shuffles) shuffles of 27 signals, seed \(seed): worst \(worst)")
    }

    private func visitor(_ dice: inout Dice, orderFree: Bool) -> PackedState? {
        var source = RandomRecords(seed: dice.next())
        source.visitors = 1
        let fold = Scenes.fold(source.records(dice.roll(1...6), orderFree: orderFree))
        return Scenes.index(fold).map { _ in Scenes.state(fold) }
    }

    @Test func mergingIsAssociativeAndCommutative() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var (compared, worst) = (0, 0.0)
        for _ in 0..<1_500 {
            guard let a = visitor(&dice, orderFree: false),
                let b = visitor(&dice, orderFree: false), let c = visitor(&dice, orderFree: false)
            else { continue }
            let left = a.merged(with: b, model).merged(with: c, model)
            for other in [
                a.merged(with: b.merged(with: c, model), model),
                c.merged(with: b, model).merged(with: a, model),
                b.merged(with: a.merged(with: c, model), model),
            ] {
                worst = max(worst, distance(left.signals, other.signals))
                #expect(left.updatedAt == other.updatedAt && left.seenAt == other.seenAt)
                #expect(left.band == other.band && left.label == other.label)
                #expect(left.signals.measured == other.signals.measured)
                #expect(left.pageViews == other.pageViews)
                #expect(left.signals.formLeftAt == other.signals.formLeftAt)
                compared += 1
            }
        }
        #expect(compared > 3_000 && worst <= 1e-9, "seed \(seed): apart by \(worst)")
        print("merge: \(compared) compared, seed \(seed), worst \(worst)")
    }

    @Test func mergingNobodyChangesNothing() {
        var dice = Dice(seed: 11)
        guard let one = visitor(&dice, orderFree: true) else { return }
        let nobody = PackedState(VisitorState())
        #expect(distance(one.merged(with: nobody, model).signals, one.signals) == 0)
        #expect(distance(nobody.merged(with: one, model).signals, one.signals) == 0)
    }

    /// What records do beyond their sums depends on order and sessions: README, what depends on order.
    @Test func mergingIsFoldingEverythingTogether() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var worst = 0.0
        let ordered: [Sum] = [
            .returnCadence, .decisionFatigue, .decisionFatigueWeight, .sessionDepth,
        ]
        for _ in 0..<1_000 {
            var source = RandomRecords(seed: dice.next())
            source.visitors = 1
            let records = source.records(dice.roll(2...8), orderFree: true)
            let cut = dice.roll(1...records.count - 1)
            let halves = [Array(records[..<cut]), Array(records[cut...])].map { half in
                Scenes.state(Scenes.fold(half))
            }
            var merged = halves[0].merged(with: halves[1], model).signals
            var whole = Scenes.state(Scenes.fold(records)).signals
            for sum in ordered { (merged.sums[sum.index], whole.sums[sum.index]) = (0, 0) }
            worst = max(worst, distance(merged, whole))
        }
        #expect(worst <= 1e-9, "seed \(seed): apart by \(worst)")
        print("merge against fold: seed \(seed), worst \(worst)")
    }

    /// The specification's own form: S and W rescaled lazily at each observation.
    @Test func readingByDecayIsFoldingAnew() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var worst = 0.0
        for _ in 0..<2_000 {
            let all = observations(&dice)
            let state = folded(all)
            let time = Scenes.noon + Int64(dice.roll((9 * 86_400_000)...(30 * 86_400_000)))
            var decayed = state
            decayed.move(to: time, model)
            for index in 0..<Sum.count {
                let direct = self.direct(all, index, at: time)
                worst = max(worst, abs(decayed.sums[index] - direct) / max(10, abs(direct)))
            }
            let left = state.evaluate(at: time, model).score
            let right = decayed.evaluate(at: time, model).score
            worst = max(worst, abs(left - right))
        }
        #expect(worst <= 1e-9, "seed \(seed): apart by \(worst)")
        print("decay identity: seed \(seed), worst \(worst)")
    }

    private func direct(_ all: [Observation], _ sum: Int, at time: Int64) -> Double {
        let rate = model.halvingsPerMillisecond[Int(model.classOfSum[sum])]
        let values = all.filter { $0.sum == sum }.map {
            $0.amount * exp2(-Double(time - $0.time) * rate)
        }
        return Sum.isMaximum(sum) ? max(0, values.max() ?? 0) : values.reduce(0, +)
    }
}
