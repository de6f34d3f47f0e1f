public import Bytes
import Units

/// What a site wants of the properties of one of its custom events: a small part of JSON Schema.
public struct EventRule: Sendable, Equatable {
    /// The types that a property may be held to.
    public enum Kind: UInt8, CaseIterable, Sendable {
        case any, string, number, integer, boolean, array, object

        init?(_ name: String) {
            guard let kind = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
            self = kind
        }
    }

    /// What becomes of properties that are not listed.
    public enum Others: String, CaseIterable, Sendable {
        case keep, drop, refuse
    }

    /// Name of the event.
    public var name: String
    /// The listed properties and their types.
    public var properties: [String: Kind]
    /// Properties without which the event is refused.
    public var required: [String]
    /// See `Others`.
    public var others: Others

    /// For the hash of the settings.
    var canonicalFields: [String] {
        ["rule", name, others.rawValue] + required.sorted()
            + properties.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
    }
}

/// The rules of all sites as the hot path needs them.
public struct EventRuleTable: Sendable {
    /// What a rule says of one property.
    public struct Property: Sendable {
        /// The type it is held to.
        public let kind: EventRule.Kind
        /// Its bit in `Rule.required`; 0 when it may be missing.
        public let requiredBit: UInt64
    }

    /// What a rule says as a whole.
    public struct Rule: Sendable {
        /// The bits of the properties that must be there.
        public let required: UInt64
        /// See `EventRule.Others`.
        public let others: EventRule.Others
    }

    private let hashKey = HashKey.random()
    private var rules: [Rule] = []
    private var properties: [Property] = []
    private let byName: HashIndex
    private let byProperty: HashIndex
    private let siteHasRules: [Bool]
    private let refusesUnlisted: [Bool]

    init(_ sites: [Site]) {
        var (names, members) = ([(Hash128, Int)](), [(Hash128, Int)]())
        for (number, site) in sites.enumerated() {
            for rule in site.events {
                names.append((Self.hash(rule.name, number, hashKey), rules.count))
                for (name, kind) in rule.properties.sorted(by: { $0.key < $1.key }) {
                    members.append((Self.hash(name, rules.count, hashKey), properties.count))
                    properties.append(Self.property(name, kind, rule))
                }
                rules.append(Self.rule(rule))
            }
        }
        byName = HashIndex(names)
        byProperty = HashIndex(members)
        siteHasRules = sites.map { !$0.events.isEmpty }
        refusesUnlisted = sites.map(\.refusesUnlistedEvents)
    }

    private static func property(
        _ name: String,
        _ kind: EventRule.Kind,
        _ rule: EventRule
    ) -> Property {
        let place = rule.required.sorted().firstIndex(of: name)
        return Property(kind: kind, requiredBit: place.map { 1 << UInt64($0) } ?? 0)
    }

    private static func rule(_ rule: EventRule) -> Rule {
        let count = UInt64(rule.required.count)
        return Rule(required: count == 0 ? 0 : ~0 >> (64 - count), others: rule.others)
    }

    private static func hash(_ text: String, _ owner: Int, _ key: HashKey) -> Hash128 {
        var buffer = ByteBuffer(capacity: 128)
        for byte in text.utf8 { buffer.append(byte) }
        return hash(buffer.view, owner, key)
    }

    private static func hash(_ bytes: ByteView, _ owner: Int, _ key: HashKey) -> Hash128 {
        let hash = bytes.hash128(key: key)
        return Hash128(low: hash.low, high: hash.high ^ UInt64(owner &+ 1))
    }

    /// What a site says of its custom event `name`.
    public enum Finding {
        /// Nothing.
        case free
        /// This rule holds.
        case rule(Int)
        /// The site takes listed events only, and this is none.
        case unlisted
    }

    /// The finding for the custom event `name` of `site`.
    public func find(event name: ByteView, site: Int) -> Finding {
        guard siteHasRules[site] || refusesUnlisted[site] else { return .free }
        if let rule = byName.find(Self.hash(name, site, hashKey)) { return .rule(rule) }
        return refusesUnlisted[site] ? .unlisted : .free
    }

    /// The rule numbered `rule`.
    public subscript(rule: Int) -> Rule { rules[rule] }

    /// What the rule says of the property `key`; nil when it is not listed.
    public func property(_ key: ByteView, of rule: Int) -> Property? {
        byProperty.find(Self.hash(key, rule, hashKey)).map { properties[$0] }
    }
}

extension SiteReader {
    static func eventRules(_ section: YAMLSection) -> [EventRule] {
        guard section.has("events") else { return [] }
        let rules = section.sections("events") { eventRule($0) }
        if rules.count > Limits.siteEventRulesMaximum {
            section.problem("events", "may list at most \(Limits.siteEventRulesMaximum)")
        }
        return rules
    }

    private static func eventRule(_ section: YAMLSection) -> EventRule {
        let properties = section.section("properties") { section in
            Dictionary(
                uniqueKeysWithValues: section.keys.map { ($0, kind(of: $0, section)) }
            )
        }
        let required = section.has("required") ? section.texts("required") : []
        for name in required where properties[name] == nil {
            section.problem("required", "names \(name), which is not among the properties")
        }
        if properties.count > Limits.propertyCountMaximum {
            section.problem(
                "properties",
                "may list at most \(Limits.propertyCountMaximum), as many as an event may have"
            )
        }
        return EventRule(
            name: section.text("name", bytesMaximum: Limits.nameBytesMaximum),
            properties: properties,
            required: Array(Set(required)),
            others: section.choice("others", EventRule.Others.self, default: .keep)
        )
    }

    private static func kind(of property: String, _ section: YAMLSection) -> EventRule.Kind {
        let name = section.text(property)
        if let kind = EventRule.Kind(name) { return kind }
        let kinds = EventRule.Kind.allCases.map { "\($0)" }.joined(separator: ", ")
        section.problem(property, "is \(name), must be one of \(kinds)")
        return .any
    }
}
