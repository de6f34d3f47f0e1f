import Records

/// Every decayed sum of a visitor's state. The raw value is its place in the state, in checkpoints
/// and in the packed state, and never changes: new sums go to the end.
enum Sum: UInt8, CaseIterable, BitwiseCopyable {
    // The signals' own sums, in the order of `Signal`; the maximum for form progress.
    case scrollVelocity, scrollPause, viewportEngagement, readingPattern, attentionFocus
    case sectionRevisit, ctaHover, clickCadence, clickDecisiveness, cursorEfficiency
    case cursorMicroexpression, touchGesture, keyboardRhythm, formProgress, formFriction
    case formAbandonment, hesitationLoop, tabSwitching, visibleAttention, frustrationClicks
    case sessionDepth, returnCadence, intentProximity, cognitiveLoad, decisionFatigue
    case negativeAffect, engagementQuality
    // Weights of means and denominators of ratios.
    case scrollVelocityWeight, scrollPauseWeight, readingPatternWeight, attentionFocusWeight
    case clickCadenceWeight, clickDecisivenessWeight, cursorEfficiencyWeight
    case cursorMicroexpressionWeight, formFrictionWeight, visibleAttentionWeight
    case cognitiveLoadWeight, decisionFatigueWeight, negativeAffectWeight, engagementQualityWeight
    case intentMaximum
    // Section dwell: all of it, then per content category.
    case dwellAll, dwell0, dwell1, dwell2, dwell3, dwell4, dwell5, dwell6, dwell7, dwell8, dwell9
    // What negative affect is measured against.
    case frustrationRecent, excessLog, excessWeight, speedLog, speedWeight

    static let count = 58
    static let categoriesMaximum = 10

    /// The place in the state.
    @inline(__always)
    var index: Int { Int(rawValue) }

    /// The sum of dwell on a category.
    @inline(__always)
    static func dwellIndex(category: Int) -> Int { Int(Sum.dwell0.rawValue) &+ category }

    /// Where a mean's weight or a ratio's denominator stands; intent's maximum; -1 for sums.
    static func weightIndex(of signal: Signal) -> Int {
        switch signal {
        case .scrollVelocity: return Sum.scrollVelocityWeight.index
        case .scrollPause: return Sum.scrollPauseWeight.index
        case .readingPattern: return Sum.readingPatternWeight.index
        case .attentionFocus: return Sum.attentionFocusWeight.index
        case .clickCadence: return Sum.clickCadenceWeight.index
        case .clickDecisiveness: return Sum.clickDecisivenessWeight.index
        case .cursorEfficiency: return Sum.cursorEfficiencyWeight.index
        case .cursorMicroexpression: return Sum.cursorMicroexpressionWeight.index
        case .formFriction: return Sum.formFrictionWeight.index
        case .visibleAttention: return Sum.visibleAttentionWeight.index
        case .cognitiveLoad: return Sum.cognitiveLoadWeight.index
        case .decisionFatigue: return Sum.decisionFatigueWeight.index
        case .negativeAffect: return Sum.negativeAffectWeight.index
        case .engagementQuality: return Sum.engagementQualityWeight.index
        case .intentProximity: return Sum.intentMaximum.index
        default: return -1
        }
    }
}
