import Bytes
import Enrichment
import TestSupport
import Testing

/// Where page views come from.
@Suite struct PageSourceTests {
    private func members(_ url: String, _ referrer: String, host: String = "") -> [String: Any] {
        var source = PageSource()
        let text = written { buffer in
            withView(url) { url in
                withView(referrer) { referrer in
                    withView(host) { host in
                        _ = source.append(
                            url: url,
                            referrer: referrer,
                            siteHost: host,
                            into: &buffer
                        )
                    }
                }
            }
        }
        return Samples.object(text + "}") ?? ["broken": text]
    }

    private static let page = "https://www.shop.example/p"

    @Test(
        arguments: [
            ("", "", "direct", nil, nil),
            ("", "https://www.google.co.uk/", "organic_search", "google", "organic"),
            ("", "https://www.google.com/", "organic_search", "google", "organic"),
            ("", "https://duckduckgo.com/", "organic_search", "duckduckgo", "organic"),
            ("", "https://mail.google.com/mail/u/0", "email", "gmail", "email"),
            ("", "https://gemini.google.com/app", "ai_assistant", "gemini", "referral"),
            ("", "https://chatgpt.com/", "ai_assistant", "chatgpt", "referral"),
            ("?utm_source=chatgpt.com", "", "ai_assistant", "chatgpt.com", "referral"),
            ("", "https://l.facebook.com/", "organic_social", "facebook", "social"),
            ("", "https://t.co/abc", "organic_social", "twitter", "social"),
            ("", "https://blog.example.net/post", "referral", "blog.example.net", "referral"),
            (
                "", "https://google.evil.example.com/", "referral", "google.evil.example.com",
                "referral"
            ),
            ("", "https://notgoogle.com/", "referral", "notgoogle.com", "referral"),
            ("", "https://shop.example/", "internal", nil, nil),
            ("", "https://help.shop.example/", "internal", nil, nil),
            ("", "https://notshop.example/", "referral", "notshop.example", "referral"),
            ("?gclid=abc", "https://www.google.com/", "paid_search", "google", "cpc"),
            ("?gbraid=abc", "", "paid_search", "google", "cpc"),
            ("?wbraid=abc", "", "paid_search", "google", "cpc"),
            ("?msclkid=abc", "", "paid_search", "bing", "cpc"),
            ("?fbclid=abc", "", "organic_social", "facebook", "social"),
            ("?ttclid=abc", "", "organic_social", "tiktok", "social"),
            ("?li_fat_id=abc", "", "organic_social", "linkedin", "social"),
            ("?twclid=abc", "", "organic_social", "twitter", "social"),
            (
                "?fbclid=abc&utm_source=fb&utm_medium=paid_social", "", "paid_social", "fb",
                "paid_social"
            ),
            ("?utm_source=Google&utm_medium=CPC", "", "paid_search", "google", "cpc"),
            ("?utm_source=taboola&utm_medium=cpc", "", "paid_other", "taboola", "cpc"),
            ("?utm_source=dv360&utm_medium=display", "", "display", "dv360", "display"),
            ("?utm_source=awin&utm_medium=affiliate", "", "affiliate", "awin", "affiliate"),
            ("?utm_source=letter&utm_medium=Newsletter", "", "email", "letter", "newsletter"),
            ("?utm_source=newsletter", "", "email", "newsletter", "email"),
            ("?utm_medium=sms", "", "messaging", nil, "sms"),
            ("?utm_source=podcast&utm_medium=audio", "", "unassigned", "podcast", "audio"),
            ("?utm_source=x&utm_medium=y", "https://www.shop.example/", "unassigned", "x", "y"),
        ] as [(String, String, String, String?, String?)]
    )
    func channelSourceAndMedium(
        _ query: String,
        _ referrer: String,
        _ channel: String,
        _ source: String?,
        _ medium: String?
    ) {
        let found = members(Self.page + query, referrer)
        #expect(found["ch"] as? String == channel)
        #expect(found["so"] as? String == source)
        #expect(found["me"] as? String == medium)
    }

    @Test func everyPartOfACampaignIsKept() {
        let found = members(
            Self.page + "?utm_source=s&utm_medium=cpc&utm_campaign=Spring%20Sale+1&utm_id=7"
                + "&utm_content=b%C3%BCcher&utm_term=%22q%22&twclid=z&gclid=y#utm_term=no",
            ""
        )
        #expect(found["ca"] as? String == "Spring Sale 1")
        #expect(found["cx"] as? String == "7")
        #expect(found["ct"] as? String == "bücher")
        #expect(found["te"] as? String == "\"q\"")
        #expect(found["ck"] as? String == "gclid")
        #expect(!found.values.contains { $0 as? String == "y" })
    }

    @Test(arguments: [
        ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a%00b", "a b"), ("%ff%fe", "??"),
        ("%c3", "?"), ("%e2%82%ac", "€"), ("%e2%82x", "?x"), ("%ed%a0%80", "?"),
        ("a%0d%0ab", "a  b"),
    ])
    func oddEscapesDoNoHarm(_ raw: String, _ value: String) {
        #expect(members(Self.page + "?utm_campaign=" + raw, "")["ca"] as? String == value)
    }

    @Test func valuesAreBoundedAtACharacter() {
        let long = String(repeating: "%C3%BC", count: 500)
        let value = members(Self.page + "?utm_campaign=" + long, "")["ca"] as? String
        #expect(value == String(repeating: "ü", count: 64))
    }

    @Test func aPathIsHeldAgainstTheSitesHost() {
        let found = members("/p?x=1", "https://www.shop.example/a", host: "shop.example")
        #expect(found["ch"] as? String == "internal")
    }

    @Test func anyBytesGiveMembersOfAnObject() {
        var dice = Dice(seed: 5)
        var source = PageSource()
        for _ in 0..<2_000 {
            let noise = (0..<dice.roll(0...79)).map { _ in
                Array("utm_source=&?#/:.@%+abcgclid\u{ff}".utf8)[dice.roll(0...27)]
            }
            let text = written { buffer in
                withView(Array("https://a.example/?utm_source=".utf8) + noise) { url in
                    withView(Array("https://".utf8) + noise) { referrer in
                        _ = source.append(
                            url: url,
                            referrer: referrer,
                            siteHost: .empty,
                            into: &buffer
                        )
                    }
                }
            }
            if Samples.object(text + "}") == nil { Issue.record("\(text)") }
        }
    }
}
