import Admission
import Bytes
import Delivery
import Enrichment
import Intake
import Settings
import Synchronization

/// Everything that decides about a request, as of one reading of the settings. Never changes: a
/// reload makes another one, and a request sees this one or that one as a whole.
final class Edge: Sendable {
    /// A site's limits with the place of its clocks.
    struct SiteRate: BitwiseCopyable {
        let slot: Int32
        let events: Rate
        let eventsPerDay: Int
    }

    let sites: SiteTable
    let addressRate: Rate
    let visitorRate: Rate
    /// Words that tell programs from people.
    let words: AgentWords
    /// Where addresses lie; nil without a database.
    let geo: GeoDatabase?
    /// Finds conversions in records, for the archive.
    let conversions: ConversionFinder
    /// Certificates of the port with TLS; nil when there is none.
    let tls: TLSContext?
    let trustedProxies: [AddressRange]
    /// Tracking links.
    let links: LinkTable
    private let siteRates: [SiteRate]

    init(
        _ settings: HeliographSettings,
        _ lists: EdgeLists,
        _ limiter: RateLimiter,
        tls: TLSContext? = nil
    ) {
        self.tls = tls
        trustedProxies = settings.ingest.edge.trustedProxies
        words = lists.words
        geo = lists.geo
        sites = SiteTable(settings)
        links = LinkTable(settings.sites)
        conversions = ConversionFinder(settings.sites)
        addressRate = Rate(settings.limits.address)
        visitorRate = Rate(settings.limits.visitor)
        siteRates = sites.limits.map { site in
            let slot = limiter.slot(ofSite: site.name)
            return SiteRate(
                slot: Int32(slot ?? 0),
                events: slot == nil ? .unlimited : Rate(site.limits.events),
                eventsPerDay: slot == nil ? 0 : site.limits.eventsPerDay
            )
        }
    }

    func rate(ofSite site: Int) -> SiteRate { siteRates[site] }
}

/// The lists beside the settings file that decide about requests, with the stamps of their files: a
/// reload reads those that have changed.
struct EdgeLists {
    let words: AgentWords
    let geo: GeoDatabase?
    private let settings: HeliographSettings.Enrichment
    private let stamps: [FileStamp]

    /// Reads the lists that `settings` names, or takes them from `old` when their files are the same.
    init(
        _ settings: HeliographSettings.Enrichment,
        unchangedFrom old: EdgeLists? = nil
    ) throws(SettingsError) {
        self.settings = settings
        stamps = Self.stamps(settings)
        if let old, old.stamps == stamps, old.settings == settings {
            (words, geo) = (old.words, old.geo)
            return
        }
        if let file = settings.wordsFile {
            words = try AgentWords.load(path: file)
        } else {
            words = try AgentWords.builtIn()
        }
        if let file = settings.geoFile { geo = try GeoDatabase(path: file) } else { geo = nil }
    }

    static func stamps(_ settings: HeliographSettings.Enrichment) -> [FileStamp] {
        [settings.wordsFile, settings.geoFile].compactMap { $0 }.map { FileStamp($0) }
    }
}

extension Rate {
    init(_ setting: RateSetting) {
        self.init(perSecond: setting.perSecond, burst: setting.burst)
    }
}

/// The edge that is in force, for the listeners to look at before each request.
final class EdgeBoard: Sendable {
    private let generation = Atomic<UInt64>(1)
    private let edge: Mutex<Edge>

    init(_ edge: Edge) { self.edge = Mutex(edge) }

    /// Puts another edge in force.
    func install(_ next: Edge) {
        edge.withLock { $0 = next }
        // Releasing after the edge is there: who sees the number finds the edge.
        generation.add(1, ordering: .releasing)
    }

    /// A listener's copy, and by which number to know that it is outdated.
    struct Copy {
        fileprivate(set) var edge: Edge
        fileprivate var generation: UInt64
    }

    func copy() -> Copy {
        let number = generation.load(ordering: .acquiring)
        return Copy(edge: edge.withLock { $0 }, generation: number)
    }

    /// Brings `copy` up to date; true when it has changed. One load when nothing has.
    func refresh(_ copy: inout Copy) -> Bool {
        guard generation.load(ordering: .acquiring) != copy.generation else { return false }
        copy = self.copy()
        return true
    }
}

extension IngestEdge {
    /// Loads the certificates of the port with TLS; nil when there is no such port.
    func loadCertificates() throws(TLSError) -> TLSContext? {
        guard let tls else { return nil }
        return try TLSContext(tls.certificates)
    }
}
