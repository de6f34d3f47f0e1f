import Bytes
import Enrichment
import Settings
import Units

/// What a listener knows of senders: their browsers and machines, the places and sources they come
/// from. One for both ways of events, so that each user agent is read once. Owned by one listener.
final class Sender {
    private var enricher: Enricher
    private var source = PageSource()
    /// Takes no context: for batches that only need the verdict.
    private var nothing = ByteBuffer(capacity: 0, limit: 0)

    init(_ edge: Edge) {
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

    /// Appends where a page view came from to its properties, an object not yet closed.
    func appendSource(url: ByteView, referrer: ByteView, into properties: inout ByteBuffer) {
        source.append(url: url, referrer: referrer, siteHost: .empty, into: &properties)
    }
}
