import Bytes
import Records
import Settings
import Units

/// A scoring file as one text without comments, order of keys and spelling of numbers: equal texts
/// score equally.
struct CanonicalScoring {
    /// Twelve hexadecimal digits over everything.
    let name: String
    /// 64 bits over what decides the sums.
    let foldRules: UInt64

    init(_ file: ScoringFile) {
        let folding = Self.foldingText(file)
        foldRules = Self.hash(folding).low
        let digits = String(Self.hash(folding + Self.readingText(file)).low, radix: 16)
        let padded = String(repeating: "0", count: 16 - digits.count) + digits
        name = String(padded.prefix(12))
    }

    private static func hash(_ text: String) -> Hash128 {
        var copy = text
        return copy.withUTF8 { utf8 in
            unsafe ByteView(UnsafeRawBufferPointer(utf8)).hash128(key: FixedKeys.model)
        }
    }

    /// What an observation adds: half-lives, stages, roles and categories.
    private static func foldingText(_ file: ScoringFile) -> String {
        var lines = ["definitions \(ScoringModel.definitionVersion)"]
        lines += zip(Signal.allCases, file.signals).map { signal, rule in
            "half-life \(signal.name) \(rule.halfLifeMilliseconds)"
        }
        lines.append("half-life dwell \(file.profiles.categoryHalfLifeMilliseconds)")
        lines += file.profiles.categories.map { "category \($0)" }
        lines += sorted(file.pagePaths).map { "path \($0.0) \(page($0.1))" }
        lines += sorted(file.pageWords).map { "word \($0.0) \(page($0.1))" }
        lines += words("", file.categories.all)
        lines += sorted(file.categories.sites).flatMap { words($0.0, $0.1) }
        lines.append("click \(file.clickOther)")
        lines += sorted(file.clickWords).map { "click \($0.0) \($0.1)" }
        lines += (sorted(file.forms) + [("other", file.formOther)]).map {
            "form \($0.0) \($0.1.role) \($0.1.start) \($0.1.later)"
        }
        lines += sorted(file.eventStages).map { "event \($0.0) \($0.1)" }
        lines += file.conversions.sorted().map { "conversion \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// How sums are read: shapes, weights, bands, profiles.
    private static func readingText(_ file: ScoringFile) -> String {
        let profiles = file.profiles
        var lines = [
            "intercept \(file.intercept)",
            "bands \(file.bands.warm) \(file.bands.hot) \(file.bands.hysteresis)",
            "history \(file.historyStep)",
        ]
        lines += zip(Signal.allCases, file.signals).map { signal, rule in
            "signal \(signal.name) \(rule.evidence) \(rule.priorMean) \(rule.priorStrength)"
                + " \(rule.shape) \(rule.weight)"
        }
        lines += (profiles.signals + profiles.categoryRows).map { "row \($0.usual) \($0.weights)" }
        lines.append("biases \(profiles.biases) temperature \(profiles.temperature)")
        lines.append(numbers(profiles))
        lines.append("lead \(file.heads.lead)")
        lines += sorted(file.heads.leadOfSite).map { "lead \($0.0) \($0.1)" }
        // Left out where nothing was chosen, so that files of before the section keep their name.
        if file.learning != .standard { lines.append("learning \(learning(file.learning))") }
        return lines.joined(separator: "\n")
    }

    private static func numbers(_ profiles: ScoringFile.Profiles) -> String {
        [
            profiles.pageViewsMinimum, profiles.activeSecondsMinimum, profiles.signalsMinimum,
            profiles.confidenceMinimum, profiles.taggedSecondsMinimum, profiles.activeSecondsHalf,
            profiles.signalsFull, profiles.taggedSecondsFull, profiles.lead, profiles.leadAtOnce,
            profiles.keep, profiles.lookMilliseconds,
        ].map { "\($0)" }.joined(separator: " ")
    }

    private static func learning(_ rules: LearningRules) -> String {
        let landmarks = rules.landmarks.map { "\($0)" }.joined(separator: ",")
        let numbers = [
            rules.deviation, rules.interceptDeviation, rules.horizonMilliseconds,
            rules.mergeMilliseconds, rules.halfLifeMilliseconds, rules.exampleWeight,
            rules.examplesMinimum, rules.conversionsMinimum,
        ]
        return landmarks + " " + numbers.map { "\($0)" }.joined(separator: " ")
    }

    private static func sorted<Value>(_ table: [String: Value]) -> [(String, Value)] {
        table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Nothing where nothing is given, so that files of before the section keep their name.
    private static func words(_ site: String, _ map: CategoryRules.Map) -> [String] {
        sorted(map.paths).map { "category \(site) path \($0.0) \($0.1)" }
            + sorted(map.headings).map { "category \(site) heading \($0.0) \($0.1)" }
    }

    private static func page(_ rule: ScoringFile.PageRule) -> String {
        "\(rule.stage) \(rule.category ?? -1) \(rule.isOption)"
    }
}

/// Keys of hashes whose values outlive the process and must never change.
enum FixedKeys {
    static let model = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2d6d_6f64_656c)
    static let session = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2d73_6573_7369)
    static let owner = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2d6f_776e_6572)
    static let identity = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2d70_6572_736f)
    static let path = HashKey(first: 0x6865_6c69_6f67_7261, second: 0x7068_2d70_6174_6873)
}
