import Records

extension Signal {
    /// The name that people read.
    var label: String {
        switch self {
        case .scrollVelocity: return "Scroll velocity"
        case .scrollPause: return "Purposeful scroll pauses"
        case .viewportEngagement: return "Viewport engagement"
        case .readingPattern: return "Reading depth"
        case .attentionFocus: return "Attention concentration"
        case .sectionRevisit: return "Section revisits"
        case .ctaHover: return "CTA hover attention"
        case .clickCadence: return "Click cadence"
        case .clickDecisiveness: return "Click decisiveness"
        case .cursorEfficiency: return "Cursor path efficiency"
        case .cursorMicroexpression: return "Cursor micro-expression"
        case .touchGesture: return "Deliberate touch gestures"
        case .keyboardRhythm: return "Keyboard engagement"
        case .formProgress: return "Form progress"
        default: return laterLabel
        }
    }

    private var laterLabel: String {
        switch self {
        case .formFriction: return "Form friction"
        case .formAbandonment: return "Form abandonment"
        case .hesitationLoop: return "Hesitation loops"
        case .tabSwitching: return "Tab switching"
        case .visibleAttention: return "Visible, focused attention"
        case .frustrationClicks: return "Rage, dead and error clicks"
        case .sessionDepth: return "Session depth"
        case .returnCadence: return "Return visits"
        case .intentProximity: return "Closeness to buying"
        case .cognitiveLoad: return "Cognitive load"
        case .decisionFatigue: return "Decision fatigue"
        case .negativeAffect: return "Friction mood"
        case .engagementQuality: return "Engagement quality"
        default: return name
        }
    }
}
