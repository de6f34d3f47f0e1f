public import Records

/// What signals measure, in words for people.
extension Explanation.Part {
    /// What was measured, such as `3.2 s of attention to calls to action`.
    public var sentence: String { signal.sentence(amount) }

    /// The unit of `amount`.
    public var unit: String { signal.unit }
}

extension Signal {
    /// The unit of what it measures.
    public var unit: String {
        switch self {
        case .scrollVelocity: return "px/s"
        case .scrollPause, .clickCadence: return "1/min"
        case .viewportEngagement, .ctaHover: return "s"
        case .readingPattern, .clickDecisiveness, .cursorEfficiency, .visibleAttention:
            return "share"
        case .sectionRevisit, .touchGesture, .keyboardRhythm, .formAbandonment, .tabSwitching,
            .returnCadence:
            return "count"
        case .hesitationLoop, .frustrationClicks, .formFriction, .sessionDepth: return "points"
        case .formProgress, .intentProximity: return "stage"
        case .attentionFocus, .cursorMicroexpression, .cognitiveLoad, .decisionFatigue,
            .negativeAffect, .engagementQuality:
            return "index"
        }
    }

    func sentence(_ amount: Double) -> String {
        let number = Self.rounded(amount)
        let percent = Self.rounded(amount * 100)
        switch self {
        case .scrollVelocity: return "scrolled at \(number) pixels per active second"
        case .scrollPause: return "paused over sections \(number) times per active minute"
        case .viewportEngagement: return "looked at sections for \(number) s"
        case .readingPattern: return "read \(percent) % of the text that was in view"
        case .attentionFocus: return "attention lies on few sections: \(number) of 1"
        case .sectionRevisit: return "came back to sections \(number) times"
        case .ctaHover: return "stayed on calls to action for \(number) s"
        case .clickCadence: return "clicked \(number) times per active minute"
        case .clickDecisiveness: return "\(percent) % of clicks were decided quickly and kept"
        case .cursorEfficiency: return "went \(percent) % straight to what was clicked"
        case .cursorMicroexpression: return "the pointer trembled and stopped: \(number) of 1"
        case .touchGesture: return "made \(number) deliberate gestures"
        case .keyboardRhythm: return "used the keyboard with purpose \(number) times"
        default: return laterSentence(number, percent)
        }
    }

    private func laterSentence(_ number: String, _ percent: String) -> String {
        switch self {
        case .formProgress: return "filled a form in to \(percent) %, weighed by what it is for"
        case .formFriction: return "stumbled \(number) points per form field"
        case .formAbandonment: return "left \(number) forms unfinished"
        case .hesitationLoop: return "went back and forth: \(number) points"
        case .tabSwitching: return "went to another window \(number) times and came back"
        case .visibleAttention: return "was attentive \(percent) % of the time on pages"
        case .frustrationClicks: return "rage, dead and error clicks: \(number) points"
        case .sessionDepth: return "saw \(number) pages and kinds of content"
        case .returnCadence: return "came back \(number) times"
        case .intentProximity: return "came as near to buying as \(percent) %"
        case .cognitiveLoad: return "signs of mental effort: \(number) of 1"
        case .decisionFatigue: return "signs of tiring of the decision: \(number) of 1"
        case .negativeAffect: return "signs of friction: \(number) of 1"
        default: return "engaged with pages: \(number) of 1"
        }
    }

    /// Why a signal has nothing to say about a visitor.
    public var absence: String {
        switch self {
        case .cursorMicroexpression, .negativeAffect:
            return "no pointer movement, or no consent to infer from it (bit 16)"
        case .cursorEfficiency: return "no aimed pointer movement: a touch screen, or no clicks yet"
        case .touchGesture: return "no touch screen"
        case .formProgress, .formFriction, .formAbandonment: return "no form was begun"
        case .clickDecisiveness: return "no click on anything yet"
        case .returnCadence: return "no page view with an id that lasts"
        case .sessionDepth, .intentProximity: return "no page view yet"
        default: return "no page summary has told of it yet"
        }
    }

    /// Two places behind the point below 10, one below 100, none above.
    private static func rounded(_ amount: Double) -> String {
        let unit: Double = abs(amount) < 10 ? 100 : abs(amount) < 100 ? 10 : 1
        let number = (amount * unit).rounded() / unit
        guard let whole = Int64(exactly: number) else { return "\(number)" }
        return "\(whole)"
    }
}
