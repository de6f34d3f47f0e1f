import Bytes
import Delivery
import Records
import Settings
import TestSupport
import Testing

/// What is a conversion is found in a record, whatever the shop calls it; nothing undeclared goes on.
struct ConversionsAreFoundTests {
    private static var site: Site {
        var site = Site(name: "demo", keys: ["k"], origins: [], allowsAnyOrigin: true)
        site.currency = "SEK"
        return site
    }

    private func gains(
        _ events: [TestEvent],
        site: Site = site,
        consent: Consent = .all,
        flags: Slice.Flags = [],
        duplicates: UInt64 = 0,
        history: HistoryPoint? = nil
    ) -> RecordGains? {
        var record = TestRecord()
        record.consent = consent
        record.flags = flags
        record.events = events
        let payload = record.payload()
        return withView(payload) { bytes in
            var header = RecordHeader(
                kind: .slice,
                partition: Partition(3),
                receivedAt: 1_790_000_000_000,
                payload: bytes
            )
            header.duplicates = duplicates
            header.offset = 77
            guard let slice = Slice(bytes) else { return nil }
            return ConversionFinder([site]).gains(header, slice, history)
        }
    }

    private func event(_ name: String, _ props: String) -> TestEvent {
        TestEvent(.custom, at: 1_789_999_999_000, "{\"props\":\(props)}", name: name)
    }

    @Test(arguments: [
        (
            "purchase", "{\"value\":12.5,\"currency\":\"usd\",\"transaction_id\":\"T1\"}", 12.5,
            "USD", "T1"
        ),
        ("Order Completed", "{\"revenue\":\"99.90\",\"order_id\":7}", 99.9, "SEK", "7"),
        ("purchase", "{\"total\":0}", 0, "SEK", ""),
    ])
    func shopsSpellDifferently(
        _ name: String,
        _ props: String,
        _ value: Double,
        _ currency: String,
        _ order: String
    ) {
        let row = gains([event(name, props)])?.conversions.first
        #expect(row?.name == "purchase")
        #expect(row?.value == value)
        #expect(row?.currency == currency)
        #expect(row?.orderID == order)
        #expect(row?.id == "window-1-1")
        #expect(row?.occurredAt == 1_789_999_999_000)
    }

    @Test(arguments: [
        "{\"value\":-1}", "{\"value\":1e300}", "{\"value\":\"much\"}", "{\"value\":null}",
        "{\"value\":[]}",
    ])
    func amountsThatAreNoneAreLeftOut(_ props: String) {
        let row = gains([event("purchase", props)])?.conversions.first
        #expect(row != nil)
        #expect(row?.value == nil)
    }

    @Test func onlyDeclaredPropertiesGoOn() {
        var site = Self.site
        var rule = ConversionRule(trigger: .event("purchase"), name: "purchase")
        rule.extras = ["tier", "count", "isNew", "tree"]
        site.conversions = [rule]
        let props = """
            {"secret":"a@b.example","tier":"gold","count":3,"isNew":true,"tree":{"x":1},
            "items":[{"sku":"S","title":"T","qty":2,"price":1.5,"note":"private"},{},7]}
            """
        let row = gains([event("purchase", props)], site: site)?.conversions.first
        let expected =
            "{\"items\":[{\"id\":\"S\",\"name\":\"T\",\"price\":1.5,\"quantity\":2}],"
            + "\"extras\":{\"tier\":\"gold\",\"count\":3,\"isNew\":true}}"
        #expect(row?.details == expected)
    }

    @Test func rulesForFormsPagesAndScores() {
        var site = Self.site
        var lead = ConversionRule(trigger: .becameHot, name: "became_hot")
        lead.value = .fixed(5)
        site.conversions = [
            ConversionRule(trigger: .form("newsletter"), name: "lead"),
            ConversionRule(trigger: .page("/thanks"), name: "contact"), lead,
        ]
        let events = [
            TestEvent(.form, at: 1, "{\"f\":\"newsletter\",\"sb\":1}", number: 1),
            TestEvent(.form, at: 1, "{\"f\":\"newsletter\",\"sb\":0}", number: 2),
            TestEvent(.form, at: 1, "{\"f\":\"other\",\"sb\":true}", number: 3),
            TestEvent(.pageView, at: 1, "{\"u\":\"https://x.example/thanks/you\"}", number: 4),
            TestEvent(.pageView, at: 1, "{\"u\":\"https://x.example/no/thanks\"}", number: 5),
            TestEvent(.pageView, at: 1, "{\"u\":\"https://x.example\"}", number: 6),
        ]
        var reading = FoldEffect(visitorIndex: 0, eventsFolded: 1).history.reading
        reading.band = .hot
        let point = HistoryPoint(reason: .band, reading: reading)
        let rows = gains(events, site: site, history: point)?.conversions ?? []
        #expect(rows.map(\.name) == ["lead", "contact", "became_hot"])
        #expect(rows.map(\.id) == ["window-1-1", "window-1-4", "hot-3-77"])
        #expect(rows.last?.value == 5)
        #expect(rows.last?.currency == "SEK")
    }

    @Test func repeatsAndStrangersBringNothing() {
        #expect(gains([event("purchase", "{}")], duplicates: 1) == nil)
        #expect(gains([event("colour_changed", "{}")]) == nil)
        var other = Self.site
        other.name = "other"
        #expect(gains([event("purchase", "{}")], site: other) == nil)
        var quiet = Self.site
        quiet.countsUsualConversions = false
        #expect(gains([event("purchase", "{}")], site: quiet) == nil)
    }

    @Test func destinationsHearByConsentAndTheSitesKind() {
        var site = Self.site
        let place = SecretSource.environment("X")
        site.destinations = [
            DestinationSettings(name: "m", platform: .meta(MetaSettings(pixel: "1", token: place))),
            DestinationSettings(
                name: "g",
                platform: .googleAnalytics(
                    GoogleAnalyticsSettings(measurementID: "G-1", secret: place)
                )
            ),
        ]
        func told(_ consent: Consent, _ flags: Slice.Flags = []) -> [String] {
            gains([event("purchase", "{}")], site: site, consent: consent, flags: flags)?
                .conversions.first?.destinations ?? []
        }
        #expect(told(.all) == ["m", "g"])
        #expect(told([.measurement, .storage]) == ["g"])
        #expect(told(.all, .bot) == [])
        #expect(told(.all, .minor) == ["g"])
        var past = event("purchase", "{}")
        past.flags = .history
        let kept = gains([past], site: site)?.conversions.first
        #expect(kept?.name == "purchase")
        #expect(kept?.destinations.isEmpty == true && kept?.withheld.isEmpty == true)
        site.sensitivity = .finance
        #expect(told(.all) == ["g"])
        site.sensitivity = .none
        site.destinations[0].conversions = ["lead"]
        #expect(told(.all) == ["g"])
    }

    @Test func touchesAreVisitsFromOutside() {
        func touch(_ properties: String, page: UInt16 = 1) -> TouchRow? {
            gains([TestEvent(.pageView, at: 9, properties, page: page)])?.touches.first
        }
        let paid = touch(
            "{\"u\":\"/\",\"ch\":\"paid_search\",\"so\":\"g\\u00f6\",\"me\":\"cpc\",\"ck\":\"gclid\"}"
        )
        #expect(paid?.channel == "paid_search")
        #expect(paid?.source == "gö")
        #expect(paid?.click == "gclid")
        #expect(paid?.at == 9)
        #expect(touch("{\"ch\":\"internal\"}") == nil)
        #expect(touch("{\"ch\":\"direct\"}")?.channel == "direct")
        #expect(touch("{\"ch\":\"direct\"}", page: 2) == nil)
        #expect(touch("{\"ch\":\"referral\"}", page: 2)?.channel == "referral")
        #expect(touch("{\"u\":\"/\"}") == nil)
    }

    @Test func aTrackingLinkNamesTheCampaignThatNothingElseNames() {
        func campaign(_ url: String, _ more: String = "") -> String? {
            let properties = "{\"u\":\"\(url)\",\"ch\":\"direct\"\(more)}"
            return gains([TestEvent(.pageView, at: 9, properties)])?.touches.first?.campaign
        }
        #expect(campaign("https://a.example/?_hgl=spring") == "spring")
        #expect(campaign("https://a.example/?a=1&_hgl=spring&b=2") == "spring")
        #expect(campaign("https://a.example/?_hgl=spring", ",\"ca\":\"own\"") == "own")
        #expect(campaign("https://a.example/?x_hgl=spring&_hglx=1") == "")
        #expect(campaign("https://a.example/_hgl=spring") == "")
        #expect(campaign("?_hgl=") == "")
        #expect(campaign("") == "")
        let long = String(repeating: "a", count: 65)
        #expect(campaign("/?_hgl=" + long) == "")
    }

    @Test(arguments: [
        (",\"tw\":1", "{\"twins\":1}"), (",\"tw\":3", "{\"twins\":3}"), (",\"tw\":0", "{}"),
        (",\"tw\":4", "{}"), (",\"tw\":-1", "{}"), (",\"tw\":1e300", "{}"),
        (",\"tw\":\"x\"", "{}"), ("", "{}"),
    ])
    func whatPixelsToldIsNoted(_ member: String, _ details: String) {
        let event = TestEvent(.custom, at: 9, "{\"props\":{}\(member)}", name: "lead")
        let found = gains([event])?.conversions.first
        #expect(found?.details == details)
        #expect(found?.currency == "", "a pixel is no money")
        let more = TestEvent(
            .custom,
            at: 9,
            "{\"props\":{\"coupon\":\"c\"}\(member)}",
            name: "lead"
        )
        let text = gains([more])?.conversions.first?.details
        #expect(
            text
                == (details == "{}"
                    ? "{\"coupon\":\"c\"}" : "{\"coupon\":\"c\",\(details.dropFirst())")
        )
    }
}
