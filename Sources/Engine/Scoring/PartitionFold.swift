import Bytes
public import Records
public import Units

/// The pure fold of one partition: records in journal order go in, visitors' states change, and
/// what each record brought about comes out. Owned by one worker.
///
/// Nothing but the records decides the state: not the clock, not the hash key, not when checkpoints
/// were taken. The README beside this file defines every observation.
public struct PartitionFold: ~Copyable {
    /// The furthest an event may lie behind its record.
    static let lateMillisecondsMaximum: Int64 = 7 * 86_400_000

    /// What decides how behaviour becomes a score.
    public private(set) var model: ScoringModel
    /// Offset of the record last folded; 0 before the first.
    public internal(set) var offset: UInt64 = 0
    var table: VisitorTable
    var sites: [ShortText] = []
    var minutes = LiveMinutes()
    /// What is learned from.
    var ledger = LearnLedger()
    /// Whether any visitor was ever identified, those that have left memory included.
    public internal(set) var hasLinks = false
    private var moment = Moment()
    private var summary = PageSummary()
    private var activeMilliseconds = 0.0
    /// Actions of the record that is folded now, and whether one of them is a conversion.
    var actions = 0
    var hasConverted = false
    var scratch = ByteBuffer(capacity: 256)
    /// Whether the record that is folded now counts in its live minute.
    private var countsMinute = false
    /// Finds the states that have left memory; nil when none have.
    var recall: ColdRecall?
    var recalled = ByteBuffer(capacity: 1024, limit: ColdState.recallBytesMaximum)

    /// An empty fold. The key guards the visitor table against made-up collisions.
    public init(model: ScoringModel, key: HashKey = .random()) {
        self.model = model
        table = VisitorTable(key: key)
    }

    /// From now on records are scored by another model of the same fold rules: the sums stay what they
    /// are, and are read differently.
    public mutating func score(by model: ScoringModel) {
        invariant(model.foldRules == self.model.foldRules, "sums are of other fold rules")
        self.model = model
    }

    /// How many visitors are in memory.
    public var visitorCount: Int { table.count }

    /// The hash that finds visitors, in memory and among the states that have left it.
    public var key: HashKey { table.key }

    /// Bytes that the visitors take in memory.
    public var memoryBytes: Int { table.bytes }

    /// Bytes that live minutes take in memory.
    public var minuteBytes: Int { minutes.memoryBytes }

    /// Live minutes that were let go for lack of room since the process began.
    public var minutesLetGo: Int { minutes.log.letGo }

    /// Folds one record. Nil when it changes nothing: nothing but repeats, no consent for
    /// measurement, or ids longer than a state can hold.
    ///
    /// Without consent for profiling the events count for the session row and nothing else; the
    /// effect then says `score == .none`. When consent is withdrawn it says `.dropped`.
    ///
    /// A state that has left memory is fetched. When that cannot be read now, nothing changes, nor does
    /// `offset`: the record is to be applied again.
    public mutating func apply(_ header: RecordHeader, _ slice: Slice) -> FoldEffect? {
        let before = offset
        offset = header.offset
        let tally = RecordTally(header, slice)
        guard tally.events > 0, slice.visitor.count <= ShortText.capacity,
            slice.session.count <= ShortText.capacity
        else { return nil }
        guard slice.consent.contains(.measurement) else {
            return withdraw(header, slice, tally, before)
        }
        guard let site = siteIndex(slice.site) else { return nil }
        let found = find(slice.visitor, site)
        if found == .unreadable { offset = before }
        guard let index = found.index ?? added(slice.visitor, site, found) else { return nil }
        table[index].renew(at: header.receivedAt)
        var effect = FoldEffect(visitorIndex: Int32(index), eventsFolded: Int32(tally.events))
        fillSession(&effect.session, index, slice, tally)
        let session = effect.session.session.withBytes { $0.hash128(key: FixedKeys.session).low }
        beginMinute(index, header, slice, tally)
        (actions, hasConverted) = (0, false)
        if slice.consent.contains(.profiling) {
            table[index].endSession(&effect, session, model)
            foldEvents(index, header, slice, session)
            effect.session.activeMilliseconds = Int64(activeMilliseconds)
        } else if countsMinute {
            countEvents(header, slice)
        }
        let mayLink = !tally.tellsConsent || heedConsent(&effect, index, header, slice)
        if mayLink { heedIdentity(&effect, index, slice, tally) }
        table[index].note(header, latest: tally.latest)
        table[index].isAutomated = slice.flags.contains(.bot)
        if slice.consent.contains(.profiling), effect.score != .dropped {
            table[index].score(&effect, tally.hasSummary, model)
        }
        if countsMinute { endMinute(index, header, session) }
        learn(header, slice, index, effect)
        return effect
    }

    /// Passes a record that is no visitor's, so that positions agree about it.
    public mutating func pass(_ header: RecordHeader) { offset = header.offset }

    /// Forgets a visitor in memory. Returns the hash that finds its state outside of it, should there
    /// be one, for the caller to forget; nil when the fold has never heard of the site.
    public mutating func erase(_ header: RecordHeader, _ erasure: Erasure) -> Hash128? {
        offset = header.offset
        guard erasure.visitor.count <= ShortText.capacity else { return nil }
        let known = sites.firstIndex { site in site.withBytes { $0.equals(erasure.site) } }
        guard let site = known.map({ UInt16($0) }) else { return nil }
        ledger.erase(Self.owner(site: erasure.site, visitor: erasure.visitor))
        let hash = table.hash(erasure.visitor, site)
        if let index = table.find(erasure.visitor, site: site, hash) { table.remove(index) }
        return hash
    }

    // MARK: - Who

    /// Looks in memory, then among the states that have left it.
    @inline(__always)
    mutating func find(_ visitor: ByteView, _ site: UInt16) -> Found {
        let hash = table.hash(visitor, site)
        if let index = table.find(visitor, site: site, hash) { return .known(index) }
        return fetch(visitor, site, hash)
    }

    private mutating func added(_ visitor: ByteView, _ site: UInt16, _ found: Found) -> Int? {
        guard case .unknown(let hash) = found, let text = ShortText(visitor) else { return nil }
        return table.add(VisitorState(visitor: text, site: site), hash)
    }

    /// Sites are few, so looking along the list is quicker than a table.
    private mutating func siteIndex(_ name: ByteView) -> UInt16? {
        if let known = knownSite(name) { return known }
        guard let text = ShortText(name), sites.count < Int(UInt16.max) else { return nil }
        sites.append(text)
        return UInt16(sites.count - 1)
    }

    /// Inlined: a fold is copied for a call that does not change it.
    @inline(__always)
    func knownSite(_ name: ByteView) -> UInt16? {
        for index in 0..<sites.count where sites[index].withBytes({ $0.equals(name) }) {
            return UInt16(index)
        }
        return nil
    }

    // MARK: - Consent

    /// A record without any consent can but take the visitor's state away.
    private mutating func withdraw(
        _ header: RecordHeader,
        _ slice: Slice,
        _ tally: RecordTally,
        _ before: UInt64
    ) -> FoldEffect? {
        guard tally.tellsConsent, let site = knownSite(slice.site) else { return nil }
        let found = find(slice.visitor, site)
        if found == .unreadable { offset = before }
        guard let index = found.index else { return nil }
        var effect = FoldEffect(visitorIndex: Int32(index), eventsFolded: 0)
        (effect.session.site, effect.session.visitor) = visitor(at: Int32(index))
        table[index].withdraw()
        table[index].link.withdraw(&effect.link)
        table[index].note(header, latest: .min)
        effect.score = .dropped
        learn(header, slice, index, effect)
        return effect
    }

    /// Returns whether the last choice allows to link the visitor.
    private mutating func heedConsent(
        _ effect: inout FoldEffect,
        _ index: Int,
        _ header: RecordHeader,
        _ slice: Slice
    ) -> Bool {
        var mayLink = true
        slice.forEachEvent { number, event in
            guard event.kind == .consent, header.counts(number) else { return }
            // What the choice says, as far as opt-outs and dialogues allowed it.
            let said = ConsentBits.read(event.properties) ?? slice.consent
            let bits = said.intersection(slice.consent)
            mayLink = IdentityLink.isAllowed(bits)
            if !mayLink { table[index].link.withdraw(&effect.link) }
            if !bits.contains([.measurement, .profiling]) {
                table[index].withdraw()
                effect.score = .dropped
            } else if !bits.contains(.inference) {
                table[index].withdrawInference()
            }
        }
        return mayLink
    }

    // MARK: - Sessions

    private mutating func fillSession(
        _ change: inout SessionChange,
        _ index: Int,
        _ slice: Slice,
        _ tally: RecordTally
    ) {
        change.site = sites[Int(table[index].site)]
        change.visitor = table[index].visitor
        change.session =
            slice.session.isEmpty
            ? madeSession(index, tally) : ShortText(slice.session) ?? ShortText()
        change.startedAt = tally.earliest
        change.endedAt = tally.latest
        change.events = Int32(tally.events)
        change.pageViews = Int32(tally.pageViews)
        change.bot = slice.flags.contains(.bot)
    }

    /// The session of a sender that names none: README, sessions.
    private mutating func madeSession(_ index: Int, _ tally: RecordTally) -> ShortText {
        let since = tally.earliest &- table[index].seenAt
        if table[index].madeSessionAt == 0 || since > VisitorState.sessionGapMilliseconds {
            table[index].madeSessionAt = tally.earliest
        }
        scratch.reset()
        sites[Int(table[index].site)].withBytes { scratch.append($0) }
        scratch.append(0)
        table[index].visitor.withBytes { scratch.append($0) }
        scratch.append(0)
        scratch.append(littleEndian: table[index].madeSessionAt)
        return SessionID.text(of: scratch.view.hash128(key: FixedKeys.session))
    }

    // MARK: - Signals

    private mutating func foldEvents(
        _ index: Int,
        _ header: RecordHeader,
        _ slice: Slice,
        _ session: UInt64
    ) {
        activeMilliseconds = 0
        let model = model
        let setting = FoldSetting(
            touch: slice.flags.contains(.touch),
            inference: slice.consent.contains(.inference),
            withoutDevice: slice.flags.contains(.withoutDevice),
            site: model.categoryWords.site(slice.site)
        )
        let opens = session != table[index].trend.session
        var isFirst = true
        slice.forEachEvent { number, event in
            guard header.counts(number) else { return }
            let time = header.time(of: event)
            table[index].expireForm(before: time, &moment, model)
            moment.begin(time, &table[index].signals, model)
            if isFirst && opens { table[index].openSession(session, setting, &moment, model) }
            isFirst = false
            foldEvent(event, index, setting, model)
        }
    }

    @inline(__always)
    private mutating func foldEvent(
        _ event: SliceEvent,
        _ index: Int,
        _ setting: FoldSetting,
        _ model: ScoringModel
    ) {
        switch event.kind {
        case .pageSummary:
            if summary.read(event.properties, setting.site, model) {
                activeMilliseconds += summary.active * 1000
                table[index].fold(summary, setting, &moment, model)
            }
        case .pageView:
            actions &+= 1
            foldPageView(event.properties, index, setting, model)
        case .click:
            actions &+= 1
            table[index].foldClick(event.properties, &moment, model)
        case .form:
            actions &+= 1
            table[index].foldForm(event.properties, &moment, model)
        case .navigation: table[index].foldNavigation(event.properties, &moment, model)
        case .custom:
            actions &+= 1
            let converts = table[index].foldCustom(event.name, &moment, model)
            if converts { hasConverted = true }
            if converts && countsMinute { minutes.addConversion(event.properties) }
        case .identify, .consent: break
        }
    }

    @inline(__always)
    private mutating func foldPageView(
        _ properties: ByteView,
        _ index: Int,
        _ setting: FoldSetting,
        _ model: ScoringModel
    ) {
        let view = PageView(properties)
        table[index].foldPageView(view, setting, &moment, model)
        if countsMinute { count(view) }
    }

    // MARK: - Live minutes

    /// Automated browsers are masked: of their records nothing but the number of events is kept.
    private mutating func beginMinute(
        _ index: Int,
        _ header: RecordHeader,
        _ slice: Slice,
        _ tally: RecordTally
    ) {
        countsMinute = !slice.flags.contains(.bot)
        minutes.begin(
            site: table[index].site,
            minute: LiveMinutes.minute(of: header.receivedAt),
            offset: header.offset
        )
        if countsMinute { minutes.addEvents(tally) } else { minutes.addAutomated(tally) }
    }

    /// What profiling would have looked at anyway.
    private mutating func countEvents(_ header: RecordHeader, _ slice: Slice) {
        slice.forEachEvent { number, event in
            guard header.counts(number) else { return }
            if event.kind == .pageView {
                count(PageView(event.properties))
            } else if event.kind == .custom, model.isConversion(event.name) {
                minutes.addConversion(event.properties)
            }
        }
    }

    private mutating func count(_ view: PageView?) {
        if let view { minutes.addPage(view) } else { minutes.addUnknownPage() }
    }

    private mutating func endMinute(_ index: Int, _ header: RecordHeader, _ session: UInt64) {
        let minute = LiveMinutes.minute(of: header.receivedAt)
        let isNew = table[index].visits.enters(minute)
        if isNew { minutes.addVisitor() }
        if table[index].visits.begins(session) { minutes.addSession() }
        let band = isScored(Int32(index)) ? table[index].band : nil
        let last = table[index].visits.changes(to: band, in: minute, isNew: isNew)
        minutes.move(from: last, to: band)
    }
}
