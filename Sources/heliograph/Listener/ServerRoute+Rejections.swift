import Bytes
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// What a server's request tells of what it refuses.
extension ServerRoute {
    /// Keeps a request that takes no effect at all.
    func keep(
        _ refusal: Refusal,
        _ body: ByteView,
        _ around: Surroundings,
        isDecoded: Bool
    ) -> Refusal {
        if around.isReplay { return refusal }
        var facts = facts(refusal.problem, refusal.place, around)
        facts.consent = isDecoded ? siteConsent : nil
        let isImage = around.request.endpoint.isImage
        withSiteName {
            facts.site = $0
            rejections.keep(
                facts,
                isDecoded && !isImage
                    ? .body(body) : .undecodable(isImage ? around.request.query : body)
            )
        }
        return refusal
    }

    /// Keeps one event of a request; `event` is what could be read of it.
    func keep(
        _ problem: Problem,
        _ event: IncomingEvent?,
        _ item: ByteView,
        _ index: Int,
        _ request: Request
    ) {
        // Who has not agreed to be counted is not written down elsewhere either.
        if request.around.isReplay || problem == .eventWithoutConsent { return }
        // The place is text that must be made, so the budget is asked first.
        let hasRoom = rejections.canKeep(problem, receivedAt: request.around.receivedAt)
        var facts = facts(problem, hasRoom ? "events[\(index)]" : "", request.around)
        facts.consent = siteConsent
        if let event {
            facts.consent = verdict(of: event, request).consent
            facts.messageID = event.messageID
            facts.device = event.anonymousID
            facts.user = event.userID
        }
        withSiteName {
            facts.site = $0
            rejections.keep(facts, content(item, request))
        }
    }

    /// One event and what makes a request of its own of it.
    private func content(_ item: ByteView, _ request: Request) -> RejectedContent {
        if request.around.request.endpoint.isImage {
            return .undecodable(request.around.request.query)
        }
        switch request.batch.layout {
        case .array: return .event(item, of: request.batch.items, in: request.body)
        case .lines: return .event(item, head: .empty, tail: .empty)
        case .single: return .body(request.body)
        }
    }

    private func facts(
        _ problem: Problem,
        _ place: String,
        _ around: Surroundings
    ) -> RejectionFacts {
        var facts = RejectionFacts(problem: problem, place: place, receivedAt: around.receivedAt)
        facts.format = Self.format(around.request.endpoint)
        facts.path = around.path
        facts.key = key.view
        // A server's address is nobody's.
        if around.isFromBrowser {
            facts.address = around.address
            facts.userAgent = around.userAgent
        }
        return facts
    }

    private static func format(_ endpoint: WireEndpoint) -> Rejection.Format {
        if endpoint.isImage { return .pixel }
        return endpoint == .events ? .server : .segment
    }

    /// What is taken when an event does not say; without a site, what holds when nothing is set.
    private var siteConsent: Consent { site.map { sites[$0].consent.fallback } ?? .measurement }

    private func withSiteName(_ body: (ByteView) -> Void) {
        guard let site else { return body(.empty) }
        sites[site].name.withBytes(body)
    }
}
