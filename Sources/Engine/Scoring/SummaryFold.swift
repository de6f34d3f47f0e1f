import Glibc
import Records

/// What one slice says about all of its events.
struct FoldSetting: BitwiseCopyable {
    var touch = false
    var inference = false
    var withoutDevice = false
    /// What stands for the site in `ScoringModel.categoryWords`.
    var site: UInt64 = 0
}

/// Observations of a page summary, one function per group of signals; README, observations.
extension VisitorState {
    /// Signals that a summary can tell about although they have no weight of their own.
    private static let summaryMeasures = bits([
        .viewportEngagement, .sectionRevisit, .ctaHover, .hesitationLoop, .tabSwitching,
        .frustrationClicks,
    ])

    static func bits(_ signals: [Signal]) -> UInt32 {
        signals.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }

    @inline(__always)
    static func bit(_ signal: Signal) -> UInt32 { 1 << UInt32(signal.rawValue) }

    mutating func fold(
        _ summary: borrowing PageSummary,
        _ setting: FoldSetting,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        if summary.parts.contains(.visibility) {
            signals.measure(
                Self.summaryMeasures
                    | Self.bit(setting.touch ? .touchGesture : .keyboardRhythm)
            )
            foldVisibility(summary, &moment, model)
        }
        foldClicks(summary, &moment, model)
        foldSections(summary, &moment, model)
        foldReading(summary, &moment, model)
        foldActions(summary, setting, &moment, model)
        foldHands(summary, &moment, model)
        if summary.active > 0 {
            foldLoad(summary, setting, &moment, model)
            foldFatigue(summary, &moment, model)
        }
        let pointerActive = summary.pointerCount >= 6 ? summary.pointerActive : 0
        if setting.inference && pointerActive > 0 {
            foldMicroexpression(summary, &moment, model)
            foldAffect(summary, &moment, model)
        }
    }

    // MARK: - Signals 1, 2, 8, 18, 19, 27

    private mutating func foldVisibility(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let active = summary.active
        if active > 0 {
            signals.add(summary.scroll[0], to: .scrollVelocity, &moment, model)
            signals.add(active, to: .scrollVelocityWeight, &moment, model)
            signals.add(summary.scroll[4], to: .scrollPause, &moment, model)
            signals.add(active / 60, to: .scrollPauseWeight, &moment, model)
            signals.add(summary.clicks[1], to: .clickCadence, &moment, model)
            signals.add(active / 60, to: .clickCadenceWeight, &moment, model)
        }
        signals.add(summary.visibility[6], to: .tabSwitching, &moment, model)
        let elapsed = summary.elapsed
        signals.add(min(active, elapsed), to: .visibleAttention, &moment, model)
        signals.add(elapsed, to: .visibleAttentionWeight, &moment, model)
        foldEngagement(summary, &moment, model)
    }

    private mutating func foldEngagement(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard summary.parts.contains(.totals) else {
            let quality = Self.engagement(
                summary.active,
                summary.scroll[7] > 0 ? summary.scroll[7] / 100 : 1,
                summary.sections.rowsWithDwell,
                summary.clicks[1] + summary.keyActions
            )
            signals.add(quality, to: .engagementQuality, &moment, model)
            signals.add(1, to: .engagementQualityWeight, &moment, model)
            return
        }
        let (now, before) = (Self.engagement(summary.totals, 0), Self.engagement(summary.totals, 4))
        signals.add(now - before, to: .engagementQuality, &moment, model)
        let totals = summary.totals
        if totals[4] + totals[5] + totals[6] + totals[7] == 0 {
            signals.add(1, to: .engagementQualityWeight, &moment, model)
        }
    }

    private static func engagement(_ totals: InlineArray<8, Double>, _ from: Int) -> Double {
        engagement(
            totals[from] / 1000,
            totals[from &+ 1] / 100,
            totals[from &+ 2],
            totals[from &+ 3]
        )
    }

    /// README, engagement: the geometric mean of time, depth, sections and interactions.
    static func engagement(
        _ active: Double,
        _ depth: Double,
        _ sections: Double,
        _ interactions: Double
    ) -> Double {
        let product =
            Shapes.linear(active, 5, 60) * min(1, depth) * Shapes.saturation(sections, 4)
            * Shapes.saturation(interactions + 0.3, 2)
        return product > 0 ? product.squareRoot().squareRoot() : 0
    }

    // MARK: - Signals 9, 20

    private mutating func foldClicks(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard summary.parts.contains(.clicks) else { return }
        signals.add(summary.clicks[2], to: .clickDecisiveness, &moment, model)
        signals.add(summary.clicks[1], to: .clickDecisivenessWeight, &moment, model)
        signals.add(summary.frustration, to: .frustrationClicks, &moment, model)
        signals.add(summary.frustration, to: .frustrationRecent, &moment, model)
    }

    // MARK: - Signals 3, 5, 6, 21 and content categories

    private mutating func foldSections(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard summary.parts.contains(.sections) else { return }
        let dwell = summary.sections.dwell
        signals.add(dwell, to: .viewportEngagement, &moment, model)
        signals.add(summary.sections.revisits, to: .sectionRevisit, &moment, model)
        signals.add(dwell, to: .dwellAll, &moment, model)
        if let concentration = summary.concentration {
            signals.add(dwell * concentration, to: .attentionFocus, &moment, model)
            signals.add(dwell, to: .attentionFocusWeight, &moment, model)
        }
        let mask = summary.sections.categoryMask
        guard mask != 0 else { return }
        for category in 0..<model.categoryCount where mask & (1 << UInt16(category)) != 0 {
            signals.add(
                summary.sections.categoryDwell[category],
                toIndex: Sum.dwellIndex(category: category),
                &moment,
                model
            )
        }
        foldCategories(mask, &moment, model)
    }

    mutating func foldCategories(
        _ mask: UInt16,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let fresh = trend.seesCategories(mask)
        signals.add(0.5 * Double(fresh), to: .sessionDepth, &moment, model)
    }

    // MARK: - Signals 4, 7, 10, 12, 13, 17

    private mutating func foldReading(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard summary.parts.contains(.reading) else { return }
        signals.add(summary.reading[0] / 1000, to: .readingPattern, &moment, model)
        signals.add(summary.reading[1] / 1000, to: .readingPatternWeight, &moment, model)
    }

    private mutating func foldActions(
        _ summary: borrowing PageSummary,
        _ setting: FoldSetting,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard summary.parts.contains(.actions) else { return }
        let inView = setting.touch ? 0.3 * summary.actions.inView : 0
        signals.add(summary.actions.hover + inView, to: .ctaHover, &moment, model)
        foldLoopPoints(0.5 * summary.actions.retreats, &moment, model)
    }

    mutating func foldLoopPoints(
        _ points: Double,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        signals.add(points, to: .hesitationLoop, &moment, model)
        trend.loopPoints += points
    }

    private mutating func foldHands(
        _ summary: borrowing PageSummary,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let aimed = summary.pointer[4]
        if aimed > 0 {
            let efficiency = min(summary.pointer[3], 100) / 100
            signals.add(aimed * efficiency, to: .cursorEfficiency, &moment, model)
            signals.add(aimed, to: .cursorEfficiencyWeight, &moment, model)
        }
        if summary.parts.contains(.touch) {
            signals.measure(Self.bit(.touchGesture))
            signals.add(summary.touchGestures, to: .touchGesture, &moment, model)
        }
        if summary.parts.contains(.keys) {
            signals.measure(Self.bit(.keyboardRhythm))
            signals.add(summary.keyActions, to: .keyboardRhythm, &moment, model)
        }
    }
}
