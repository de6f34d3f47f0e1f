// Goal: every canonical conversion becomes exactly one event on each platform, byte for byte the body
// that was read through once by eye and by the rules of conversions.md 1.6, 2.7 and 3. Method: bodies in
// Goldens/*.txt, one a line, in the order of the names below. HELIOGRAPH_WRITE_GOLDENS=1 writes them
// anew; then read the difference.
import Delivery
import Foundation
import Settings
import Telemetry
import Testing

@Suite struct BodiesAreExactTests {
    /// In the order of the lines; the last is a conversion of the site's own.
    private static let names = [
        "page_view", "view_content", "search", "add_to_cart", "add_to_wishlist",
        "initiate_checkout", "add_payment_info", "purchase", "lead", "complete_registration",
        "contact", "schedule", "start_trial", "subscribe", "submit_application", "find_location",
        "customize_product", "donate", "became_hot",
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens")

    private func check(_ file: String, _ bodies: [String]) throws {
        let place = Self.folder.appendingPathComponent(file)
        let text = bodies.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["HELIOGRAPH_WRITE_GOLDENS"] != nil {
            try text.write(to: place, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: place, encoding: .utf8).split(separator: "\n")
        try #require(golden.count == bodies.count)
        for (name, (found, wanted)) in zip(Self.names, zip(bodies, golden)) {
            #expect(found == wanted, "\(name)")
        }
    }

    @Test(arguments: ["meta", "ga4", "webhook"])
    func everyConversionHasOneBody(kind: String) throws {
        let destination =
            switch kind {
            case "meta": try meta { $1.extras = ["size", "gift"] }
            case "ga4": try google { $1.extras = ["size", "gift"] }
            default: try webhook(contact: ["em"])
            }
        for name in Self.names {
            #expect(destination.judge(full(name), nowMilliseconds: noon) == .ready(remarks: []))
        }
        try check("\(kind).txt", Self.names.map { body(destination, full($0)) })
    }

    @Test func aRepetitionHasTheSameBytes() throws {
        for destination in [try meta(), try google(), try webhook()] {
            let later = body(destination, purchase(), now: noon + 60_000)
            #expect(body(destination, purchase()) == later)
        }
    }

    @Test func aRequestGoesWhereItsPlatformListens() throws {
        func url(_ destination: any Destination) -> String {
            destination.request(for: [purchase()], nowMilliseconds: noon).url.expose { $0 }
        }
        #expect(url(try meta()) == "https://graph.facebook.com/v25.0/42/events")
        #expect(
            url(try google())
                == "https://region1.google-analytics.com/mp/collect"
                + "?measurement_id=G-ABC123&api_secret=EAAB_token"
        )
        let global = try google { google, _ in google.region = .global }
        #expect(url(global).hasPrefix("https://www.google-analytics.com/mp/collect?"))
        let local = try meta { $1.endpoint = "http://127.0.0.1:9" }
        #expect(url(local) == "http://127.0.0.1:9/v25.0/42/events")
        #expect(url(try webhook()) == "https://hooks.example.com/c")
    }

    @Test func aTestIsMarkedAsOneAndTrafficNever() throws {
        let request = try meta().testRequest(
            for: purchase(),
            code: "TEST1",
            nowMilliseconds: noon
        )
        let marked = String(decoding: request.body, as: UTF8.self)
        #expect(value(marked, "test_event_code") as? String == "TEST1")
        #expect(!body(try meta(), purchase()).contains("test_event_code"))
        let debug = try google().testRequest(for: purchase(), code: nil, nowMilliseconds: noon)
        #expect(debug.url.expose { $0.contains("/debug/mp/collect?") })
        let behaviour = String(decoding: debug.body, as: UTF8.self)
        #expect(value(behaviour, "validation_behavior") as? String == "ENFORCE_RECOMMENDATIONS")
        #expect(!body(try google(), purchase()).contains("validation_behavior"))
    }

    @Test func aProofIsMadeOfTheToken() throws {
        setenv("HELIOGRAPH_TEST_APP", "app_secret", 1)
        let proven = try meta { meta, _ in meta.appSecret = .environment("HELIOGRAPH_TEST_APP") }
        #expect(
            value(body(proven, purchase()), "appsecret_proof") as? String
                == "0850dc75ed9d3f96602fe4c911c669afdf3112adca16997956be46711f5715a5"
        )
    }

    @Test func aWebhookIsSignedOverTimeAndBody() throws {
        let request = try webhook().request(for: [purchase()], nowMilliseconds: noon + 999)
        let headers = Dictionary(
            uniqueKeysWithValues: request.headers.map { ($0.name, $0.value.expose { $0 }) }
        )
        #expect(headers["Heliograph-Delivery"] == "w1a2b3-7")
        let message = Array("1762950000.".utf8) + request.body
        let signature = Digest.hmac(key: "EAAB_token", message: message)
        #expect(headers["Heliograph-Signature"] == "t=1762950000,v1=\(signature)")
        var odd = purchase()
        odd.id = "a\r\nX: y"
        let header = try webhook().request(for: [odd], nowMilliseconds: noon).headers[1]
        #expect(header.value.expose { $0 } == Digest.sha256(odd.id))
    }
}
