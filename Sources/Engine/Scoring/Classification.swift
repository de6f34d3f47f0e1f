import Glibc
import Records

/// How likely each profile is, and how far that can be trusted; README, reading.
struct Classification: BitwiseCopyable {
    /// P of the seven profiles, in the order of `Profile` without undetermined.
    var probabilities = InlineArray<7, Double>(repeating: 1.0 / 7)
    /// Index of the greatest.
    var best = 0
    /// 0 to 1.
    var confidence = 0.0
    /// Whether the evidence suffices to call the visitor by the best profile.
    var isEligible = false

    var bestProfile: Profile { Profile.at(best) }

    func probability(of profile: Profile) -> Double {
        profile == .undetermined ? 0 : probabilities[Int(profile.rawValue) &- 1]
    }
}

extension Profile {
    /// The profile at an index of 0 to 6.
    static func at(_ index: Int) -> Profile {
        Profile(rawValue: UInt8(index &+ 1)) ?? .undetermined
    }
}

extension Evaluation {
    borrowing func classify(pageViews: UInt32, _ model: ScoringModel) -> Classification {
        var classification = Classification()
        softmax(logits(model), &classification, model)
        let profiles = model.profileNumbers
        let share = classification.probabilities[classification.best]
        let trust =
            (1 - Shapes.powerOfTwo(-active / profiles.activeSecondsHalf))
            * min(1, evidence / profiles.signalsFull)
            * (0.6 + 0.4 * min(1, tagged / profiles.taggedSecondsFull))
        classification.confidence = max(0, trust * (share - 1.0 / 7) / (6.0 / 7))
        classification.isEligible = isEnough(pageViews, classification, profiles)
        return classification
    }

    private borrowing func logits(_ model: ScoringModel) -> InlineArray<7, Double> {
        var logits = model.biases
        for index in 0..<Signal.count where measured & (1 << UInt32(index)) != 0 {
            let distance = values[index] - model.usual[index]
            for profile in 0..<7 { logits[profile] += model.weights[index][profile] * distance }
        }
        guard dwell > 0 else { return logits }
        for index in 0..<model.categoryCount {
            let distance = categories[index] / dwell - model.categoryUsual[index]
            for profile in 0..<7 {
                logits[profile] += model.categoryWeights[index][profile] * distance
            }
        }
        return logits
    }

    /// The largest parts of a profile's logit, the bias aside; of signals first, then of categories.
    borrowing func largestTerms(of profile: Profile, _ model: ScoringModel) -> LargestTerms {
        var terms = LargestTerms()
        forEachTerm(of: profile, model) { terms.take($0, $1) }
        return terms
    }

    /// Calls `body` with each part of a profile's logit: a signal's number, or 27 and a category's, and
    /// what it adds. With the bias they sum to the logit.
    borrowing func forEachTerm(
        of profile: Profile,
        _ model: ScoringModel,
        _ body: (Int, Double) -> Void
    ) {
        guard profile != .undetermined else { return }
        let column = Int(profile.rawValue) &- 1
        for index in 0..<Signal.count where measured & (1 << UInt32(index)) != 0 {
            body(index, model.weights[index][column] * (values[index] - model.usual[index]))
        }
        guard dwell > 0 else { return }
        for index in 0..<model.categoryCount {
            let distance = categories[index] / dwell - model.categoryUsual[index]
            body(Signal.count + index, model.categoryWeights[index][column] * distance)
        }
    }

    private borrowing func softmax(
        _ logits: InlineArray<7, Double>,
        _ classification: inout Classification,
        _ model: ScoringModel
    ) {
        for index in 1..<7 where logits[index] > logits[classification.best] {
            classification.best = index
        }
        let greatest = logits[classification.best]
        var whole = 0.0
        for index in 0..<7 {
            let odds = exp((logits[index] - greatest) / model.profileNumbers.temperature)
            classification.probabilities[index] = odds
            whole += odds
        }
        for index in 0..<7 { classification.probabilities[index] /= whole }
    }

    private borrowing func isEnough(
        _ pageViews: UInt32,
        _ classification: borrowing Classification,
        _ profiles: borrowing ScoringModel.ProfileThresholds
    ) -> Bool {
        // Compared one by one: a borrowed value cannot enter the closures that `||` makes.
        let views = Double(pageViews) >= profiles.pageViewsMinimum
        let time = active >= profiles.activeSecondsMinimum
        let best = classification.bestProfile
        guard views || time, evidence >= profiles.signalsMinimum,
            classification.confidence >= profiles.confidenceMinimum
        else { return false }
        let needsTags = best == .proofDriven || best == .authoritySeeker
        let isTagged = tagged >= profiles.taggedSecondsMinimum
        return !needsTags || isTagged
    }
}
