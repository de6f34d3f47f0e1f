import ArgumentParser
import Bytes
import Delivery
import Foundation
import Loop
import Records
import Settings

/// `heliograph destination test`: one event marked as a test, and what the platform says of it.
struct DestinationTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a destination one test event and show its answer.",
        discussion: """
            Meta: the event carries the test code that the Events Manager shows under Test events; \
            without --code it is judged there like any other, so a code is asked for. GA4: the debug \
            address looks at the event and keeps nothing; it cannot say whether the secret is right. \
            Webhook: a signed request with "test": true. Nothing is stored here. Status 0: taken, \
            1: refused or unreachable.
            """
    )

    @Option(help: "Site.")
    var site: String

    @Option(help: "Destination, by its name in the settings.")
    var destination: String

    @Option(help: "Meta's test code, such as TEST12345.")
    var code: String?

    @Option(help: "Configuration file; config/heliograph.yaml when none is named.")
    var config: String?

    func run() throws {
        let (found, settings) = try find()
        if case .meta = settings.platform, code == nil {
            Console.fail(
                "name Meta's test code with --code: the Events Manager shows one",
                status: 64
            )
        }
        let made: any Destination
        do { made = try Destinations.make(found, settings) } catch {
            Console.fail("\(error)", status: 78)
        }
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let request = made.testRequest(
            for: TestConversion.make(found, now),
            code: code,
            nowMilliseconds: now
        )
        let lane = DestinationLane(
            LaneName(site: site, destination: destination),
            settings,
            made,
            fingerprint: ""
        )
        show(Self.send(request, lane.options), made)
    }

    private func find() throws -> (Site, DestinationSettings) {
        let settings: HeliographSettings
        do { settings = try HeliographSettings.load(path: config) } catch {
            Console.fail("\(error)", status: 78)
        }
        guard let found = settings.sites.first(where: { $0.name == site }) else {
            Console.fail("there is no site \(site) in the settings", status: 64)
        }
        guard let destination = found.destinations.first(where: { $0.name == destination }) else {
            let names = found.destinations.map(\.name).joined(separator: ", ")
            Console.fail(
                "site \(site) has no destination \(destination), only: \(names)",
                status: 64
            )
        }
        return (found, destination)
    }

    private static func send(_ request: OutgoingRequest, _ options: TransportOptions) -> Answer {
        let loop = EventLoop()
        let transport = Transport(loop: loop)
        var answer = Answer.failure(.timedOut, mayHaveArrived: false)
        transport.send(request, options) {
            answer = $0
            loop.stop()
        }
        loop.run()
        transport.close()
        loop.close()
        return answer
    }

    private func show(_ answer: Answer, _ made: any Destination) {
        if case .response(let status, _, let body) = answer {
            let text = String(decoding: body.prefix(4_096), as: UTF8.self)
            Console.line("answer \(status)" + (text.isEmpty ? " without a body" : ": \(text)"))
        }
        let words = RulingWords.text(made.read(answer, sent: 1))
        Console.line(words.text)
        if !words.isTaken { Console.fail("the test was not taken", status: 1) }
    }
}

/// A ruling as people say it.
enum RulingWords {
    static func text(_ ruling: Ruling) -> (text: String, isTaken: Bool) {
        switch ruling {
        case .delivered(let remark, _):
            return ("taken" + (remark.map { ", with the remark: \($0)" } ?? ""), true)
        case .inDoubt(let code): return ("nobody knows whether it was taken: \(code)", false)
        case .retry(let code, _, _, let mayHaveArrived):
            let tail = mayHaveArrived ? ", though it may have arrived" : ", and did not arrive"
            return ("no usable answer (\(code))" + tail + "; the forwarder would try again", false)
        case .pause(let code, _, _): return ("asked to rest: \(code)", false)
        case .stop(let code, let reason):
            return ("refused until the settings change: \(code), \(reason)", false)
        case .bisect(let fault): return ("refused: \(fault.code), \(fault.reason)", false)
        case .split(let code): return ("too large: \(code)", false)
        }
    }
}

/// A purchase that never happened, of a visitor who never was and allowed everything.
enum TestConversion {
    static func make(_ site: Site, _ now: Int64) -> Conversion {
        var made = Conversion()
        made.site = site.name
        made.id = "heliograph-test-\(now)"
        made.name = "purchase"
        made.occurredAtMilliseconds = now - 1_000
        made.consent = .all
        made.visitor = "heliograph-test"
        made.value = 1
        made.currency = site.currency
        made.orderID = made.id
        let origin = site.origins.first { $0.hasPrefix("https://") && !$0.contains("*") }
        made.pageURL = (origin ?? "https://example.com") + "/"
        var item = ConversionItem()
        (item.id, item.name, item.price, item.quantity) = ("test", "Test", 1, 1)
        made.details.items = [item]
        made.contact.userAgent = "Mozilla/5.0 (heliograph destination test)"
        made.contact.fbp = "fb.1.\(now).1234567890"
        made.contact.gaClientID = "1234567890.\(now / 1_000)"
        return made
    }
}
