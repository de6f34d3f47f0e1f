// Goal: the likelihood begins as the rule, becomes what a site's conversions say, knows how sure it is,
// stays finite whatever comes, and is not believed when the rule foretells better.
// Method: examples drawn from known weights; the weights, their intervals and their losses are compared
// with the truth.

import Glibc
import Records
import Scoring
import Settings
import TestSupport
import Testing

struct LikelihoodLearnsTests {
    private typealias Example = (features: LearnFeatures, converted: Bool)

    private static let rules = LearningRules.standard

    private func drawn(_ dice: inout Dice) -> LearnFeatures {
        var features = LearnFeatures()
        for index in 1..<LearnFeatures.count where dice.chance(0.6) {
            features.values[index] = Double.random(in: 0...1, using: &dice)
        }
        return features
    }

    private func truth(_ features: LearnFeatures, _ weights: [Double]) -> Double {
        var odds = 0.0
        for index in 0..<LearnFeatures.count { odds += weights[index] * features.values[index] }
        return 1 / (1 + exp(-odds))
    }

    private func examples(_ count: Int, _ weights: [Double], _ dice: inout Dice) -> [Example] {
        (0..<count).map { _ in
            let features = drawn(&dice)
            return (features, dice.chance(truth(features, weights)))
        }
    }

    /// Weights as a site may have them: the rule's, each moved by half of the prior's deviation or so.
    private func siteWeights(_ dice: inout Dice) -> [Double] {
        LearnPosterior(Scenes.model, Self.rules).mean.map { $0 + 0.7 * dice.normal() }
    }

    @Test func beforeTheFirstConversionItIsTheRule() {
        var dice = Dice(seed: 1)
        for _ in 0..<100 {
            let features = drawn(&dice)
            var odds = Scenes.file.intercept
            for (index, rule) in Scenes.file.signals.enumerated() {
                odds += rule.weight * features.values[index + 1]
            }
            let likelihood = Scenes.model.likelihood(features)
            #expect(abs(likelihood.probability - 1 / (1 + exp(-odds))) < 1e-12)
            #expect(likelihood.low < likelihood.probability)
            #expect(likelihood.probability < likelihood.high)
        }
    }

    @Test func itBecomesWhatConversionsSay() {
        var dice = Dice(seed: 2)
        let weights = siteWeights(&dice)
        var posterior = LearnPosterior(Scenes.model, Self.rules)
        for _ in 0..<60 { posterior.learn(examples(100, weights, &dice), weight: 1) }
        var (errorBefore, errorAfter, covered) = (0.0, 0.0, 0)
        for _ in 0..<1_000 {
            let features = drawn(&dice)
            let real = truth(features, weights)
            let likelihood = posterior.likelihood(features)
            errorBefore += abs(Scenes.model.likelihood(features).probability - real)
            errorAfter += abs(likelihood.probability - real)
            if likelihood.low <= real, real <= likelihood.high { covered += 1 }
        }
        #expect(errorAfter < errorBefore / 3)
        // Nine in ten are promised; a thousand questions to one set of weights are not independent.
        #expect(covered > 750, "\(covered) of 1000 intervals hold the truth")
    }

    @Test func orderWithinABatchDoesNotMatter() {
        var dice = Dice(seed: 3)
        let weights = siteWeights(&dice)
        let batch = examples(200, weights, &dice)
        var (one, other) = (
            LearnPosterior(Scenes.model, Self.rules), LearnPosterior(Scenes.model, Self.rules)
        )
        one.learn(batch, weight: 0.5)
        other.learn(batch.shuffled(using: &dice), weight: 0.5)
        for (a, b) in zip(one.mean, other.mean) { #expect(abs(a - b) < 1e-9) }
    }

    @Test(arguments: [true, false])
    func oneSidedFloodsStayFinite(converted: Bool) {
        var everything = LearnFeatures()
        for index in 0..<LearnFeatures.count { everything.values[index] = 1 }
        var posterior = LearnPosterior(Scenes.model, Self.rules)
        for _ in 0..<30 {
            let flood = [Example](repeating: (everything, converted), count: 2_000)
            posterior.learn(flood, weight: 1)
            posterior.learn([(LearnFeatures(), !converted)], weight: 1)
        }
        let likelihood = posterior.likelihood(everything)
        #expect(posterior.mean.allSatisfy { $0.isFinite })
        #expect(likelihood.low.isFinite && likelihood.high.isFinite)
        #expect(converted ? likelihood.probability > 0.99 : likelihood.probability < 0.01)
    }

    @Test func forgettingEndsAtTheRule() {
        var dice = Dice(seed: 4)
        var posterior = LearnPosterior(Scenes.model, Self.rules)
        posterior.learn(examples(500, siteWeights(&dice), &dice), weight: 1)
        let prior = LearnPosterior(Scenes.model, Self.rules)
        let learned = zip(posterior.mean, prior.mean).map { abs($0 - $1) }.max() ?? 0
        for _ in 0..<40 { posterior.fade(to: 0.5) }
        let left = zip(posterior.mean, prior.mean).map { abs($0 - $1) }.max() ?? 0
        #expect(learned > 0.2)
        #expect(left < 1e-6)
        for index in 0..<LearnFeatures.count {
            #expect(abs(posterior.deviation(of: index) - prior.deviation(of: index)) < 1e-6)
        }
    }

    // MARK: - Measures

    @Test func measuresAreTheirDefinitions() throws {
        var dice = Dice(seed: 5)
        let pairs = (0..<300).map { _ in
            let probability = Double(dice.roll(0...20)) / 20
            return (probability, dice.chance(probability))
        }
        var measures = LearnMeasures()
        for (probability, converted) in pairs { measures.take(probability, converted) }
        var (wins, comparisons) = (0.0, 0.0)
        for (yes, hit) in pairs where hit {
            for (no, other) in pairs where !other {
                comparisons += 1
                wins += yes > no ? 1 : yes == no ? 0.5 : 0
            }
        }
        #expect(abs(try #require(measures.areaUnderCurve) - wins / comparisons) < 1e-12)
        let brier = pairs.map { ($0.0 - ($0.1 ? 1 : 0)) * ($0.0 - ($0.1 ? 1 : 0)) }.reduce(0, +)
        #expect(abs(measures.brierScore - brier / 300) < 1e-12)
        #expect(measures.calibrationError < 0.12)
        var wrong = LearnMeasures()
        for (probability, converted) in pairs { wrong.take(1 - probability, converted) }
        #expect(wrong.calibrationError > measures.calibrationError + 0.2)
        #expect(wrong.logLoss > measures.logLoss)
        #expect(LearnMeasures().areaUnderCurve == nil)
    }
}
