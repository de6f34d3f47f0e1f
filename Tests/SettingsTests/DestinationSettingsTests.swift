// Goal: a site's destinations are read whole, mistakes in them are named with line and fix, secrets have
// no place in the file, and no address that is not public passes as a webhook's. Method: tables.
import Bytes
import Glibc
import Settings
import Telemetry
import Testing

private let head = "sites:\n  - name: shop\n    keys: [k]\n    origins: [\"*\"]\n"
private let meta = """
        - name: meta
          kind: meta
          pixel: "123"
          token: {environment: META_TOKEN}

    """
private let hook = """
        - name: own
          kind: webhook
          url: https://hooks.example.com/c
          secret: {file: own.secret}

    """

private func text(_ destinations: String, site: String = "") -> String {
    head + site + "    destinations:\n" + destinations
}

private func problems(_ text: String) -> [SettingsProblem] {
    do throws(SettingsError) {
        _ = try HeliographSettings.parse(text, file: "x/h.yaml")
        return []
    } catch {
        return error.problems
    }
}

@Suite struct DestinationSettingsTests {
    @Test func aListIsReadWhole() throws {
        let google = """
                - name: ga4
                  kind: ga4
                  measurement_id: G-ABC123
                  api_secret: {file: /etc/ga4}
                  conversions: [purchase]
                  event_names: {became_hot: hot_lead}
                  extras: [size]
                  ambiguous: hold
                  paused: true
                  endpoint: http://127.0.0.1:9000
                  user_data: true

            """
        let file = text(meta + google + hook, site: "    calling_code: \"49\"\n")
        let site = try HeliographSettings.parse(file, file: "x/h.yaml").sites[0]
        #expect(site.callingCode == "49")
        #expect(site.destinations.map(\.name) == ["meta", "ga4", "own"])
        #expect(site.destinations.map(\.isAdvertising) == [true, false, false])
        var expected = GoogleAnalyticsSettings(
            measurementID: "G-ABC123",
            secret: .file("/etc/ga4")
        )
        expected.sendsUserData = true
        #expect(site.destinations[1].platform == .googleAnalytics(expected))
        #expect(site.destinations[1].eventNames == ["became_hot": "hot_lead"])
        #expect(site.destinations[1].ambiguous == .hold && site.destinations[1].isPaused)
        #expect(site.destinations[1].takes(conversion: "purchase"))
        #expect(!site.destinations[1].takes(conversion: "lead"))
        #expect(site.destinations[0].takes(conversion: "lead"))
        let secret = SecretSource.file("x/own.secret")
        let webhook = WebhookSettings(url: "https://hooks.example.com/c", secret: secret)
        #expect(site.destinations[2].platform == .webhook(webhook))
    }

    @Test func theExamplesInTheShippedFileHold() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let shipped = try SettingsText.read("/\(root)/config/heliograph.yaml")
        let start = try #require(shipped.firstRange(of: "    # calling_code"))
        let lines = shipped[start.lowerBound...].split(separator: "\n").map { $0.dropFirst(6) }
        let prose = ["none, ", "With ", "leads ", "Who ", "Conversions. ", "Completed"]
        let example = lines.filter { line in !prose.contains { line.hasPrefix($0) } }
        let file = head + example.map { "    \($0)\n" }.joined()
        #expect(try HeliographSettings.parse(file, file: "h.yaml").sites[0].destinations.count == 3)
    }

    @Test(arguments: [
        (meta.replacing("\"123\"", with: "\"12a\""), 8, "number of a pixel"),
        (meta.replacing("{environment: META_TOKEN}", with: "EAAB"), 9, "section of keys"),
        (meta.replacing("environment", with: "value"), 9, "{environment: NAME}"),
        (meta.replacing("kind: meta", with: "kind: facebook"), 7, "meta, ga4, webhook"),
        (meta + "      version: \"25\"\n", 10, "v25.0"),
        (meta + "      partner_agent: \"1\"\n", 10, "two letters"),
        (meta + "      limited_state: 1000\n", 10, "limited_country: 1"),
        (meta + "      endpoint: http://example.com\n", 10, "https://"),
        (meta + "      event_names: {a: \"\"}\n", 10, "no name"),
        (meta + "      extras: [a, b, c, d, e, f, g, h, i, j, k]\n", 10, "at most 10"),
        (meta + meta, 5, "two called meta"),
        (hook + "      contact: [phone]\n", 10, "external_id"),
        (hook.replacing("https", with: "http"), 8, "https://"),
        (hook.replacing("hooks.example.com", with: "10.0.0.1"), 8, "not public"),
        (hook.replacing("hooks.example.com", with: "localhost"), 8, "allow_loopback"),
    ])
    func aMistakeIsNamed(destinations: String, line: Int, says: String) {
        let found = problems(text(destinations))
        #expect(found.contains { $0.line == line && $0.reason.contains(says) }, "\(found)")
        #expect(!"\(found)".contains("EAAB"))
    }

    @Test(arguments: ["health", "minors"])
    func aSensitiveSiteHasNoAdvertising(kind: String) {
        let found = problems(text(meta, site: "    sensitive: \(kind)\n"))
        #expect(found.contains { $0.reason.contains("advertisement") })
        #expect(problems(text(hook, site: "    sensitive: \(kind)\n")).isEmpty)
    }

    @Test func aSecretIsItsFilesFirstLine() throws {
        setenv("HELIOGRAPH_TEST_SECRET", "abc", 1)
        let secret = try SecretSource.environment("HELIOGRAPH_TEST_SECRET").load()
        #expect(secret.expose { $0 } == "abc")
        #expect(throws: SecretSource.Failure.unset(variable: "HELIOGRAPH_NONE")) {
            try SecretSource.environment("HELIOGRAPH_NONE").load()
        }
        #expect(throws: SecretSource.Failure.unreadable(file: "/nowhere")) {
            try SecretSource.file("/nowhere").load()
        }
    }

    @Test(arguments: [
        "https://a.example", "https://a.example/x?y=1", "https://A.example:8443/",
        "https://8.8.8.8/", "https://[2606:4700::1111]/",
    ])
    func aPublicURLPasses(url: String) {
        #expect(WebhookAddress.problem(withURL: url, allowsLoopback: false) == nil)
    }

    @Test(arguments: [
        "http://a.example/", "ftp://a.example/", "//a.example/", "https:a.example", "https:///x",
        "https://user@a.example/", "https://a.example:22/", "https://a.example:0443/",
        "https://a.example#x", "https://a.example\\@b.example/", "https://intern/",
        "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/",
        "https://0177.0.0.1/", "https://10.1.2.3/", "https://172.31.0.1/", "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://255.255.255.255/", "https://224.0.0.1/", "https://[::1]/", "https://[::]/",
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/", "https://[fd00::1]/", "https://[2002:7f00:1::]/",
        "https://[64:ff9b::7f00:1]/", "https://[2001:db8::1]/", "https://[2001::1]/",
        "https://localhost/", "https://x.localhost/", "https://a.example./", "https://-a.example/",
        "https://a.example /", "https://a.example/\r\nX: y", "https://\u{ff41}.example/", "",
    ])
    func anyOtherURLIsRefused(url: String) {
        #expect(WebhookAddress.problem(withURL: url, allowsLoopback: false) != nil)
    }

    @Test func aMappedAddressIsJudgedByWhatItMaps() {
        let bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 168, 1, 1]
        let address = bytes.withUnsafeBytes { InternetAddress(ByteView($0)) }
        #expect(!AddressRules.isPublic(address))
        #expect(!AddressRules.isPublic(InternetAddress()))
    }
}
