public import Bytes
public import Records

/// What holds for a record: decided once, before the journal, and frozen in it.
public struct ConsentVerdict: Equatable, Sendable {
    /// What the visitor agreed to.
    public var consent = Consent()
    /// `optedOut`, `minor` and `strictRegion`.
    public var flags = Slice.Flags()
    /// Signals that could not be read and therefore count as a refusal.
    public var malformed = 0

    /// Nothing is agreed to.
    public init() {}
}

/// Decides what a visitor has agreed to from everything that says so.
///
/// The explicit choice on this site goes before the browser's and the states' opt-outs, those before
/// what a consent dialogue noted, that before what holds in the region when nothing is said. The site's
/// own bits are taken for what they say and no more: an opt-out or a dialogue's string takes away from
/// them, and only a choice that is marked as the visitor's own stands against both.
public enum ConsentDecision {
    /// What an opt-out of sale and sharing takes away; counting visits is neither.
    public static let clearedByOptOut: Consent = [
        .profiling, .linking, .inference, .adPersonalisation,
    ]

    /// The one decision.
    public static func decide(_ signals: ConsentSignals, _ policy: ConsentPolicy) -> ConsentVerdict
    {
        var verdict = ConsentVerdict()
        let isStrict = isStrict(signals, policy)
        if isStrict { verdict.flags.insert(.strictRegion) }
        let notes = ConsentNotes(signals, policy)
        verdict.malformed = notes.malformed
        let choice = signals.said.map { bits($0) }
        if let choice, signals.isExplicit {
            verdict.consent = choice
        } else {
            let silence = notes.granted(whenSilent(isStrict: isStrict, policy))
            verdict.consent = (choice ?? silence).intersection(notes.allowed)
            if notes.isOptedOut || isOptedOut(signals, policy) {
                verdict.consent.subtract(clearedByOptOut)
                verdict.flags.insert(.optedOut)
            }
        }
        if notes.isMinor {
            verdict.flags.insert(.minor)
            verdict.consent.formIntersection(.measurement)
        }
        return verdict
    }

    /// Bits that have no meaning grant nothing.
    private static func bits(_ said: Int64) -> Consent {
        Consent(rawValue: UInt8(truncatingIfNeeded: said)).intersection(.all)
    }

    private static func isStrict(_ signals: ConsentSignals, _ policy: ConsentPolicy) -> Bool {
        switch ConsentRegion(signals) {
        case .strict: return true
        case .other: return false
        case .unknown: return policy.unknownRegion == .strict
        }
    }

    private static func whenSilent(isStrict: Bool, _ policy: ConsentPolicy) -> Consent {
        if policy.mode == .strict { return [] }
        return isStrict ? policy.strictFallback : policy.fallback
    }

    private static func isOptedOut(_ signals: ConsentSignals, _ policy: ConsentPolicy) -> Bool {
        signals.hasPrivacyControl && policy.privacyControl == .honour
            || signals.asksNotToTrack && policy.doNotTrack == .respect
    }
}

/// What the strings of consent dialogues and states say together.
struct ConsentNotes {
    /// What none of them forbids.
    private(set) var allowed = Consent.all
    /// What they say where the site itself says nothing; nil when they say nothing either.
    private var told: Consent?
    /// Bits that `told` speaks of.
    private var spoken = Consent()
    private(set) var isOptedOut = false
    private(set) var isMinor = false
    private(set) var malformed = 0

    init(_ signals: ConsentSignals, _ policy: ConsentPolicy) {
        var tcf = signals.tcf
        if !signals.gpp.isEmpty { takeGPP(signals.gpp, &tcf) }
        if !signals.usPrivacy.isEmpty { takeUSPrivacy(signals.usPrivacy) }
        if !signals.consentMode.isEmpty { takeConsentMode(signals.consentMode) }
        if !tcf.isEmpty { takeTCF(tcf, policy) }
    }

    /// The bits of a visitor of whom the site itself says nothing.
    func granted(_ silence: Consent) -> Consent {
        guard let told else { return silence }
        return told.union(silence.subtracting(spoken))
    }

    /// A string that nobody can read counts as the strictest answer it could have held.
    private mutating func takeGPP(_ text: ByteView, _ tcf: inout ByteView) {
        guard let gpp = GPPConsent(text) else {
            (isOptedOut, malformed) = (true, malformed + 1)
            return
        }
        if gpp.isOptedOut { isOptedOut = true }
        if gpp.isMinor { isMinor = true }
        if tcf.isEmpty { tcf = gpp.tcf }
    }

    private mutating func takeUSPrivacy(_ text: ByteView) {
        let answer = USPrivacy.isOptedOut(text)
        if answer == nil { malformed += 1 }
        if answer ?? true { isOptedOut = true }
    }

    private mutating func takeTCF(_ text: ByteView, _ policy: ConsentPolicy) {
        guard let tcf = TCFConsent(text, vendor: Int(policy.advertisingVendor)),
            tcf.namesDisclosedVendors || !policy.requiresDisclosedVendors
        else {
            (allowed, told, spoken) = ([], [], .all)
            malformed += 1
            return
        }
        let purposes = tcf.consent(policy)
        allowed.formIntersection(purposes)
        // No platform but Google is on the vendor list: advertising needs the site's own word, too.
        told = purposes.subtracting([.linking, .inference, .adPersonalisation])
        spoken = .all
    }

    private mutating func takeConsentMode(_ text: ByteView) {
        guard let mode = GoogleConsentMode(text) else {
            (allowed, told, spoken) = ([], [], .all)
            malformed += 1
            return
        }
        allowed.subtract(mode.denied)
        told = mode.granted
        spoken = mode.granted.union(mode.denied)
    }
}

extension TCFConsent {
    /// The bits that the purposes allow. Pointer inference has no purpose of its own and goes with
    /// profiling.
    func consent(_ policy: ConsentPolicy) -> Consent {
        var consent = Consent()
        if allows(purpose: 1) { consent.insert(.storage) }
        let mayMeasure: (Int) -> Bool = {
            policy.acceptsLegitimateInterest ? allowsOrRests(purpose: $0) : allows(purpose: $0)
        }
        if mayMeasure(8) || mayMeasure(9) { consent.insert(.measurement) }
        if allows(purpose: 5), allows(purpose: 6), allows(purpose: 9) {
            consent.formUnion([.profiling, .inference])
        }
        guard allowsAdvertising(policy) else { return consent }
        return consent.union([.linking, .adPersonalisation])
    }

    /// Purposes 1, 2 or 7, 3 and 4, and a vendor whom the publisher forbids none of them.
    private func allowsAdvertising(_ policy: ConsentPolicy) -> Bool {
        let isAsked = policy.advertisingVendor != 0
        let restricted: UInt32 = isAsked ? forbidden : 0
        let may: (Int) -> Bool = {
            allows(purpose: $0) && restricted >> UInt32($0 - 1) & 1 == 0
        }
        return may(1) && (may(2) || may(7)) && may(3) && may(4) && (allowsVendor || !isAsked)
    }
}

/// Google's Consent Mode: a letter each for analytics_storage, ad_storage, ad_user_data and
/// ad_personalization; `g` granted, `d` denied, `u` unknown.
public struct GoogleConsentMode: Equatable, Sendable {
    /// Bits that are granted.
    public private(set) var granted = Consent()
    /// Bits that are denied.
    public private(set) var denied = Consent()

    /// Nil when the text is anything else.
    public init?(_ text: ByteView) {
        guard text.count == 4 else { return nil }
        for index in 0..<4 {
            switch text[index] {
            case UInt8(ascii: "g"): granted.formUnion(Self.bits(index))
            case UInt8(ascii: "d"): denied.formUnion(Self.bits(index))
            case UInt8(ascii: "u"): break
            default: return nil
            }
        }
        // Advertising needs storage and the data; unknown beside granted is not granted.
        if text[1] != text[2] { granted.subtract(.linking) }
        granted.subtract(denied)
    }

    private static func bits(_ index: Int) -> Consent {
        switch index {
        case 0: return [.measurement, .storage]
        case 3: return .adPersonalisation
        default: return .linking
        }
    }
}
