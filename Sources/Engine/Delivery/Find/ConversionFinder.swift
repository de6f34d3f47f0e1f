import Bytes
public import Records
public import Settings
import Units

/// Finds the conversions and touches in a record, by the site's rules, and decides which destinations are
/// to be told of them.
///
/// A pure function of record and settings. Made once per settings, shared by threads.
public final class ConversionFinder: Sendable {
    private let sites: [SiteRules]

    /// A finder for the sites of `settings`.
    public init(_ settings: [Site]) { sites = settings.map(SiteRules.init) }

    /// What the record brings; nil when nothing. `history` is the point that its fold wants kept.
    public func gains(
        _ header: RecordHeader,
        _ slice: Slice,
        _ history: HistoryPoint?
    ) -> RecordGains? {
        guard let site = sites.first(where: { $0.isCalled(slice.site) }) else { return nil }
        var gains: RecordGains?
        slice.forEachEvent { index, event in
            if header.duplicates >> UInt64(index) & 1 == 0 {
                site.look(at: event, slice, &gains)
            }
        }
        if let history, history.reason == .band || history.reason == .first,
            history.reading.band == .hot
        {
            site.addHot(header, slice, &gains)
        }
        return gains
    }
}

/// A rule as the reader of details sees it: the site's own, or the usual names without one.
struct ConversionRuleView: Sendable {
    var rule: ConversionRule?

    var extras: [String] { rule?.extras ?? [] }

    func orderNames(_ usual: [String]) -> [String] { rule?.orderProperty.map { [$0] } ?? usual }

    var currencyNames: [String] { rule?.currencyProperty.map { [$0] } ?? ["currency"] }

    func value(_ properties: JSONValue, usual: () -> Double?) -> Double? {
        switch rule?.value {
        case .fixed(let amount): return amount
        case .property(let name): return properties[name]?.amount
        case nil: return usual()
        }
    }
}

/// One site's rules, ready to be asked about every event.
struct SiteRules: Sendable {
    private let site: Site
    private let name: [UInt8]
    /// Rules by what an event is called; the hash of it, so that asking allocates nothing.
    private let events: [UInt64: ConversionRule]
    private let forms: [(name: [UInt8], rule: ConversionRule)]
    private let pages: [(path: [UInt8], rule: ConversionRule)]
    private let hot: ConversionRule?

    private static let hashKey = HashKey(first: 0x636f_6e76, second: 0x6e61_6d65)

    init(_ site: Site) {
        self.site = site
        name = Array(site.name.utf8)
        var events: [UInt64: ConversionRule] = [:]
        var forms: [(name: [UInt8], rule: ConversionRule)] = []
        var pages: [(path: [UInt8], rule: ConversionRule)] = []
        var hot: ConversionRule?
        for rule in site.conversions {
            switch rule.trigger {
            case .event(let name): events[Self.hash(name)] = rule
            case .form(let name): forms.append((Array(name.utf8), rule))
            case .page(let path): pages.append((Array(path.utf8), rule))
            case .becameHot: hot = rule
            }
        }
        (self.events, self.forms, self.pages, self.hot) = (events, forms, pages, hot)
    }

    func isCalled(_ other: ByteView) -> Bool {
        guard other.count == name.count else { return false }
        for index in name.indices where other[index] != name[index] { return false }
        return true
    }

    private static func hash(_ text: String) -> UInt64 {
        var buffer = ByteBuffer(capacity: 256)
        buffer.append(text: text)
        return buffer.view.hash128(key: hashKey).low
    }

    // MARK: - Events

    func look(at event: SliceEvent, _ slice: Slice, _ gains: inout RecordGains?) {
        switch event.kind {
        case .custom: lookAtCustom(event, slice, &gains)
        case .form where !forms.isEmpty: lookAtForm(event, slice, &gains)
        case .pageView: lookAtPage(event, slice, &gains)
        default: return
        }
    }

    private func lookAtCustom(
        _ event: SliceEvent,
        _ slice: Slice,
        _ gains: inout RecordGains?
    ) {
        if !events.isEmpty, let rule = events[event.name.hash128(key: Self.hashKey).low] {
            return add(event, slice, rule.name, rule, &gains)
        }
        guard site.countsUsualConversions,
            let name = CanonicalConversion.name(usually: event.name)
        else { return }
        add(event, slice, name, nil, &gains)
    }

    private func lookAtForm(_ event: SliceEvent, _ slice: Slice, _ gains: inout RecordGains?) {
        guard let tree = JSONValue(event.properties), tree["sb"]?.isTrue == true,
            let form = tree["f"]?.text
        else { return }
        for (name, rule) in forms where Array(form.utf8) == name {
            add(event, slice, rule.name, rule, &gains)
        }
    }

    private func lookAtPage(_ event: SliceEvent, _ slice: Slice, _ gains: inout RecordGains?) {
        if let touch = TouchReader.touch(event, slice) {
            gains = gains ?? RecordGains()
            gains?.touches.append(touch)
        }
        guard !pages.isEmpty, let url = JSONValue(event.properties)?["u"]?.text else { return }
        let path = Array(Self.path(url).utf8)
        for (prefix, rule) in pages where path.starts(with: prefix) {
            add(event, slice, rule.name, rule, &gains)
        }
    }

    /// The path of an address that was scrubbed before: what follows the host.
    private static func path(_ url: String) -> Substring {
        if url.hasPrefix("/") { return url[...] }
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return "/" }
        return url[url.index(before: parts[3].startIndex)...]
    }

    private func add(
        _ event: SliceEvent,
        _ slice: Slice,
        _ name: String,
        _ rule: ConversionRule?,
        _ gains: inout RecordGains?
    ) {
        let properties = JSONValue(event.properties)
        let said = properties?["props"] ?? .object([])
        let read = ConversionDetailsReader.read(
            said,
            rule: ConversionRuleView(rule: rule),
            siteCurrency: site.currency
        )
        var row = ConversionRow()
        row.id = Self.id(event, slice)
        row.name = name
        row.occurredAt = event.occurredAt
        row.page = event.page
        row.isSensitive = event.flags.contains(.sensitive)
        row.value = read.value
        row.currency = read.value == nil && read.details == "{}" ? "" : read.currency
        row.orderID = read.orderID
        let twins = properties?["tw"]?.amount.flatMap { Int(exactly: $0) }
        row.details = read.details(twins: twins ?? 0)
        row.pageURL = properties?["u"]?.text ?? ""
        append(row, slice, isHistory: event.flags.contains(.history), &gains)
    }

    private static func id(_ event: SliceEvent, _ slice: Slice) -> String {
        event.messageID.isEmpty ? "\(slice.window.text)-\(event.number)" : event.messageID.text
    }

    /// The score rose: no event of the visitor's says so, and the record's place names it.
    func addHot(_ header: RecordHeader, _ slice: Slice, _ gains: inout RecordGains?) {
        guard let hot else { return }
        var row = ConversionRow()
        row.id = "hot-\(header.partition.index)-\(header.offset)"
        row.name = hot.name
        row.occurredAt = header.receivedAt
        if case .fixed(let amount) = hot.value {
            row.value = amount
            row.currency = site.currency
        }
        append(row, slice, isHistory: slice.isHistory, &gains)
    }

    // MARK: - Destinations

    /// What was brought in after the fact is kept as a conversion; nobody is told, nor asked whether.
    private func append(
        _ row: ConversionRow,
        _ slice: Slice,
        isHistory: Bool,
        _ gains: inout RecordGains?
    ) {
        var row = row
        row.attributionDays = site.attributionDays
        for destination in site.destinations where !isHistory {
            if let reason = reason(against: destination, row, slice) {
                row.withheld.append((destination.name, reason))
            } else {
                row.destinations.append(destination.name)
            }
        }
        gains = gains ?? RecordGains()
        gains?.conversions.append(row)
    }

    /// Why a destination is not told; nil when it is.
    private func reason(
        against destination: DestinationSettings,
        _ row: ConversionRow,
        _ slice: Slice
    ) -> String? {
        guard destination.takes(conversion: row.name) else { return "not-asked-for" }
        if site.sensitivity == .finance, destination.isAdvertising,
            row.name != "lead", row.name != "page_view"
        {
            return "sensitive-site"
        }
        var facts = DestinationGate.Facts(
            consent: slice.consent,
            flags: slice.flags,
            isSensitive: row.isSensitive || site.sensitivity == .health,
            isBot: slice.flags.contains(.bot)
        )
        if site.sensitivity == .minors { facts.flags.insert(.minor) }
        switch DestinationGate.verdict(
            for: destination.gateKind,
            facts,
            options: destination.gateOptions
        ) {
        case .allowed: return nil
        case .forbidden(let reason): return reason.rawValue
        }
    }
}

extension Slice {
    /// Whether its events were brought in after the fact: all of a request's are, or none.
    fileprivate var isHistory: Bool {
        var isHistory = false
        forEachEvent { _, event in isHistory = isHistory || event.flags.contains(.history) }
        return isHistory
    }
}
