public import Bytes
import Settings
public import Units

/// Says who sent a request and adds what is known about the sender to its context.
///
/// How the listener uses it (one `Enricher` per listener loop, never shared):
///
///     let words = try AgentWords.load(path: "config/bots.yaml")    // or AgentWords.builtIn()
///     var enricher = Enricher(words: words, key: .random())
///     enricher.geo = try GeoDatabase(path: "…/city.mmdb")           // optional
///     …
///     var facts = RequestFacts()
///     facts.userAgent = …                                           // views of the request
///     let verdict = enricher.enrich(facts, into: &context)
///     head.deviceClass = verdict.deviceClass
///     if verdict.band == .bot { head.flags.insert(.bot) }
///
/// `context` is empty or one whole JSON object (as `ContextReader` leaves it), and is one whole
/// object afterwards. A reload assigns other `words` or another `geo`; what was remembered is
/// forgotten then. Page views are enriched by `PageSource`.
///
/// Members that are added, each only when known:
///
/// | key | what |
/// |---|---|
/// | `cl` | class: `human`, `bot`, `preview`, `library`, `ai-crawler` |
/// | `fa` | family of a program, such as `Googlebot`; people have `br` |
/// | `dv` | machine: `desktop`, `phone`, `tablet`, `tv`, `console`, `other` |
/// | `os`, `ov` | operating system and version |
/// | `br`, `bv` | browser and major version |
/// | `bs`, `bq` | bot score and its reasons (`BotReasons`); absent when 0 |
/// | `lg` | first language of `Accept-Language` |
/// | `co`, `rg`, `ci` | country (ISO 3166-1), region (ISO 3166-2 without country), city |
public struct Enricher: ~Copyable {
    /// The words and rules in force.
    public var words: AgentWords {
        didSet { agents.clear() }
    }
    /// Where addresses lie; nil when the operator has no database.
    public var geo: GeoDatabase? {
        didSet { places.clear() }
    }
    private let key: HashKey
    private var agents: FragmentCache<AgentSummary>
    private var places: FragmentCache<UInt8>
    private var scratch = ByteBuffer(capacity: 512, limit: 1024)

    /// What decisions need of a user agent that was read before.
    private struct AgentSummary: BitwiseCopyable {
        var agentClass = AgentClass.human
        var reason: BotReasons = []
        var device = AgentDevice.other
        var hints = HintExpectation()
    }

    /// All that one call may append.
    private static let membersBytesMaximum = 2 * Limits.agentFragmentBytesMaximum + 128

    /// An enricher with empty memory. `key` should be random: it keeps strangers from making
    /// entries collide.
    public init(words: AgentWords, key: HashKey, geo: GeoDatabase? = nil) {
        self.words = words
        self.key = key
        self.geo = geo
        agents = FragmentCache(
            entries: Limits.agentCacheEntries,
            fragmentBytes: Limits.agentFragmentBytesMaximum,
            empty: AgentSummary()
        )
        places = FragmentCache(
            entries: Limits.agentCacheEntries,
            fragmentBytes: Limits.agentFragmentBytesMaximum,
            empty: 0
        )
    }

    /// Judges the sender and appends what is known to `context`. In steady state nothing is
    /// allocated; a context without room stays as it is.
    public mutating func enrich(
        _ facts: RequestFacts,
        into context: inout ByteBuffer
    ) -> EnrichmentVerdict {
        if facts.isServer { return EnrichmentVerdict() }
        let place = agentPlace(facts.userAgent)
        let verdict = judge(facts, agents.summary(place))
        guard context.limit - context.count >= Self.membersBytesMaximum else { return verdict }
        reopen(&context)
        appendAgent(place, verdict, into: &context)
        if verdict.reasons != [] {
            context.appendMember("bs", number: verdict.botScore)
            context.appendMember("bq", number: Int(verdict.reasons.rawValue))
        }
        appendLanguage(facts.acceptLanguage, into: &context)
        appendPlace(facts.address, facts.placeDetail, into: &context)
        context.append("}")
        return verdict
    }

    /// Appends the two letters of the country that an address lies in; nothing when that is unknown.
    public mutating func appendCountry(_ address: ByteView, into buffer: inout ByteBuffer) {
        guard let place = place(of: address) else { return }
        let start = buffer.count
        places.append(place, from: 0, into: &buffer)
        let member = buffer.view(from: start)
        let isKnown = member.count >= 10 && member.starts(with: ",\"co\":\"")
        let letters = isKnown ? (member[7], member[8]) : nil
        buffer.truncate(to: start)
        guard let letters else { return }
        buffer.append(letters.0)
        buffer.append(letters.1)
    }

    /// Judges by a user agent alone, which a server reports of the visitor whose events it sends, and
    /// appends what it says to `context`.
    public mutating func enrich(
        userAgent: ByteView,
        into context: inout ByteBuffer
    ) -> EnrichmentVerdict {
        if userAgent.isEmpty { return EnrichmentVerdict() }
        let place = agentPlace(userAgent)
        let verdict = verdict(agents.summary(place), [])
        guard context.limit - context.count >= Self.membersBytesMaximum else { return verdict }
        reopen(&context)
        appendAgent(place, verdict, into: &context)
        context.append("}")
        return verdict
    }

    /// The remembered members, whose first is the class that the user agent alone has.
    private func appendAgent(
        _ place: Int,
        _ verdict: EnrichmentVerdict,
        into context: inout ByteBuffer
    ) {
        if verdict.agentClass == agents.summary(place).agentClass {
            context.separateMember()
            agents.append(place, from: 0, into: &context)
        } else {
            context.appendMember("cl", verdict.agentClass.name)
            agents.append(place, from: Self.humanMemberBytes, into: &context)
        }
    }

    /// Length of `"cl":"human"`: only people's browsers are judged otherwise by the rest.
    private static let humanMemberBytes = 12

    private func reopen(_ context: inout ByteBuffer) {
        guard context.count > 0 else { return }
        invariant(context.view[context.count - 1] == UInt8(ascii: "}"), "the context is no object")
        context.truncate(to: context.count - 1)
    }

    // MARK: - Judging

    private func judge(_ facts: RequestFacts, _ agent: AgentSummary) -> EnrichmentVerdict {
        var reasons = Self.reasons(facts)
        if agent.agentClass == .human { reasons.formUnion(agent.hints.reasons(facts)) }
        return verdict(agent, reasons)
    }

    private func verdict(_ agent: AgentSummary, _ others: BotReasons) -> EnrichmentVerdict {
        var verdict = EnrichmentVerdict()
        verdict.device = agent.device
        verdict.agentClass = agent.agentClass
        verdict.reasons = agent.reason.union(others)
        verdict.botScore = words.rules.score(verdict.reasons)
        verdict.band = words.rules.band(verdict.botScore)
        if agent.agentClass == .human, verdict.band == .bot { verdict.agentClass = .bot }
        return verdict
    }

    private static func reasons(_ facts: RequestFacts) -> BotReasons {
        var reasons: BotReasons = []
        if facts.isDriven { reasons.insert(.driven) }
        if facts.isPrefetch { reasons.insert(.prefetch) }
        if facts.acceptLanguage.isEmpty { reasons.insert(.withoutLanguage) }
        if facts.acceptEncoding.isEmpty { reasons.insert(.withoutEncoding) }
        if facts.origin.isEmpty { reasons.insert(.withoutOrigin) }
        if facts.behaviour.isMetronome { reasons.insert(.metronome) }
        return reasons
    }

    // MARK: - User agent

    private mutating func agentPlace(_ userAgent: ByteView) -> Int {
        let text = userAgent[0..<min(userAgent.count, Limits.agentBytesMaximum)]
        let hash = FragmentCache<AgentSummary>.key(text.hash128(key: key))
        if let place = agents.place(hash) { return place }
        let agent = words.read(text)
        scratch.reset()
        Self.write(agent, text, into: &scratch)
        let summary = AgentSummary(
            agentClass: agent.agentClass,
            reason: agent.reason,
            device: agent.device,
            hints: HintExpectation(agent)
        )
        return agents.store(hash, summary, scratch.view[1..<scratch.count])
    }

    /// An object's brace, which is left out of what is remembered, and the members of one user agent.
    private static func write(_ agent: UserAgent, _ text: ByteView, into buffer: inout ByteBuffer) {
        buffer.appendMember("cl", agent.agentClass.name)
        if agent.agentClass != .human {
            buffer.appendMember("fa", plain: agent.family(in: text), limit: 48)
        }
        buffer.appendMember("dv", agent.device.name)
        if !agent.system.isEmpty { buffer.appendMember("os", agent.system) }
        if !agent.systemVersion(in: text).isEmpty {
            buffer.openMember("ov")
            buffer.append("\"")
            agent.appendSystemVersion(text, into: &buffer)
            buffer.append("\"")
        }
        if !agent.browser.isEmpty { buffer.appendMember("br", agent.browser) }
        if agent.browserMajor > 0 { buffer.appendMember("bv", number: agent.browserMajor) }
    }

    // MARK: - Language and place

    /// RFC 9110 section 12.5.4: the first range, which browsers list by preference.
    private func appendLanguage(_ header: ByteView, into buffer: inout ByteBuffer) {
        var length = 0
        while length < header.count, length <= Self.languageBytesMaximum,
            header[length].isASCIIAlphanumeric || header[length] == UInt8(ascii: "-")
        {
            length &+= 1
        }
        guard length > 1, length <= Self.languageBytesMaximum else { return }
        buffer.append(",\"lg\":\"")
        buffer.append(header[0..<length])
        buffer.append("\"")
    }

    /// `zh-Hant-TW` and the like; longer ones are variants nobody speaks to a shop in.
    private static let languageBytesMaximum = 16

    private mutating func appendPlace(
        _ address: ByteView,
        _ detail: PlaceDetail,
        into buffer: inout ByteBuffer
    ) {
        guard let place = place(of: address) else { return }
        let start = buffer.count
        places.append(place, from: 0, into: &buffer)
        switch detail {
        case .city: break
        case .region: Self.cut(&buffer, from: start, at: ",\"ci\":")
        case .country:
            Self.cut(&buffer, from: start, at: ",\"ci\":")
            Self.cut(&buffer, from: start, at: ",\"rg\":")
        }
    }

    /// Leaves out a member and those behind it. No text within can hold its key: quotes are escaped.
    private static func cut(_ buffer: inout ByteBuffer, from start: Int, at key: StaticString) {
        for index in start..<buffer.count where buffer.view(from: index).starts(with: key) {
            return buffer.truncate(to: index)
        }
    }

    /// Where it is remembered where an address lies; nil without a database.
    private mutating func place(of address: ByteView) -> Int? {
        guard let geo, !address.isEmpty else { return nil }
        let hash = FragmentCache<UInt8>.key(address.hash128(key: key))
        if let place = places.place(hash) { return place }
        scratch.reset()
        scratch.append(" ")
        geo.appendPlace(address, into: &scratch)
        let isFound = scratch.count > 1 && scratch.count <= Limits.agentFragmentBytesMaximum
        return places.store(hash, 0, isFound ? scratch.view[1..<scratch.count] : .empty)
    }
}
