import Settings
import TestSupport
import Testing

/// A site's conversions are read as they are written, and every mistake is told with its line.
struct ConversionSettingsTests {
    private func sites(_ text: String) throws -> [Site] {
        let head = "sites:\n  - name: shop\n    keys: [k]\n    origins: [\"*\"]\n"
        return try HeliographSettings.parse(head + text, file: "test.yaml").sites
    }

    @Test func allTriggersAndAmountsAreRead() throws {
        let site = try sites(
            """
                usual_conversions: false
                attribution_days: 7
                conversions:
                  - {event: quote_sent, as: lead, value: 25}
                  - {form: newsletter, as: sign_up_done, value: worth, currency_property: cur}
                  - {page: /thanks, as: contact, order_property: number, keep: [plan, size]}
                  - {band: hot, as: became_hot}
            """
        )[0]
        #expect(site.countsUsualConversions == false)
        #expect(site.attributionDays == 7)
        #expect(
            site.conversions.map(\.trigger) == [
                .event("quote_sent"), .form("newsletter"), .page("/thanks"), .becameHot,
            ]
        )
        #expect(site.conversions[0].value == .fixed(25))
        #expect(site.conversions[1].value == .property("worth"))
        #expect(site.conversions[1].currencyProperty == "cur")
        #expect(site.conversions[2].orderProperty == "number")
        #expect(site.conversions[2].extras == ["plan", "size"])
    }

    @Test(arguments: [
        ("    conversions: [{event: a, as: \"1x\"}]", "as"),
        ("    conversions: [{as: lead}]", "event, form, page or band"),
        ("    conversions: [{event: a, form: b, as: lead}]", "event, form, page or band"),
        ("    conversions: [{page: thanks, as: lead}]", "path"),
        ("    conversions: [{band: warm, as: lead}]", "hot"),
        ("    conversions: [{event: a, as: lead, value: -3}]", "amount"),
        ("    conversions: [{event: a, as: lead, colour: red}]", "unknown key"),
        ("    attribution_days: 0", "attribution_days"),
    ])
    func mistakesAreTold(_ text: String, _ part: String) {
        let error = #expect(throws: SettingsError.self) { _ = try sites(text) }
        let problems = error?.problems.map(\.description) ?? []
        let isTold = problems.contains { $0.contains(part) && $0.contains("test.yaml:5") }
        #expect(isTold, "\(problems)")
    }

    @Test func shopsNamesAreKnown() {
        let names = [
            "Order Completed": "purchase", "purchase": "purchase", "Product Added": "add_to_cart",
            "begin_checkout": "initiate_checkout", "sign_up": "complete_registration",
            "Signed Up": "complete_registration", "generate_lead": "lead",
            "view_item": "view_content",
        ]
        for (name, canonical) in names {
            #expect(canonicalName(name) == canonical)
        }
        for name in ["page_view", "color_changed", "", "purchas", "purchases", "purchase\0"] {
            #expect(canonicalName(name) == nil)
        }
        for name in CanonicalConversion.names where name != "page_view" {
            #expect(canonicalName(name.uppercased()) == name)
        }
    }

    private func canonicalName(_ name: String) -> String? {
        withView(name) { CanonicalConversion.name(usually: $0) }
    }
}
