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
    private let eventRoutes: EventRoutes
    private let deliveryRoutes: DeliveryRoutes
    private let log: Logger
    private let counters: CompanionCounters
    private let lifecycle = CompanionLifecycle()

    /// A server for the sites of `settings`, whose scores are read by what `model` says is in force.
    /// `ingestURL` is where browsers reach the ingest port; `journal` is nil where there is none on this
    /// machine.
    public convenience init(
        settings: HeliographSettings,
        model: @escaping @Sendable () -> ScoringModel,
        redisURL: Secret,
        postgres: Secret,
        journal: (any JournalSearch)?,
        ingestURL: String,
        script: ScriptFacts,
        metrics: Metrics,
        log: Logger,
        time: TimeSource = .real
    ) throws(StartError) {
        try self.init(
            settings: settings,
            redisURL: redisURL,
            postgres: postgres,
            journal: journal,
            ingestURL: ingestURL,
            script: script,
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
        ingestURL: String,
        script: ScriptFacts = ScriptFacts(),
        metrics: Metrics,
        log: Logger,
        time: TimeSource,
        scorer: @escaping StateScorer,
        model: @escaping @Sendable () -> ScoringModel
    ) throws(StartError) {
        guard let address = redisURL.expose({ RedisAddress($0) }) else { throw .redisURL }
        self.settings = settings
        self.log = log
        pages = try Self.pages(settings, ingestURL, log)
        counters = CompanionCounters(metrics)
        let sites = settings.sites.map(\.name)
        let keys = LiveKeys(prefix: settings.redis.keyPrefix, sites: sites)
        let wakeup = Wakeup()
        hub = LiveHub(
            siteCount: sites.count,
            epoch: String(UInt32.random(in: .min ... .max), radix: 36),
            interestChanged: { wakeup.signal() }
        )
        readers = RedisReaders(address)
        archive = ArchiveReaders(postgres)
        listener = LiveListener(
            address,
            channels: sites.indices.map { keys.live(site: $0) },
            hub: hub,
            wakeup: wakeup,
            time: time
        )
        let reader = VisitorReader(
            redis: readers,
            hub: hub,
            keys: keys,
            scorer: scorer,
            time: time
        )
        let parameters = RequestParameters(sites: sites)
        let minutes = MinuteReader(redis: readers, keys: keys, time: time)
        installRoute = Self.installPage(settings, ingestURL, script).map {
            InstallRoute(page: $0, minutes: minutes, parameters: parameters)
        }
        routes = ApiRoutes(
            reader: reader,
            minuteReader: minutes,
            parameters: parameters,
            counters: counters
        )
        whyRoutes = WhyRoutes(
            reader: reader,
            history: HistoryReader(archive: archive, reading: ScoreReading(current: model)),
            parameters: parameters
        )
        eventRoutes = EventRoutes(
            tracer: EventTracer(archive: archive, redis: readers, keys: keys, journal: journal),
            rejected: RejectedReader(archive: archive),
            parameters: parameters
        )
        deliveryRoutes = DeliveryRoutes(
            reader: DeliveryReader(archive: archive, sites: settings.sites),
            parameters: parameters
        )
        counters.observe(hub, metrics)
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
            return StaticPages(folder: "/nonexistent", ingest: ingestURL)
        }
        return StaticPages(folder: folder, ingest: ingestURL)
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
        let threads = readers.start() + archive.start() + [listener.start()]
        defer {
            hub.close()
            listener.stop()
            readers.stop()
            archive.stop()
            for thread in threads { thread.join() }
            lifecycle.settle(nil)
        }
        let heart = Task { [hub] in
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(Limits.companionHeartbeatSeconds))
                hub.beat()
            }
        }
        defer { heart.cancel() }
        do {
            try await serve()
        } catch {
            lifecycle.fail("\(error)")
            throw StartError.address("\(error)")
        }
    }

    private func serve() async throws {
        let lifecycle = lifecycle
        let companion = settings.companion
        let application = Application(
            responder: router.buildResponder(),
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

    private var router: Router<CompanionContext> {
        let router = Router(context: CompanionContext.self, options: .autoGenerateHeadEndpoints)
        let hosts = HostRule(address: settings.companion.address)
        if !hosts.isLoopback {
            log.warning("the companion has no sign-in yet, and its address is open to others")
        }
        router.add(middleware: Guard(hosts: hosts, counters: counters, log: log))
        routes.add(to: router)
        whyRoutes.add(to: router)
        eventRoutes.add(to: router)
        deliveryRoutes.add(to: router)
        pages.add(to: router)
        installRoute?.add(to: router)
        return router
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
