public import Bytes
import Settings

extension AgentWords {
    /// Reads a user agent. Any bytes may come; what lies behind the first
    /// `Limits.agentBytesMaximum` is not looked at. Nothing is allocated.
    public func read(_ userAgent: ByteView) -> UserAgent {
        let text = userAgent[0..<min(userAgent.count, Limits.agentBytesMaximum)]
        var findings = AgentFindings(text)
        automaton.scan(text) { findings.take(meanings[$0.word], $0) }
        var agent = UserAgent()
        findings.decideMachine(&agent)
        findings.decideClass(&agent, self)
        findings.decideSystem(&agent)
        if agent.agentClass == .human { findings.decideBrowser(&agent) }
        return agent
    }
}

extension AgentWords {
    /// Whether a product of a user agent is one that browsers name.
    func knowsProduct(_ product: ByteView) -> Bool {
        var isKnown = false
        automaton.scan(product) { match in
            switch meanings[match.word] {
            case .person, .product, .plainBrowser, .engine, .browser, .system, .machine:
                isKnown = true
            default: break
            }
        }
        return isKnown
    }
}

/// What one pass over a user agent found.
struct AgentFindings {
    private let text: ByteView
    private var isPerson = false
    private var hasEngine = false
    private var isAttack = false
    private var isPlainBrowser = false
    private var named = NamedPlaces()
    private var machine: MachineHints = []
    private var browser = Ranked()
    private var system = Ranked()
    private var chromeEnd = 0

    /// The first place of each meaning; places inside addresses are kept apart, because
    /// `(+https://github.com/…)` says little about who sends.
    private struct NamedPlaces {
        var aiCrawler = Place()
        var preview = Place()
        var library = Place()
        var bot = Place()
        var headless = Place()
        var cue = Place()
        var weakCue = Place()
        var aiHint = Place()
    }

    private struct Place {
        var outside = -1
        var inAddress = -1
        var isFound: Bool { outside >= 0 || inAddress >= 0 }
        var any: Int { outside >= 0 ? outside : inAddress }

        mutating func take(_ start: Int, inAddress isInAddress: Bool) {
            if isInAddress {
                if inAddress < 0 { inAddress = start }
            } else if outside < 0 {
                outside = start
            }
        }
    }

    private struct Ranked {
        var index = Int.max
        var end = 0

        mutating func take(_ other: UInt8, _ otherEnd: Int) {
            guard Int(other) < index else { return }
            (index, end) = (Int(other), otherEnd)
        }
    }

    init(_ text: ByteView) { self.text = text }

    mutating func take(_ meaning: AgentMeaning, _ match: WordAutomaton.Match) {
        switch meaning {
        case .person: isPerson = true
        case .product: break
        case .plainBrowser: isPlainBrowser = true
        case .attack: isAttack = true
        case .engine: hasEngine = true
        case .browser(let index): browser.take(index, match.end)
        case .system(let index): system.take(index, match.end)
        case .machine(let hints): machine.formUnion(hints)
        default: takeProgram(meaning, match.start)
        }
    }

    private mutating func takeProgram(_ meaning: AgentMeaning, _ start: Int) {
        let inAddress = AgentTokens.isInAddress(text, start)
        switch meaning {
        case .aiCrawler: named.aiCrawler.take(start, inAddress: inAddress)
        case .preview: named.preview.take(start, inAddress: inAddress)
        case .library: named.library.take(start, inAddress: inAddress)
        case .bot: named.bot.take(start, inAddress: inAddress)
        case .headless: named.headless.take(start, inAddress: inAddress)
        case .aiHint: named.aiHint.take(start, inAddress: inAddress)
        case .weakCue: named.weakCue.take(start, inAddress: inAddress)
        default: named.cue.take(start, inAddress: inAddress)
        }
    }

    // MARK: - Class

    func decideClass(_ agent: inout UserAgent, _ words: AgentWords) {
        if isAttack { return set(&agent, .bot, .attack, -1) }
        if let place = namedClass(&agent) {
            agent.programRange = AgentTokens.name(text, at: place)
            return
        }
        let isBrowser = isPlainBrowser || (hasEngine && AgentShape.beginsLikeBrowser(text))
        if isPerson { return }
        let introduction =
            isBrowser
            ? AgentShape.introduction(text, words, isDesktop: agent.device == .desktop) : nil
        let hasCue = named.cue.isFound || (named.weakCue.isFound && agent.device == .desktop)
        if isBrowser, !hasCue, introduction == nil { return }
        let isAssistant = named.aiHint.isFound || AgentShape.saysAI(text)
        let reason: BotReasons =
            isAssistant ? .aiCrawler : isBrowser ? .declaredBot : .notABrowser
        let start =
            named.cue.outside >= 0 ? named.cue.outside : introduction ?? named.aiHint.outside
        set(&agent, isAssistant ? .aiCrawler : .bot, reason, start)
    }

    /// Names come before hints, and among names the narrower class before the wider one; a name
    /// within an address counts when there is none outside.
    private func namedClass(_ agent: inout UserAgent) -> Int? {
        for inAddress in [false, true] {
            func place(_ place: Place) -> Int { inAddress ? place.inAddress : place.outside }
            let choices: (Int, Int, Int, Int, Int) = (
                place(named.aiCrawler), place(named.preview), place(named.headless),
                place(named.bot), place(named.library)
            )
            if choices.0 >= 0 { return mark(&agent, .aiCrawler, .aiCrawler, choices.0) }
            if choices.1 >= 0 { return mark(&agent, .preview, .preview, choices.1) }
            if choices.2 >= 0 { return mark(&agent, .bot, .headless, choices.2) }
            if choices.3 >= 0, !isPerson { return mark(&agent, .bot, .declaredBot, choices.3) }
            if choices.4 >= 0, !isPerson, !isPlainBrowser {
                return mark(&agent, .library, .library, choices.4)
            }
        }
        return nil
    }

    private func mark(
        _ agent: inout UserAgent,
        _ agentClass: AgentClass,
        _ reason: BotReasons,
        _ place: Int
    ) -> Int {
        agent.agentClass = agentClass
        agent.reason = reason
        return place
    }

    private func set(
        _ agent: inout UserAgent,
        _ agentClass: AgentClass,
        _ reason: BotReasons,
        _ place: Int
    ) {
        agent.agentClass = agentClass
        agent.reason = reason
        agent.programRange =
            place >= 0 ? AgentTokens.name(text, at: place) : AgentTokens.likelyName(text)
    }

    // MARK: - Machine, system, browser

    func decideMachine(_ agent: inout UserAgent) {
        agent.saysMobile = machine.contains(.mobile)
        agent.device = device
    }

    private var device: AgentDevice {
        if machine.contains(.console) { return .console }
        if machine.contains(.television) { return .television }
        if machine.contains(.other) { return .other }
        if machine.contains(.tablet) { return .tablet }
        if machine.contains(.phone) || machine.contains(.mobile) { return .phone }
        // Android without `Mobile` is a tablet, by Google's own convention.
        if machine.contains(.android) { return .tablet }
        return machine.contains(.desktop) ? .desktop : .other
    }

    func decideSystem(_ agent: inout UserAgent) {
        guard AgentTables.systems.indices.contains(system.index) else { return }
        agent.system = AgentTables.systems[system.index].name
        agent.systemVersionRange = AgentTokens.version(text, after: system.end)
    }

    func decideBrowser(_ agent: inout UserAgent) {
        agent.chromiumMajor = AgentTokens.major(text, after: "chrome/")
        guard AgentTables.browsers.indices.contains(browser.index) else { return }
        let row = AgentTables.browsers[browser.index]
        agent.browser = row.name
        agent.browserFamily = agent.saysMobile ? row.mobileName ?? row.name : row.name
        let major = AgentTokens.number(text, at: browser.end)
        agent.browserMajor =
            row.versionToken.map { AgentTokens.major(text, after: $0) } ?? major
    }
}
