import Dispatch
import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import Loop
import NIOCore
public import Scoring
public import Settings
import Synchronization
public import Telemetry
public import Units

/// The port that people and dashboards come to: pages, the read API and the live stream.
public final class CompanionServer: Sendable {
    /// Why the server could not start.
    public enum StartError: Error, CustomStringConvertible {
        /// The Redis URL cannot be read.
        case redisURL
        /// The configured folder of pages does not exist.
        case pages(String)
        /// The address could not be listened at.
        case address(String)

        /// What is wrong and what would help.
        public var description: String {
            switch self {
            case .redisURL: return "companion: the URL of Redis cannot be read"
            case .pages(let folder): return "companion: there is no folder of pages at \(folder)"
            case .address(let reason): return "companion: cannot listen: \(reason)"
            }
        }
    }

    private let settings: HeliographSettings
    private let pages: StaticPages
    /// Nil where there are no pages.
    private let installRoute: InstallRoute?
    private let readers: RedisReaders
    private let archive: ArchiveReaders
    private let listener: LiveListener
    private let hub: LiveHub
    private let routes: ApiRoutes
    private let whyRoutes: WhyRoutes
    private let scoringRoutes: ScoringRoutes
    private let eventRoutes: EventRoutes
    private let deliveryRoutes: DeliveryRoutes
    private let queryRoutes: QueryRoutes
    private let insightRoutes: InsightRoutes
    private let attentionRoutes: AttentionRoutes
    private let exportDesk: ExportDesk
    private let exportRoutes: ExportRoutes
    private let accessRoutes: AccessRoutes
    private let parameters: RequestParameters
    private let gate: Gate
    private let audit: AuditLog
    /// The one thread that writes, see `AccessArchive`.
    private let writers: ArchiveReaders
    private let log: Logger
    private let counters: CompanionCounters
    private let lifecycle = CompanionLifecycle()

    /// A server for the sites of `settings`, whose scores are read by what `model` says is in force.
    /// `ingestURL` is where browsers reach the ingest port; `journal` is nil where there is none on this
    /// machine, `exports` the folder that files are kept in. `owner` opens everything; it is for whoever runs the engine.
    public convenience init(
        settings: HeliographSettings,
        model: @escaping @Sendable () -> ScoringModel,
        redisURL: Secret,
        postgres: Secret,
        journal: (any JournalSearch)?,
        exports: String,
        ingestURL: String,
        script: ScriptFacts,
        owner: AccessToken,
        metrics: Metrics,
        log: Logger,
        time: TimeSource = .real
    ) throws(StartError) {
        try self.init(
            settings: settings,
            redisURL: redisURL,
            postgres: postgres,
            journal: journal,
            exports: exports,
            ingestURL: ingestURL,
            script: script,
            owner: owner,
            metrics: metrics,
            log: log,
            time: time,
            scorer: ScoreReading(current: model).scorer,
            model: model
        )
    }

    init(
        settings: HeliographSettings,
        redisURL: Secret,
        postgres: Secret = Secret(""),
        journal: (any JournalSearch)? = nil,
        exports: String,
        ingestURL: String,
        script: ScriptFacts = ScriptFacts(),
        owner: AccessToken,
        metrics: Metrics,
        log: Logger,
        time: TimeSource,
        scorer: @escaping StateScorer,
        model: @escaping @Sendable () -> ScoringModel
    ) throws(StartError) {
        guard let address = redisURL.expose({ RedisAddress($0) }) else { throw .redisURL }
        (self.settings, self.log) = (settings, log)
        pages = try Self.pages(settings, ingestURL, log)
        counters = CompanionCounters(metrics)
        let sites = settings.sites.map(\.name)
        let keys = LiveKeys(prefix: settings.redis.keyPrefix, sites: sites)
        let wakeup = Wakeup()
        hub = Self.hub(siteCount: sites.count, wakeup)
        readers = RedisReaders(address)
        archive = ArchiveReaders(postgres)
        listener = Self.listener(address, keys, hub, wakeup, time)
        let reader = VisitorReader(redis: readers, hub: hub, keys: keys, scorer: scorer, time: time)
        parameters = RequestParameters(sites: sites)
        writers = ArchiveReaders(postgres, .writes)
        audit = AuditLog(writers, time: time, log: log)
        let accessArchive = AccessArchive(writers: writers)
        gate = Gate(archive: accessArchive, owner: owner, time: time)
        accessRoutes = AccessRoutes(gate: gate, archive: accessArchive, time: time)
        let minutes = MinuteReader(redis: readers, keys: keys, time: time)
        installRoute = Self.installPage(settings, ingestURL, script).map { [parameters, gate] in
            InstallRoute(page: $0, minutes: minutes, parameters: parameters, gate: gate)
        }
        routes = ApiRoutes(
            reader: reader,
            minuteReader: minutes,
            sites: settings.sites,
            counters: counters
        )
        let reading = ScoreReading(current: model)
        scoringRoutes = ScoringRoutes(reading: reading)
        whyRoutes = WhyRoutes(
            reader: reader,
            history: HistoryReader(archive: archive, reading: reading),
            timeline: TimelineReader(archive: archive),
            links: LinkReader(archive: archive)
        )
        eventRoutes = EventRoutes(
            tracer: EventTracer(archive: archive, redis: readers, keys: keys, journal: journal),
            rejected: RejectedReader(archive: archive)
        )
        let deliveries = DeliveryReader(archive: archive, sites: settings.sites)
        deliveryRoutes = DeliveryRoutes(reader: deliveries)
        queryRoutes = QueryRoutes(
            archive: archive,
            journal: journal,
            sites: settings.sites,
            time: time
        )
        insightRoutes = InsightRoutes(queryRoutes, writers: writers)
        attentionRoutes = AttentionRoutes(queryRoutes, reader, deliveries.pixels, writers: writers)
        exportDesk = ExportDesk(folder: exports, postgres, time: time, log: log)
        exportRoutes = ExportRoutes(exportDesk, queryRoutes, writers: writers)
        counters.observe(hub, metrics)
    }

    /// A hub of its own epoch: a reader that comes back to another is told everything anew.
    private static func hub(siteCount: Int, _ wakeup: Wakeup) -> LiveHub {
        LiveHub(
            siteCount: siteCount,
            epoch: String(UInt32.random(in: .min ... .max), radix: 36),
            interestChanged: { wakeup.signal() }
        )
    }

    private static func listener(
        _ address: RedisAddress,
        _ keys: LiveKeys,
        _ hub: LiveHub,
        _ wakeup: Wakeup,
        _ time: TimeSource
    ) -> LiveListener {
        LiveListener(
            address,
            channels: keys.sites.indices.map { keys.live(site: $0) },
            hub: hub,
            wakeup: wakeup,
            time: time
        )
    }

    private static func installPage(
        _ settings: HeliographSettings,
        _ ingestURL: String,
        _ script: ScriptFacts
    ) -> InstallPage? {
        InstallPage(
            folder: PagesFolder.find(configured: settings.companion.pages) ?? "",
            ingest: ingestURL,
            sites: settings.sites,
            script: script,
            sdkDirectory: settings.sdkDirectory
        )
    }

    private static func pages(
        _ settings: HeliographSettings,
        _ ingestURL: String,
        _ log: Logger
    ) throws(StartError) -> StaticPages {
        let configured = settings.companion.pages
        guard let folder = PagesFolder.find(configured: configured) else {
            if let configured { throw .pages(configured) }
            log.warning("no pages found: the API answers, / does not")
            return StaticPages(folder: "", hub: settings.companion.hub, ingest: ingestURL)
        }
        let pages = StaticPages(folder: folder, hub: settings.companion.hub, ingest: ingestURL)
        if !pages.hasHub {
            log.warning(
                "no Hub in \(settings.companion.hub): build it with Sources/Companion/Hub/build"
            )
        }
        return pages
    }

    // MARK: - Life

    /// The hub, so that tests can look at its readers.
    var hubForTests: LiveHub { hub }

    /// The port that is listened at; nil before and after.
    public var port: Int? { lifecycle.port }

    /// Starts the server and waits until it listens. Returns the port. Must not be called from a
    /// task, whose thread it would block.
    public func start() throws(StartError) -> Int {
        let isSettled = DispatchSemaphore(value: 0)
        lifecycle.whenSettled { isSettled.signal() }
        Task.detached { try? await self.run() }
        isSettled.wait()
        if let port = lifecycle.port { return port }
        throw .address(lifecycle.failure ?? "stopped at once")
    }

    /// Runs until `stop`, and ends when every request in progress has been answered.
    public func run() async throws {
        let threads =
            readers.start() + archive.start() + writers.start() + exportDesk.start()
            + [listener.start()]
        defer {
            exportDesk.stop()
            hub.close()
            listener.stop()
            readers.stop()
            archive.stop()
            writers.stop()
            for thread in threads { thread.join() }
            lifecycle.settle(nil)
        }
        let heart = Task { [hub] in
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(Limits.companionHeartbeatSeconds))
                hub.beat()
            }
        }
        let clerk = Task { [audit, exportDesk, log] in
            try await Self.keepAudit(audit, AccessArchive(writers: writers), exportDesk, log)
        }
        defer { for task in [heart, clerk] { task.cancel() } }
        do {
            try await serve()
            await audit.flush()
        } catch {
            lifecycle.fail("\(error)")
            throw StartError.address("\(error)")
        }
    }

    /// Stores who read what, every second, and takes away what is too old: files every minute, lines of
    /// the audit log every hour.
    private static func keepAudit(
        _ audit: AuditLog,
        _ archive: AccessArchive,
        _ exports: ExportDesk,
        _ log: Logger
    ) async throws {
        for second in 1... {
            try await Task.sleep(for: .seconds(1))
            await audit.flush()
            do {
                if second % 60 == 0 { try await exports.sweep() }
                if second % 3_600 == 0 { try await archive.trim() }
            } catch {
                log.debug("what is too old was not taken away", metadata: ["error": "\(error)"])
            }
        }
    }

    /// What opens one browser's session, soon and once: for the address that `up` prints.
    public func makeWelcomeCode() -> String { gate.makeWelcomeCode() }

    private func serve() async throws {
        let lifecycle = lifecycle
        let companion = settings.companion
        let application = Application(
            responder: try makeRouter().buildResponder(),
            server: .http1(configuration: Self.connectionSettings),
            configuration: ApplicationConfiguration(
                address: .hostname(companion.address, port: companion.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    Limits.companionConnectionsMaximum
                )
            ),
            onServerRunning: { channel in lifecycle.settle(channel.localAddress?.port) },
            logger: quietLog
        )
        try await lifecycle.run(application, log: quietLog)
    }

    /// Hummingbird tells of its own life at `info`; the program tells that better.
    private var quietLog: Logger {
        var log = log
        log.logLevel = max(log.logLevel, .notice)
        return log
    }

    private static var connectionSettings: HTTP1Channel.Configuration {
        var settings = HTTP1Channel.Configuration(
            idleTimeout: .milliseconds(Int64(Limits.keepAliveIdleMilliseconds))
        )
        settings.httpDecoder = .init(
            maxHeaderFieldSize: Limits.headerLineBytesMaximum,
            maxHeaderListSize: Limits.headerBytesMaximum,
            maxHeaderFieldCount: Limits.headerCountMaximum
        )
        return settings
    }

    private func makeRouter() throws -> Router<CompanionContext> {
        let router = Router(context: CompanionContext.self, options: .autoGenerateHeadEndpoints)
        let hosts = HostRule(
            address: settings.companion.address,
            names: settings.companion.hosts
        )
        router.add(middleware: Guard(hosts: hosts, counters: counters, log: log))
        router.get("/healthz") { _, _ in Self.healthy }
        try addEndpoints(to: router)
        pages.add(to: router, gate)
        installRoute?.add(to: router)
        return router
    }

    private func addEndpoints(to router: Router<CompanionContext>) throws {
        let api = ApiRouter(router, gate: gate, audit: audit, parameters: parameters)
        routes.add(to: api)
        whyRoutes.add(to: api)
        scoringRoutes.add(to: api)
        eventRoutes.add(to: api)
        deliveryRoutes.add(to: api)
        queryRoutes.add(to: api)
        insightRoutes.add(to: api)
        attentionRoutes.add(to: api)
        exportRoutes.add(to: api)
        ProblemPages().add(to: api)
        accessRoutes.add(to: api)
        try OpenAPI.add(to: api)
        api.refuseOtherMethods()
    }

    private static var healthy: Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n"))
        )
    }

    /// Stops taking requests, ends the live streams and lets `run` return. May be called from any
    /// thread, also before `run` and more than once.
    public func stop() {
        hub.close()
        lifecycle.stop()
    }

    /// Stops and waits until everything has ended, at most `deadlineMilliseconds`. Must not be
    /// called from a task.
    public func stop(deadlineMilliseconds: Int) {
        stop()
        lifecycle.waitUntilEnded(milliseconds: deadlineMilliseconds)
    }
}
