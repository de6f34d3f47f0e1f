import Admission
import Bytes
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
    private let siteRates: [SiteRate]

    init(_ settings: HeliographSettings, _ limiter: RateLimiter) {
        sites = SiteTable(settings)
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
