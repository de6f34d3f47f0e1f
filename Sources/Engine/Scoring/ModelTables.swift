import Records
import Settings

/// How the tables of a `ScoringModel` are made from a checked file.
enum ModelTables {
    /// Marks a custom event that is a conversion.
    static let conversionStage = -1.0
    /// Where the rule of every other form stands.
    static let formOther = 128

    static func numbers(_ values: [Double]) -> InlineArray<7, Double> {
        InlineArray { values[$0] }
    }

    static func words(_ words: [String]) -> WordTable {
        WordTable(words.enumerated().map { ($1, $0) })
    }

    static func steps(_ file: ScoringFile) -> ScoringModel.Steps {
        ScoringModel.Steps(
            warm: file.bands.warm,
            hot: file.bands.hot,
            hysteresis: file.bands.hysteresis,
            history: file.historyStep
        )
    }

    static func thresholds(_ profiles: ScoringFile.Profiles) -> ScoringModel.ProfileThresholds {
        ScoringModel.ProfileThresholds(
            temperature: profiles.temperature,
            pageViewsMinimum: profiles.pageViewsMinimum,
            activeSecondsMinimum: profiles.activeSecondsMinimum,
            signalsMinimum: profiles.signalsMinimum,
            confidenceMinimum: profiles.confidenceMinimum,
            taggedSecondsMinimum: profiles.taggedSecondsMinimum,
            activeSecondsHalf: profiles.activeSecondsHalf,
            signalsFull: profiles.signalsFull,
            taggedSecondsFull: profiles.taggedSecondsFull,
            lead: profiles.lead,
            leadAtOnce: profiles.leadAtOnce,
            keep: profiles.keep,
            lookMilliseconds: Int64(profiles.lookMilliseconds)
        )
    }

    // MARK: - Signals

    static func rules(_ file: ScoringFile) -> InlineArray<27, ScoringModel.Rule> {
        InlineArray { index in
            Signal(rawValue: UInt8(index)).map { rule($0, file.signals[index]) }
                ?? ScoringModel.Rule()
        }
    }

    private static func rule(
        _ signal: Signal,
        _ given: ScoringFile.SignalRule
    ) -> ScoringModel.Rule {
        var rule = ScoringModel.Rule()
        switch signal.aggregate {
        case .sum, .maximum: rule.aggregate = .sum
        case .mean: rule.aggregate = .mean
        case .ratio: rule.aggregate = .ratio
        case .blend: rule.aggregate = .blend
        }
        rule.evidence = given.evidence
        rule.priorMean = given.priorMean
        rule.priorStrength = given.priorStrength
        rule.weight = given.weight
        rule.weightIndex = Sum.weightIndex(of: signal)
        setShape(&rule, given.shape)
        return rule
    }

    private static func setShape(_ rule: inout ScoringModel.Rule, _ shape: ScoringFile.Shape) {
        switch shape {
        case .unit: rule.shape = .unit
        case .saturation(let k): (rule.shape, rule.first) = (.saturation, k)
        case .hill(let k, let p): (rule.shape, rule.first, rule.second) = (.hill, k, p)
        case .linear(let low, let high):
            (rule.shape, rule.first, rule.second) = (.linear, low, high)
        }
    }

    // MARK: - Half-lives

    struct HalfLives {
        var classOfSum = InlineArray<58, UInt8>(repeating: 0)
        var halvingsPerMillisecond = InlineArray<32, Double>(repeating: 0)
        var count = 0

        mutating func assign(_ sum: Int, _ halfLifeMilliseconds: Double) {
            let rate = 1 / halfLifeMilliseconds
            var index = 0
            while index < count, halvingsPerMillisecond[index] != rate { index += 1 }
            if index == count {
                halvingsPerMillisecond[index] = rate
                count += 1
            }
            classOfSum[sum] = UInt8(index)
        }
    }

    static func halfLives(_ file: ScoringFile) -> HalfLives {
        var lives = HalfLives()
        for signal in Signal.allCases {
            let halfLife = file.signals[Int(signal.rawValue)].halfLifeMilliseconds
            lives.assign(Int(signal.rawValue), halfLife)
            let weight = Sum.weightIndex(of: signal)
            if weight >= 0 { lives.assign(weight, halfLife) }
        }
        for index in Sum.dwellAll.index...Sum.dwell9.index {
            lives.assign(index, file.profiles.categoryHalfLifeMilliseconds)
        }
        lives.assign(Sum.frustrationRecent.index, ScoringModel.frustrationHalfLifeMilliseconds)
        for index in Sum.excessLog.index...Sum.speedWeight.index {
            lives.assign(index, ScoringModel.baselineHalfLifeMilliseconds)
        }
        return lives
    }

    // MARK: - Words

    static func pages(
        _ file: ScoringFile
    ) -> (rules: InlineArray<256, ScoringModel.PageRule>, paths: WordTable, words: WordTable) {
        var rules = InlineArray<256, ScoringModel.PageRule>(repeating: ScoringModel.PageRule())
        let paths = file.pagePaths.sorted { $0.key < $1.key }
        let words = file.pageWords.sorted { $0.key < $1.key }
        let half = ScoringFile.wordsMaximum
        for (index, entry) in paths.enumerated() { rules[index] = page(entry.value) }
        for (index, entry) in words.enumerated() { rules[half + index] = page(entry.value) }
        return (
            rules, WordTable(paths.enumerated().map { ($1.key, $0) }),
            WordTable(words.enumerated().map { ($1.key, half + $0) })
        )
    }

    private static func page(_ rule: ScoringFile.PageRule) -> ScoringModel.PageRule {
        ScoringModel.PageRule(
            stage: rule.stage,
            category: rule.category ?? -1,
            isOption: rule.isOption
        )
    }

    static func stages(
        _ given: [String: Double],
        conversions: [String]
    ) -> (stages: InlineArray<128, Double>, table: WordTable) {
        var stages = InlineArray<128, Double>(repeating: 0)
        let entries =
            given.sorted { $0.key < $1.key } + conversions.map { ($0, conversionStage) }
        for (index, entry) in entries.enumerated() { stages[index] = entry.1 }
        return (stages, WordTable(entries.enumerated().map { ($1.0, $0) }))
    }

    static func forms(
        _ file: ScoringFile
    ) -> (rules: InlineArray<129, ScoringModel.FormRule>, table: WordTable) {
        var rules = InlineArray<129, ScoringModel.FormRule>(repeating: form(file.formOther))
        let forms = file.forms.sorted { $0.key < $1.key }
        for (index, entry) in forms.enumerated() { rules[index] = form(entry.value) }
        return (rules, WordTable(forms.enumerated().map { ($1.key, $0) }))
    }

    private static func form(_ rule: ScoringFile.FormRule) -> ScoringModel.FormRule {
        ScoringModel.FormRule(role: rule.role, start: rule.start, later: rule.later)
    }
}
