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
        var asksNotToTrack = false
        var receivedAt: Int64
        /// A refused event that is sent again after a fix: what becomes of it is noted elsewhere.
        var isReplay = false
        /// A past that is brought in: no destination is told of it.
        var isHistory = false

        var origin: ByteView { facts.origin }
        var address: ByteView { facts.address }
    }

    /// The sites as the request under way sees them.
    var sites: SiteTable
    let counters: CounterBlock
    var writer = SliceWriter(limit: Limits.recordBytesMaximum)
    var clock = ClockCorrection()
    let sender: Sender
    /// Address and referrer of the page view being written, as they are stored.
    var pageURL = ByteBuffer(capacity: 512, limit: 1024)
    var pageReferrer = ByteBuffer(capacity: 256, limit: 1024)
    private var context = ByteBuffer(capacity: 256, limit: Limits.contextBytesMaximum)
    private var address = ByteBuffer(capacity: 64, limit: 64)
    /// The day's name of the visitor under way, and the letters of the country.
    var name = ByteBuffer(capacity: 64, limit: 64)
    var country = ByteBuffer(capacity: 1024, limit: 1024)
    /// What holds for the beacon under way.
    var verdict = ConsentVerdict()
    /// What its consent events said; views of the body.
    var told = ConsentSignals()
    /// Of the beacon under way nothing is kept but its consent events.
    var keepsConsentOnly = false
    var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    var scrubbed = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    var unescaped = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    /// Takes personal data out.
    var sanitiser = Sanitiser()
    /// What consent lets the sanitiser keep.
    var policy = SanitisePolicy()
    /// What was taken out of the event under way.
    var findings = Findings()
    let meter: PersonalDataMeter
    var tally = Tally()
    /// The rule that the event under way has still to be held against.
    var rule: Int?
    /// Whether the browser of the beacon last taken says that a program drives it.
    private var isDriven = false
    /// What to add to the client's clock; noted once, however often the beacon is walked over.
    var clockOffset: Int64?
    /// The site of the beacon last taken, for the headers of its answer; nil when it is unknown.
    private(set) var site: Int?
    /// Where what is refused is kept; the listener's.
    let rejections: Rejections
    /// Seals what platforms may know; the listener's.
    let sealer: Sealer
    /// Whether the slice under way is to have sealed blocks, and may hold a conversion.
    var sealing = Sealing()
    /// Whether events of the beacon last taken were refused one by one.
    var hasKeptEvents = false
    /// What the beacon last taken means for the cookie of its device; holds a view of its body.
    private(set) var deviceWish = DeviceCookie.Wish.none

    init(
        sites: SiteTable,
        sender: Sender,
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
    }

    /// Whether the visitor of the beacon last taken agreed to have a score.
    var mayHaveScore: Bool { verdict.consent.contains(.profiling) && !keepsConsentOnly }

    /// The slice of the beacon last taken.
    var slice: ByteView { writer.buffer.view }

    mutating func take(_ body: ByteView, _ around: Surroundings) -> Outcome {
        site = nil
        hasKeptEvents = false
        deviceWish = .none
        clockOffset = nil
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
        told = ConsentSignals()
        keepsConsentOnly = false
        tally.reset()
        verdict = decide(beacon, site, around)
        let outcome =
            ConsentGate.allowsStoring(verdict.consent)
            ? try write(beacon, body, site, around) : withdraw(beacon, body, site, around)
        if !around.isReplay { deviceWish = wish(beacon) }
        return outcome
    }

    /// The consent that the answer stands on is the one after the beacon's own consent events.
    private func wish(_ beacon: Beacon) -> DeviceCookie.Wish {
        if ConsentGate.allowsDeviceID(verdict.consent) {
            return Identifiers.isClientID(beacon.device) ? .keep(beacon.device) : .none
        }
        return tally.choices > 0 ? .end : .none
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

    // MARK: - Write the slice

    mutating func write(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ around: Surroundings
    ) throws(Refusal) -> Outcome? {
        let entry = sites[site]
        var head = head(beacon, entry, around)
        beginSealing(entry, head, isReplay: around.isReplay)
        entry.name.withBytes {
            head.site = $0
            sealer.begin(site: $0, visitor: head.visitor, receivedAt: around.receivedAt)
            writer.begin(head)
        }
        guard let events = try writeEvents(beacon, body, site, around) else { return nil }
        if tally.choices > 0, changesMind(beacon, site, around) {
            return try settle(beacon, body, site, around)
        }
        count(beacon, body, around)
        if verdict.malformed > 0 { counters.add(.consentMalformed, verdict.malformed) }
        if sealing.isDue {
            sealer.seal(around.facts, context: beacon.context, isPage: !beacon.context.isEmpty)
        }
        guard writer.finish(eventCount: events, sealed: sealer.sealed) else {
            throw Refusal(.batchTooLarge, at: "e")
        }
        // Of a replay's sender nothing is known that a sign could be added to.
        if !entry.countsAutomation, !around.isReplay { markRobot(around.facts) }
        return .slice(
            Partition(visitor: head.visitor),
            events: events,
            visitor: head.visitor,
            site: site
        )
    }

    /// Whether a slice gets sealed blocks.
    struct Sealing {
        /// The site has destinations and the visitor agreed to advertising.
        var isAllowed = false
        /// An event of the slice may be a conversion, or begins a page.
        var isWorthwhile = false
        var isDue: Bool { isAllowed && isWorthwhile }
    }

    private mutating func beginSealing(
        _ entry: SiteTable.Entry,
        _ head: SliceWriter.Head,
        isReplay: Bool
    ) {
        sealer.reset()
        sealing.isAllowed =
            entry.seals && head.consent.contains(.linking) && !isReplay
            && head.flags.isDisjoint(with: [.bot, .minor, .optedOut])
        sealing.isWorthwhile = entry.sealsEveryBatch
        policy = SanitisePolicy(head.consent)
    }

    private mutating func head(
        _ beacon: Beacon,
        _ entry: SiteTable.Entry,
        _ around: Surroundings
    ) -> SliceWriter.Head {
        let consent = verdict.consent
        // A site that counts the browsers that programs drive wants them now, not in its past.
        let countsAutomation = entry.countsAutomation && !around.isHistory
        var head = SliceWriter.Head()
        (head.consent, head.flags) = (consent, verdict.flags)
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
            head.visitor = passingVisitor(beacon, entry, around)
            head.flags.insert(.withoutDevice)
        }
        if around.isReplay {
            describeReplay(beacon, around.facts.userAgent, &head, countsAutomation)
        } else {
            var facts = around.facts
            facts.placeDetail = ConsentGate.placeDetail(verdict)
            describe(beacon, facts, &head, countsAutomation)
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
        isDriven = context.isDriven
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

    /// Events like clockwork are one sign more, which is seen only when they have been read.
    private mutating func markRobot(_ known: RequestFacts) {
        guard let slice = Slice(slice) else { return }
        var facts = known
        slice.forEachEvent { _, event in facts.behaviour.take(occurredAt: event.occurredAt) }
        guard facts.behaviour.isMetronome else { return }
        facts.isDriven = isDriven
        if sender.judge(facts).band == .bot { writer.markBot() }
    }

    private mutating func truncate(_ bytes: ByteView) -> ByteView {
        address.reset()
        AddressTruncation.append(bytes, into: &address)
        return address.view
    }
}
