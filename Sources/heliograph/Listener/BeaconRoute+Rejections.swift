import Bytes
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// What a beacon's way tells of what it refuses.
extension BeaconRoute {
    /// Keeps a beacon that takes no effect at all.
    func keep(
        _ refusal: Refusal,
        _ beacon: Beacon?,
        _ body: ByteView,
        _ around: Surroundings
    ) {
        // Its events were kept one by one.
        if around.isReplay || (refusal.problem == .batchEmpty && hasKeptEvents) { return }
        guard let beacon else {
            return rejections.keep(facts(refusal, around), .undecodable(body))
        }
        var facts = facts(refusal, around)
        describe(beacon, around, &facts)
        withSiteName {
            facts.site = $0
            rejections.keep(facts, .body(body))
        }
    }

    /// Keeps one event of a beacon whose others are taken.
    mutating func keepEvent(
        _ fault: Fault,
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) {
        hasKeptEvents = true
        if around.isReplay { return }
        // The place is text that must be made, so the budget is asked first.
        let hasRoom = rejections.canKeep(fault.problem, receivedAt: around.receivedAt)
        let place = hasRoom ? "e[\(fault.index)]" : ""
        var facts = facts(Refusal(fault.problem, at: place), around)
        describe(beacon, around, &facts)
        facts.number = fault.number
        let content = RejectedContent.event(fault.event, of: beacon.events, in: body)
        withSiteName {
            facts.site = $0
            rejections.keep(facts, content)
        }
    }

    private func facts(_ refusal: Refusal, _ around: Surroundings) -> RejectionFacts {
        var facts = RejectionFacts(
            problem: refusal.problem,
            place: refusal.place,
            receivedAt: around.receivedAt
        )
        facts.format = .sdk
        facts.path = ByteView("/v1/e")
        facts.address = around.address
        facts.userAgent = around.facts.userAgent
        // A replay is to be judged by the same origin, so the place names it.
        if refusal.problem == .originNotAllowed,
            rejections.canKeep(refusal.problem, receivedAt: around.receivedAt)
        {
            facts.place = "Origin \(around.origin.text)"
        }
        return facts
    }

    private func describe(
        _ beacon: Beacon,
        _ around: Surroundings,
        _ facts: inout RejectionFacts
    ) {
        facts.key = beacon.key
        facts.window = beacon.window
        facts.device = beacon.device
        facts.user = beacon.user
        // Without a site there is no policy but the one that holds when nothing is set.
        var signals = ConsentSignals()
        signals.said = beacon.consent
        signals.hasPrivacyControl = around.hasPrivacyControl
        signals.asksNotToTrack = around.asksNotToTrack
        ConsentMembers.read(beacon.consentSignals, into: &signals)
        let policy = site.map { sites[$0].consent } ?? ConsentPolicy()
        facts.consent = ConsentDecision.decide(signals, policy).consent
    }

    private func withSiteName(_ body: (ByteView) -> Void) {
        guard let site else { return body(.empty) }
        sites[site].name.withBytes(body)
    }
}
