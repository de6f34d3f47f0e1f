// Goal: what is written is what holds, and what is left out has its default. Method: read files and
// compare, the repository's own included.
import Bytes
import Logging
import Records
import Settings
import Telemetry
import Testing

private let full = """
    ingest: {address: "::", port: 1, loops: 3, connections_maximum: 7}
    companion: {address: 0.0.0.0, port: 2, pages: /srv/pages, hub: hub}
    redis: {url: "redis://bob:p%40ss@[::1]:6380/4", key_prefix: "x:"}
    postgres: {url: "host=/run user=h"}
    journal: {disk_budget_bytes: 20000000, segment_bytes: 4194304}
    workers: 5
    checkpoint_seconds: 10
    scoring: {file: s.yaml}
    sdk: {directory: /sdk}
    log: {level: debug, format: json}
    sites:
      - name: a
        keys: [ka, kb]
        origins: ["https://a.example", "http://a.example:8080"]
        time_zone: UTC
        currency: USD
        automation: count
        consent: {default: 5}
        url_parameters: [ref]
        debug: true
      - name: b
        keys: [kc]
        origins: ["*"]
    """

@Suite struct SettingsValuesTests {
    private func bytes<Result>(_ text: String, _ body: (ByteView) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(ByteView(UnsafeRawBufferPointer($0))) }
    }

    @Test func everythingWrittenHolds() throws {
        let settings = try HeliographSettings.parse(full, file: "conf/h.yaml")
        #expect(settings.ingest.address == "::" && settings.ingest.port == 1)
        #expect(settings.ingest.loops == 3 && settings.ingest.connectionsMaximum == 7)
        #expect(settings.companion.port == 2 && settings.companion.pages == "/srv/pages")
        #expect(settings.companion.hub == "conf/hub")
        #expect(settings.redis.keyPrefix == "x:")
        #expect(settings.postgres.url?.expose { $0 } == "host=/run user=h")
        #expect(settings.journal.diskBudgetBytes == 20_000_000)
        #expect(settings.journal.segmentBytes == 4_194_304)
        #expect(settings.workers == 5 && settings.checkpointSeconds == 10)
        #expect(settings.scoringFile == "conf/s.yaml" && settings.sdkDirectory == "/sdk")
        #expect(settings.log.level == .debug && settings.log.format == .json)
        #expect(settings.sites.count == 2)
        let site = settings.sites[0]
        #expect(site.keys == ["ka", "kb"] && site.currency == "USD" && site.debug)
        #expect(!site.allowsAnyOrigin && site.automation == .count)
        #expect(site.consent.fallback.rawValue == 5)
        #expect(settings.sites[1].allowsAnyOrigin && settings.sites[1].automation == .mask)
    }

    @Test func emptyFileIsTheDefaults() throws {
        let settings = try HeliographSettings.parse("", file: "h.yaml")
        #expect(settings.sites == [Site.demo] && settings.ingest.port == 8600)
        #expect(settings.version == HeliographSettings().version)
    }

    @Test func theShippedFileSaysTheDefaults() throws {
        let file = String(#filePath.prefix { _ in true })
        let root = file.replacing(/\/Tests\/.*$/, with: "")
        var settings = try HeliographSettings.load(path: "\(root)/config/heliograph.yaml")
        let defaults = HeliographSettings()
        // The file's paths start at its folder, the defaults at the working folder.
        #expect(settings.companion.hub.hasSuffix("/../\(defaults.companion.hub)"))
        settings.companion.hub = defaults.companion.hub
        #expect(settings.sites == defaults.sites && settings.version == defaults.version)
        #expect("\(settings.ingest)" == "\(defaults.ingest)")
        #expect("\(settings.companion)" == "\(defaults.companion)")
        #expect("\(settings.journal)" == "\(defaults.journal)")
        #expect("\(settings.log)" == "\(defaults.log)")
        #expect(settings.checkpointSeconds == defaults.checkpointSeconds)
        #expect(settings.scoringFile.hasSuffix("/config/scoring.yaml"))
    }

    @Test func halfTheCoresButAtLeastOne() {
        let settings = HeliographSettings()
        #expect([1, 2, 3, 8].map(settings.loopCount) == [1, 1, 1, 4])
        #expect(settings.workerCount(cores: 4_000) == Limits.workersMaximum)
    }

    @Test func versionFollowsWhatDecides() throws {
        let base = try HeliographSettings.parse(full, file: "h.yaml").version
        func version(_ from: String, _ to: String) throws -> UInt32 {
            try HeliographSettings.parse(full.replacing(from, with: to), file: "h.yaml").version
        }
        #expect(try version("p%40ss", "other") == base)
        #expect(try version("[ka, kb]", "[kb, ka]") == base)
        #expect(try version("port: 2", "port: 3") == base)
        #expect(try version("default: 5", "default: 1") != base)
        #expect(try version("[ref]", "[ref, ref2]") != base)
        #expect(try version("[ka, kb]", "[ka]") != base)
        #expect(try version("https://a.example", "https://b.example") != base)
    }

    @Test func tableFindsKeysAndOriginsBySite() throws {
        let table = SiteTable(try HeliographSettings.parse(full, file: "h.yaml"))
        #expect(bytes("ka", table.site(key:)) == 0 && bytes("kb", table.site(key:)) == 0)
        #expect(bytes("kc", table.site(key:)) == 1 && bytes("", table.site(key:)) == nil)
        #expect(bytes("kd", table.site(key:)) == nil)
        #expect(bytes(String(repeating: "k", count: 9_999), table.site(key:)) == nil)
        #expect(bytes("https://a.example") { table.allows(origin: $0, site: 0) })
        #expect(!bytes("https://a.example:444") { table.allows(origin: $0, site: 0) })
        #expect(!bytes("null") { table.allows(origin: $0, site: 0) })
        #expect(bytes("null") { table.allows(origin: $0, site: 1) })
        #expect(bytes("ref") { table.keeps(parameter: $0, site: 0) })
        #expect(!bytes("ref") { table.keeps(parameter: $0, site: 1) })
        #expect(table[0].name.text == "a" && table[0].countsAutomation && !table[1].debug)
        #expect(table.site(named: "b") == 1 && table.site(named: "c") == nil)
    }

    @Test func tableHoldsAsManySitesAsAllowed() {
        var settings = HeliographSettings()
        settings.sites = (0..<Limits.sitesMaximum).map { number in
            Site(
                name: "s\(number)",
                keys: ["k\(number)", "o\(number)"],
                origins: ["https://s.example"],
                allowsAnyOrigin: false
            )
        }
        let table = SiteTable(settings)
        for number in 0..<Limits.sitesMaximum {
            #expect(bytes("k\(number)", table.site(key:)) == number)
            #expect(bytes("https://s.example") { table.allows(origin: $0, site: number) })
        }
        #expect(bytes("k\(Limits.sitesMaximum)", table.site(key:)) == nil)
    }

    @Test func limitsAgree() { #expect(Limits.check() == []) }

    @Test(arguments: [
        ("unix:///run/r.sock", RedisAddress.Endpoint.unix(path: "/run/r.sock"), 0),
        ("unix:///run/r.sock?db=3", .unix(path: "/run/r.sock"), 3),
        ("redis://h", .tcp(host: "h", port: 6379), 0),
        ("redis://h:1/2", .tcp(host: "h", port: 1), 2),
        ("redis://:pw@h:1", .tcp(host: "h", port: 1), 0),
        ("redis://[::1]:9/", .tcp(host: "::1", port: 9), 0),
    ])
    func redisAddressesAreRead(url: String, endpoint: RedisAddress.Endpoint, database: Int) {
        let address = RedisAddress(url)
        #expect(address?.endpoint == endpoint && address?.database == database)
    }

    @Test func redisPasswordIsUnescaped() {
        let address = RedisAddress("redis://bob:p%40ss@h")
        #expect(address?.user == "bob" && address?.password?.expose { $0 } == "p@ss")
    }

    @Test(arguments: [
        "", "redis://", "unix://relative", "redis://h:x", "redis://h/x", "redis://u@h",
        "redis://:%zz@h", "unix:///a?x=1", "redis://:1",
    ])
    func otherAddressesAreRefused(url: String) { #expect(RedisAddress(url) == nil) }
}
