import ArgumentParser
import Foundation
import Settings
import Storage
import Telemetry
import Units

/// `heliograph demo seed`
struct DemoSeedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seed",
        abstract: "Bring a believable past into a running engine.",
        discussion: """
            Visits to the demo shop: campaigns and referrers, weekdays and hours, seven kinds of buyers, \
            returning visitors, carts, forms and orders, a campaign that brings many, a release that broke \
            the form, people on two devices, programs, people who agreed to nothing. It goes through the \
            engine as beacons do, and scores and profiles are what the engine makes of it.

            Only this machine's owner can write the past: the engine believes the time that a request \
            names when it comes with the token of the data folder, at most \(Limits.demoDaysMaximum) days \
            back. What comes so is marked, and no destination is ever told of it.

            The same --seed, --days and --visitors make the same people and ids. A site is seeded once; a run \
            that was cut short is taken up by the next. A site that visitors have come to by themselves is \
            refused, unless its name says that it is a demo: demo, demo-…
            """
    )

    @OptionGroup var place: EnginePlace

    @Option(help: "The site that gets a past.")
    var site = "demo"

    @Option(help: "What chance begins with.")
    var seed: UInt64 = 1

    @Option(help: "Days of history, 1 to \(Limits.demoDaysMaximum).")
    var days = Limits.demoDaysDefault

    @Option(help: "Visitors, \(Limits.demoVisitorsMinimum) to \(Limits.demoVisitorsMaximum).")
    var visitors = Limits.demoVisitorsDefault

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard (1...Limits.demoDaysMaximum).contains(days) else {
            throw ValidationError("--days takes 1 to \(Limits.demoDaysMaximum)")
        }
        guard (Limits.demoVisitorsMinimum...Limits.demoVisitorsMaximum).contains(visitors) else {
            throw ValidationError(
                "--visitors takes \(Limits.demoVisitorsMinimum) to \(Limits.demoVisitorsMaximum)"
            )
        }
    }

    func run() throws {
        do {
            let addresses = try RunningEngine.addresses(place.data)
            let archive = try HistoryArchive(conninfo: addresses.postgres)
            let stored = try settledEvents(archive, addresses)
            guard let mark = try mark(archive, stored) else {
                return show(DemoReport(site, archive: stored, isNew: false, addresses))
            }
            try show(bringIn(mark, archive, stored, addresses))
        } catch let error as CommandError {
            Console.fail(error.description, status: 1)
        } catch let error as ArchiveError {
            Console.fail("PostgreSQL cannot be asked: \(error)", status: 1)
        } catch let error as FileProblem {
            Console.fail("\(error)", status: 1)
        }
    }

    // MARK: - May it be

    /// Stored events of the site's past, once no more are on their way from a run before.
    private func settledEvents(
        _ archive: HistoryArchive,
        _ addresses: Addresses
    ) throws -> Int {
        var count = try archive.events(site: site)
        let isUnfinished = DemoMark.read(place.data, site).map { !$0.isWhole } ?? false
        guard isUnfinished else { return count }
        for _ in 0..<Limits.demoStoreSeconds {
            Thread.sleep(forTimeInterval: 1)
            let next = try archive.events(site: site)
            let behind = try RunningEngine.metric("heliograph_postgres_lag_records", addresses)
            if next == count, behind == 0 { break }
            count = next
        }
        return count
    }

    /// What is to be made, or taken up; nil when the past is there already.
    private func mark(_ archive: HistoryArchive, _ stored: Int) throws -> DemoMark? {
        if let mark = DemoMark.read(place.data, site), !mark.isWhole {
            Console.note("an earlier run was cut short; it is taken up as it was begun")
            return mark
        }
        if stored > 0 { return nil }
        if !isDemo, try archive.hasLiveEvents(site: site) {
            throw CommandError(
                """
                visitors have come to the site \(site) by themselves: it gets no made-up past
                  Add a site for it with `heliograph site add demo-shop --origin '*'`, and name it with --site.
                """
            )
        }
        return DemoMark(seed: seed, days: days, visitors: visitors, end: Moment.now)
    }

    private var isDemo: Bool { site == "demo" || site.hasPrefix("demo-") }

    private func key() throws(CommandError) -> String {
        let settings: HeliographSettings
        do {
            settings = try HeliographSettings.load(path: place.config)
        } catch {
            throw CommandError("\(error)")
        }
        guard let found = settings.sites.first(where: { $0.name == site }),
            let key = found.keys.first
        else {
            throw CommandError(
                """
                there is no site \(site) in the configuration
                  Name the engine's configuration with --config, or add the site with `heliograph site add`.
                """
            )
        }
        return key
    }

    // MARK: - Bring it in

    private func bringIn(
        _ mark: DemoMark,
        _ archive: HistoryArchive,
        _ stored: Int,
        _ addresses: Addresses
    ) throws -> DemoReport {
        guard let token = ReplayToken.read(from: place.data) else {
            throw CommandError(
                "\(ReplayToken.path(place.data)) cannot be read: run as the engine's user"
            )
        }
        let history = DemoHistory(mark, key: try key())
        let known = stored == 0 ? [] : try knownEvents(archive)
        try mark.write(place.data, site)
        let sender = try DemoSender(
            history,
            ingest: addresses.ingest,
            token: token,
            known: known
        )
        var bar = ProgressBar(isSilent: json)
        bar.begin("history", unit: "visits", total: history.plans.count)
        let tally = try sender.send { bar.update($0) }
        bar.end(tally.visits)
        try waitForRows(archive, tally.events + tally.known)
        var whole = mark
        whole.isWhole = true
        try whole.write(place.data, site)
        return DemoReport(site, history: history, tally, addresses)
    }

    private func knownEvents(_ archive: HistoryArchive) throws -> Set<DemoEventID> {
        Set(
            try archive.storedEvents(site: site)
                .map { DemoEventID(window: $0.window, number: $0.number) }
        )
    }

    /// Every event is on disk already; whoever opens the Hub now is to see them all.
    private func waitForRows(_ archive: HistoryArchive, _ events: Int) throws {
        var bar = ProgressBar(isSilent: json)
        bar.begin("stored", unit: "events", total: events)
        var (last, quietSince) = (-1, Pause.monotonicMilliseconds())
        while true {
            let stored = try archive.events(site: site)
            bar.update(stored)
            if stored >= events { return bar.end(stored) }
            let now = Pause.monotonicMilliseconds()
            if stored != last { (last, quietSince) = (stored, now) }
            if now - quietSince > Int64(Limits.demoStoreSeconds) * 1_000 {
                throw CommandError(
                    "PostgreSQL has \(stored) of \(events) events and does not move; see the engine's log"
                )
            }
            // Counting reads every row of the past: not so often that it holds up who writes them.
            Thread.sleep(forTimeInterval: 1)
        }
    }

    private func show(_ report: DemoReport) {
        Console.line(json ? report.jsonText : report.text)
    }
}
