public import Bytes
public import Records

/// What sent a request, by its user agent.
public enum AgentClass: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// A person's browser or application.
    case human
    /// A crawler, monitor, scanner or headless browser.
    case bot
    /// A fetcher of link previews.
    case preview
    /// An HTTP library or command-line tool.
    case library
    /// A crawler or agent that works for a language model.
    case aiCrawler

    /// The name that files and stores know it by.
    public var name: StaticString {
        switch self {
        case .human: "human"
        case .bot: "bot"
        case .preview: "preview"
        case .library: "library"
        case .aiCrawler: "ai-crawler"
        }
    }
}

/// The kind of machine that a user agent names.
public enum AgentDevice: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case desktop, phone, tablet, television, console, other

    /// The name that files and stores know it by.
    public var name: StaticString {
        switch self {
        case .desktop: "desktop"
        case .phone: "phone"
        case .tablet: "tablet"
        case .television: "tv"
        case .console: "console"
        case .other: "other"
        }
    }

    /// The kind of machine as scoring knows it.
    public var deviceClass: Slice.DeviceClass {
        switch self {
        case .desktop: .desktop
        case .phone: .phone
        case .tablet: .tablet
        case .television, .console, .other: .unknown
        }
    }
}

/// A user agent, read: texts are ranges of its bytes or literals, so nothing is copied.
public struct UserAgent {
    /// What sent the request.
    public internal(set) var agentClass = AgentClass.human
    /// Why it is not a person's; one bit, or none.
    public internal(set) var reason: BotReasons = []
    /// The kind of machine.
    public internal(set) var device = AgentDevice.other
    /// The operating system; empty when unknown.
    public internal(set) var system: StaticString = ""
    /// The browser or application of a person; empty for programs.
    public internal(set) var browser: StaticString = ""
    /// The browser's name with the kind it is of on phones, such as `Chrome Mobile`.
    public internal(set) var browserFamily: StaticString = ""
    /// The browser's major version; 0 when unknown.
    public internal(set) var browserMajor = 0
    /// Whether the browser is built on Chromium, and which major version of it; 0 when it is not.
    public internal(set) var chromiumMajor = 0
    /// Whether the user agent names a phone in the way that client hints do (`Mobile`).
    public internal(set) var saysMobile = false
    var systemVersionRange = 0..<0
    var programRange = 0..<0

    /// The program's name, or the browser's.
    public func family(in userAgent: ByteView) -> ByteView {
        if agentClass == .human || programRange.isEmpty { return ByteView(browserFamily) }
        return userAgent[programRange]
    }

    /// The system's version as written, with dots or underscores; empty when unknown.
    public func systemVersion(in userAgent: ByteView) -> ByteView { userAgent[systemVersionRange] }

    /// Appends the system's version, written with dots.
    public func appendSystemVersion(_ userAgent: ByteView, into buffer: inout ByteBuffer) {
        let version = systemVersion(in: userAgent)
        for index in 0..<version.count {
            buffer.append(version[index] == UInt8(ascii: "_") ? UInt8(ascii: ".") : version[index])
        }
    }
}
