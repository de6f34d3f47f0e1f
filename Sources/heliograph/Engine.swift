import Admission
import Bytes
import Companion
import Glibc
import Intake
import Journal
import Logging
import Loop
import Privacy
import Scoring
import Settings
import Storage
import Synchronization
import Telemetry
import Units

/// Why the engine did not start, with what to do about it.
struct StartError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A running engine: stores, pipeline and companion, started in this order and stopped in the other.
final class Engine {
    private let settings: HeliographSettings
    private let reloader: Reloader
    private let sealKeys: SealKeys
    private var dayCounts: DayCounts
    private let dataDirectory: String
    private let folder: DataFolder
    private let log: Logger
    private let metrics = Metrics()
    private let health = EngineHealth()
    private let stores: PrivateStores
    private let limiter = RateLimiter(senders: Limits.rateSendersMaximum)
    private let board: EdgeBoard
    private let salts: CookielessSalts
    private let assets: StaticAssets
    private var pipeline: Pipeline?
    private var companion: CompanionServer?
    private var forwarding: Forwarding?
    private var rollups: Rollups?
    /// Where the engine is to be found; complete once `start` has returned.
    private(set) var addresses = Addresses(
        ingest: "",
        companion: "",
        redis: "",
        postgres: "",
        pid: getpid()
    )

    /// An engine with `settings`, which were read at `path` and are read there again on a reload.
    init(
        settings: HeliographSettings,
        path: String?,
        dataDirectory: String,
        log: Logger
    ) throws(StartError) {
        self.settings = settings
        self.log = log
        self.dataDirectory = Files.absolute(dataDirectory)
        let lists = try Self.lists(settings)
        let tls = try Self.certificates(settings, log)
        board = EdgeBoard(Edge(settings, lists, limiter, tls: tls))
        reloader = Reloader(
            path: path,
            current: settings,
            lists: lists,
            board: board,
            limiter: limiter,
            metrics: metrics,
            log: log
        )
        assets = StaticAssets(directory: settings.sdkDirectory, settings: settings.sdk)
        dayCounts = DayCounts(directory: self.dataDirectory, limiter: limiter)
        folder = try DataFolder(self.dataDirectory)
        sealKeys = SealKeys(data: self.dataDirectory)
        salts = CookielessSaltFile.open(directory: self.dataDirectory) { log.warning("\($0)") }
        stores = PrivateStores(
            dataDirectory: self.dataDirectory,
            wantsRedis: settings.redis.url == nil,
            wantsPostgres: settings.postgres.url == nil
        ) { log.info("\($0)") }
    }

    private static func certificates(
        _ settings: HeliographSettings,
        _ log: Logger
    ) throws(StartError) -> TLSContext? {
        do {
            let context = try settings.ingest.edge.loadCertificates()
            for warning in context?.warnings ?? [] { log.warning("\(warning)") }
            return context
        } catch {
            throw StartError(error.description)
        }
    }

    private static func lists(_ settings: HeliographSettings) throws(StartError) -> EdgeLists {
        do {
            return try EdgeLists(settings.enrichment)
        } catch {
            throw StartError("\(error)")
        }
    }

    // MARK: - Start

    func start() throws(StartError) {
        EngineSignals.block()
        dayCounts.load()
        let scoring = try loadScoring()
        let models = try loadModels(scoring)
        let (redisURL, conninfo) = try startStores()
        let archive = try connectArchive(conninfo)
        let pipeline = try startPipeline(models, redisURL, conninfo, archive)
        self.pipeline = pipeline
        // A file that changed while the engine was away comes in like one that changes now.
        let workers = pipeline.workerCount
        reloader.onScoring = { models.propose($0.model, $0.text, workers: workers) }
        reloader.bringIn(scoring)
        let host = Self.host(settings.ingest.address)
        let secure = pipeline.securePort.map { "https://\(host):\($0)" }
        addresses.ingest = pipeline.port.map { "http://\(host):\($0)" } ?? secure ?? ""
        addresses.ingestTLS = secure
        addresses.redis = redisURL
        addresses.postgres = conninfo
        try waitForErasures(pipeline)
        rollups = Rollups(conninfo: conninfo, sites: settings.sites) { [log] in
            log.warning("\($0)")
        }
        try startForwarding(conninfo)
        try startCompanion(models, redisURL, conninfo, pipeline.journalLookup)
        writeAddresses()
    }

    private func loadScoring() throws(StartError) -> ScoringSource {
        do {
            return try ScoringSource(path: settings.scoringFile)
        } catch {
            throw StartError("\(error)")
        }
    }

    /// What scored the past, on disk from the first record on.
    private func loadModels(_ scoring: ScoringSource) throws(StartError) -> ModelTimeline {
        let models = ModelTimeline.stored(in: dataDirectory, scoring.model, scoring.text)
        do { try models.save() } catch { throw StartError("\(error)") }
        return models
    }

    private func startStores() throws(StartError) -> (redis: String, conninfo: String) {
        do {
            let (redis, conninfo) = try stores.start()
            return (
                redis ?? settings.redis.url?.expose { $0 } ?? "",
                conninfo ?? settings.postgres.url?.expose { $0 } ?? ""
            )
        } catch {
            throw StartError(error.description)
        }
    }

    /// PostgreSQL's positions must be known before the journal numbers a record, so the start waits
    /// for it a while.
    private func connectArchive(_ conninfo: String) throws(StartError) -> ArchiveWriter {
        let isPrivate = settings.postgres.url == nil
        let archive = ArchiveWriter(
            conninfo: conninfo,
            // Rows may come a moment later, scores may not. Questions have other connections.
            onConnected: { server in
                if isPrivate { ProcessorShare.lower(sessionOf: server, to: ProcessorShare.ofRows) }
            },
            onProblem: { [log] in log.warning("postgres: \($0)") }
        )
        let deadline = Pause.monotonicMilliseconds() + 60_000
        while true {
            do {
                try archive.connect()
                return archive
            } catch {
                guard Pause.monotonicMilliseconds() < deadline else {
                    stores.stop(deadlineMilliseconds: 5_000)
                    throw StartError(
                        """
                        PostgreSQL cannot be reached: \(error)
                          Check postgres.url in the configuration, or remove it to run a private one.
                        """
                    )
                }
                log.warning("waiting for PostgreSQL: \(error)")
                Pause.milliseconds(1_000)
            }
        }
    }

    private func startPipeline(
        _ models: ModelTimeline,
        _ redisURL: String,
        _ conninfo: String,
        _ archive: ArchiveWriter
    ) throws(StartError) -> Pipeline {
        guard let redis = Storage.RedisAddress(url: redisURL) else {
            throw StartError("redis.url is neither unix:///path nor redis://host:port")
        }
        if !assets.hasScript {
            log.warning("no hg.js in \(settings.sdkDirectory): build it with sdk-js/build")
        }
        let (log, health) = (log, health)
        let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let parts = Pipeline.Parts(
            settings: settings,
            models: models,
            board: board,
            limiter: limiter,
            assets: assets,
            redis: redis,
            archive: archive,
            journalDirectory: dataDirectory + "/journal",
            checkpointDirectory: dataDirectory + "/checkpoints",
            limits: settings.journalLimits,
            disk: .real,
            metrics: metrics,
            health: health,
            time: .real,
            connectionsMaximum: connectionsMaximum(cores: cores),
            replayGate: ReplayGate(token: try ReplayToken.make(in: dataDirectory)),
            tracesPositions: getenv("HELIOGRAPH_TRACE_POSITIONS") != nil,
            pseudonymSecret: try PseudonymSecret.load(directory: dataDirectory),
            sealKeys: sealKeys,
            salts: salts,
            rights: try RightsParts(
                data: dataDirectory,
                conninfo: conninfo,
                redisURL: redisURL,
                retention: RowRetention(settings.retention)
            ),
            onProblem: { log.warning("\($0)") },
            onDiskFailure: { error in
                // What the journal holds is unknown now; only a fresh start can find out.
                log.critical("\(error); the engine stops, nothing more is acknowledged")
                health.startStopping()
                exit(70)
            }
        )
        do {
            let pipeline = Pipeline(parts, cores: cores)
            let report = try pipeline.start()
            log.info(
                "journal: \(report.records) records read in \(report.nanoseconds / 1_000_000) ms"
            )
            for damage in report.damage.first { log.error("journal damage: \(damage)") }
            return pipeline
        } catch {
            stores.stop(deadlineMilliseconds: 5_000)
            throw StartError(StartProblems.describe(error))
        }
    }

    /// What is asked for, or less where the system allows fewer open files: clients must not be able
    /// to take those that the journal and the stores need.
    private func connectionsMaximum(cores: Int) -> Int {
        let wanted = settings.ingest.connectionsMaximum
        let files = OpenFiles.raiseLimit()
        let free = files - min(Limits.filesReserved, files / 2)
        let possible = max(1, free / settings.loopCount(cores: cores))
        if possible < wanted {
            log.warning(
                "connections_maximum is \(possible) instead of \(wanted): raise the limit of open files"
            )
        }
        return min(wanted, possible)
    }

    private func startForwarding(_ conninfo: String) throws(StartError) {
        let made = Forwarding(
            directory: dataDirectory,
            conninfo: Secret(conninfo),
            metrics: metrics,
            log: log
        )
        forwarding = made
        do { try made.look(at: settings.sites) } catch {
            stop()
            throw error
        }
    }

    /// After a restore nobody is shown anything before whoever was erased since is erased again.
    private func waitForErasures(_ pipeline: Pipeline) throws(StartError) {
        let folder = RightsFolder(data: dataDirectory)
        guard folder.isSweepWanted else { return }
        log.info("holding what was restored against the erasure list")
        while folder.isSweepWanted || !folder.isEmpty {
            if EngineSignals.wait(milliseconds: 100) == .stop {
                stop()
                throw StartError("stopped before the erasures after a restore were done")
            }
        }
    }

    private func startCompanion(
        _ models: ModelTimeline,
        _ redisURL: String,
        _ conninfo: String,
        _ journal: JournalLookup
    ) throws(StartError) {
        do {
            let companion = try CompanionServer(
                settings: settings,
                model: { models.latest },
                redisURL: Secret(redisURL),
                postgres: Secret(conninfo),
                journal: journal,
                exports: dataDirectory + "/exports",
                ingestURL: addresses.ingest,
                script: assets.facts,
                owner: try OwnerToken.make(in: dataDirectory),
                metrics: metrics,
                log: log
            )
            let port = try companion.start()
            addresses.companion = "http://\(Self.host(settings.companion.address)):\(port)"
            self.companion = companion
        } catch {
            stop()
            throw StartError("\(error)")
        }
    }

    /// An address that signs a browser in, soon and once. The code is behind the `#`, so that it reaches no
    /// log and no proxy.
    var welcomeAddress: String {
        companion.map { "\(addresses.companion)/welcome#\($0.makeWelcomeCode())" } ?? ""
    }

    private func writeAddresses() {
        do {
            try addresses.write(to: dataDirectory)
        } catch {
            log.warning("addresses.json could not be written: \(error)")
        }
    }

    private static func host(_ address: String) -> String {
        switch address {
        case "0.0.0.0", "::": return "127.0.0.1"
        case let text where text.contains(":"): return "[\(text)]"
        default: return address
        }
    }

    // MARK: - Run and stop

    /// Waits for a signal, looking after settings and private stores meanwhile; then stops everything.
    func runUntilStopped() -> Int32 {
        var lookedAt = Pause.monotonicMilliseconds()
        while true {
            switch EngineSignals.wait(milliseconds: 1_000) {
            case .stop: return concludeRun()
            case .reload: reloader.reload()
            case .none: break
            }
            guard Pause.monotonicMilliseconds() - lookedAt >= 1_000 else { continue }
            lookedAt = Pause.monotonicMilliseconds()
            lookAround()
        }
    }

    /// Once a second.
    private func lookAround() {
        reloader.tick()
        lookAfterForwarding()
        dayCounts.tick()
        sealKeys.tick()
        salts.renew()
        for line in stores.superviseTick() { log.warning("\(line)") }
    }

    private func lookAfterForwarding() {
        do { try forwarding?.look(at: reloader.sites) } catch { log.error("\(error.description)") }
    }

    private func concludeRun() -> Int32 {
        log.info("stopping: finishing what was accepted")
        EngineSignals.endAtOnceNextTime()
        stop()
        dayCounts.save()
        log.info("stopped")
        return 0
    }

    private func stop() {
        let begun = Pause.monotonicMilliseconds()
        forwarding?.beginStop()
        rollups?.beginStop()
        companion?.stop()
        pipeline?.stop()
        forwarding?.join()
        rollups?.join()
        let passed = Pause.monotonicMilliseconds() - begun
        // What is left of the time that stopping may take, less a moment for killing them and for the
        // end of the process.
        let left = Int64(Limits.drainDeadlineMilliseconds) - 1_500 - passed
        stores.stop(deadlineMilliseconds: max(1_000, left))
        Addresses.remove(from: dataDirectory)
        ReplayToken.remove(from: dataDirectory)
        OwnerToken.remove(from: dataDirectory)
    }
}

/// What operators read when the pipeline could not start.
enum StartProblems {
    static func describe(_ error: any Error) -> String {
        guard let listen = error as? ListenError else { return "\(error)" }
        switch listen {
        case .badAddress(let address):
            return "ingest.address is \"\(address)\", which is no IP address"
        case .bindFailed(let address, let port, let code):
            let reason = String(cString: strerror(code))
            return """
                cannot listen at \(address):\(port): \(reason)
                  Is another engine running? Set ingest.port to another port, or to 0 for any free one.
                """
        }
    }
}

/// How many files this process may have open.
enum OpenFiles {
    /// Raises the limit as far as the system lets us, and returns it.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}

/// Signals are taken by the main thread alone, synchronously, so no handler runs at odd moments.
enum EngineSignals {
    /// To be called before any other thread exists: threads inherit the mask.
    static func block() {
        var set = Self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// `SI_KERNEL` of sigaction(2).
    private static let fromKernel: Int32 = 0x80

    /// What a signal asks for.
    enum Request {
        case stop, reload
    }

    /// The signal that arrived within the time, if one did.
    static func wait(milliseconds: Int) -> Request? {
        var set = Self.set
        var timeout = timespec(
            tv_sec: milliseconds / 1_000,
            tv_nsec: milliseconds % 1_000 * 1_000_000
        )
        var info = siginfo_t()
        let signal = sigtimedwait(&set, &info, &timeout)
        // From the kernel the signal says that the terminal is gone, as it does to any program.
        if signal == SIGHUP, info.si_code != Self.fromKernel { return .reload }
        return signal > 0 ? .stop : nil
    }

    /// From now on a signal ends the process: the operator does not want to wait. Everything that was
    /// acknowledged is in the journal.
    static func endAtOnceNextTime() {
        var set = Self.set
        signal(SIGHUP, SIG_IGN)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGHUP)
        return set
    }
}
