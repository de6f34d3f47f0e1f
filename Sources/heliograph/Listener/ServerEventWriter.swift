import Admission
import Bytes
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// Writes what a server said about an event as the properties that its kind is stored with.
///
/// The table in `Sources/Engine/Wire/Formats/README.md` is what this file does. Owned by one listener;
/// memory is reused.
struct ServerEventWriter: ~Copyable {
    /// Names of calls that are stored as custom events.
    static let screenName: StaticString = "$screen"
    static let groupName: StaticString = "$group"

    private let counters: CounterBlock
    private let sender: Sender
    /// Address and referrer of the page being written, as they are stored.
    private var url = ByteBuffer(capacity: 512, limit: 64 * 1024)
    private var referrer = ByteBuffer(capacity: 256, limit: 64 * 1024)
    private var sanitiser = Sanitiser()
    /// What the visitor's consent allows to keep of the event being written.
    var policy = SanitisePolicy()
    private var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var scrubbed = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var name = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var ruled = ByteBuffer(capacity: 1024, limit: 64 * 1024)

    /// What was found and withheld of the event last written, its name included.
    private(set) var findings = Findings()

    /// Whether something of the event last written was withheld because it may name a person.
    var hasWithheld: Bool { !findings.isEmpty }

    init(sender: Sender, counters: CounterBlock) {
        self.sender = sender
        self.counters = counters
    }

    /// The kind that a call is stored as.
    static func kind(_ call: EventCall) -> EventKind {
        switch call {
        case .page: return .pageView
        case .identify, .alias: return .identify
        case .track, .screen, .group: return .custom
        }
    }

    /// The name that a custom event is stored under; empty for other kinds. Valid until the next, which
    /// begins a new event's findings.
    mutating func name(of event: IncomingEvent) -> ByteView {
        findings = Findings()
        switch event.call {
        case .screen: return ByteView(Self.screenName)
        case .group: return ByteView(Self.groupName)
        case .page, .identify, .alias: return .empty
        case .track:
            // Storable before it is unescaped: PostgreSQL's text has no NUL either.
            text.reset()
            JSONText.appendStorable(value: event.name, into: &text)
            scrubbed.reset()
            JSONText.unescape(text.view, into: &scrubbed)
            name.reset()
            let found = sanitiser.append(
                text: scrubbed.view,
                at: .freeText,
                policy: policy,
                into: &name
            )
            findings.add(found)
            let length = JSONText.plainPrefixLength(name.view, limit: Limits.nameBytesMaximum)
            if length < name.count { counters.add(.textsShortened) }
            return name.view[0..<length]
        }
    }

    /// Appends the properties as an object. `user` and `reference` are the ids in the form that may be
    /// kept, empty for none; `rule` is the site's for this event; `keeps` tells which URL parameters
    /// the site keeps.
    mutating func append(
        _ event: IncomingEvent,
        user: ByteView,
        reference: ByteView,
        rule: Int?,
        of rules: EventRuleTable,
        into output: inout ByteBuffer,
        keeps: (ByteView) -> Bool
    ) throws(PropertyCheck.Fault) {
        output.append(UInt8(ascii: "{"))
        switch event.call {
        case .page: appendPage(event, into: &output, keeps)
        case .track:
            try appendProperties(event, rule, rules, into: &output)
            appendPageAddress(event, into: &output, keeps)
        case .screen: appendScreen(event, into: &output)
        case .identify: appendIdentity(event, user, into: &output)
        case .alias: appendAlias(user, reference, into: &output)
        case .group: appendGroup(event, reference, into: &output)
        }
        if hasWithheld { output.appendNames(of: findings) }
        output.append(UInt8(ascii: "}"))
    }

    // MARK: - Calls

    private mutating func appendPage(
        _ event: IncomingEvent,
        into output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        var separator: StaticString = ""
        url.reset()
        referrer.reset()
        if !event.url.isEmpty {
            output.append("\"u\":")
            appendURL(event.url, Limits.urlBytesMaximum, into: &output, keeps)
            url.append(scrubbed.view)
            separator = ","
        }
        if !event.referrer.isEmpty {
            output.append(separator)
            output.append("\"r\":")
            appendURL(event.referrer, Limits.referrerBytesMaximum, into: &output, keeps)
            referrer.append(scrubbed.view)
            separator = ","
        }
        if !event.title.isEmpty {
            output.append(separator)
            output.append("\"ti\":")
            appendText(event.title, Limits.titleBytesMaximum, into: &output)
            separator = ","
        }
        output.append(separator)
        appendNamedProperties(event, into: &output) { key in
            key.equals("url") || key.equals("referrer") || key.equals("title")
                || key.equals("path") || key.equals("search")
        }
        sender.appendSource(url: url.view, referrer: referrer.view, into: &output)
    }

    private mutating func appendScreen(_ event: IncomingEvent, into output: inout ByteBuffer) {
        appendNamedProperties(event, into: &output) { _ in false }
    }

    /// Name and category of a page or screen stand among its properties, as in Segment's own form.
    private mutating func appendNamedProperties(
        _ event: IncomingEvent,
        into output: inout ByteBuffer,
        leavesOut: (ByteView) -> Bool
    ) {
        var separator: StaticString = ""
        output.append("\"props\":{")
        if !event.name.isEmpty {
            output.append("\"name\":")
            appendText(event.name, Limits.titleBytesMaximum, into: &output)
            separator = ","
        }
        if !event.category.isEmpty {
            output.append(separator)
            output.append("\"category\":")
            appendText(event.category, Limits.titleBytesMaximum, into: &output)
            separator = ","
        }
        if !event.properties.isEmpty {
            let hasName = !event.name.isEmpty
            let hasCategory = !event.category.isEmpty
            let found = sanitiser.appendMembers(
                of: event.properties,
                .event,
                policy: policy,
                after: separator,
                into: &output
            ) {
                leavesOut($0) || hasName && $0.equals("name")
                    || hasCategory && $0.equals("category")
            }
            findings.add(found)
        }
        output.append("}")
    }

    private mutating func appendProperties(
        _ event: IncomingEvent,
        _ rule: Int?,
        _ rules: EventRuleTable,
        into output: inout ByteBuffer
    ) throws(PropertyCheck.Fault) {
        ruled.reset()
        ruled.append("{")
        if !event.properties.isEmpty {
            findings.add(
                sanitiser.appendMembers(
                    of: event.properties,
                    .event,
                    policy: policy,
                    into: &ruled
                )
            )
        }
        ruled.append("}")
        output.append("\"props\":")
        guard let rule else { return output.append(ruled.view) }
        try PropertyCheck.append(ruled.view, rule: rule, of: rules, into: &output)
    }

    /// The page that it happened on: platforms ask for it.
    private mutating func appendPageAddress(
        _ event: IncomingEvent,
        into output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        guard !event.context.url.isEmpty else { return }
        output.append(",\"u\":")
        appendURL(event.context.url, Limits.urlBytesMaximum, into: &output, keeps)
    }

    /// Without consent to linking there is no user, and then nothing that describes one either.
    private mutating func appendIdentity(
        _ event: IncomingEvent,
        _ user: ByteView,
        into output: inout ByteBuffer
    ) {
        guard !user.isEmpty else { return }
        output.append("\"uid\":")
        JSONText.appendQuoted(user, into: &output)
        output.append(",\"traits\":{")
        if !event.traits.isEmpty {
            append(membersOf: event.traits, .person, into: &output)
        }
        output.append("}")
    }

    private func appendAlias(
        _ user: ByteView,
        _ previous: ByteView,
        into output: inout ByteBuffer
    ) {
        guard !user.isEmpty else { return }
        output.append("\"uid\":")
        JSONText.appendQuoted(user, into: &output)
        output.append(",\"previous\":")
        JSONText.appendQuoted(previous, into: &output)
    }

    private mutating func appendGroup(
        _ event: IncomingEvent,
        _ group: ByteView,
        into output: inout ByteBuffer
    ) {
        output.append("\"props\":{\"group\":")
        JSONText.appendQuoted(group, into: &output)
        if !event.traits.isEmpty {
            output.append(",\"traits\":{")
            append(membersOf: event.traits, .person, into: &output)
            output.append("}")
        }
        output.append("}")
    }

    private mutating func append(
        membersOf object: ByteView,
        _ subject: PropertySubject,
        into output: inout ByteBuffer
    ) {
        findings.add(
            sanitiser.appendMembers(of: object, subject, policy: policy, into: &output)
        )
    }

    // MARK: - Texts

    /// Titles and names, sanitised before they are cut, so that half an address does not pass.
    private mutating func appendText(
        _ raw: ByteView,
        _ limit: Int,
        into output: inout ByteBuffer
    ) {
        text.reset()
        findings.add(sanitiser.append(rawText: raw, at: .title, policy: policy, into: &text))
        let length = JSONText.prefixLength(text.view, limit: limit)
        if length < text.count { counters.add(.textsShortened) }
        output.append(UInt8(ascii: "\""))
        output.append(text.view[0..<length])
        output.append(UInt8(ascii: "\""))
    }

    private mutating func appendURL(
        _ raw: ByteView,
        _ limit: Int,
        into output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        text.reset()
        JSONText.unescape(raw, into: &text)
        scrubbed.reset()
        let found = sanitiser.append(
            url: text.view,
            policy: policy,
            limit: limit,
            into: &scrubbed,
            keeps: keeps
        )
        findings.add(found)
        if found.isShortened { counters.add(.textsShortened) }
        text.reset()
        JSONText.appendQuoted(scrubbed.view, into: &text)
        JSONText.appendStorable(value: text.view, into: &output)
    }
}
