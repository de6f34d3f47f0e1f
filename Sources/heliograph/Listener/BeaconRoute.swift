import Admission
import Bytes
import Enrichment
import Privacy
import Records
import Settings
import Telemetry
import Units
import Wire

/// The way of a beacon through the listener: decode → admit → consent → enrich → sanitise, until one
/// visitor's slice lies in `writer.buffer`, ready for the journal.
///
/// Everything here belongs to one listener thread; all memory is reused from beacon to beacon.
struct BeaconRoute: ~Copyable {
    /// What became of a beacon.
    enum Outcome {
        /// A slice is in `slice`; it goes to the journal.
        case slice(Partition, events: Int, visitor: ByteView, site: Int)
        /// There is nothing to keep, and nothing is wrong: the visitor has not agreed to be counted.
        case nothing
        /// Nothing takes effect.
        case refused(Refusal)
    }

    /// What the request around the body says.
    struct Surroundings {
        /// What the request's headers and its connection say of its sender.
        var facts: RequestFacts
        var hasPrivacyControl: Bool
        var receivedAt: Int64
        /// A refused event that is sent again after a fix: what becomes of it is noted elsewhere.
        var isReplay = false

        var origin: ByteView { facts.origin }
        var address: ByteView { facts.address }
    }

    /// The sites as the request under way sees them.
    var sites: SiteTable
    private let counters: CounterBlock
    private var writer = SliceWriter(limit: Limits.recordBytesMaximum)
    private var clock = ClockCorrection()
    private let sender: Sender
    /// Address and referrer of the page view being written, as they are stored.
    private var pageURL = ByteBuffer(capacity: 512, limit: 1024)
    private var pageReferrer = ByteBuffer(capacity: 256, limit: 1024)
    private var context = ByteBuffer(capacity: 256, limit: Limits.contextBytesMaximum)
    private var address = ByteBuffer(capacity: 64, limit: 64)
    private var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var scrubbed = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var tally = Tally()
    /// How much the beacon last taken would be missed.
    private(set) var importance = Importance.summaries
    /// The rule that the event under way has still to be held against.
    private var rule: Int?
    /// The site of the beacon last taken, for the headers of its answer; nil when it is unknown.
    private(set) var site: Int?
    /// Where what is refused is kept; the listener's.
    let rejections: Rejections
    /// Whether events of the beacon last taken were refused one by one.
    var hasKeptEvents = false

    init(
        sites: SiteTable,
        sender: Sender,
        counters: CounterBlock,
        rejections: Rejections
    ) {
        self.sites = sites
        self.sender = sender
        self.counters = counters
        self.rejections = rejections
    }

    /// The slice of the beacon last taken.
    var slice: ByteView { writer.buffer.view }

    mutating func take(_ body: ByteView, _ around: Surroundings) -> Outcome {
        site = nil
        hasKeptEvents = false
        var decoded: Beacon?
        do throws(Refusal) {
            // Nearly always: one walk over the bytes. What is of another order or broken is walked
            // over once more, to say precisely what is wrong.
            if let front = BeaconDecoder.decodeFront(body) {
                decoded = front
                if let outcome = try take(front, body, around) { return outcome }
            }
            decoded = nil
            let beacon = try decode(body)
            decoded = beacon
            guard let outcome = try take(beacon, body, around) else {
                invariantFailed("events that were checked are broken", #fileID, #line)
            }
            return outcome
        } catch {
            keep(error, decoded, body, around)
            return .refused(error)
        }
    }

    /// Nil when the events turn out not to be sound JSON; nothing was counted then.
    private mutating func take(
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) throws(Refusal) -> Outcome? {
        let site = try admit(beacon, around)
        let consent = consent(of: beacon, site, around)
        guard ConsentGate.allowsStoring(consent) else {
            counters.add(.eventWithoutConsent)
            return .nothing
        }
        return try write(beacon, body, site, consent, around)
    }

    // MARK: - Decode and admit

    private func decode(_ body: ByteView) throws(Refusal) -> Beacon {
        do {
            return try BeaconDecoder.decode(body)
        } catch {
            let (problem, place) = BeaconProblems.describe(error)
            throw Refusal(problem, at: place)
        }
    }

    private mutating func admit(_ beacon: Beacon, _ around: Surroundings) throws(Refusal) -> Int {
        guard let found = sites.site(key: beacon.key) else {
            throw Refusal(.keyUnknown, at: "k")
        }
        site = found
        if !around.origin.isEmpty, !sites.allows(origin: around.origin, site: found) {
            throw Refusal(.originNotAllowed, at: "Origin")
        }
        guard Identifiers.isClientID(beacon.window) else {
            throw Refusal(.idMalformed, at: "w")
        }
        if !beacon.batch.isEmpty, !Identifiers.isClientID(beacon.batch) {
            throw Refusal(.idMalformed, at: "b")
        }
        guard beacon.events.count <= Limits.batchEventBytesMaximum else {
            throw Refusal(.batchTooLarge, at: "e")
        }
        return found
    }

    private func consent(of beacon: Beacon, _ site: Int, _ around: Surroundings) -> Consent {
        let sent = beacon.consent ?? Int64(sites[site].consentDefault.rawValue)
        return ConsentGate.effective(sent: sent, hasPrivacyControl: around.hasPrivacyControl)
    }

    // MARK: - Write the slice

    private mutating func write(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ consent: Consent,
        _ around: Surroundings
    ) throws(Refusal) -> Outcome? {
        let entry = sites[site]
        var head = head(beacon, consent, around, countsAutomation: entry.countsAutomation)
        entry.name.withBytes {
            head.site = $0
            writer.begin(head)
        }
        guard let events = try writeEvents(beacon, body, site, around) else { return nil }
        count(beacon, body, around)
        guard writer.finish(eventCount: events) else {
            throw Refusal(.batchTooLarge, at: "e")
        }
        return .slice(
            Partition(visitor: head.visitor),
            events: events,
            visitor: head.visitor,
            site: site
        )
    }

    private mutating func head(
        _ beacon: Beacon,
        _ consent: Consent,
        _ around: Surroundings,
        countsAutomation: Bool
    ) -> SliceWriter.Head {
        var head = SliceWriter.Head()
        head.consent = consent
        head.settingsVersion = sites.version
        head.window = beacon.window
        head.batch = beacon.batch
        if Identifiers.isClientID(beacon.session) { head.session = beacon.session }
        if ConsentGate.allowsUserID(consent), Identifiers.isUserID(beacon.user) {
            head.user = beacon.user
        }
        if ConsentGate.allowsDeviceID(consent), Identifiers.isClientID(beacon.device) {
            head.visitor = beacon.device
        } else {
            // Without an id from the device the visitor lasts as long as the session, or the tab.
            head.visitor = head.session.isEmpty ? head.window : head.session
            head.flags.insert(.withoutDevice)
        }
        if around.isReplay {
            describeReplay(beacon, around.facts.userAgent, &head, countsAutomation)
        } else {
            describe(beacon, around.facts, &head, countsAutomation)
        }
        head.address = truncate(around.address)
        return head
    }

    /// What is known of the sender. A page load's first batch carries it for the whole page; later
    /// ones only when it is no person's browser.
    private mutating func describe(
        _ beacon: Beacon,
        _ known: RequestFacts,
        _ head: inout SliceWriter.Head,
        _ countsAutomation: Bool
    ) {
        let context = ContextReader.read(beacon.context, into: &self.context)
        var facts = known
        facts.isDriven = context.isDriven
        var verdict: EnrichmentVerdict
        if beacon.context.isEmpty {
            verdict = sender.judge(facts)
            if verdict.band != .human { verdict = sender.judge(facts, into: &self.context) }
        } else {
            head.flags.insert(.opensPage)
            verdict = sender.judge(facts, into: &self.context)
        }
        head.context = self.context.view
        head.deviceClass = verdict.deviceClass
        if context.isTouch { head.flags.insert(.touch) }
        if verdict.band == .bot, !countsAutomation { head.flags.insert(.bot) }
    }

    /// Of a replay's sender only the user agent is known: the rest of its request is our own.
    private mutating func describeReplay(
        _ beacon: Beacon,
        _ userAgent: ByteView,
        _ head: inout SliceWriter.Head,
        _ countsAutomation: Bool
    ) {
        let context = ContextReader.read(beacon.context, into: &self.context)
        if !beacon.context.isEmpty { head.flags.insert(.opensPage) }
        let verdict = sender.judge(userAgent: userAgent, into: &self.context)
        head.context = self.context.view
        head.deviceClass = verdict.deviceClass
        if context.isTouch { head.flags.insert(.touch) }
        let isBot = verdict.band == .bot || context.isDriven
        if isBot, !countsAutomation { head.flags.insert(.bot) }
    }

    private mutating func truncate(_ bytes: ByteView) -> ByteView {
        address.reset()
        switch bytes.count {
        case 4: AddressTruncation.append(v4: bytes, into: &address)
        case 16: AddressTruncation.append(v6: bytes, into: &address)
        default: break
        }
        return address.view
    }

    // MARK: - Events

    /// Writes the usable events and notes what is wrong with the others; refuses when none is usable.
    /// Nil when they are not sound JSON.
    private mutating func writeEvents(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ around: Surroundings
    ) throws(Refusal) -> Int? {
        let receivedAt = around.receivedAt
        let offset = clock.offset(
            window: beacon.window,
            sentAt: beacon.sentAt,
            receivedAt: receivedAt
        )
        tally.reset()
        importance = .summaries
        var reader = BeaconEventReader(beacon.events)
        var written = 0
        while let outcome = reader.next() {
            tally.events += 1
            if tally.events > Slice.eventsMaximum { throw Refusal(.eventCountExceeded, at: "e") }
            let mark = writer.buffer.count
            do throws(EventRefusal) {
                try check(outcome, reader)
                try writeEvent(reader, beacon, site, offset, receivedAt)
                written += 1
            } catch {
                writer.buffer.truncate(to: min(mark, writer.buffer.count))
                tally.faults.append(
                    Fault(
                        problem: error.problem,
                        event: reader.bytes,
                        index: tally.events - 1,
                        number: reader.number
                    )
                )
            }
        }
        guard reader.isSound() else { return nil }
        guard written > 0 else { throw nothingUsable(beacon, body, around) }
        return written
    }

    /// An event's problem has no status of its own; it says why nothing could be taken.
    private mutating func nothingUsable(
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) -> Refusal {
        countFaults(beacon, body, around)
        let reason = tally.faults.first.map { ", \($0.problem.row.code)" } ?? ""
        return Refusal(.batchEmpty, at: "e" + reason)
    }

    /// What was wrong with one event of the beacon.
    struct Fault {
        let problem: Problem
        let event: ByteView
        let index: Int
        let number: UInt32
    }

    /// What a walk over the events finds, counted only when it was the last walk.
    private struct Tally {
        var events = 0
        var unknownKeys = 0
        var textsShortened = 0
        var faults: [Fault] = []

        mutating func reset() {
            (events, unknownKeys, textsShortened) = (0, 0, 0)
            faults.removeAll(keepingCapacity: true)
        }
    }

    private mutating func count(_ beacon: Beacon, _ body: ByteView, _ around: Surroundings) {
        counters.add(.eventsReceived, tally.events)
        if beacon.unknownKeys + tally.unknownKeys > 0 {
            counters.add(.unknownKeys, beacon.unknownKeys + tally.unknownKeys)
        }
        if tally.textsShortened > 0 { counters.add(.textsShortened, tally.textsShortened) }
        if beacon.lost > 0 { counters.add(.eventsLostByClients, Int(min(beacon.lost, 1 << 20))) }
        countFaults(beacon, body, around)
    }

    private mutating func countFaults(
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) {
        for index in tally.faults.indices {
            counters.add(tally.faults[index].problem)
            keepEvent(tally.faults[index], beacon, body, around)
        }
    }

    private struct EventRefusal: Error {
        let problem: Problem
    }

    private func check(
        _ outcome: Result<Void, EventFault>,
        _ reader: borrowing BeaconEventReader
    ) throws(EventRefusal) {
        if case .failure(let fault) = outcome {
            throw EventRefusal(problem: BeaconProblems.problem(of: fault))
        }
        if reader.bytes.count > Limits.eventBytesMaximum {
            throw EventRefusal(problem: .eventTooLarge)
        }
    }

    private mutating func writeEvent(
        _ event: borrowing BeaconEventReader,
        _ beacon: Beacon,
        _ site: Int,
        _ offset: Int64,
        _ receivedAt: Int64
    ) throws(EventRefusal) {
        // Anchored at the send: a clock that was set between event and send does no harm.
        let clientTime = beacon.sentAt &- (beacon.sentAtMonotonic &- event.offsetMilliseconds)
        let (occurredAt, moved) = ClockCorrection.occurredAt(
            clientTime: clientTime,
            offset: offset,
            receivedAt: receivedAt
        )
        let name = try name(of: event)
        rule = try findRule(event.kind, name, site)
        importance = max(importance, Importance(event.kind, name: name))
        writer.beginEvent(
            number: event.number,
            occurredAt: occurredAt,
            kind: event.kind,
            flags: moved ? .moved : [],
            page: event.page,
            name: name
        )
        writer.buffer.append(UInt8(ascii: "{"))
        pageURL.reset()
        pageReferrer.reset()
        var isFirst = true
        for index in 0..<event.fieldCount {
            try writeField(event.field(index), event.kind, site, &isFirst)
        }
        if event.kind == .pageView {
            sender.appendSource(
                url: pageURL.view,
                referrer: pageReferrer.view,
                into: &writer.buffer
            )
        }
        writer.buffer.append(UInt8(ascii: "}"))
        writer.endEvent()
        // An event without properties lacks those that are required.
        if let rule, sites.rules[rule].required != 0 {
            throw EventRefusal(problem: .propertyMissing)
        }
    }

    /// The site's rule for a custom event.
    private func findRule(
        _ kind: EventKind,
        _ name: ByteView,
        _ site: Int
    ) throws(EventRefusal) -> Int? {
        guard kind == .custom else { return nil }
        switch sites.rules.find(event: name, site: site) {
        case .free: return nil
        case .rule(let rule): return rule
        case .unlisted: throw EventRefusal(problem: .eventUnlisted)
        }
    }

    /// The name of a custom event, escapes resolved; it is stored apart from the properties.
    private mutating func name(of event: borrowing BeaconEventReader) throws(EventRefusal)
        -> ByteView
    {
        guard event.kind == .custom else { return .empty }
        for index in 0..<event.fieldCount {
            let field = event.field(index)
            guard EventSchema.isName(event.kind, field.key), field.kind == .string else { continue }
            let raw = field.value[1..<field.value.count - 1]
            // Storable before it is unescaped: PostgreSQL's text has no NUL either.
            scrubbed.reset()
            JSONText.appendStorable(value: raw, into: &scrubbed)
            text.reset()
            JSONText.unescape(scrubbed.view, into: &text)
            let length = JSONText.plainPrefixLength(text.view, limit: Limits.nameBytesMaximum)
            if length > 0 { return text.view[0..<length] }
        }
        throw EventRefusal(problem: .eventFieldMissing)
    }

    private mutating func writeField(
        _ field: EventField,
        _ kind: EventKind,
        _ site: Int,
        _ isFirst: inout Bool
    ) throws(EventRefusal) {
        guard !EventSchema.isName(kind, field.key) else { return }
        guard let rule = EventSchema.rule(kind, field.key) else {
            tally.unknownKeys += 1
            return
        }
        if field.kind == .null { return }
        guard rule.accepts(field.kind) else { throw EventRefusal(problem: .eventMalformed) }
        writer.buffer.append(isFirst ? "\"" : ",\"")
        isFirst = false
        writer.buffer.append(field.key)
        writer.buffer.append("\":")
        if field.kind == .string {
            let raw = field.value[1..<field.value.count - 1]
            if rule.treatment == .asIs {
                writeString(raw, rule)
            } else {
                writeURL(raw, rule, site, isReferrer: field.key.equals("r"))
            }
        } else {
            try writeOther(field, rule)
        }
    }

    private mutating func writeOther(
        _ field: EventField,
        _ rule: FieldRule
    ) throws(EventRefusal) {
        if field.value.count > rule.bytesMaximum {
            throw EventRefusal(problem: .eventPropertiesExceeded)
        }
        if field.kind == .object, !PropertyCount.isWithinLimit(field.value) {
            throw EventRefusal(problem: .eventPropertiesExceeded)
        }
        if field.kind == .object, let siteRule = self.rule {
            return try write(field.value, by: siteRule)
        }
        JSONText.appendStorable(value: field.value, into: &writer.buffer)
    }

    private mutating func write(_ object: ByteView, by rule: Int) throws(EventRefusal) {
        do {
            try PropertyCheck.append(object, rule: rule, of: sites.rules, into: &writer.buffer)
            self.rule = nil
        } catch {
            throw EventRefusal(problem: BeaconProblems.problem(of: error))
        }
    }

    private mutating func writeString(_ raw: ByteView, _ rule: FieldRule) {
        let length = JSONText.prefixLength(raw, limit: rule.bytesMaximum)
        if length < raw.count { tally.textsShortened += 1 }
        writer.buffer.append(UInt8(ascii: "\""))
        JSONText.appendStorable(value: raw[0..<length], into: &writer.buffer)
        writer.buffer.append(UInt8(ascii: "\""))
    }

    private mutating func writeURL(
        _ raw: ByteView,
        _ rule: FieldRule,
        _ site: Int,
        isReferrer: Bool
    ) {
        text.reset()
        JSONText.unescape(raw, into: &text)
        scrubbed.reset()
        if rule.treatment == .path {
            URLScrubber.path(text.view, into: &scrubbed)
        } else {
            URLScrubber.scrub(text.view, into: &scrubbed) {
                sites.keeps(parameter: $0, site: site)
            }
        }
        let length = JSONText.plainPrefixLength(scrubbed.view, limit: rule.bytesMaximum)
        if length < scrubbed.count { tally.textsShortened += 1 }
        let stored = scrubbed.view[0..<length]
        if isReferrer { pageReferrer.append(stored) } else { pageURL.append(stored) }
        text.reset()
        JSONText.appendQuoted(stored, into: &text)
        JSONText.appendStorable(value: text.view, into: &writer.buffer)
    }
}
