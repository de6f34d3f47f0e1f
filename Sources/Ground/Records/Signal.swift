/// The 27 behavioural signals, in the order of their number. The raw value is the index of a
/// signal's sums in a visitor's state and never changes; the name is the key in
/// `config/scoring.yaml` and in every answer.
public enum Signal: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case scrollVelocity, scrollPause, viewportEngagement, readingPattern, attentionFocus
    case sectionRevisit, ctaHover, clickCadence, clickDecisiveness, cursorEfficiency
    case cursorMicroexpression, touchGesture, keyboardRhythm, formProgress, formFriction
    case formAbandonment, hesitationLoop, tabSwitching, visibleAttention, frustrationClicks
    case sessionDepth, returnCadence, intentProximity, cognitiveLoad, decisionFatigue
    case negativeAffect, engagementQuality

    /// How many signals there are.
    public static let count = 27

    /// The name in files and answers, such as `scroll_velocity`.
    public var name: String { Self.names[Int(rawValue)] }

    /// The signal called `name`.
    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: UInt8(index))
    }

    private static let names = [
        "scroll_velocity", "scroll_pause", "viewport_engagement", "reading_pattern",
        "attention_focus", "section_revisit", "cta_hover", "click_cadence", "click_decisiveness",
        "cursor_efficiency", "cursor_microexpression", "touch_gesture", "keyboard_rhythm",
        "form_progress", "form_friction", "form_abandonment", "hesitation_loop", "tab_switching",
        "visible_attention", "frustration_clicks", "session_depth", "return_cadence",
        "intent_proximity", "cognitive_load", "decision_fatigue", "negative_affect",
        "engagement_quality",
    ]
}

/// The seven buyer profiles and the state before there is enough evidence for one.
public enum Profile: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case undetermined, fastMover, proofDriven, reassurer, skeptic, optimizer, authoritySeeker
    case experienceFirst

    /// The name in files and answers, such as `fast-mover`.
    public var name: String { text.description }

    /// The same for writers of bytes.
    public var text: StaticString {
        switch self {
        case .undetermined: return "undetermined"
        case .fastMover: return "fast-mover"
        case .proofDriven: return "proof-driven"
        case .reassurer: return "reassurer"
        case .skeptic: return "skeptic"
        case .optimizer: return "optimizer"
        case .authoritySeeker: return "authority-seeker"
        case .experienceFirst: return "experience-first"
        }
    }
}

/// How ready a visitor is, in three steps.
public enum Band: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case cold, warm, hot

    /// The name in files and answers.
    public var name: String { text.description }

    /// The same for writers of bytes.
    public var text: StaticString {
        switch self {
        case .cold: return "cold"
        case .warm: return "warm"
        case .hot: return "hot"
        }
    }
}
