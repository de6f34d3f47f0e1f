// Goal: "why 73?" has an answer that adds up, at any time, from the packed state alone.
// Method: states of random behaviour, read at random times; parts are added and held against the score
// bit by bit; what decay is said to bring is held against readings then.

import Glibc
import Records
import TestSupport
import Testing

@testable import Scoring

struct ExplanationTests {
    private let model = Scenes.model

    /// Calls `body` with states of random visitors, and a time at or after their last record.
    private func forEachState(_ count: Int, _ body: (PackedState, Int64) -> Void) -> UInt64 {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        for _ in 0..<count {
            var source = RandomRecords(seed: dice.next())
            source.visitors = 1
            let fold = Scenes.fold(source.records(dice.roll(1...10), orderFree: false))
            guard Scenes.index(fold) != nil else { continue }
            let state = Scenes.state(fold)
            let later = dice.chance(0.5) ? 0 : dice.roll(0...(20 * 86_400_000))
            body(state, state.updatedAt + Int64(later))
        }
        return seed
    }

    @Test func partsAddUpToTheScoreToTheLastBit() {
        var seen = 0
        let seed = forEachState(2_000) { state, time in
            let explanation = state.explanation(at: time, model)
            let sum = explanation.parts.reduce(explanation.intercept) { $0 + $1.contribution }
            #expect(sum.bitPattern == explanation.logOdds.bitPattern)
            let reading = state.reading(at: time, model)
            #expect(reading.score.bitPattern == explanation.score.bitPattern)
            #expect(abs(100 / (1 + exp(-sum)) - reading.score) < 1e-9)
            let shares = explanation.parts.reduce(0) { $0 + explanation.share(of: $1) }
            #expect(abs(shares - 1) < 1e-9 || explanation.largestFirst.isEmpty)
            seen += explanation.largestFirst.count
        }
        #expect(seen > 5_000, "seed \(seed)")
        print("explanations: \(seen) parts of seed \(seed) added up")
    }

    @Test func profilePartsAndBiasMakeTheLogits() {
        let seed = forEachState(300) { state, time in
            let evaluation = state.signals.evaluate(at: time, model)
            let classification = evaluation.classify(pageViews: 0, model)
            let logits = Profile.allCases.dropFirst().map { profile in
                state.profileTerms(of: profile, at: time, model)
                    .reduce(model.biases[Int(profile.rawValue) - 1]) { $0 + $1.contribution }
            }
            let odds = logits.map { exp(($0 - logits[0]) / model.profileNumbers.temperature) }
            let whole = odds.reduce(0, +)
            for index in 0..<7 {
                #expect(abs(odds[index] / whole - classification.probabilities[index]) < 1e-9)
            }
        }
        print("profile parts: seed \(seed)")
    }

    @Test func whatDecayWillBringComes() {
        var changes = 0
        let seed = forEachState(2_000) { state, time in
            var band = state.reading(at: time, model).band
            for change in state.bandChanges(after: time, maximum: 3, model) {
                let before = state.signals.evaluate(at: change.time - 120_000, model).score
                let after = state.signals.evaluate(at: change.time, model).score
                #expect(band.next(after, model.steps) == change.band)
                #expect(band.next(before, model.steps) == band || change.time - time < 120_000)
                band = change.band
                changes += 1
            }
        }
        #expect(changes > 100, "seed \(seed)")
    }

    @Test func theFiveLargestAreTheLargest() {
        let seed = forEachState(500) { state, time in
            let evaluation = state.signals.evaluate(at: time, model)
            let largest = evaluation.largestTerms(model)
            // What is too small for four bytes is none.
            let sorted = state.explanation(at: time, model).largestFirst
                .filter { Float($0.contribution) != 0 }
            #expect(largest.count == min(5, sorted.count))
            for place in 0..<largest.count {
                #expect(largest[place].adds == Float(sorted[place].contribution))
            }
        }
        print("largest terms: seed \(seed)")
    }

    @Test func everySignalHasWordsForWhatItMeasured() {
        for signal in Signal.allCases {
            let words = signal.sentence(2.5)
            #expect(words.contains("2.5") || words.contains("250"), "\(signal.name): \(words)")
            #expect(!signal.unit.isEmpty && !signal.absence.isEmpty)
        }
    }
}
