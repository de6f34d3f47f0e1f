// Goal: profiles separate as section 3 of the signal specification measured.
// Method: personas made from the weights themselves, with and without noise and content tags,
// classified by the product's own function; labels with hysteresis on sequences of looks.

import Records
import TestSupport
import Testing

@testable import Scoring

struct ProfileTests {
    private let model = Scenes.model

    /// A visitor as profile `index` would be: each signal moved from its usual value the way the
    /// profile's weight points, plus noise; dwell shares likewise when `tagged`.
    private func persona(
        _ index: Int,
        noise: Double,
        tagged: Bool,
        _ dice: inout Dice
    ) -> Evaluation {
        var evaluation = Evaluation()
        evaluation.measured = (1 << 27) - 1
        evaluation.evidence = 27
        evaluation.active = 600
        for signal in 0..<27 {
            let value =
                model.usual[signal] + 0.35 * model.weights[signal][index] + noise * dice.normal()
            evaluation.values[signal] = max(0, min(1, value))
        }
        guard tagged else { return evaluation }
        evaluation.dwell = 100
        evaluation.tagged = 100
        for category in 0..<model.categoryCount {
            let share =
                model.categoryUsual[category] + 0.12 * model.categoryWeights[category][index]
            evaluation.categories[category] = 100 * max(0, min(1, share))
        }
        return evaluation
    }

    private func recall(_ index: Int, noise: Double, tagged: Bool, _ dice: inout Dice) -> Double {
        let right = (0..<400).count { _ in
            persona(index, noise: noise, tagged: tagged, &dice).classify(pageViews: 5, model).best
                == index
        }
        return Double(right) / 400
    }

    @Test func atUsualValuesNothingIsSaid() {
        var evaluation = Evaluation()
        evaluation.measured = (1 << 27) - 1
        for signal in 0..<27 { evaluation.values[signal] = model.usual[signal] }
        let classification = evaluation.classify(pageViews: 5, model)
        for index in 0..<7 {
            #expect(classification.probabilities[index] > 0.09)
            #expect(classification.probabilities[index] < 0.20)
        }
    }

    @Test func personasAreRecognised() {
        var dice = Dice(seed: 5)
        for index in 0..<7 {
            let clean = persona(index, noise: 0, tagged: true, &dice).classify(pageViews: 5, model)
            #expect(clean.best == index)
            #expect(clean.probabilities[index] > 0.4)
            #expect(clean.isEligible)
            let noisy = recall(index, noise: 0.2, tagged: true, &dice)
            let bare = recall(index, noise: 0.15, tagged: false, &dice)
            print(
                Profile.at(index).name,
                "P",
                clean.probabilities[index],
                "recall",
                noisy,
                "untagged",
                bare
            )
            #expect(noisy >= 0.9)
        }
    }

    @Test func withoutTagsProofDrivenIsNoLabel() {
        var dice = Dice(seed: 6)
        let proof = persona(1, noise: 0, tagged: false, &dice).classify(pageViews: 5, model)
        #expect(proof.bestProfile == .proofDriven || proof.bestProfile == .authoritySeeker)
        #expect(!proof.isEligible)
    }

    @Test func littleEvidenceIsNoLabel() {
        var dice = Dice(seed: 7)
        var evaluation = persona(0, noise: 0, tagged: true, &dice)
        #expect(evaluation.classify(pageViews: 0, model).isEligible)
        evaluation.active = 59
        #expect(!evaluation.classify(pageViews: 2, model).isEligible)
        #expect(evaluation.classify(pageViews: 3, model).isEligible)
        evaluation.evidence = 5
        #expect(!evaluation.classify(pageViews: 3, model).isEligible)
    }

    @Test func nobodyKnownIsUndetermined() {
        let classification = Evaluation().classify(pageViews: 0, model)
        #expect(classification.confidence == 0)
        #expect(!classification.isEligible)
    }

    private func sight(_ best: Int, lead: Double, confidence: Double = 0.5) -> Classification {
        var classification = Classification()
        for index in 0..<7 { classification.probabilities[index] = 0.1 }
        classification.probabilities[best] = 0.1 + lead
        classification.best = best
        classification.confidence = confidence
        classification.isEligible = true
        return classification
    }

    @Test func labelsChangeWithHysteresis() {
        var state = VisitorState()
        var time = Scenes.noon
        func look(_ classification: Classification) -> Profile {
            time += 15_000
            _ = state.look(classification, time, model)
            return state.label
        }
        #expect(look(sight(0, lead: 0.2)) == .fastMover)
        #expect(look(sight(3, lead: 0.13)) == .fastMover)
        #expect(look(sight(0, lead: 0.2)) == .fastMover)
        #expect(look(sight(3, lead: 0.13)) == .fastMover)
        #expect(look(sight(3, lead: 0.13)) == .skeptic)
        #expect(look(sight(4, lead: 0.46)) == .optimizer)
        #expect(look(sight(4, lead: 0.46, confidence: 0.21)) == .optimizer)
        #expect(look(sight(4, lead: 0.46, confidence: 0.19)) == .undetermined)
    }

    @Test func looksAreFifteenSecondsApart() {
        var state = VisitorState()
        let first = state.look(sight(0, lead: 0.5), Scenes.noon, model)
        let second = state.look(sight(1, lead: 0.6), Scenes.noon + 14_999, model)
        #expect(first && !second)
        #expect(state.label == .fastMover)
        let third = state.look(sight(1, lead: 0.6), Scenes.noon + 15_000, model)
        #expect(third)
    }
}
