import Bytes
import Enrichment
import Privacy
import Settings
import Units

/// What a listener knows of senders: their browsers and machines, the places and sources they come
/// from. One for both ways of events, so that each user agent is read once. Owned by one listener.
final class Sender {
    private var enricher: Enricher
    private var source = PageSource()
    /// Takes no context: for batches that only need the verdict.
    private var nothing = ByteBuffer(capacity: 0, limit: 0)
    private var names: CookielessNames

    init(_ edge: Edge, salts: CookielessSalts = CookielessSalts()) {
        names = CookielessNames(salts)
        enricher = Enricher(words: edge.words, key: .random(), geo: edge.geo)
    }

    /// Takes up changed lists; what was remembered under the old ones is forgotten.
    func refresh(_ edge: Edge) {
        if enricher.words !== edge.words { enricher.words = edge.words }
        if enricher.geo !== edge.geo { enricher.geo = edge.geo }
    }

    /// The verdict on a request, and what is known of its sender appended to `context`.
    func judge(_ facts: RequestFacts, into context: inout ByteBuffer) -> EnrichmentVerdict {
        enricher.enrich(facts, into: &context)
    }

    /// The verdict alone.
    func judge(_ facts: RequestFacts) -> EnrichmentVerdict {
        enricher.enrich(facts, into: &nothing)
    }

    /// The verdict on a user agent that a server reports.
    func judge(userAgent: ByteView, into context: inout ByteBuffer) -> EnrichmentVerdict {
        enricher.enrich(userAgent: userAgent, into: &context)
    }

    /// Appends the two letters of the country that an address lies in; nothing when that is unknown.
    func appendCountry(_ address: ByteView, into buffer: inout ByteBuffer) {
        enricher.appendCountry(address, into: &buffer)
    }

    /// Appends the day's name of a visitor who allows nothing to be kept on the device.
    func appendName(
        _ machine: CookielessNames.Machine,
        site: ByteView,
        at now: Int64,
        into buffer: inout ByteBuffer
    ) {
        names.append(machine, site: site, at: now, into: &buffer)
    }

    /// Appends the day's name of a visitor whose id may not be kept.
    func appendName(
        id: ByteView,
        site: ByteView,
        at now: Int64,
        into buffer: inout ByteBuffer
    ) {
        names.append(id: id, site: site, at: now, into: &buffer)
    }

    /// Appends where a page view came from to its properties, an object not yet closed.
    func appendSource(url: ByteView, referrer: ByteView, into properties: inout ByteBuffer) {
        source.append(url: url, referrer: referrer, siteHost: .empty, into: &properties)
    }
}
