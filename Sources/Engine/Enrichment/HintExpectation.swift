import Bytes

/// Which client hints and fetch headers a user agent's browser would send, held against what came.
///
/// Browsers send them in secure contexts only; elsewhere nothing is expected.
struct HintExpectation: BitwiseCopyable {
    /// Major version of Chromium; 0 for other engines, which send no brands.
    private var chromium: UInt16 = 0
    private var saysMobile = false
    private var platform = Platform.unknown
    private var sendsFetchMode = false

    /// Systems that `Sec-CH-UA-Platform` names.
    private enum Platform: UInt8 {
        case unknown, windows, macOS, linux, android, chromeOS
    }

    /// From this version on every Chromium sends its brands.
    private static let brandsSince = 90

    init() {}

    init(_ agent: UserAgent) {
        guard agent.agentClass == .human else { return }
        chromium = UInt16(truncatingIfNeeded: agent.chromiumMajor)
        saysMobile = agent.saysMobile
        platform = Self.platform(system: ByteView(agent.system))
        sendsFetchMode = Self.sendsFetchMode(agent)
    }

    /// Since Chromium 80, Firefox 90 and Safari 16.4; the Safari version counts by its major.
    private static func sendsFetchMode(_ agent: UserAgent) -> Bool {
        if agent.chromiumMajor > 0 { return agent.chromiumMajor >= 80 }
        let browser = ByteView(agent.browser)
        if browser.equals("Firefox") { return agent.browserMajor >= 90 }
        return browser.equals("Safari") && agent.browserMajor >= 17
    }

    /// What speaks against this browser in a request that claims to be from it.
    func reasons(_ facts: RequestFacts) -> BotReasons {
        var reasons: BotReasons = []
        if AgentTokens.find("headlesschrome", in: facts.brands) != nil { reasons.insert(.headless) }
        guard facts.isSecure else { return reasons }
        if sendsFetchMode, facts.fetchMode.isEmpty { reasons.insert(.withoutFetchMode) }
        if Int(chromium) >= Self.brandsSince, contradicts(facts) {
            reasons.insert(.hintsContradict)
        }
        return reasons
    }

    private func contradicts(_ facts: RequestFacts) -> Bool {
        if facts.brands.isEmpty { return true }
        let version = AgentTokens.major(facts.brands, after: "\"chromium\";v=\"")
        if version > 0, version != Int(chromium) { return true }
        if facts.mobileHint.equals("?1"), !saysMobile { return true }
        if facts.mobileHint.equals("?0"), saysMobile { return true }
        let hinted = Self.platform(hint: facts.platformHint)
        return hinted != .unknown && platform != .unknown && hinted != platform
    }

    private static func platform(hint: ByteView) -> Platform {
        if hint.equals("\"Windows\"") { return .windows }
        if hint.equals("\"macOS\"") { return .macOS }
        if hint.equals("\"Linux\"") { return .linux }
        if hint.equals("\"Android\"") { return .android }
        if hint.equals("\"Chrome OS\"") || hint.equals("\"Chromium OS\"") { return .chromeOS }
        return .unknown
    }

    private static func platform(system: ByteView) -> Platform {
        if system.equals("Windows") { return .windows }
        if system.equals("macOS") { return .macOS }
        if system.equals("Android") { return .android }
        if system.equals("ChromeOS") { return .chromeOS }
        if system.equals("Linux") || system.equals("Ubuntu") || system.equals("Fedora") {
            return .linux
        }
        return .unknown
    }
}
