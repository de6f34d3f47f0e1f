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
        var path: ByteView
        var authorization: ByteView
        var origin: ByteView
        var userAgent: ByteView
        var hasPrivacyControl: Bool
        var asksNotToTrack = false
        var acceptLanguage = ByteView.empty
        var wantsVerdicts: Bool
        var address: ByteView
        var receivedAt: Int64
        /// What was refused before is sent again: its row has its outcome already.
        var isReplay = false
        /// A past that is brought in: no destination is told of it.
        var isHistory = false

        /// Whether address and user agent are the visitor's, and not those of a server.
        var isFromBrowser: Bool { !origin.isEmpty || request.endpoint.isFromBrowser }
    }

    /// What holds for all events of a request.
    struct Request {
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
    /// Where what is refused is kept; the listener's.
    let rejections: Rejections
    private let sender: Sender
    private var assembler = SliceAssembler()
    /// Seals what platforms may know; the listener's.
    let sealer: Sealer
    private let meter: PersonalDataMeter
    private var identity: ServerIdentity
    private var events: ServerEventWriter
    var context = ServerContext()
    /// The properties of the event under way, before they are held to the site's rules.
    private var properties = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    /// The key of the request under way, as it was found.
    private(set) var key = ByteBuffer(capacity: 256, limit: Limits.headerLineBytesMaximum)
    private var scratch = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    /// What events without an id are named after, once it was needed.
    private var bodyFingerprint: Hash128?
    private var random = SystemRandomNumberGenerator()
    /// The verdicts on the events of the request last taken, as JSON; empty when none are told.
    private(set) var verdicts = VerdictWriter()
    /// The site of the request last taken, for the headers of its answer; nil when it is unknown.
    private(set) var site: Int?

    init(
        sites: SiteTable,
        sender: Sender,
        secret: [UInt8],
        counters: CounterBlock,
        rejections: Rejections,
        sealer: Sealer,
        meter: PersonalDataMeter
    ) {
        self.sealer = sealer
        self.meter = meter
        self.sites = sites
        self.sender = sender
        self.counters = counters
        self.rejections = rejections
        identity = ServerIdentity(secret: secret, sender: sender)
        events = ServerEventWriter(sender: sender, counters: counters)
    }

    mutating func take(
        _ body: ByteView,
        _ around: Surroundings,
        into bundle: inout SliceBundle
    ) -> Outcome {
        site = nil
        bodyFingerprint = nil
        key.reset()
        bundle.reset()
        assembler.reset()
        sealer.reset()
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
            throw keep(ServerProblems.refusal(error), body, around, isDecoded: false)
        }
        let site: Int
        do throws(Refusal) {
            site = try admit(batch, around)
        } catch {
            throw keep(error, body, around, isDecoded: true)
        }
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
                throw tooLarge(request)
            }
            switch take(format, item, seen, request, &bundle) {
            case .taken: taken += 1
            case .dropped(let problem):
                counters.add(problem)
                if firstProblem == nil { firstProblem = problem }
            }
            seen += 1
        }
        assembler.close(sealed: sealer.sealed, into: &bundle)
        if assembler.isFull { throw tooLarge(request) }
        counters.add(.eventsReceived, seen)
        return try conclude(request, seen, taken, firstProblem, bundle.events)
    }

    private func tooLarge(_ request: Request) -> Refusal {
        let refusal = Refusal(.serverBatchTooLarge, at: "events")
        return keep(refusal, request.body, request.around, isDecoded: true)
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
        let event: IncomingEvent
        do throws(WireFault) {
            if item.count > Limits.serverEventBytesMaximum { throw .tooLarge }
            event = try Format.read(item, of: request.batch).get()
        } catch {
            let problem = ServerProblems.problem(of: error)
            keep(problem, nil, item, index, request)
            return tell(.dropped(problem), id: .empty, request)
        }
        counters.add(.unknownKeys, event.unknownMembers)
        let given = identity.messageID(event.messageID)
        let id: ByteView
        if let given { id = given } else { id = identity.messageID(newID(index, request)) }
        let verdict = write(event, id, request, &bundle)
        if case .dropped(let problem) = verdict { keep(problem, event, item, index, request) }
        return tell(verdict, id: id, request)
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
        let fingerprint: Hash128
        if let known = bodyFingerprint {
            fingerprint = known
        } else {
            fingerprint = identity.fingerprint(request.body)
            bodyFingerprint = fingerprint
        }
        return sites[request.site].name.withBytes {
            identity.assignedID(fingerprint, index: index, site: $0)
        }
    }

    private mutating func write(
        _ event: IncomingEvent,
        _ id: ByteView,
        _ request: Request,
        _ bundle: inout SliceBundle
    ) -> Verdict {
        let verdict = verdict(of: event, request)
        let consent = verdict.consent
        if verdict.malformed > 0 { counters.add(.consentMalformed, verdict.malformed) }
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
        events.policy = SanitisePolicy(consent)
        let name = events.name(of: event)
        do throws(EventRefusal) {
            try writeProperties(event, name, person, request)
        } catch {
            return .dropped(error.problem)
        }
        entry.name.withBytes { site in
            var head = head(event, verdict, person, request)
            head.site = site
            let isNew = assembler.open(
                head,
                bytes: properties.count,
                sealed: sealer.sealed,
                into: &bundle
            )
            if isNew { sealer.reset() }
            if entry.seals, mayBeTold(head) { seal(event, head, isNew: isNew, request) }
        }
        let warning = writeEvent(event, name, id, request)
        if warning == nil, person.isUserWithheld { return .taken(.userWithheld) }
        return .taken(warning)
    }

    /// Leaves the event's properties in `properties`, held to the site's rule for it.
    private mutating func writeProperties(
        _ event: IncomingEvent,
        _ name: ByteView,
        _ person: ServerIdentity.Person,
        _ request: Request
    ) throws(EventRefusal) {
        let (sites, site) = (sites, request.site)
        let rule = event.call == .track ? try sites.rules.rule(for: name, site: site) : nil
        let reference = sites[site].name.withBytes { site in
            identity.reference(event.call == .alias ? event.previousID : event.groupID, site: site)
        }
        properties.reset()
        do throws(PropertyCheck.Fault) {
            try events.append(
                event,
                user: person.user,
                reference: reference,
                rule: rule,
                of: sites.rules,
                into: &properties
            ) { sites.keeps(parameter: $0, site: site) }
        } catch {
            throw EventRefusal(problem: BeaconProblems.problem(of: error))
        }
        if properties.overflowed { throw EventRefusal(problem: .eventTooLarge) }
    }

    private func machine(_ around: Surroundings) -> CookielessNames.Machine {
        var machine = CookielessNames.Machine()
        machine.address = around.address
        machine.userAgent = around.userAgent
        machine.language = around.acceptLanguage
        return machine
    }

    /// What holds for an event: what it says, what its strings and the request say, else what the
    /// site takes when nothing is said.
    func verdict(of event: IncomingEvent, _ request: Request) -> ConsentVerdict {
        var signals = event.context.consentSignals
        switch event.context.consent {
        case .bits(let sent): signals.said = sent
        case .purposes(let purposes): signals.said = Int64(Consent(purposes).rawValue)
        case nil: break
        }
        signals.hasPrivacyControl = request.around.hasPrivacyControl
        signals.asksNotToTrack = request.around.asksNotToTrack
        return ConsentDecision.decide(signals, sites[request.site].consent)
    }

    private mutating func head(
        _ event: IncomingEvent,
        _ verdict: ConsentVerdict,
        _ person: ServerIdentity.Person,
        _ request: Request
    ) -> SliceWriter.Head {
        var head = SliceWriter.Head()
        let around = request.around
        (head.consent, head.flags) = (verdict.consent, verdict.flags)
        head.settingsVersion = sites.version
        head.visitor = person.visitor
        head.user = person.user
        if person.isPassing { head.flags.insert(.withoutDevice) }
        head.address = context.network(written: event.context.address)
        if head.address.isEmpty, around.isFromBrowser {
            head.address = context.network(around.address)
        }
        let said = context.plain(event.context.userAgent)
        let agent = said.isEmpty && around.isFromBrowser ? around.userAgent : said
        let sender = sender
        // A server that says nothing of the visitor's machine says nothing bad of it either.
        let known = context.object(event.context) { sender.judge(userAgent: agent, into: &$0) }
        head.context = known.object
        head.deviceClass = known.verdict.deviceClass
        if known.verdict.band == .bot, !sites[request.site].countsAutomation {
            head.flags.insert(.bot)
        }
        return head
    }

    private mutating func writeEvent(
        _ event: IncomingEvent,
        _ name: ByteView,
        _ id: ByteView,
        _ request: Request
    ) -> ServerWarning? {
        let time = time(of: event, request)
        let kind = ServerEventWriter.kind(event.call)
        var flags: SliceEvent.Flags = time.isMoved ? .moved : []
        if events.findings.isSensitive { flags.insert(.sensitive) }
        if request.around.isHistory { flags.insert(.history) }
        if !events.findings.isEmpty { meter.add(events.findings) }
        assembler.beginEvent(
            occurredAt: time.at,
            kind: kind,
            flags: flags,
            name: name,
            messageID: id
        )
        assembler.append { $0.append(properties.view) }
        assembler.endEvent()
        if time.isUnreadable { return .timeReplaced }
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
