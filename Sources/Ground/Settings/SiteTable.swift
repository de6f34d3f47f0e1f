public import Bytes
public import Records
import Units

/// The sites as the hot path needs them: a key's or origin's bytes lead to a site without
/// allocation, and a site's constants lie in place. Made once per settings, shared by all threads.
public final class SiteTable: Sendable {
    /// What the hot path needs of a site.
    public struct Entry: BitwiseCopyable, Sendable {
        /// Site name.
        public let name: ShortText
        /// What the site has decided about consent.
        public let consent: ConsentPolicy
        /// Whether any origin may send beacons.
        public let allowsAnyOrigin: Bool
        /// Whether automated browsers are shown like others.
        public let countsAutomation: Bool
        /// Whether refusals are answered with more detail.
        public let debug: Bool
        /// Whether what platforms may know is sealed: there are destinations, and they may have it.
        public let seals: Bool
        /// Whether also batches are sealed in which nothing can be a conversion but the score.
        public let sealsEveryBatch: Bool
    }

    /// The sites' rules for custom events.
    public let rules: EventRuleTable
    /// The sites' names and limits, for whoever keeps their clocks.
    public let limits: [(name: String, limits: SiteLimits)]

    /// Calling codes of telephone numbers that are written without one, by site.
    public let callingCodes: [String?]

    /// Hash of what decides about beacons; frozen into each slice.
    public let version: UInt32
    /// How many sites there are.
    public let count: Int

    // Keys are drawn at start: nobody outside can make texts collide, so 128 bits stand for a text.
    private let hashKey = HashKey.random()
    private let entries: [Entry]
    private let keys: HashIndex
    private let origins: HashIndex
    private let parameters: HashIndex
    /// Origins that some site lists, and whether some site takes any.
    private let allOrigins: HashIndex
    private let someAllowsAnyOrigin: Bool

    /// A table of the sites in `settings`, in their order.
    public init(_ settings: HeliographSettings) {
        let sites = settings.sites
        version = settings.version
        count = sites.count
        rules = EventRuleTable(sites)
        limits = sites.map { ($0.name, $0.limits) }
        callingCodes = sites.map(\.callingCode)
        entries = sites.map(Self.entry)
        let hashKey = hashKey
        keys = HashIndex(
            sites.enumerated().flatMap { index, site in
                site.keys.map { (Self.hash($0, site: nil, hashKey), index) }
            }
        )
        origins = HashIndex(
            sites.enumerated().flatMap { index, site in
                site.origins.map { (Self.hash($0, site: index, hashKey), index) }
            }
        )
        allOrigins = HashIndex(
            sites.flatMap { site in site.origins.map { (Self.hash($0, site: nil, hashKey), 0) } }
        )
        someAllowsAnyOrigin = sites.contains { $0.allowsAnyOrigin }
        parameters = HashIndex(
            sites.enumerated().flatMap { index, site in
                site.urlParameters.map { (Self.hash($0, site: index, hashKey), index) }
            }
        )
    }

    private static func entry(_ site: Site) -> Entry {
        Entry(
            name: site.name.shortText,
            consent: site.consent,
            allowsAnyOrigin: site.allowsAnyOrigin,
            countsAutomation: site.automation == .count,
            debug: site.debug,
            seals: !site.destinations.isEmpty && site.sensitivity.allowsAdvertising,
            sealsEveryBatch: site.conversions.contains { $0.trigger == .becameHot }
        )
    }

    /// The site whose public key is `key`; nil when nobody's is.
    public func site(key: ByteView) -> Int? {
        key.count <= Limits.keyBytesMaximum ? keys.find(key.hash128(key: hashKey)) : nil
    }

    /// The site's constants.
    public subscript(site: Int) -> Entry { entries[site] }

    /// The site called `name`. Walks the list: not for the hot path.
    public func site(named name: String) -> Int? {
        entries.firstIndex { $0.name.text == name }
    }

    /// Whether the site takes beacons from `origin`, the value of the request's header.
    public func allows(origin: ByteView, site: Int) -> Bool {
        if entries[site].allowsAnyOrigin { return true }
        guard origin.count <= Limits.originBytesMaximum else { return false }
        return origins.find(Self.hash(origin, site: site, hashKey)) != nil
    }

    /// Whether some site takes beacons from `origin`: all that can be said of a preflight, which has
    /// no key.
    public func allowsSomewhere(origin: ByteView) -> Bool {
        if someAllowsAnyOrigin { return true }
        guard origin.count <= Limits.originBytesMaximum else { return false }
        return allOrigins.find(Self.hash(origin, site: nil, hashKey)) != nil
    }

    /// Whether the site has added `parameter` to the URL parameters that are kept.
    public func keeps(parameter: ByteView, site: Int) -> Bool {
        guard parameters.count > 0, parameter.count <= Limits.nameBytesMaximum else { return false }
        return parameters.find(Self.hash(parameter, site: site, hashKey)) != nil
    }

    /// Texts of a site are told apart from the same texts of another by the site's number, mixed
    /// into the hash.
    private static func hash(_ bytes: ByteView, site: Int?, _ key: HashKey) -> Hash128 {
        let hash = bytes.hash128(key: key)
        guard let site else { return hash }
        return Hash128(low: hash.low, high: hash.high ^ UInt64(site &+ 1))
    }

    private static func hash(_ text: String, site: Int?, _ key: HashKey) -> Hash128 {
        var buffer = ByteBuffer(capacity: 512)
        for byte in text.utf8 { buffer.append(byte) }
        return hash(buffer.view, site: site, key)
    }
}

extension String {
    /// The text in place; checked settings have none that is too long.
    fileprivate var shortText: ShortText {
        var buffer = ByteBuffer(capacity: 64, limit: 512)
        for byte in utf8 { buffer.append(byte) }
        let text = ShortText(buffer.view)
        invariant(text != nil, "a site name longer than a ShortText passed the check")
        return text ?? ShortText()
    }
}

/// From a 128-bit hash to a number, by open addressing in a table at most half full.
struct HashIndex: Sendable {
    private struct Slot {
        var hash = Hash128(low: 0, high: 0)
        var value: Int32 = -1
    }

    private var slots: [Slot]
    let count: Int

    init(_ pairs: [(Hash128, Int)]) {
        var capacity = 8
        while capacity < pairs.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        count = pairs.count
        for (hash, value) in pairs { insert(hash, value) }
    }

    private mutating func insert(_ hash: Hash128, _ value: Int) {
        var index = Int(truncatingIfNeeded: hash.low) & (slots.count - 1)
        while slots[index].value >= 0 && slots[index].hash != hash {
            index = (index + 1) & (slots.count - 1)
        }
        slots[index] = Slot(hash: hash, value: Int32(value))
    }

    func find(_ hash: Hash128) -> Int? {
        var index = Int(truncatingIfNeeded: hash.low) & (slots.count &- 1)
        while slots[index].value >= 0 {
            if slots[index].hash == hash { return Int(slots[index].value) }
            index = (index &+ 1) & (slots.count &- 1)
        }
        return nil
    }
}
