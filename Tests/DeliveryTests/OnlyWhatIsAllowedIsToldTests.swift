// Goal: consent, opt-outs, sensitive sites, time, identity and the platforms' own rules decide alone what
// is sent and what of it. Method: one conversion, one thing changed at a time.
import Delivery
import Records
import Settings
import Testing

@Suite struct OnlyWhatIsAllowedIsToldTests {
    private func judge(
        _ destination: any Destination,
        now: Int64 = noon,
        _ change: (inout Conversion) -> Void
    ) -> Preflight {
        var conversion = purchase()
        change(&conversion)
        return destination.judge(conversion, nowMilliseconds: now)
    }

    private func text(_ destination: any Destination, _ change: (inout Conversion) -> Void)
        -> String
    {
        var conversion = purchase()
        change(&conversion)
        return body(destination, conversion)
    }

    // MARK: - Consent

    @Test func withoutConsentToAdvertisingMetaHearsNothing() throws {
        let reason = DestinationGate.Reason.withoutAdvertising.rawValue
        let found = judge(try meta()) { $0.consent = [.measurement, .storage, .profiling] }
        #expect(found == .forbidden(reason: reason))
    }

    @Test func withoutConsentToAdvertisingGoogleHearsOfNobody() throws {
        let text = text(try google()) { $0.consent = [.measurement, .storage] }
        #expect(value(text, "consent", "ad_user_data") as? String == "DENIED")
        #expect(value(text, "consent", "ad_personalization") as? String == "DENIED")
        #expect(value(text, "user_data") == nil && value(text, "user_id") == nil)
        #expect(
            judge(try google()) { $0.consent = [] }
                == .forbidden(
                    reason: DestinationGate.Reason.withoutMeasurement.rawValue
                )
        )
    }

    @Test func withoutPersonalisationMetaMayOnlyAttribute() throws {
        let without: (inout Conversion) -> Void = { $0.consent.remove(.adPersonalisation) }
        #expect(value(text(try meta(), without), "data", 0, "opt_out") as? Bool == true)
        #expect(!text(try meta()) { _ in }.contains("opt_out"))
        let strict = try meta { meta, _ in meta.unpersonalised = .withhold }
        #expect(
            judge(strict, without)
                == .forbidden(
                    reason: DestinationGate.Reason.withoutPersonalisation.rawValue
                )
        )
        let consent = value(text(try google(), without), "consent") as? [String: String]
        #expect(consent == ["ad_user_data": "GRANTED", "ad_personalization": "DENIED"])
    }

    @Test func whoOptedOutIsSentForLimitedUseOrNotAtAll() throws {
        let optedOut: (inout Conversion) -> Void = {
            $0.flags.insert(.optedOut)
            $0.consent = [.measurement]
        }
        #expect(
            judge(try meta(), optedOut)
                == .forbidden(
                    reason: DestinationGate.Reason.optedOut.rawValue
                )
        )
        let limited = try meta { meta, _ in
            (meta.optedOut, meta.limitedCountry, meta.limitedState) = (.limit, 1, 1_003)
        }
        #expect(judge(limited, optedOut) == .ready(remarks: []))
        let text = text(limited, optedOut)
        #expect(value(text, "data", 0, "data_processing_options") as? [String] == ["LDU"])
        #expect(value(text, "data", 0, "data_processing_options_country") as? Int == 1)
        #expect(value(text, "data", 0, "data_processing_options_state") as? Int == 1_003)
        #expect(value(text, "data", 0, "user_data", "fbc") == nil)
    }

    @Test(arguments: [Site.Sensitivity.health, .minors])
    func aSensitiveSiteTellsOriginsAlone(kind: Site.Sensitivity) throws {
        #expect(
            judge(try meta(kind)) { _ in }
                == .forbidden(
                    reason: DestinationGate.Reason.sensitive.rawValue
                )
        )
        for destination in [try google(kind), try webhook(kind, contact: ["em"])] {
            var conversion = full("view_content")
            conversion.details.items[0].id = "sku"
            let text = body(destination, conversion)
            #expect(text.contains("https://shop.example/\""))
            for told in ["checkout", "Thank", "Shirt", "6a6c2619", "blue", "h:00ff\",\"consent"] {
                #expect(!text.contains(told), "\(told)")
            }
        }
    }

    @Test func aSiteAboutMoneyTellsMetaOfViewsAndLeadsOnly() throws {
        #expect(judge(try meta(.finance)) { _ in } == .forbidden(reason: "finance-site"))
        #expect(judge(try meta(.finance)) { $0.name = "lead" } == .ready(remarks: []))
        let text = text(try meta(.finance)) { $0.name = "lead" }
        #expect(value(text, "data", 0, "event_source_url") as? String == "https://shop.example/")
    }

    @Test func whatNobodyDeclaredStaysHere() throws {
        for destination in [try meta(), try google(), try webhook()] {
            #expect(!body(destination, full("purchase")).contains("XL"))
        }
        let text = body(try webhook(), purchase())
        #expect(!text.contains("6a6c2619") && !text.contains("9.9.9.9"))
    }

    // MARK: - Time

    @Test func whatIsTooOldOrToComeIsNotSent() throws {
        let (hour, day): (Int64, Int64) = (3_600_000, 86_400_000)
        for (destination, age) in [(try meta(), 7 * day - hour), (try google(), 3 * day)] {
            #expect(judge(destination, now: noon + age) { _ in } != .expired)
            #expect(judge(destination, now: noon + age + 1) { _ in } == .expired)
            #expect(
                judge(destination, now: noon - 300_000) { _ in }
                    != .refused(reason: "in-the-future")
            )
            let early = judge(destination, now: noon - 300_001) { _ in }
            #expect(early == .refused(reason: "in-the-future"))
        }
        let text = body(try meta(), purchase(), now: noon - 60_000)
        #expect(value(text, "data", 0, "event_time") as? Int64 == noon / 1_000 - 60)
    }

    @Test func aSessionEndsAfterADay() throws {
        let start: Int64 = 1_762_949_000_000
        let (last, late) = (start + 86_400_000, start + 86_400_001)
        let within = body(try google(), purchase(), now: last)
        #expect(value(within, "events", 0, "params", "session_id") as? String == "1762949000")
        #expect(value(within, "events", 0, "params", "late") == nil)
        let beyond = body(try google(), purchase(), now: late)
        #expect(value(beyond, "events", 0, "params", "session_id") == nil)
        #expect(value(beyond, "events", 0, "params", "late") as? Int == 1)
        let before = text(try google()) { $0.occurredAtMilliseconds = start - 1 }
        #expect(value(before, "events", 0, "params", "session_id") == nil)
    }

    // MARK: - Identity

    @Test func tooLittleAboutAPersonIsNotSent() throws {
        let tooLittle: [[String]] = [
            [], ["ct", "country", "st", "zp", "ge"], ["fn", "ge"], ["ln", "ge"], ["ct"],
        ]
        for keys in tooLittle {
            let found = judge(try meta()) { conversion in
                conversion.contact = Contact()
                for key in keys { conversion.contact.metaHashes[key] = [Digest.sha256(key)] }
            }
            #expect(found == .refused(reason: "unmatched"), "\(keys)")
        }
        let agent = judge(try meta()) { conversion in
            conversion.contact = Contact()
            conversion.contact.userAgent = "UA"
            conversion.contact.metaHashes["db"] = [Digest.sha256("x")]
        }
        #expect(agent == .refused(reason: "unmatched"))
        let enough = judge(try meta()) { conversion in
            conversion.contact = Contact()
            (conversion.contact.userAgent, conversion.contact.address) = ("UA", "9.9.9.9")
        }
        #expect(enough == .ready(remarks: []))
        let names = judge(try meta()) { conversion in
            conversion.contact = Contact()
            for key in ["fn", "ln"] { conversion.contact.metaHashes[key] = [Digest.sha256(key)] }
        }
        #expect(names == .ready(remarks: ["without-page"]))
    }

    @Test func whatIsNoHashIsNeverSentAsOne() throws {
        let text = text(try meta()) {
            $0.contact.metaHashes = [
                "em": [
                    "anna@example.com", Digest.sha256(""), Digest.sha256("a"), Digest.sha256("a"),
                ],
                "xx": [Digest.sha256("b")],
            ]
            $0.contact.fbc = "garbage"
            $0.contact.fbclid = nil
            $0.contact.fbp = "fb.1.2.3"
            $0.contact.address = "10.0.0.1"
        }
        let user = value(text, "data", 0, "user_data") as? [String: Any]
        #expect(user?.keys.sorted() == ["client_user_agent", "em"])
        #expect(user?["em"] as? [String] == [Digest.sha256("a")])
    }

    @Test func kindsOfConsentGoApart() throws {
        let limited = try meta { meta, _ in meta.optedOut = .limit }
        var conversions = [purchase(), purchase(), purchase()]
        conversions[1].consent.remove(.adPersonalisation)
        conversions[2].flags.insert(.optedOut)
        #expect(Set(conversions.map { limited.group(of: $0) }).count == 3)
        #expect(limited.group(of: purchase()) == limited.group(of: named("lead")))
    }

    @Test func limitedUseNeedsAPlace() throws {
        let nowhere: (inout Conversion) -> Void = {
            $0.flags.insert(.optedOut)
            $0.contact.address = nil
        }
        let located = try meta { meta, _ in meta.optedOut = .limit }
        #expect(judge(located, nowhere) == .refused(reason: "limited-without-address"))
        let stated = try meta { meta, _ in
            (meta.optedOut, meta.limitedCountry, meta.limitedState) = (.limit, 1, 1_000)
        }
        #expect(judge(stated, nowhere) == .ready(remarks: []))
    }

    @Test func visitorsOfGooglesGoApart() throws {
        let google = try google()
        var other = purchase()
        #expect(google.group(of: other) == google.group(of: purchase()))
        other.consent.remove(.adPersonalisation)
        #expect(google.group(of: other) != google.group(of: purchase()))
        other = purchase()
        other.contact.gaClientID = nil
        #expect(google.group(of: other) != google.group(of: purchase()))
        let own = body(google, other)
        #expect((value(own, "client_id") as? String)?.wholeMatch(of: /[0-9]+\.[0-9]{10}/) != nil)
        other.visitor = "v-2"
        #expect(body(google, other) != own)
    }

    // MARK: - The platforms' rules

    @Test func noCurrencyIsGuessed() throws {
        for destination in [try meta(), try google()] {
            #expect(
                judge(destination) { $0.currency = nil }
                    == .refused(
                        reason: "purchase-without-currency"
                    )
            )
            #expect(
                judge(destination) { $0.currency = "EURO" }
                    == .refused(
                        reason: "purchase-without-currency"
                    )
            )
            for bad in [nil, -1, .nan, .infinity] as [Double?] {
                #expect(
                    judge(destination) { $0.value = bad }
                        == .refused(
                            reason: "purchase-without-value"
                        )
                )
            }
            #expect(judge(destination) { $0.value = 0 } == .ready(remarks: []))
            let lead = judge(destination) { ($0.name, $0.currency) = ("contact", nil) }
            #expect(lead == .ready(remarks: ["value-left-out"]))
            let text = text(destination) { ($0.name, $0.currency) = ("contact", nil) }
            #expect(!text.contains("\"value\""))
        }
    }

    @Test(arguments: ["page", "track", "", String(repeating: "a", count: 51), "a\nb"])
    func metaHearsNoOddName(name: String) throws {
        #expect(judge(try meta()) { $0.name = name } == .refused(reason: "invalid-event-name"))
    }

    @Test(arguments: [
        "session_start", "first_visit", "error", "ga_x", "firebase_x", "1a", "a-b", "", "click",
        "video_start", String(repeating: "a", count: 41),
    ])
    func googleHearsNoReservedName(name: String) throws {
        #expect(judge(try google()) { $0.name = name } == .refused(reason: "invalid-event-name"))
    }

    @Test func theSettingsNameConversions() throws {
        let renamed = try meta { $1.eventNames = ["became_hot": "Lead"] }
        #expect(
            value(text(renamed) { $0.name = "became_hot" }, "data", 0, "event_name") as? String
                == "Lead"
        )
        let options = try google { google, _ in
            (google.contactIsLead, google.subscribeIsPurchase, google.donateIsPurchase) = (
                true, true, true
            )
        }
        for (name, wanted) in [
            ("contact", "generate_lead"), ("subscribe", "purchase"), ("donate", "purchase"),
        ] {
            let text = text(options) { $0.name = name }
            #expect(value(text, "events", 0, "name") as? String == wanted)
        }
    }

    @Test func aPurchaseWithoutANumberHasItsEvents() throws {
        let without: (inout Conversion) -> Void = { $0.orderID = nil }
        #expect(judge(try google(), without) == .ready(remarks: ["event-id-for-order"]))
        let text = text(try google(), without)
        #expect(value(text, "events", 0, "params", "transaction_id") as? String == "w1a2b3-7")
    }

    @Test func textsAreCutAndIDsAreNot() throws {
        let long = String(repeating: "é", count: 400)
        let cut: (inout Conversion) -> Void = {
            $0.details.coupon = long
            $0.title = long
            $0.pageURL =
                "https://shop.example/?a=" + String(repeating: "b", count: 900) + "&c="
                + String(repeating: "d", count: 200)
        }
        #expect(judge(try google(), cut) == .ready(remarks: ["texts-cut"]))
        let text = text(try google(), cut)
        let parameters = value(text, "events", 0, "params") as? [String: Any]
        #expect((parameters?["coupon"] as? String)?.unicodeScalars.count == 100)
        #expect((parameters?["page_title"] as? String)?.unicodeScalars.count == 300)
        #expect((parameters?["page_location"] as? String)?.hasSuffix("b") == true)
        for order in [true, false] {
            let found = judge(try google()) {
                if order { $0.orderID = long } else { $0.details.items[0].id = long }
            }
            #expect(found == .refused(reason: "id-too-long"))
        }
    }

    @Test func anOddIDIsTheSameInEveryRepetition() throws {
        let odd: (inout Conversion) -> Void = { $0.id = "bestellung nr. 7/ä" }
        #expect(judge(try meta(), odd) == .ready(remarks: ["event-id-hashed"]))
        let id = value(text(try meta(), odd), "data", 0, "event_id") as? String
        #expect(id == Digest.sha256("bestellung nr. 7/ä"))
    }
}
