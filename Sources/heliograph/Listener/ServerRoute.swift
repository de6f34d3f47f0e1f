import Admission
import Bytes
import Enrichment
import Privacy
import Records
import Settings
import Telemetry
import Units
import Wire

/// The way of a server's request, and of an image's, through the listener: find the key, then event
/// by event decode → admit → consent → sanitise, until the slices lie in a bundle, ready for the
/// journal. One bad event harms itself alone.
///
/// Everything here belongs to one listener thread; all memory is reused from request to request.
struct ServerRoute: ~Copyable {
    /// What became of a request.
    enum Outcome {
        /// Slices are in the bundle; they go to the journal.
        case slices(events: Int, site: Int)
        /// There is nothing to keep, and nothing is wrong with the request.
        case nothing
        /// Nothing takes effect.
        case refused(Refusal)
    }

    /// What the request around the body says.
    struct Surroundings {
        var request: WireRequest
        var authorization: ByteView
        var origin: ByteView
        var userAgent: ByteView
        var hasPrivacyControl: Bool
        var wantsVerdicts: Bool
        var address: ByteView
        var receivedAt: Int64

        /// Whether address and user agent are the visitor's, and not those of a server.
        var isFromBrowser: Bool { !origin.isEmpty || request.endpoint.isFromBrowser }
    }

    /// What holds for all events of a request.
    private struct Request {
        let site: Int
        let around: Surroundings
        let batch: WireBatch
        /// What to add to the sender's clock, milliseconds.
        let clockOffset: Int64
        let body: ByteView
        let tellsVerdicts: Bool
    }

    /// The sites as the request under way sees them.
    var sites: SiteTable
    private let counters: CounterBlock
    private var assembler = SliceAssembler()
    private var identity: ServerIdentity
    private var events: ServerEventWriter
    private var context = ServerContext()
    private var key = ByteBuffer(capacity: 256, limit: Limits.headerLineBytesMaximum)
    private var scratch = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    /// What events without an id are named after, once it was needed.
    private var bodyFingerprint: Hash128?
    private var random = SystemRandomNumberGenerator()
    /// The verdicts on the events of the request last taken, as JSON; empty when none are told.
    private(set) var verdicts = VerdictWriter()
    /// The site of the request last taken, for the headers of its answer; nil when it is unknown.
    private(set) var site: Int?

    init(sites: SiteTable, secret: [UInt8], counters: CounterBlock) {
        self.sites = sites
        self.counters = counters
        identity = ServerIdentity(secret: secret)
        events = ServerEventWriter(counters: counters)
    }

    mutating func take(
        _ body: ByteView,
        _ around: Surroundings,
        into bundle: inout SliceBundle
    ) -> Outcome {
        site = nil
        bodyFingerprint = nil
        bundle.reset()
        assembler.reset()
        verdicts.reset()
        do throws(Refusal) {
            switch around.request.endpoint {
            case .trackPixel, .pagePixel, .image:
                return try take(PixelFormat.self, body, around, &bundle)
            case .events: return try take(EventsFormat.self, body, around, &bundle)
            case .batch, .browserBatch, .track, .page, .screen, .identify, .group, .alias:
                return try take(SegmentFormat.self, body, around, &bundle)
            }
        } catch {
            return .refused(error)
        }
    }

    private mutating func take<Format: WireFormat>(
        _ format: Format.Type,
        _ body: ByteView,
        _ around: Surroundings,
        _ bundle: inout SliceBundle
    ) throws(Refusal) -> Outcome {
        let batch: WireBatch
        do throws(WireError) {
            batch = try Format.open(body, around.request, &scratch)
        } catch {
            throw ServerProblems.refusal(error)
        }
        let site = try admit(batch, around)
        let request = Request(
            site: site,
            around: around,
            batch: batch,
            clockOffset: Self.clockOffset(batch.sentAt, around.receivedAt),
            body: body,
            tellsVerdicts: around.request.endpoint.tellsVerdicts
                || around.wantsVerdicts && sites[site].debug
        )
        return try takeItems(format, request, &bundle)
    }

    /// A sender whose clock is near ours is believed; another is taken to have sent just now.
    private static func clockOffset(_ sentAt: ByteView, _ receivedAt: Int64) -> Int64 {
        guard let sentAt = WireTime.epochMilliseconds(sentAt) else { return 0 }
        let difference = receivedAt - sentAt
        return difference.magnitude <= UInt64(Limits.clockToleranceMilliseconds) ? 0 : difference
    }

    // MARK: - Key and origin

    private mutating func admit(
        _ batch: WireBatch,
        _ around: Surroundings
    ) throws(Refusal) -> Int {
        guard let found = findSite(batch, around) else {
            throw Refusal(.writeKeyUnknown, at: "Authorization")
        }
        site = found
        if !around.origin.isEmpty, !sites.allows(origin: around.origin, site: found) {
            throw Refusal(.originNotAllowed, at: "Origin")
        }
        return found
    }

    /// By the first key that is given: Basic, Bearer, query, body. A Bearer token that is no key may
    /// be an OAuth token, with the key in the body.
    private mutating func findSite(_ batch: WireBatch, _ around: Surroundings) -> Int? {
        key.reset()
        if WireKey.append(basic: around.authorization, into: &key) {
            return sites.site(key: key.view)
        }
        if let token = WireKey.bearer(around.authorization), let found = sites.site(key: token) {
            return found
        }
        for name in ["writeKey" as StaticString, "k"] {
            let value = WireQuery.value(of: name, in: around.request.query)
            if !value.isEmpty, WireQuery.append(decoding: value, into: &key) {
                return sites.site(key: key.view)
            }
        }
        JSONText.unescape(batch.key, into: &key)
        return sites.site(key: key.view)
    }

    // MARK: - Events

    /// What became of one event.
    private enum Verdict {
        case taken(ServerWarning?)
        case dropped(Problem)
    }

    private mutating func takeItems<Format: WireFormat>(
        _ format: Format.Type,
        _ request: Request,
        _ bundle: inout SliceBundle
    ) throws(Refusal) -> Outcome {
        var items = WireItems(request.batch)
        var (seen, taken) = (0, 0)
        var firstProblem: Problem?
        while let item = items.next() {
            guard seen < Limits.serverBatchEventsMaximum, !assembler.isFull else {
                throw Refusal(.serverBatchTooLarge, at: "events")
            }
            switch take(format, item, seen, request, &bundle) {
            case .taken: taken += 1
            case .dropped(let problem):
                counters.add(problem)
                firstProblem = firstProblem ?? problem
            }
            seen += 1
        }
        assembler.close(into: &bundle)
        if assembler.isFull { throw Refusal(.serverBatchTooLarge, at: "events") }
        counters.add(.eventsReceived, seen)
        return try conclude(request, seen, taken, firstProblem, bundle.events)
    }

    /// A request none of whose events can be taken is refused, so that its sender learns of it; where
    /// verdicts are told, they tell.
    private func conclude(
        _ request: Request,
        _ seen: Int,
        _ taken: Int,
        _ problem: Problem?,
        _ events: Int
    ) throws(Refusal) -> Outcome {
        if taken > 0 { return .slices(events: events, site: request.site) }
        if problem == .eventWithoutConsent { return .nothing }
        if request.tellsVerdicts, seen > 0 { return .nothing }
        let reason = problem.map { ", \($0.row.code)" } ?? ""
        throw Refusal(.batchEmpty, at: "events" + reason)
    }

    private mutating func take<Format: WireFormat>(
        _ format: Format.Type,
        _ item: ByteView,
        _ index: Int,
        _ request: Request,
        _ bundle: inout SliceBundle
    ) -> Verdict {
        guard item.count <= Limits.serverEventBytesMaximum else {
            return tell(.dropped(.eventTooLarge), id: .empty, request)
        }
        switch Format.read(item, of: request.batch) {
        case .failure(let fault):
            return tell(.dropped(ServerProblems.problem(of: fault)), id: .empty, request)
        case .success(let event):
            counters.add(.unknownKeys, event.unknownMembers)
            let given = identity.messageID(event.messageID)
            let id = given ?? identity.messageID(newID(index, request))
            return tell(write(event, id, item.count, request, &bundle), id: id, request)
        }
    }

    private mutating func tell(_ verdict: Verdict, id: ByteView, _ request: Request) -> Verdict {
        guard request.tellsVerdicts else { return verdict }
        switch verdict {
        case .taken(nil): verdicts.add(id: id, "ok", reason: "")
        case .taken(let warning?): verdicts.add(id: id, "warning", reason: warning.code)
        case .dropped(let problem): verdicts.add(id: id, "drop", reason: problem.row.code)
        }
        return verdict
    }

    /// Of the request's bytes, so that a sender who repeats them is understood; an image is shown
    /// anew each time it is asked for.
    private mutating func newID(_ index: Int, _ request: Request) -> Hash128 {
        if request.around.request.endpoint.isImage {
            return Hash128(low: random.next(), high: random.next())
        }
        let fingerprint = bodyFingerprint ?? identity.fingerprint(request.body)
        bodyFingerprint = fingerprint
        return sites[request.site].name.withBytes {
            identity.assignedID(fingerprint, index: index, site: $0)
        }
    }

    private mutating func write(
        _ event: IncomingEvent,
        _ id: ByteView,
        _ bytes: Int,
        _ request: Request,
        _ bundle: inout SliceBundle
    ) -> Verdict {
        let consent = consent(of: event, request)
        guard ConsentGate.allowsStoring(consent) else { return .dropped(.eventWithoutConsent) }
        let entry = sites[request.site]
        let around = request.around
        let person = entry.name.withBytes { name in
            identity.person(
                event,
                consent,
                site: name,
                machine: around.isFromBrowser ? machine(around) : nil,
                receivedAt: around.receivedAt
            )
        }
        guard let person else { return .dropped(.eventWithoutVisitor) }
        entry.name.withBytes { name in
            var head = head(event, consent, person, request)
            head.site = name
            assembler.open(head, bytes: bytes, into: &bundle)
        }
        return .taken(writeEvent(event, id, person, request))
    }

    private func machine(_ around: Surroundings) -> ServerIdentity.Machine {
        ServerIdentity.Machine(address: around.address, userAgent: around.userAgent)
    }

    /// What the event says of consent, else what the site takes when nothing is said.
    private func consent(of event: IncomingEvent, _ request: Request) -> Consent {
        let bits: Int64
        switch event.context.consent {
        case .bits(let sent): bits = sent
        case .purposes(let purposes): bits = Int64(Consent(purposes).rawValue)
        case nil: bits = Int64(sites[request.site].consentDefault.rawValue)
        }
        return ConsentGate.effective(
            sent: bits,
            hasPrivacyControl: request.around.hasPrivacyControl
        )
    }

    private mutating func head(
        _ event: IncomingEvent,
        _ consent: Consent,
        _ person: ServerIdentity.Person,
        _ request: Request
    ) -> SliceWriter.Head {
        var head = SliceWriter.Head()
        let around = request.around
        head.consent = consent
        head.settingsVersion = sites.version
        head.visitor = person.visitor
        head.user = person.user
        if person.isPassing { head.flags.insert(.withoutDevice) }
        head.context = context.object(event.context)
        head.address = context.network(written: event.context.address)
        if head.address.isEmpty, around.isFromBrowser {
            head.address = context.network(around.address)
        }
        let said = context.plain(event.context.userAgent)
        let agent = said.isEmpty && around.isFromBrowser ? around.userAgent : said
        head.deviceClass = DeviceGuess.deviceClass(agent)
        // A server that says nothing of the visitor's machine says nothing bad of it either.
        if !agent.isEmpty, !sites[request.site].countsAutomation, DeviceGuess.isAutomated(agent) {
            head.flags.insert(.bot)
        }
        return head
    }

    private mutating func writeEvent(
        _ event: IncomingEvent,
        _ id: ByteView,
        _ person: ServerIdentity.Person,
        _ request: Request
    ) -> ServerWarning? {
        let time = time(of: event, request)
        assembler.beginEvent(
            occurredAt: time.at,
            kind: ServerEventWriter.kind(event.call),
            flags: time.isMoved ? .moved : [],
            name: events.name(of: event),
            messageID: id
        )
        let (sites, site) = (sites, request.site)
        let reference = sites[site].name.withBytes { name in
            identity.reference(event.call == .alias ? event.previousID : event.groupID, site: name)
        }
        assembler.append { output in
            events.append(event, user: person.user, reference: reference, into: &output) {
                sites.keeps(parameter: $0, site: site)
            }
        }
        assembler.endEvent()
        if time.isUnreadable { return .timeReplaced }
        if person.isUserWithheld { return .userWithheld }
        return events.hasWithheld ? .valuesWithheld : nil
    }

    private struct EventTime {
        var at: Int64
        var isMoved = false
        var isUnreadable = false
    }

    private func time(of event: IncomingEvent, _ request: Request) -> EventTime {
        let receivedAt = request.around.receivedAt
        if event.timestamp.isEmpty { return EventTime(at: receivedAt) }
        guard let sent = WireTime.epochMilliseconds(event.timestamp) else {
            return EventTime(at: receivedAt, isMoved: true, isUnreadable: true)
        }
        let (time, moved) = ClockCorrection.occurredAt(
            clientTime: sent,
            offset: request.clockOffset,
            receivedAt: receivedAt
        )
        return EventTime(at: time, isMoved: moved)
    }
}
