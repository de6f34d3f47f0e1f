import Bytes
import Foundation
import Records
import TestSupport
import Testing

@testable import Privacy

/// What goes before what when several speak of one visitor's consent.
@Suite("Consent is decided by rank")
struct ConsentIsDecidedByRankTests {
    /// Signals as texts, so that a table can hold them.
    struct Said: Sendable {
        var bits: Int64?
        var isExplicit = false
        var gpc = false
        var dnt = false
        var tcf = ""
        var gpp = ""
        var usPrivacy = ""
        var mode = ""
        var zone = ""
        var country = ""
    }

    private func decide(_ said: Said, _ policy: ConsentPolicy = ConsentPolicy()) -> ConsentVerdict {
        let texts = [said.tcf, said.gpp, said.usPrivacy, said.mode, said.zone, said.country]
        let bytes = texts.map { Array($0.utf8) }
        var signals = ConsentSignals()
        signals.said = said.bits
        signals.isExplicit = said.isExplicit
        signals.hasPrivacyControl = said.gpc
        signals.asksNotToTrack = said.dnt
        return withView(bytes[0]) { tcf in
            withView(bytes[1]) { gpp in
                withView(bytes[2]) { usPrivacy in
                    withView(bytes[3]) { mode in
                        withView(bytes[4]) { zone in
                            withView(bytes[5]) { country in
                                (signals.tcf, signals.gpp) = (tcf, gpp)
                                (signals.usPrivacy, signals.consentMode) = (usPrivacy, mode)
                                (signals.timeZone, signals.country) = (zone, country)
                                return ConsentDecision.decide(signals, policy)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("silence: the site's preset, and nothing in the EEA, the UK and Switzerland")
    func silence() {
        #expect(decide(Said()).consent == .measurement)
        #expect(decide(Said(zone: "America/New_York")).consent == .measurement)
        for said in [
            Said(zone: "Europe/Berlin"), Said(zone: #"Europe\/Paris"#), Said(country: "DE"),
            Said(country: "GB"), Said(country: "CH"), Said(country: "NO"),
            Said(zone: "Atlantic/Reykjavik"), Said(zone: "Africa/Ceuta"), Said(country: "RE"),
            Said(zone: "America/New_York", country: "FR"),
        ] {
            let verdict = decide(said)
            #expect(verdict.consent == [] && verdict.flags == .strictRegion, "\(said)")
        }
        for said in [
            Said(zone: "Europe/Istanbul"), Said(zone: "Europe/Moscow"), Said(country: "US"),
            Said(zone: "Europe/Berlin", country: "US"), Said(zone: "Atlantic/Bermuda"),
        ] {
            let verdict = decide(said)
            #expect(verdict.consent == .measurement && verdict.flags == [], "\(said)")
        }
    }

    @Test("what a site may preset")
    func presets() {
        var policy = ConsentPolicy()
        policy.fallback = Consent(rawValue: 7)
        policy.strictFallback = .measurement
        #expect(decide(Said(), policy).consent.rawValue == 7)
        #expect(decide(Said(country: "AT"), policy).consent == .measurement)
        policy.unknownRegion = .strict
        #expect(decide(Said(), policy).consent == .measurement)
        #expect(decide(Said(country: "US"), policy).consent.rawValue == 7)
        policy.mode = .strict
        #expect(decide(Said(country: "US"), policy).consent == [])
        #expect(decide(Said(bits: 7, country: "US"), policy).consent.rawValue == 7)
    }

    @Test(arguments: 0...63)
    func theSitesOwnBitsHold(_ bits: Int64) {
        for zone in ["", "Europe/Berlin", "America/Chicago"] {
            #expect(Int64(decide(Said(bits: bits, zone: zone)).consent.rawValue) == bits)
        }
    }

    @Test(arguments: [(64, 0), (128, 0), (192, 0), (65, 1), (255, 63)])
    func bitsWithoutAMeaningGrantNothing(_ sent: Int64, _ effective: UInt8) {
        #expect(decide(Said(bits: sent)).consent.rawValue == effective)
    }

    @Test(arguments: 0...63)
    func optOutsLeaveMeasurementAndStorageAlone(_ bits: Int64) {
        for said in [
            Said(bits: bits, gpc: true), Said(bits: bits, dnt: true),
            Said(bits: bits, usPrivacy: "1YYN"), Said(bits: bits, gpp: "DBABT~1YYN"),
        ] {
            let verdict = decide(said)
            #expect(Int64(verdict.consent.rawValue) == bits & 3)
            #expect(verdict.flags.contains(.optedOut))
        }
    }

    @Test("an explicit choice stands against an opt-out; a site may look away from the browser's")
    func explicitChoice() {
        let verdict = decide(Said(bits: 63, isExplicit: true, gpc: true, usPrivacy: "1YYN"))
        #expect(verdict.consent == .all && verdict.flags == [])
        #expect(decide(Said(isExplicit: true, gpc: true)).flags == .optedOut)
        var policy = ConsentPolicy()
        policy.privacyControl = .ignore
        #expect(decide(Said(bits: 63, gpc: true), policy).consent == .all)
        #expect(decide(Said(bits: 63, dnt: true), policy).consent.rawValue == 3)
        policy.doNotTrack = .ignore
        #expect(decide(Said(bits: 63, dnt: true), policy).consent == .all)
    }

    @Test(
        "a dialogue's string takes away from the site's bits, and speaks where the site is silent"
    )
    func dialogues() {
        let measuring = tcfCore(purposes: [1, 8]).text
        let all = tcfCore(purposes: Array(1...11)).text
        #expect(decide(Said(bits: 63, tcf: measuring)).consent.rawValue == 3)
        #expect(decide(Said(bits: 63, tcf: all)).consent == .all)
        #expect(decide(Said(bits: 5, tcf: all)).consent.rawValue == 5)
        #expect(decide(Said(tcf: measuring, zone: "Europe/Rome")).consent.rawValue == 3)
        // Not everybody who is advertised through is on the vendor list.
        #expect(decide(Said(tcf: all, zone: "Europe/Rome")).consent.rawValue == 7)
        #expect(decide(Said(gpc: true, tcf: all)).consent.rawValue == 3)
        #expect(decide(Said(bits: 63, mode: "gddd")).consent.rawValue == 23)
        #expect(decide(Said(mode: "gggg", zone: "Europe/Rome")).consent.rawValue == 43)
        #expect(decide(Said(mode: "uggg")).consent.rawValue == 41)
        #expect(decide(Said(mode: "dddd")).consent == [])
    }

    @Test("what nobody can read counts as a refusal, and is counted")
    func malformed() {
        for said in [Said(bits: 63, tcf: "COnothing"), Said(bits: 63, mode: "granted")] {
            #expect(decide(said).consent == [] && decide(said).malformed == 1)
        }
        for said in [Said(bits: 63, gpp: "?"), Said(bits: 63, usPrivacy: "yes")] {
            let verdict = decide(said)
            #expect(verdict.consent.rawValue == 3 && verdict.malformed == 1)
            #expect(verdict.flags == .optedOut)
        }
        var policy = ConsentPolicy()
        policy.requiresDisclosedVendors = true
        let core = tcfCore(purposes: Array(1...11)).text
        #expect(decide(Said(bits: 63, tcf: core), policy).consent == [])
        #expect(decide(Said(bits: 63, tcf: core)).consent == .all)
    }

    @Test("of a child nothing is kept but a count")
    func minors() {
        var section = BitText()
        section.set(1, 6, at: 0)
        section.set(1, 2, at: 32)
        section.set(0, 2, at: 62)
        let verdict = decide(Said(bits: 63, isExplicit: true, gpp: "DBABRg~" + section.text))
        #expect(verdict.flags.contains(.minor))
        #expect(verdict.consent == .measurement)
    }

    @Test("mutated strings harm nobody and never grant what was denied")
    func mutations() {
        var dice = Dice(seed: 20_261_121)
        let seeds = [
            tcfCore(purposes: []).text, tcfCore(purposes: [1, 8]).text, "DBABRg~BVVVVVVVVWA",
            "DBACNY~CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA~1YNN",
            "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA",
        ].map { Array($0.utf8) }
        for _ in 0..<FuzzLength.rounds {
            var bytes = seeds[dice.roll(0...seeds.count - 1)]
            for _ in 0..<dice.roll(1...4) { mutate(&bytes, &dice) }
            withView(bytes) { view in
                var signals = ConsentSignals()
                signals.said = 63
                signals.tcf = view
                let framework = ConsentDecision.decide(signals, ConsentPolicy())
                let isRead = TCFConsent(view, vendor: 755) != nil
                if !isRead, !view.isEmpty { #expect(framework.consent == []) }
                signals.tcf = .empty
                signals.gpp = view
                let platform = ConsentDecision.decide(signals, ConsentPolicy())
                if GPPConsent(view) == nil, !view.isEmpty {
                    #expect(platform.consent.isDisjoint(with: ConsentDecision.clearedByOptOut))
                }
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ dice: inout Dice) {
        let place = dice.roll(0...bytes.count)
        switch dice.roll(0...3) {
        case 0 where place < bytes.count: bytes[place] = UInt8(dice.roll(0...255))
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: "A.~_".utf8.shuffled(using: &dice).prefix(1), at: place)
        default: bytes.append(contentsOf: bytes.prefix(place))
        }
        if bytes.count > 4096 { bytes.removeLast(bytes.count - 4096) }
    }
}

/// How many mutated strings are tried; a million with HELIOGRAPH_LONG=1.
enum FuzzLength {
    static let rounds =
        ProcessInfo.processInfo.environment["HELIOGRAPH_LONG"] == "1" ? 1_000_000 : 10_000
}
