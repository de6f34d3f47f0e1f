import Records

/// Decisions that remember what was decided before; README, reading.
extension Band {
    /// The band of `score` for a visitor who has been in this one.
    func next(_ score: Double, _ steps: ScoringModel.Steps) -> Band {
        let warm = steps.warm - (self == .cold ? 0 : steps.hysteresis)
        let hot = steps.hot - (self == .hot ? steps.hysteresis : 0)
        return score >= hot ? .hot : score >= warm ? .warm : .cold
    }
}

extension VisitorState {
    /// Notes which record was folded last. One that was replayed may be older than others before it.
    mutating func note(_ header: RecordHeader, latest: Int64) {
        seenAt = max(seenAt, latest)
        updatedAt = max(updatedAt, header.receivedAt)
        offset = header.offset
    }

    /// Reads the sums as they stand after a profiled record, and decides what follows.
    mutating func score(
        _ effect: inout FoldEffect,
        _ hasSummary: Bool,
        _ model: ScoringModel
    ) {
        let evaluation = signals.evaluate(at: updatedAt, model)
        let classification = evaluation.classify(pageViews: signals.pageViews, model)
        let score = evaluation.score
        let (bandBefore, labelBefore) = (band, label)
        band = band.next(score, model.steps)
        let labelChanged = hasSummary && look(classification, updatedAt, model)
        let reason = keep(
            score,
            bandChanged: band != bandBefore,
            labelChanged: labelChanged,
            model
        )
        effect.score = .updated
        effect.session.scoreMaximum = score
        effect.keepsHistory = reason != nil
        effect.history.reason = reason ?? .step
        effect.history.reading = reading(evaluation, classification, model)
        guard reason != nil else { return }
        effect.history.terms = evaluation.largestTerms(model)
        if labelChanged { effect.history.explain(labelBefore, to: label, evaluation, model) }
    }

    /// README, history: before a record that begins a session which is none of the last four, the score
    /// that the sessions before left, unless it is the last kept one.
    mutating func endSession(_ effect: inout FoldEffect, _ next: UInt64, _ model: ScoringModel) {
        guard keptScore >= 0, signals.landmark != 0, isNewSession(next) else { return }
        let evaluation = signals.evaluate(at: updatedAt, model)
        guard evaluation.score != keptScore else { return }
        let classification = evaluation.classify(pageViews: signals.pageViews, model)
        keptScore = evaluation.score
        effect.keepsEnded = true
        effect.ended.reason = .session
        effect.ended.reading = reading(evaluation, classification, model)
        effect.ended.terms = evaluation.largestTerms(model)
    }

    /// Looks at the label at `time`, no more often than the file says. True when it changed.
    mutating func look(
        _ classification: Classification,
        _ time: Int64,
        _ model: ScoringModel
    ) -> Bool {
        let numbers = model.profileNumbers
        guard lookedAt == 0 || time &- lookedAt >= numbers.lookMilliseconds else {
            return false
        }
        lookedAt = time
        let before = label
        relabel(classification, numbers)
        return label != before
    }

    private mutating func relabel(
        _ classification: Classification,
        _ numbers: ScoringModel.ProfileThresholds
    ) {
        let rival = challenger
        challenger = .undetermined
        let best = classification.bestProfile
        if label == .undetermined {
            if classification.isEligible { label = best }
        } else if classification.confidence < numbers.keep {
            label = .undetermined
        } else if best != label, classification.isEligible {
            let lead =
                classification.probability(of: best) - classification.probability(of: label)
            if lead >= numbers.leadAtOnce || lead >= numbers.lead && rival == best {
                label = best
            } else if lead >= numbers.lead {
                challenger = best
            }
        }
    }

    /// Whether the score is worth a point of history, and why; notes it as kept.
    mutating func keep(
        _ score: Double,
        bandChanged: Bool,
        labelChanged: Bool,
        _ model: ScoringModel
    ) -> HistoryPoint.Reason? {
        let reason: HistoryPoint.Reason
        if keptScore < 0 {
            reason = .first
        } else if bandChanged {
            reason = .band
        } else if labelChanged {
            reason = .profile
        } else if abs(score - keptScore) >= model.steps.history {
            reason = .step
        } else {
            return nil
        }
        keptScore = score
        return reason
    }
}

extension HistoryPoint {
    /// Notes a change of profile and what speaks for it: the parts of the new one, or of the one that
    /// was dropped.
    mutating func explain(
        _ before: Profile,
        to after: Profile,
        _ evaluation: borrowing Evaluation,
        _ model: ScoringModel
    ) {
        changesProfile = true
        profileBefore = before
        let explained = after == .undetermined ? before : after
        profileTerms = evaluation.largestTerms(of: explained, model)
    }
}

extension Evaluation {
    /// The largest parts of the score's log-odds, the intercept aside.
    borrowing func largestTerms(_ model: ScoringModel) -> LargestTerms {
        var terms = LargestTerms()
        for index in 0..<Signal.count {
            terms.take(index, model.rules[index].weight * values[index])
        }
        return terms
    }
}
