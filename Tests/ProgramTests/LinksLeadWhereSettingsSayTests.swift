import Bytes
import Foundation
import Settings
import Telemetry
import TestSupport
import Testing
import Wire

@testable import heliograph

/// A tracking link is no open redirect: whatever a request says, it leads to its target, and what it
/// carries over is harmless there.
@Suite struct LinksLeadWhereSettingsSayTests {
    private let table: LinkTable

    init() throws {
        let settings = try HeliographSettings.parse(
            """
            sites:
              - name: shop
                keys: [k]
                origins: ["*"]
                links:
                  - {name: spring, target: "https://shop.example/s?utm_source=own&a=1#top",
                     source: mail, medium: email}
                  - {name: bare, target: "https://shop.example"}
            """,
            file: "test.yaml"
        )
        table = LinkTable(settings.sites)
    }

    private func location(_ name: String, _ query: String = "") throws -> String {
        let link = try #require(withView("/r/" + name) { table.find($0) })
        return withView(query) { link.location(carrying: $0) }
    }

    @Test func theTargetsOwnWordGoesBeforeTheLinksAndTheLinksBeforeTheRequests() throws {
        #expect(
            try location("spring", "utm_medium=x&utm_term=shoes&utm_source=evil")
                == "https://shop.example/s?utm_source=own&a=1&utm_medium=email"
                + "&utm_campaign=spring&_hgl=spring&utm_term=shoes#top"
        )
        #expect(try location("bare") == "https://shop.example?utm_campaign=bare&_hgl=bare")
    }

    @Test func clickIdsAndTheVisitorHandedOnAreCarriedOver() throws {
        #expect(
            try location("bare", "gclid=Cj0K-_.~&fbclid=F&msclkid=M&_hg=1.abc.mf0.9f3a1b2c&sku=4")
                == "https://shop.example?utm_campaign=bare&_hgl=bare"
                + "&gclid=Cj0K-_.~&fbclid=F&msclkid=M&_hg=1.abc.mf0.9f3a1b2c"
        )
    }

    @Test(arguments: [
        "url=https://evil.example", "next=//evil.example", "target=x", "redirect=x", "a=2", "=x",
        "utm_source", "utm_source=", "utm_=x", "utm_a.b=x", "_hgl=other", "gclid",
        "utm_term=https://evil.example", "utm_term=a/b", "utm_term=a@b", "utm_term=a\\b",
        "utm_term=\"><script>", "utm_term=a#b", "utm_term=a;b", "utm_term=a?b=c", "&&&", "%00",
        "UTM_TERM%3Dx", "utm_term=\u{e9}", "utm_aaaaaaaaaaaaaaaaaaaaa=x",
    ])
    func nothingElseIs(_ query: String) throws {
        let plain = try location("bare")
        #expect(try location("bare", query) == plain)
    }

    @Test func aParameterIsCarriedOnceAndNotWithoutBound() throws {
        let twice = try location("bare", "gclid=first&gclid=second&GCLID=third")
        #expect(twice.hasSuffix("&gclid=first"))
        let long = String(repeating: "a", count: Limits.linkValueBytesMaximum)
        #expect(try location("bare", "gclid=" + long).hasSuffix("gclid=" + long))
        #expect(try location("bare", "gclid=a" + long) == location("bare"))
    }

    /// Escaped line ends stay escaped; others never get past the parser.
    @Test(arguments: ["%0d%0aSet-Cookie:%20a=b", "%0D%0A%0D%0A<html>", "a%0d%0a"])
    func noHeaderCanBeAdded(_ value: String) throws {
        let location = try location("bare", "utm_term=" + value)
        #expect(!location.contains("\r") && !location.contains("\n"))
        for raw in ["\r\n", "\n", "\r", "\t", " "] {
            let request = "GET /r/bare?utm_term=a\(raw)X:1 HTTP/1.1\r\nHost: a\r\n\r\n"
            let isTaken = withView(request) { bytes in
                if case .complete(let head) = RequestParser.parse(bytes) {
                    return head.query.text.contains(raw)
                }
                return false
            }
            #expect(!isTaken)
        }
    }

    @Test(arguments: ["", "Spring", "spring/", "spring/x", "..", "%73pring", "spring%00", "nobody"])
    func otherNamesAreUnknown(_ name: String) {
        #expect(withView("/r/" + name) { table.find($0) } == nil)
    }

    @Test func aRedirectIsRememberedByNobody() {
        var response = ResponseWriter(epochMilliseconds: 0)
        withView("https://shop.example/?a=1") { location in
            response.redirect(to: location, ResponseWriter.Frame(keepsAlive: true))
        }
        let lines = response.view.text.components(separatedBy: "\r\n")
        #expect(lines[0] == "HTTP/1.1 302 Found")
        for line in [
            "Location: https://shop.example/?a=1", "Cache-Control: no-store",
            "Referrer-Policy: strict-origin-when-cross-origin", "Content-Length: 0",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(response.view.text.hasSuffix("\r\n\r\n"))
    }

    @Test func clicksAreCountedByLinkPeopleApartFromPrograms() throws {
        let metrics = Metrics()
        let clicks = LinkClicks(metrics)
        let link = try #require(withView("/r/spring") { table.find($0) })
        for _ in 0..<3 { clicks.add(link, isProgram: false) }
        clicks.add(link, isProgram: true)
        let text = metrics.prometheusText()
        let metric = "heliograph_link_clicks_total"
        #expect(text.contains("\(metric){site=\"shop\",link=\"spring\",by=\"person\"} 3\n"))
        #expect(text.contains("\(metric){site=\"shop\",link=\"spring\",by=\"program\"} 1\n"))
        withExtendedLifetime(clicks) {}
    }
}
