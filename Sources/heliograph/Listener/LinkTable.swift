import Bytes
import Settings

/// The tracking links of all sites, as of one reading of the settings.
final class LinkTable: Sendable {
    private let links: [String: TrackingLink]

    init(_ sites: [Site]) {
        let all = sites.flatMap { site in
            site.links.map { ($0.name, TrackingLink($0, site: site.name)) }
        }
        links = Dictionary(all) { first, _ in first }
    }

    /// The link at `path`, such as `/r/spring`; nil when there is none.
    func find(_ path: ByteView) -> TrackingLink? {
        guard path.count <= 3 + Limits.linkNameBytesMaximum else { return nil }
        return links[path[3..<path.count].text]
    }
}

/// Where a tracking link leads. Only the settings say so: of a request nothing is taken over but
/// parameters whose names are listed here, never anything that could name another place.
struct TrackingLink: Sendable {
    let site: String
    let name: String
    /// The target up to its query, the query, and the fragment with its `#`.
    private let front: String
    private let query: String
    private let fragment: String
    /// Parameters that the target, or the link itself, has.
    private let taken: Set<String>

    init(_ settings: LinkSettings, site: String) {
        self.site = site
        name = settings.name
        let hash = settings.target.firstIndex(of: "#") ?? settings.target.endIndex
        fragment = String(settings.target[hash...])
        let whole = settings.target[..<hash]
        let mark = whole.firstIndex(of: "?") ?? whole.endIndex
        front = String(whole[..<mark])
        var pairs = whole[mark...].dropFirst().split(separator: "&").map(String.init)
        var names = Set(pairs.map(Self.name))
        let own = settings.campaign.map { ($0.name, $0.value) } + [("_hgl", settings.name)]
        for (name, value) in own where names.insert(name).inserted {
            pairs.append("\(name)=\(value)")
        }
        query = pairs.joined(separator: "&")
        taken = names
    }

    private static func name(of pair: String) -> String {
        String(pair.prefix { $0 != "=" }).lowercased()
    }

    /// The address to send on to for a request with `query`.
    func location(carrying query: ByteView) -> String {
        var names = taken
        var carried = ""
        for pair in query.text.split(separator: "&") {
            let name = Self.name(of: String(pair))
            let value = pair.dropFirst(name.count + 1)
            guard Self.isCarried(name), Self.isValue(value), names.insert(name).inserted else {
                continue
            }
            carried += "&\(name)=\(value)"
        }
        return "\(front)?\(self.query)\(carried)\(fragment)"
    }

    private static let carriedNames: Set<String> = ["gclid", "fbclid", "msclkid", "_hg"]

    private static func isCarried(_ name: String) -> Bool {
        if carriedNames.contains(name) { return true }
        let rest = name.dropFirst(4)
        return name.hasPrefix("utm_") && (1...20).contains(rest.utf8.count)
            && rest.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
    }

    /// What needs no escape in a query, escapes and `+`: nothing that ends it.
    private static func isValue(_ value: Substring) -> Bool {
        (1...Limits.linkValueBytesMaximum).contains(value.utf8.count)
            && value.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122, 37, 43, 45, 46, 95, 126: return true
                default: return false
                }
            }
    }
}
