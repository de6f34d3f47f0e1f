import Glibc
import Records

/// Observations of the composite signals 11, 24, 25 and 26; README, load, fatigue, affect.
extension VisitorState {
    /// Pointer-active seconds before a visitor's own baseline is believed.
    private static let baselineSecondsMinimum = 60.0

    // MARK: - Signal 24

    mutating func foldLoad(
        _ summary: borrowing PageSummary,
        _ setting: FoldSetting,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let active = summary.active
        var load = 0.30 * Self.backScroll(summary) + 0.25 * Self.slowReading(summary)
        load += 0.25 * Shapes.hill2(summary.actions.retreats * 60 / active, 1.5)
        let pointerActive = summary.pointerCount >= 7 ? summary.pointerActive : 0
        if setting.inference && pointerActive > 0 {
            load += 0.20 * Shapes.hill2(summary.pointer[6] * 60 / pointerActive, 25)
        } else {
            load /= 0.8
        }
        signals.add(active * load, to: .cognitiveLoad, &moment, model)
        signals.add(active, to: .cognitiveLoadWeight, &moment, model)
    }

    private static func backScroll(_ summary: borrowing PageSummary) -> Double {
        guard summary.scroll[0] > 0 else { return 0 }
        return Shapes.linear(summary.scroll[3] / summary.scroll[0], 0.15, 0.50)
    }

    private static func slowReading(_ summary: borrowing PageSummary) -> Double {
        let expected = summary.reading[1] / 1000
        guard expected > 0 else { return 0 }
        let actual =
            summary.readingCount >= 6 ? summary.reading[5] / 1000 : summary.sections.textDwell
        return Shapes.linear(actual / expected, 1.2, 2.5)
    }

    // MARK: - Signal 25

    mutating func foldFatigue(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        trend.activeMilliseconds += summary.visibility[2]
        if summary.clicks[6] >= 1 { trend.takeLatency(milliseconds: summary.clicks[6]) }
        let minutes = summary.active / 60
        signals.add(minutes * trend.fatigue, to: .decisionFatigue, &moment, model)
        signals.add(minutes, to: .decisionFatigueWeight, &moment, model)
    }

    // MARK: - Signal 11

    mutating func foldMicroexpression(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let active = summary.pointerActive
        let index =
            0.4 * Shapes.hill2(summary.pointer[5] * 60 / active, 60)
            + 0.3 * Shapes.hill2(summary.pointer[6] * 60 / active, 25)
            + 0.3 * Shapes.linear(summary.pointer[7] / 10, 2, 5)
        signals.add(active * index, to: .cursorMicroexpression, &moment, model)
        signals.add(active, to: .cursorMicroexpressionWeight, &moment, model)
    }

    // MARK: - Signal 26

    mutating func foldAffect(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let active = summary.pointerActive
        let excess = summary.pointer[4] > 0 ? 100 / max(1, min(summary.pointer[3], 100)) : 0
        let speed = summary.pointer[8]
        var affect =
            0.4 * Shapes.saturation(signals.value(.frustrationRecent, &moment, model), 2)
            + 0.1 * min(summary.keys[4], 100) / 100
        if excess > 0, let own = baseline(.excessLog, .excessWeight, &moment, model) {
            affect += 0.3 * Shapes.linear(excess / own, 1.1, 1.8)
        }
        if speed > 0, let own = baseline(.speedLog, .speedWeight, &moment, model) {
            affect += 0.2 * Shapes.linear(own / speed, 1.1, 2.0)
        }
        signals.add(active * affect, to: .negativeAffect, &moment, model)
        signals.add(active, to: .negativeAffectWeight, &moment, model)
        joinBaseline(excess, active, .excessLog, .excessWeight, &moment, model)
        joinBaseline(speed, active, .speedLog, .speedWeight, &moment, model)
    }

    /// The visitor's own usual value: a decayed geometric mean, once there is enough of it.
    private func baseline(
        _ log: Sum,
        _ weight: Sum,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) -> Double? {
        guard signals.value(weight, &moment, model) >= Self.baselineSecondsMinimum else {
            return nil
        }
        return exp(signals.sums[log.index] / signals.sums[weight.index])
    }

    private mutating func joinBaseline(
        _ value: Double,
        _ seconds: Double,
        _ logSum: Sum,
        _ weight: Sum,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard value > 0 else { return }
        signals.add(seconds * log(value), to: logSum, &moment, model)
        signals.add(seconds, to: weight, &moment, model)
    }
}
