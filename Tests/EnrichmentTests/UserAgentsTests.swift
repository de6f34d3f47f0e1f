import Bytes
import Enrichment
import Foundation
import TestSupport
import Testing

/// Who sends, on what machine, with what system and browser.
@Suite struct UserAgentsTests {
    @Test func browsersAreReadToTheirVersions() {
        #expect(
            Samples.read(Samples.chrome)
                == .init(
                    agentClass: "human",
                    family: "Chrome",
                    device: "desktop",
                    system: "Windows",
                    version: "10.0",
                    browser: "Chrome",
                    major: 126
                )
        )
        #expect(
            Samples.read(Samples.iPhone)
                == .init(
                    agentClass: "human",
                    family: "Mobile Safari",
                    device: "phone",
                    system: "iOS",
                    version: "17.5",
                    browser: "Safari",
                    major: 17
                )
        )
        #expect(
            Samples.read(Samples.pixel)
                == .init(
                    agentClass: "human",
                    family: "Chrome Mobile",
                    device: "phone",
                    system: "Android",
                    version: "14",
                    browser: "Chrome",
                    major: 126
                )
        )
    }

    @Test(arguments: [
        (Samples.firefox, "Firefox", 128, "desktop"), (Samples.safari, "Safari", 17, "desktop"),
        (Samples.chrome + " Edg/126.0.2592.68", "Edge", 126, "desktop"),
        (Samples.chrome + " OPR/111.0.0.0", "Opera", 111, "desktop"),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "SamsungBrowser/24.0 Chrome/117.0.0.0 Safari/537.36", "Samsung Internet", 24,
            "tablet"
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "IE", 11,
            "desktop"
        ),
        (
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "Version/5.0 TV Safari/537.36", "Safari", 5, "tv"
        ),
        (
            "Mozilla/5.0 (PlayStation; PlayStation 5/8.90) AppleWebKit/605.1.15 "
                + "(KHTML, like Gecko)", "PlayStation", 0, "console"
        ),
    ])
    func theMostSpecificNameWins(
        _ userAgent: String,
        _ browser: String,
        _ major: Int,
        _ device: String
    ) {
        let reading = Samples.read(userAgent)
        #expect(reading.agentClass == "human")
        #expect(reading.browser == browser)
        #expect(reading.device == device)
        if major > 0 { #expect(reading.major == major) }
    }

    @Test(arguments: [
        ("curl/8.5.0", "library", "curl"), ("python-requests/2.32.3", "library", "python-requests"),
        ("Go-http-client/2.0", "library", "Go-http-client"), ("axios/1.7.2", "library", "axios"),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot",
            "Googlebot"
        ),
        (Samples.chrome + " Curious-Crawler/3.1", "bot", "Curious-Crawler"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "HeadlessChrome/126.0.0.0 Safari/537.36", "bot", "HeadlessChrome"
        ),
        ("Mozilla/5.0 (compatible; NeverSeenBefore/1.0)", "bot", "NeverSeenBefore"),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; "
                + "+https://openai.com/gptbot)", "ai-crawler", "GPTBot"
        ),
        ("Mozilla/5.0 (compatible; SomeNewThing-User/1.0)", "ai-crawler", "SomeNewThing-User"),
        ("facebookexternalhit/1.1", "preview", "facebookexternalhit"),
        ("WhatsApp/2.23.20.0 A", "preview", "WhatsApp"),
        (
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview",
            "Slackbot-LinkExpanding"
        ),
        ("", "bot", ""), ("Mozilla/5.0", "bot", "Mozilla"), ("{{user_agent}}", "bot", "user_agent"),
    ])
    func programsAreKnownByNameOrByShape(
        _ userAgent: String,
        _ agentClass: String,
        _ family: String
    ) {
        let reading = Samples.read(userAgent)
        #expect(reading.agentClass == agentClass)
        #expect(reading.family == family)
        #expect(reading.browser.isEmpty)
    }

    /// Names that look like a program's: each was taken for one by some public list.
    @Test(arguments: [
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) "
            + "Chrome/126.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
            + "Slack/4.38.1 Chrome/126.0.0.0 Electron/31.0.1 Safari/537.36 Sonic Slack_SSB/4.38.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            + "(KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
        "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
            + "Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
        "Mozilla/5.0 (Linux; Android 13; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
            + "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 CamScanner/6.1",
        "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
            + "Chrome/126.0 Mobile Safari/537.36 some-shop-checkout-content",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            + "ExampleDesk/2.2.0 Chrome/122.0.0.0 Electron/26.1.2 Safari/537.36",
    ])
    func peopleAreNotTakenForPrograms(_ userAgent: String) {
        #expect(Samples.read(userAgent).agentClass == "human")
    }

    @Test func noBytesDoHarm() {
        var dice = Dice(seed: 7)
        for length in [0, 1, 9, 64, 1023, 1024, 1025, 8192] {
            for _ in 0..<40 {
                let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
                _ = Samples.read(bytes)
                _ = Samples.read(Array("Mozilla/5.0 (compatible; ".utf8) + bytes)
                _ = Samples.read(Array(Samples.chrome.utf8) + bytes)
            }
        }
        for length in 0..<Samples.chrome.utf8.count {
            _ = Samples.read(Array(Samples.chrome.utf8.prefix(length)))
        }
        let long = Samples.read(Array(repeating: UInt8(ascii: "("), count: 8192))
        #expect(long.agentClass == "bot")
    }
}

/// The gate of the labelled set, which lies beside the repository and is not part of it.
@Suite struct LabelledUserAgentsTests {
    private struct Row: Decodable {
        let ua: String
        let `class`: String
    }

    private static let file = SharedData.file("ua_dev.jsonl")

    @Test(.enabled(if: SharedData.exists(file), "no labelled set here"))
    func theGateHolds() throws {
        let rows = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Row.self, from: Data($0.utf8))
        }
        var right: [String: Int] = [:]
        var all: [String: Int] = [:]
        var missed = 0
        var flagged = 0
        for row in rows {
            let found = Samples.read(row.ua).agentClass
            all[row.class, default: 0] += 1
            if found == row.class { right[row.class, default: 0] += 1 }
            if row.class == "human", found != "human" { flagged += 1 }
            if row.class != "human", found == "human" { missed += 1 }
        }
        let people = all["human", default: 0]
        #expect(people > 500 && rows.count > 1000)
        #expect(Double(missed) <= 0.01 * Double(rows.count - people))
        #expect(Double(flagged) <= 0.005 * Double(people))
        for name in ["preview", "library", "ai-crawler"] {
            #expect(
                Double(right[name, default: 0]) >= 0.9 * Double(all[name, default: 1]),
                "\(name)"
            )
        }
    }
}
