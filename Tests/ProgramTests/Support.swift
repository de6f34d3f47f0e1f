import Admission
import Bytes
import Enrichment
import Privacy
import Records
import Settings
import Telemetry
import TestSupport

@testable import heliograph

let receivedAt: Int64 = 1_790_000_000_000
let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
let goodEvent = #"{"t":"pv","n":1,"o":250,"p":1,"u":"https://shop.example/"}"#

/// A beacon with these members instead of, or beside, those of a good one. Nil leaves one out.
func beacon(_ changes: [(String, String?)] = [], events: String = goodEvent) -> String {
    var members: [(String, String)] = [
        ("v", "1"), ("k", #""key-shop""#), ("st", "\(receivedAt)"), ("mt", "500"),
        ("w", #""window-0123456789abcd""#), ("d", #""device-0123456789abcd""#),
        ("s", #""session-0123456789abc""#), ("u", #""user-1""#), ("c", "63"), ("e", "[\(events)]"),
    ]
    for (key, value) in changes {
        members.removeAll { $0.0 == key }
        if let value { members.append((key, value)) }
    }
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}

/// What surrounds a beacon's body.
struct Request {
    var origin = "https://shop.example"
    var userAgent = browser
    var language = "de-DE,de;q=0.9"
    var hasPrivacyControl = false
    var hasUsualHeaders = true
    var isReplay = false
    var isHistory = false
    var address: [UInt8] = [203, 0, 113, 77]
}

/// A slice, apart from where its bytes lie.
struct TakenSlice: Equatable {
    struct Event: Equatable {
        var number: UInt32
        var kind: EventKind
        var occurredAt: Int64
        var page: UInt16
        var isMoved: Bool
        var isHistory = false
        var name: String
        var properties: String
    }

    var texts: [String: String]
    var consent: UInt8
    var flags: Slice.Flags
    var device: Slice.DeviceClass
    var partition: Partition
    var events: [Event] = []

    var visitor: String { texts["visitor"] ?? "" }

    init?(_ bytes: ByteView, _ partition: Partition) {
        guard let slice = Slice(bytes) else { return nil }
        texts = [
            "site": slice.site.text, "visitor": slice.visitor.text, "session": slice.session.text,
            "window": slice.window.text, "user": slice.user.text, "batch": slice.batch.text,
            "address": slice.address.text, "context": slice.context.text,
        ]
        consent = slice.consent.rawValue
        flags = slice.flags
        device = slice.deviceClass
        self.partition = partition
        var found: [Event] = []
        guard slice.forEachEvent({ _, event in found.append(Self.event(event)) }) else {
            return nil
        }
        events = found
    }

    private static func event(_ event: SliceEvent) -> Event {
        Event(
            number: event.number,
            kind: event.kind,
            occurredAt: event.occurredAt,
            page: event.page,
            isMoved: event.flags.contains(.moved),
            isHistory: event.flags.contains(.history),
            name: event.name.text,
            properties: event.properties.text
        )
    }
}

/// What became of a beacon, in a form that tests can compare.
enum Answer: Equatable {
    case slice(TakenSlice)
    case nothing
    case refused(Problem, String)

    var slice: TakenSlice? {
        if case .slice(let slice) = self { return slice }
        return nil
    }
}

/// A listener's way of a beacon with two sites: one that takes a listed origin and masks robots,
/// one that takes any and counts them.
final class RouteUnderTest {
    let counters = Metrics().makeBlock(thread: "test")
    let rejections: Rejections
    private var route: BeaconRoute

    init() {
        var shop = Site(
            name: "shop",
            keys: ["key-shop"],
            origins: ["https://shop.example"],
            allowsAnyOrigin: false
        )
        shop.consent.fallback = [.measurement, .storage]
        shop.consent.cookieless = .session
        shop.urlParameters = ["sku"]
        var open = Site(name: "open", keys: ["key-open"], origins: [], allowsAnyOrigin: true)
        open.automation = .count
        open.consent.cookieless = .session
        var settings = HeliographSettings()
        settings.sites = [shop, open]
        rejections = Rejections(counters: counters)
        let edge: Edge
        do {
            let lists = try EdgeLists(settings.enrichment)
            edge = Edge(settings, lists, RateLimiter(senders: 64))
        } catch {
            fatalError("the built-in lists have mistakes: \(error)")
        }
        route = BeaconRoute(
            sites: SiteTable(settings),
            sender: Sender(edge),
            counters: counters,
            rejections: rejections,
            sealer: Sealer(
                keys: SealKeys(data: "/nowhere"),
                secret: [UInt8](repeating: 7, count: Pseudonymizer.secretBytes),
                counters: counters
            ),
            meter: PersonalDataMeter(Metrics())
        )
    }

    func take(_ text: String, _ request: Request = Request()) -> Answer {
        take(Array(text.utf8), request)
    }

    func take(_ body: [UInt8], _ request: Request = Request()) -> Answer {
        with(body, request) { answer($0, $1) }
    }

    /// What a beacon means for the cookie of its device, in words.
    func deviceWish(_ text: String, _ request: Request) -> String {
        with(Array(text.utf8), request) { body, around in
            _ = route.take(body, around)
            switch route.deviceWish {
            case .none: return "none"
            case .keep(let device): return "keep \(device.text)"
            case .end: return "end"
            }
        }
    }

    private func with<Result>(
        _ body: [UInt8],
        _ request: Request,
        _ use: (ByteView, BeaconRoute.Surroundings) -> Result
    ) -> Result {
        withView(body) { body in
            withView(request.origin) { origin in
                withView(request.userAgent) { userAgent in
                    withView(request.language) { language in
                        withView(request.address) { address in
                            var facts = RequestFacts()
                            facts.origin = origin
                            facts.userAgent = userAgent
                            facts.acceptLanguage = language
                            facts.address = address
                            facts.isSecure = request.origin.hasPrefix("https:")
                            if request.hasUsualHeaders { Self.addUsualHeaders(&facts) }
                            return use(body, surroundings(request, facts))
                        }
                    }
                }
            }
        }
    }

    private static func addUsualHeaders(_ facts: inout RequestFacts) {
        facts.acceptEncoding = ByteView("gzip, br")
        facts.fetchMode = ByteView("cors")
    }

    private func surroundings(
        _ request: Request,
        _ facts: RequestFacts
    ) -> BeaconRoute.Surroundings {
        BeaconRoute.Surroundings(
            facts: facts,
            hasPrivacyControl: request.hasPrivacyControl,
            receivedAt: receivedAt,
            isReplay: request.isReplay,
            isHistory: request.isHistory
        )
    }

    private func answer(_ body: ByteView, _ around: BeaconRoute.Surroundings) -> Answer {
        switch route.take(body, around) {
        case .slice(let partition, let events, _, _):
            guard let slice = TakenSlice(route.slice, partition), slice.events.count == events
            else { return .refused(.internalFailure, "the slice cannot be read back") }
            return .slice(slice)
        case .nothing: return .nothing
        case .refused(let refusal): return .refused(refusal.problem, refusal.place)
        }
    }
}
