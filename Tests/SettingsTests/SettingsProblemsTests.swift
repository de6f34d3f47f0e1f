// Goal: every mistake in a settings file is named with its line and the fix, all at once, and a
// password in a bad line is not repeated. Method: a table of bad files with what must be said.
import Settings
import Testing

private struct Mistake: CustomTestStringConvertible {
    let text: String
    let line: Int
    let says: [String]

    init(_ text: String, line: Int, says: String...) {
        self.text = text
        self.line = line
        self.says = says
    }

    var testDescription: String { text }
}

private func site(_ lines: String) -> String {
    "sites:\n  - name: shop\n    keys: [k]\n    origins: [\"*\"]\n" + lines
}

private let mistakes: [Mistake] = [
    Mistake("colour: blue", line: 1, says: "unknown key colour"),
    Mistake("ingest:\n  prot: 1", line: 2, says: "unknown key ingest.prot"),
    Mistake("ingest:\n  port: 99999", line: 2, says: "ingest.port", "0 to 65535"),
    Mistake("ingest:\n  port: \"80\"", line: 2, says: "whole number"),
    Mistake("ingest:\n  port: 1\n  port: 2", line: 2, says: "twice"),
    Mistake("ingest:\n  address: localhost", line: 2, says: "localhost", "127.0.0.1"),
    Mistake("ingest: 8600", line: 1, says: "section of keys"),
    Mistake("ingest:\n  port: 8601\ncompanion: {}", line: 3, says: "port of ingest"),
    Mistake("ingest:\n  connections_maximum: 0", line: 2, says: "connections_maximum"),
    Mistake("redis:\n  url: http://x", line: 2, says: "redis.url", "unix:///path"),
    Mistake("redis:\n  url: rediss://x", line: 2, says: "TLS tunnel"),
    Mistake("redis:\n  key_prefix: \"a{b}\"", line: 2, says: "key_prefix"),
    Mistake("postgres:\n  url: mysql://x", line: 2, says: "postgresql://"),
    Mistake("journal:\n  disk_budget_bytes: 5", line: 2, says: "3 segments", "201326592"),
    Mistake("journal:\n  segment_bytes: 5", line: 2, says: "4194304"),
    Mistake("checkpoint_seconds: 5", line: 1, says: "10 to 60"),
    Mistake("workers: -1", line: 1, says: "workers"),
    Mistake("log:\n  level: loud", line: 2, says: "loud", "warning"),
    Mistake("sites: []", line: 1, says: "at least one site"),
    Mistake("sites:\n  - keys: [k]\n    origins: [\"*\"]", line: 2, says: "name is missing"),
    Mistake("sites:\n  - name: a\n    keys: [k]", line: 2, says: "origins", "\"*\" for any"),
    Mistake("sites:\n  - name: a\n    origins: [\"*\"]", line: 2, says: "at least one public key"),
    Mistake(site("    time_zone: Mars/Base"), line: 5, says: "Mars/Base", "Europe/Berlin"),
    Mistake(site("    currency: euro"), line: 5, says: "EUR"),
    Mistake(site("    automation: hide"), line: 5, says: "count, mask"),
    Mistake(site("    consent: {default: 64}"), line: 5, says: "0 to 63"),
    Mistake(site("    url_parameters: [\"a b\"]"), line: 5, says: "\"a b\""),
    Mistake(site("    debug: maybe"), line: 5, says: "true or false"),
    Mistake("sites:\n  - name: A b\n    keys: [k]\n    origins: [\"*\"]", line: 2, says: "a-z"),
    Mistake(
        site("  - name: shop\n    keys: [q]\n    origins: [\"*\"]"),
        line: 1,
        says: "two sites called shop"
    ),
    Mistake(
        site("  - name: b\n    keys: [k]\n    origins: [\"*\"]"),
        line: 1,
        says: "key k twice"
    ),
    Mistake("ingest: [", line: 2, says: "not valid YAML"),
    Mistake("- a", line: 1, says: "mapping"),
]

private let badOrigins: [(String, String)] = [
    ("shop.example", "https://"), ("https://shop.example/", "path"),
    ("https://Shop.example", "lower case"), ("https://shop.example:443", "own port"),
    ("http://shop.example:0", "valid port"), ("https://", "valid host"),
    ("https://a..b", "valid host"), ("https://[::1", "valid host"),
    ("https://shop.example:", "valid port"),
]

@Suite struct SettingsProblemsTests {
    private func problems(_ text: String) -> [SettingsProblem] {
        do {
            _ = try HeliographSettings.parse(text, file: "conf/h.yaml")
            return []
        } catch {
            return error.problems
        }
    }

    @Test(arguments: mistakes)
    private func mistakeIsNamedWithItsLine(mistake: Mistake) throws {
        let problems = problems(mistake.text)
        let problem = try #require(problems.first)
        #expect(problems.count == 1, "\(problems)")
        #expect(problem.line == mistake.line, "\(problem)")
        #expect(problem.description.hasPrefix("conf/h.yaml:\(mistake.line): "))
        for words in mistake.says { #expect(problem.reason.contains(words), "\(problem)") }
    }

    @Test(arguments: badOrigins)
    func badOriginIsExplained(origin: String, says: String) throws {
        let text = "sites:\n  - name: a\n    keys: [k]\n    origins: [\"\(origin)\"]"
        let problem = try #require(problems(text).first)
        #expect(problem.line == 4 && problem.reason.contains(says), "\(problem)")
    }

    @Test func allProblemsAreNamedAtOnce() {
        let text = "workers: x\nfoo: 1\nlog:\n  level: loud\nsites:\n  - name: \"\"\n"
        let problems = problems(text)
        #expect(Set(problems.map(\.line)) == [1, 2, 4, 6])
        #expect(problems.count == 6, "\(problems)")
    }

    @Test func passwordIsNotRepeated() {
        for url in ["redis://:hunter2@host:0", "redis//:hunter2@h", "rediss://u:hunter2@h"] {
            let problems = problems("redis:\n  url: \(url)")
            #expect(problems.count == 1)
            #expect(!"\(problems)".contains("hunter2"))
        }
    }

    @Test func missingFileIsSaidOnlyWhenNamed() {
        #expect(throws: SettingsError.self) { try HeliographSettings.load(path: "/nowhere/h.yaml") }
        #expect(throws: SettingsError.self) { try HeliographSettings.load(path: "/") }
    }
}
