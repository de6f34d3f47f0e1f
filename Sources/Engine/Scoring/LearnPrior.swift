public import Records
import Settings

/// The rule as a Gaussian over weights: what learning begins with and is drawn back to.
extension ScoringModel {
    /// The rule's weights, and 0 for what it does not know.
    var priorMean: [Double] {
        var mean = [Double](repeating: 0, count: LearnFeatures.count)
        mean[0] = intercept
        for index in LearnFeatures.signals { mean[index] = rules[index - 1].weight }
        return mean
    }

    /// How certain each of them is: one over its variance.
    static func priorPrecision(_ rules: LearningRules) -> [Double] {
        let tightness = 1 / (rules.deviation * rules.deviation)
        var precision = [Double](repeating: tightness, count: LearnFeatures.count)
        precision[0] = 1 / (rules.interceptDeviation * rules.interceptDeviation)
        return precision
    }

    /// What the rule says, with the bounds of the prior; `source` is why it is asked.
    public func likelihood(
        _ features: LearnFeatures,
        _ source: LikelihoodSource = .thin
    ) -> Likelihood {
        let variance = learning.deviation * learning.deviation
        // As a span: an element of the array itself is read by copying all of it.
        let values = features.values.span
        var middle = intercept * values[0]
        var spread = learning.interceptDeviation * learning.interceptDeviation
        for index in LearnFeatures.signals {
            middle += rules[index - 1].weight * values[index]
        }
        for index in 1..<LearnFeatures.count {
            spread += variance * values[index] * values[index]
        }
        return Likelihood(middle, spread, probability: Shapes.logistic(middle), source)
    }

    /// The greatest landmark that a session passed between two numbers of actions; nil without one.
    @inline(__always)
    func landmark(after before: Int, upTo actions: Int) -> Int? {
        var reached: Int?
        for index in 0..<landmarkCount where before < landmarks[index] {
            if landmarks[index] <= actions { reached = landmarks[index] }
        }
        return reached
    }
}
