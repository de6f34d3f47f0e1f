import Records
import Testing

/// The table of who may hear of a conversion, row by row.
@Suite("Destinations hear only what was allowed")
struct DestinationsHearOnlyWhatWasAllowedTests {
    private typealias Gate = DestinationGate

    private func ask(
        _ kind: Gate.Kind,
        _ bits: UInt8,
        _ flags: Slice.Flags = [],
        sensitive: Bool = false,
        bot: Bool = false,
        options: Gate.Options = Gate.Options()
    ) -> Gate.Verdict {
        let consent = Consent(rawValue: bits)
        let facts = Gate.Facts(
            consent: consent,
            flags: flags,
            isSensitive: sensitive,
            isBot: bot
        )
        return Gate.verdict(for: kind, facts, options: options)
    }

    private func terms(_ change: (inout Gate.Terms) -> Void = { _ in }) -> Gate.Verdict {
        var terms = Gate.Terms()
        change(&terms)
        return .allowed(terms)
    }

    @Test("nothing agreed to: nobody hears of it")
    func nothingAgreed() {
        #expect(ask(.meta, 0, .strictRegion) == .forbidden(.withoutAdvertising))
        #expect(ask(.ga4, 0, .strictRegion) == .forbidden(.withoutMeasurement))
        #expect(ask(.webhook, 0) == .forbidden(.withoutMeasurement))
    }

    @Test("measurement without advertising: GA4 alone, with everything denied")
    func measurementAlone() {
        for bits: UInt8 in [1, 3, 7, 23, 33] {
            #expect(ask(.meta, bits) == .forbidden(.withoutAdvertising))
            #expect(ask(.ga4, bits) == terms())
            #expect(ask(.webhook, bits) == terms())
        }
    }

    @Test("advertising without personalisation: Meta with its opt-out, or not at all")
    func withoutPersonalisation() {
        let expected = terms {
            $0.grantsAdUserData = true
            $0.mayHoldContact = true
            $0.mayHoldClickIDs = true
            $0.isOptedOut = true
        }
        #expect(ask(.meta, 15) == expected)
        let strict = Gate.Options(sendsWithoutPersonalisation: false)
        #expect(ask(.meta, 15, options: strict) == .forbidden(.withoutPersonalisation))
        #expect(ask(.meta, 47, options: strict) != .forbidden(.withoutPersonalisation))
        let ga4 = terms {
            $0.grantsAdUserData = true
            $0.mayHoldClickIDs = true
        }
        #expect(ask(.ga4, 15, options: Gate.Options(sendsUserData: true)) == ga4)
    }

    @Test("everything granted: everybody hears; GA4 gets user data when the site wants it")
    func allGranted() {
        let full = terms {
            $0.grantsAdUserData = true
            $0.grantsAdPersonalisation = true
            $0.mayHoldContact = true
            $0.mayHoldClickIDs = true
        }
        #expect(ask(.meta, 63, .strictRegion) == full)
        #expect(ask(.webhook, 63) == full)
        #expect(ask(.ga4, 63, options: Gate.Options(sendsUserData: true)) == full)
        #expect(ask(.ga4, 63) != full)
    }

    @Test("advertising without measurement: Meta, not GA4")
    func advertisingAlone() {
        #expect(ask(.ga4, 62) == .forbidden(.withoutMeasurement))
        guard case .allowed = ask(.meta, 62) else {
            Issue.record("Meta was refused")
            return
        }
    }

    @Test("an opt-out beats a granted bit; limited use is a choice, and none in the EEA")
    func optedOut() {
        let options = Gate.Options(limitsOptedOut: true, sendsUserData: true)
        for bits: UInt8 in [3, 63] {
            #expect(ask(.meta, bits, .optedOut) == .forbidden(.optedOut))
            let strict: Slice.Flags = [.optedOut, .strictRegion]
            #expect(ask(.meta, bits, strict, options: options) == .forbidden(.optedOut))
            #expect(ask(.ga4, bits, .optedOut, options: options) == terms())
            #expect(ask(.webhook, bits, .optedOut) == terms())
            let limited = terms {
                $0.isLimited = true
                $0.mayHoldContact = true
            }
            #expect(ask(.meta, bits, .optedOut, options: options) == limited)
        }
        #expect(ask(.meta, 0, .optedOut, options: options) == .forbidden(.optedOut))
    }

    @Test("children and health: no ad platform, and the others learn no page")
    func delicate() {
        let options = Gate.Options(limitsOptedOut: true, sendsUserData: true)
        #expect(ask(.meta, 63, .minor, options: options) == .forbidden(.minor))
        #expect(ask(.meta, 63, sensitive: true, options: options) == .forbidden(.sensitive))
        let scrubbed = terms { $0.isScrubbed = true }
        #expect(ask(.ga4, 63, .minor, options: options) == scrubbed)
        #expect(ask(.ga4, 63, sensitive: true, options: options) == scrubbed)
        #expect(ask(.webhook, 63, sensitive: true) == scrubbed)
    }

    @Test("a bot is told to nobody")
    func bots() {
        for kind: Gate.Kind in [.meta, .ga4, .webhook] {
            #expect(ask(kind, 63, bot: true) == .forbidden(.bot))
        }
    }
}
