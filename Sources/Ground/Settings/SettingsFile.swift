import Glibc
import Logging
import Telemetry

extension HeliographSettings {
    /// The file that is read when none is named.
    public static let defaultPath = "config/heliograph.yaml"

    /// Reads and checks the file at `path`, and throws everything that is wrong with it.
    ///
    /// Without a path the default file is read if there is one; if not, the defaults hold. Relative
    /// paths in the file start at the file's folder.
    public static func load(path: String? = nil) throws(SettingsError) -> HeliographSettings {
        if path == nil, unsafe access(defaultPath, F_OK) != 0 { return HeliographSettings() }
        let file = path ?? defaultPath
        return try parse(try SettingsText.read(file), file: file)
    }

    /// Checks `text`, naming `file` in problems.
    public static func parse(
        _ text: String,
        file: String
    ) throws(SettingsError) -> HeliographSettings {
        let folder = SettingsText.folder(of: file)
        return try YAMLReader.read(text, file: file) { top in
            var settings = HeliographSettings()
            settings.readServers(top, file: file, folder)
            settings.readStores(top)
            settings.readEngine(top, folder)
            if top.has("sites") { settings.sites = SiteReader.sites(top, folder) }
            return settings
        }
    }

    private mutating func readServers(
        _ top: YAMLSection,
        file: String,
        _ folder: String
    ) {
        ingest = top.section("ingest") { section in
            var ingest = Ingest()
            ingest.address = section.address(default: ingest.address)
            ingest.port = section.integer("port", in: 0...65_535, default: ingest.port)
            ingest.loops = section.integer(
                "loops",
                in: 0...Limits.loopsMaximum,
                default: ingest.loops
            )
            ingest.connectionsMaximum = section.integer(
                "connections_maximum",
                in: 1...Limits.connectionsMaximum,
                default: ingest.connectionsMaximum
            )
            ingest.edge = IngestEdge(section, file: file, folder: folder)
            return ingest
        }
        companion = top.section("companion") { section in
            var companion = Companion()
            companion.address = section.address(default: companion.address)
            companion.port = section.integer("port", in: 0...65_535, default: companion.port)
            companion.pages = section.optionalPath("pages", folder)
            companion.hub = section.optionalPath("hub", folder) ?? companion.hub
            companion.hosts = section.texts("hosts", bytesMaximum: Limits.hostBytesMaximum)
            return companion
        }
        if ingest.port != 0 && ingest.port == companion.port && top.has("companion") {
            top.problem("companion", "has the port of ingest, \(ingest.port); give it its own")
        }
    }

    private mutating func readStores(_ top: YAMLSection) {
        redis = top.section("redis") { section in
            var redis = Redis()
            redis.url = section.secret("url")
            if let problem = redis.url?.expose({ RedisAddress.problem(with: $0) }) {
                section.problem("url", problem)
            }
            redis.keyPrefix = section.text("key_prefix", bytesMaximum: 32, default: "")
            if !redis.keyPrefix.utf8.allSatisfy(Characters.isKeyPrefix) {
                section.problem("key_prefix", "may hold letters, digits and : . _ - only")
            }
            return redis
        }
        postgres = top.section("postgres") { section in
            let url = section.secret("url")
            if url?.expose({ Self.isConnection($0) }) == false {
                section.problem(
                    "url",
                    "must be postgresql://user@host/database or a libpq connection string"
                )
            }
            return Postgres(url: url)
        }
    }

    private static func isConnection(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") || text.contains("=")
    }

    private mutating func readEngine(_ top: YAMLSection, _ folder: String) {
        journal = top.section("journal", Self.readJournal)
        limits = top.section("limits") { SenderLimits($0) }
        enrichment = top.section("enrichment") { section in
            Enrichment(
                wordsFile: section.optionalPath("words", folder),
                geoFile: section.optionalPath("geo", folder)
            )
        }
        memory = top.section("memory") { section in
            var memory = Memory()
            memory.visitorsMebibytes = section.integer(
                "visitors_mib",
                in: Limits.visitorsMebibytesMinimum...Limits.visitorsMebibytesMaximum,
                default: memory.visitorsMebibytes
            )
            return memory
        }
        retention = top.section("retention") { section in
            var retention = Retention()
            retention.rejectedDays = section.integer(
                "rejected_days",
                in: 1...Limits.rejectedDaysMaximum,
                default: retention.rejectedDays
            )
            retention.eventDays = section.integer(
                "event_days",
                in: 1...Limits.eventDaysMaximum,
                default: retention.eventDays
            )
            retention.sessionDays = section.integer(
                "session_days",
                in: 1...Limits.eventDaysMaximum,
                default: retention.sessionDays
            )
            retention.scoreHistoryDays = section.integer(
                "score_history_days",
                in: 1...Limits.historyDaysMaximum,
                default: retention.scoreHistoryDays
            )
            retention.deliveryDays = section.integer(
                "delivery_days",
                in: 1...Limits.historyDaysMaximum,
                default: retention.deliveryDays
            )
            return retention
        }
        workers = top.integer("workers", in: 0...Limits.workersMaximum, default: workers)
        checkpointSeconds = top.integer(
            "checkpoint_seconds",
            in: Limits.checkpointSecondsMinimum...Limits.checkpointSecondsMaximum,
            default: checkpointSeconds
        )
        if let file = top.section("scoring", { $0.optionalPath("file", folder) }) {
            scoringFile = file
        }
        let (directory, files) = top.section("sdk") {
            ($0.optionalPath("directory", folder), ScriptSettings($0))
        }
        if let directory { sdkDirectory = directory }
        sdk = files
        log = top.section("log") { section in
            var log = Log()
            log.level = section.choice("level", Logger.Level.self, default: log.level)
            log.format = section.choice("format", LogFormat.self, default: log.format)
            return log
        }
    }

    private static func readJournal(_ section: YAMLSection) -> Journal {
        var journal = Journal()
        journal.segmentBytes = section.integer(
            "segment_bytes",
            in: Limits.segmentBytesMinimum...Limits.segmentBytesMaximum,
            default: journal.segmentBytes
        )
        let least = journal.segmentBytes * Limits.diskBudgetSegmentsMinimum
        journal.diskBudgetBytes = section.integer(
            "disk_budget_bytes",
            in: 0...Int.max,
            default: max(journal.diskBudgetBytes, least)
        )
        if journal.diskBudgetBytes < least {
            section.problem(
                "disk_budget_bytes",
                "is \(journal.diskBudgetBytes), must hold \(Limits.diskBudgetSegmentsMinimum) "
                    + "segments, at least \(least)"
            )
        }
        return journal
    }
}

/// Getters for the kinds of values that only this file has.
extension YAMLSection {
    func address(default fallback: String) -> String {
        let address = text("address", bytesMaximum: 64, default: fallback)
        if !Characters.isInternetAddress(address) {
            problem("address", "is \(address), must be an IP address such as 127.0.0.1")
        }
        return address
    }

    func secret(_ key: String) -> Secret? {
        has(key) ? Secret(text(key, bytesMaximum: 1024)) : nil
    }

    func optionalPath(_ key: String, _ folder: String) -> String? {
        guard has(key) else { return nil }
        let path = text(key, bytesMaximum: 1024)
        if path.isEmpty || path.utf8.contains(0) { problem(key, "must be a path") }
        return path.hasPrefix("/") ? path : folder + path
    }
}
