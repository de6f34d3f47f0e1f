/// What the heads (`Scoring/Heads.swift`) may be told: the section `heads` of `scoring.yaml`.
public struct HeadRules: Equatable, Sendable {
    /// From which readiness on somebody is which kind of lead.
    public struct Lead: Equatable, Sendable {
        /// Worth a call.
        public var qualified = 60.0
        /// Worth an e-mail.
        public var nurture = 30.0

        /// The defaults.
        public init() {}
    }

    /// What is taken where a file has no such section.
    public static let standard = HeadRules()
    /// The most sites with thresholds of their own.
    public static let sitesMaximum = 256

    /// For every site that has none of its own.
    public var lead = Lead()
    /// By site.
    public var leadOfSite: [String: Lead] = [:]

    /// The defaults.
    public init() {}

    static func read(_ section: YAMLSection) -> HeadRules {
        var rules = HeadRules()
        rules.lead = section.section("lead", readLead)
        guard section.has("sites") else { return rules }
        section.section("sites") { sites in
            if sites.keys.count > sitesMaximum {
                section.problem("sites", "holds more than \(sitesMaximum)")
            }
            for name in sites.keys {
                rules.leadOfSite[name] = sites.section(name) { $0.section("lead", readLead) }
            }
        }
        return rules
    }

    private static func readLead(_ section: YAMLSection) -> Lead {
        var lead = Lead()
        lead.qualified = section.number("qualified", in: 0...100)
        lead.nurture = section.number("nurture", in: 0...100)
        if lead.nurture > lead.qualified {
            section.problem("nurture", "must not be above qualified")
        }
        return lead
    }

    /// The thresholds of a site.
    public func lead(of site: String) -> Lead { leadOfSite[site] ?? lead }
}
