/// What a run has made.
struct DemoReport: Encodable {
    let site: String
    /// Whether anything was brought in now.
    let isNew: Bool
    /// Events of the past that are stored.
    var events = 0
    var visitors = 0
    var visits = 0
    var beacons = 0
    var purchases = 0
    /// Events whose visitors agreed to nothing: dropped by the engine.
    var eventsWithoutConsent = 0
    let hub: String

    init(_ site: String, archive events: Int, isNew: Bool, _ addresses: Addresses) {
        (self.site, self.isNew, self.events, hub) = (site, isNew, events, addresses.companion + "/")
    }

    init(_ site: String, history: DemoHistory, _ tally: DemoTally, _ addresses: Addresses) {
        (self.site, isNew, hub) = (site, true, addresses.companion + "/")
        (events, visits, beacons) = (tally.events + tally.known, tally.visits, tally.beacons)
        (visitors, purchases) = (history.visitors, tally.purchases)
        eventsWithoutConsent = tally.refused
    }

    var text: String {
        guard isNew else {
            return """
                the site \(site) has its past already: \(ProgressBar.grouped(events)) events. Nothing was sent.
                Hub: \(hub)
                """
        }
        return """
            The site \(site) has a past: \(ProgressBar.grouped(events)) events of \
            \(ProgressBar.grouped(visits)) visits by \(ProgressBar.grouped(visitors)) visitors, \
            \(ProgressBar.grouped(purchases)) orders.
            \(ProgressBar.grouped(eventsWithoutConsent)) events of people who agreed to nothing were sent \
            and not kept. No destination is told of any of it.
            Hub: \(hub)
            """
    }
}
