public import Logging
public import Records
public import Telemetry

/// What the operator has decided, checked and complete. A value that never changes, so every thread
/// may read it; a reload makes another one.
public struct HeliographSettings: Sendable {
    /// The port that beacons come to.
    public struct Ingest: Sendable {
        /// IP address to listen at.
        public var address = "127.0.0.1"
        /// Port to listen at; 0 takes any free one.
        public var port = 8600
        /// Listener loops; 0 takes half the cores, at least one.
        public var loops = 0
        /// Connections held at once.
        public var connectionsMaximum = Limits.connectionsDefault
        /// TLS, proxies and what unfinished requests may hold.
        public var edge = IngestEdge()

        /// What a reload cannot change; the rest as if it were not set.
        var fixed: Ingest {
            var fixed = self
            fixed.edge.trustedProxies = []
            fixed.edge.tls?.certificates = []
            return fixed
        }
    }

    /// The port that people and dashboards come to.
    public struct Companion: Sendable {
        /// IP address to listen at.
        public var address = "127.0.0.1"
        /// Port to listen at; 0 takes any free one.
        public var port = 8601
        /// Folder with the pages; nil takes those that were built in.
        public var pages: String?
        /// Folder with the built Hub.
        public var hub = "Sources/Companion/Hub/dist"
        /// Names that people reach it by, beside localhost and addresses written as numbers.
        public var hosts: [String] = []
    }

    /// The live model's store.
    public struct Redis: Sendable {
        /// `unix:///path` or `redis://[:password@]host:port[/db]`; nil runs a private server.
        public var url: Secret?
        /// Put before every key, for a server shared with others.
        public var keyPrefix = ""
    }

    /// The archive's store.
    public struct Postgres: Sendable {
        /// A connection URL or string of libpq; nil runs a private server.
        public var url: Secret?
    }

    /// The durable log.
    public struct Journal: Sendable {
        /// Bytes of disk it may take; beyond, beacons are refused with 503.
        public var diskBudgetBytes = Limits.diskBudgetBytesDefault
        /// Bytes of one file.
        public var segmentBytes = Limits.segmentBytesDefault
    }

    /// What may stay in memory.
    public struct Memory: Sendable {
        /// Mebibytes for visitors' states; those unseen for longest go to files.
        public var visitorsMebibytes = Limits.visitorsMebibytesDefault
    }

    /// How long what is stored stays.
    public struct Retention: Sendable {
        /// Days that rejected events are kept.
        public var rejectedDays = Limits.rejectedDaysDefault
        /// Days that rows of events are kept; whole days go.
        public var eventDays = Limits.eventDaysDefault
        /// Days that sessions, touches and conversions are kept.
        public var sessionDays = Limits.eventDaysMaximum
        /// Days that points of score history are kept.
        public var scoreHistoryDays = Limits.scoreHistoryDaysDefault
        /// Days that settled deliveries are kept.
        public var deliveryDays = Limits.deliveryDaysDefault
    }

    /// What is known of senders beside what they say.
    public struct Enrichment: Sendable, Equatable {
        /// Words of the operator's own that tell programs from people; nil takes those built in.
        public var wordsFile: String?
        /// A MaxMind database (`.mmdb`) with countries or cities; nil leaves places out.
        public var geoFile: String?
    }

    /// What is written to standard error.
    public struct Log: Sendable {
        /// What is quieter is not written.
        public var level = Logger.Level.info
        /// How a line looks.
        public var format = LogFormat.text
    }

    /// See `Ingest`.
    public var ingest = Ingest()
    /// See `Companion`.
    public var companion = Companion()
    /// See `Redis`.
    public var redis = Redis()
    /// See `Postgres`.
    public var postgres = Postgres()
    /// See `Journal`.
    public var journal = Journal()
    /// See `Enrichment`.
    public var enrichment = Enrichment()
    /// See `SenderLimits`.
    public var limits = SenderLimits()
    /// See `Memory`.
    public var memory = Memory()
    /// See `Retention`.
    public var retention = Retention()
    /// Threads that fold; 0 takes half the cores, at least one.
    public var workers = 0
    /// Seconds between checkpoints.
    public var checkpointSeconds = Limits.checkpointSecondsDefault
    /// The scoring file.
    public var scoringFile = "config/scoring.yaml"
    /// Folder with the built SDK.
    public var sdkDirectory = "sdk-js/dist"
    /// See `ScriptSettings`.
    public var sdk = ScriptSettings()
    /// See `Log`.
    public var log = Log()
    /// The sites, in the order of the file.
    public var sites = [Site.demo]

    /// What holds when there is no file: a site `demo` that takes beacons from anywhere.
    public init() {}

    /// The parts that only a restart brings into force and in which `other` differs, by their names in
    /// the file. Passwords are compared, never shown.
    public func fixedParts(differingFrom other: HeliographSettings) -> [String] {
        let pairs = [
            ("ingest", "\(ingest.fixed)", "\(other.ingest.fixed)"),
            ("companion", "\(companion)", "\(other.companion)"),
            ("redis.url", Self.text(redis.url), Self.text(other.redis.url)),
            ("redis.key_prefix", redis.keyPrefix, other.redis.keyPrefix),
            ("postgres.url", Self.text(postgres.url), Self.text(other.postgres.url)),
            ("journal", "\(journal)", "\(other.journal)"),
            ("memory", "\(memory)", "\(other.memory)"),
            ("retention", "\(retention)", "\(other.retention)"),
            ("workers", "\(workers)", "\(other.workers)"),
            ("checkpoint_seconds", "\(checkpointSeconds)", "\(other.checkpointSeconds)"),
            ("scoring.file", scoringFile, other.scoringFile),
            ("sdk.directory", sdkDirectory, other.sdkDirectory),
            ("sdk", "\(sdk)", "\(other.sdk)"),
            ("log", "\(log)", "\(other.log)"),
        ]
        return pairs.filter { $0.1 != $0.2 }.map { $0.0 }
    }

    private static func text(_ secret: Secret?) -> String { secret?.expose { $0 } ?? "" }

    /// Listener loops on a machine with `cores`.
    public func loopCount(cores: Int) -> Int {
        ingest.loops > 0 ? ingest.loops : max(1, min(cores / 2, Limits.loopsMaximum))
    }

    /// Workers on a machine with `cores`.
    public func workerCount(cores: Int) -> Int {
        workers > 0 ? workers : max(1, min(cores / 2, Limits.workersMaximum))
    }
}

/// One tenant.
public struct Site: Sendable, Equatable {
    /// What becomes of automated browsers.
    public enum Automation: String, CaseIterable, Sendable {
        /// They are visitors like others.
        case count
        /// They are folded, but not shown, counted or forwarded.
        case mask
    }

    /// What a whole site is about that its visitors may want to keep to themselves.
    public enum Sensitivity: String, CaseIterable, Sendable {
        case none
        /// No advertisement platform is told anything; others are told of no page but its origin.
        case health
        /// Advertisement platforms are told of page views and leads only, with origins alone.
        case finance
        /// As with health: the visitors are children.
        case minors

        /// Whether advertisement platforms may be told anything at all.
        public var allowsAdvertising: Bool { self == .none || self == .finance }
    }

    /// Name, part of every key in Redis.
    public var name: String
    /// Public write keys.
    public var keys: [String]
    /// Origins that may send beacons; empty when `allowsAnyOrigin`.
    public var origins: [String]
    /// Whether `*` was written out among the origins.
    public var allowsAnyOrigin: Bool
    /// IANA name of the zone that days are counted in.
    public var timeZone = "UTC"
    /// ISO 4217 code of money without a currency of its own.
    public var currency = "EUR"
    /// What becomes of automated browsers.
    public var automation = Automation.mask
    /// What the site has decided about consent.
    public var consent = ConsentPolicy()
    /// URL parameters kept beyond those kept for every site.
    public var urlParameters: [String] = []
    /// Whether refused beacons of this site are answered with more detail.
    public var debug = false
    /// What the site wants of its custom events.
    public var events: [EventRule] = []
    /// Whether custom events without a rule are refused.
    public var refusesUnlistedEvents = false
    /// See `SiteLimits`.
    public var limits = SiteLimits()
    /// What the site's pages are about that nobody may be told.
    public var sensitivity = Sensitivity.none
    /// Calling code of telephone numbers that are written without one, such as `49`; nil leaves such
    /// numbers out of what platforms are told.
    public var callingCode: String?
    /// What is a conversion beside events that every shop calls alike.
    public var conversions: [ConversionRule] = []
    /// Whether events that every shop calls alike, such as `purchase`, are conversions without a rule.
    public var countsUsualConversions = true
    /// Days before a conversion whose touches may share in it.
    public var attributionDays = 30
    /// Outside APIs that are told of conversions.
    public var destinations: [DestinationSettings] = []
    /// See `LinkSettings`.
    public var links: [LinkSettings] = []

    /// A site with the defaults for all that is not given.
    public init(name: String, keys: [String], origins: [String], allowsAnyOrigin: Bool) {
        self.name = name
        self.keys = keys
        self.origins = origins
        self.allowsAnyOrigin = allowsAnyOrigin
    }

    /// The site that exists when there is no file.
    public static var demo: Site {
        var site = Site(name: "demo", keys: ["hg_demo"], origins: [], allowsAnyOrigin: true)
        site.automation = .count
        // Whoever tries the demo comes from one address.
        site.consent.cookieless = .session
        return site
    }
}
