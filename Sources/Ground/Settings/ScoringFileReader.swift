import Records

/// Reads `config/scoring.yaml` section by section.
enum ScoringFileReader {
    private static let unitRange = 0.0...1.0
    private static let weightRange = -20.0...20.0
    private static let amountRange = 0.0...1_000_000.0

    static func read(_ section: YAMLSection) -> ScoringFile {
        _ = section.integer("version", in: 1...1)
        let profiles = section.section("profiles", readProfiles)
        let pages = section.section("pages") { readPages($0, profiles.categories) }
        let clicks = section.section("clicks", readClicks)
        let forms = section.section("forms", readForms)
        let events = section.section("events", readEvents)
        return ScoringFile(
            intercept: section.number("intercept", in: weightRange),
            bands: section.section("bands", readBands),
            historyStep: section.section("history") { $0.number("step", in: 0.1...100) },
            signals: section.section("signals", readSignals),
            pagePaths: pages.paths,
            pageWords: pages.words,
            categories: readCategoryRules(section, profiles.categories),
            clickOther: clicks.other,
            clickWords: clicks.words,
            forms: forms.rules,
            formOther: forms.other,
            eventStages: events.stages,
            conversions: events.conversions,
            profiles: profiles,
            learning: readLearning(section),
            heads: section.has("heads") ? section.section("heads", HeadRules.read) : .standard
        )
    }

    private static func readCategoryRules(
        _ section: YAMLSection,
        _ categories: [String]
    ) -> CategoryRules {
        guard section.has("categories") else { return .standard }
        return section.section("categories") { CategoryRules.read($0, categories) }
    }

    /// Files of before there was learning have no such section.
    private static func readLearning(_ section: YAMLSection) -> LearningRules {
        guard section.has("learning") else { return .standard }
        return section.section("learning") { inner in
            LearningRules.read(inner) { duration(inner, $0) }
        }
    }

    private static func readBands(_ section: YAMLSection) -> ScoringFile.Bands {
        let bands = ScoringFile.Bands(
            warm: section.number("warm", in: 0...100),
            hot: section.number("hot", in: 0...100),
            hysteresis: section.number("hysteresis", in: 0...50)
        )
        if bands.hot < bands.warm { section.problem("hot", "must not be below warm") }
        return bands
    }

    // MARK: - Signals

    private static func readSignals(_ section: YAMLSection) -> [ScoringFile.SignalRule] {
        Signal.allCases.map { signal in
            section.section(signal.name) { readSignal($0, signal) }
        }
    }

    private static func readSignal(
        _ section: YAMLSection,
        _ signal: Signal
    ) -> ScoringFile.SignalRule {
        let aggregate = signal.aggregate
        var rule = ScoringFile.SignalRule(
            halfLifeMilliseconds: duration(section, "half_life"),
            evidence: 0,
            priorMean: 0,
            priorStrength: 0,
            shape: readShape(section, signal),
            weight: section.number("weight", in: weightRange)
        )
        if aggregate == .mean || aggregate == .ratio {
            rule.evidence = section.number("evidence", in: 0.001...1_000_000)
        }
        if aggregate == .ratio {
            let prior = section.numbers("prior", count: 2, in: 0...1_000_000)
            rule.priorMean = prior[0]
            rule.priorStrength = prior[1]
        }
        return rule
    }

    private static func readShape(_ section: YAMLSection, _ signal: Signal) -> ScoringFile.Shape {
        if signal.isUnit { return .unit }
        if signal.aggregate == .blend { return readSaturation(section) }
        let given = ["sat", "hill", "lin"].filter(section.has)
        switch given {
        case ["sat"]: return readSaturation(section)
        case ["hill"]:
            let numbers = section.numbers("hill", count: 2, in: 0.001...1_000_000)
            return .hill(k: numbers[0], p: numbers[1])
        case ["lin"]: return readLinear(section)
        default:
            section.problem("sat", "or hill or lin must be given, and only one of them")
            return .unit
        }
    }

    private static func readSaturation(_ section: YAMLSection) -> ScoringFile.Shape {
        .saturation(k: section.number("sat", in: 0.001...1_000_000))
    }

    private static func readLinear(_ section: YAMLSection) -> ScoringFile.Shape {
        let numbers = section.numbers("lin", count: 2, in: -1_000_000...1_000_000)
        if numbers[0] >= numbers[1] {
            section.problem("lin", "must rise from the first to the second")
        }
        return .linear(low: numbers[0], high: numbers[1])
    }

    /// `30m`, `2h` or `14d`, as milliseconds.
    private static func duration(_ section: YAMLSection, _ key: String) -> Double {
        let text = section.text(key, bytesMaximum: 16)
        if text.isEmpty { return ScoringFile.halfLifeMillisecondsMinimum }
        let units: [Character: Double] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let last = text.last, let unit = units[last], let count = Double(text.dropLast()),
            count * unit >= ScoringFile.halfLifeMillisecondsMinimum,
            count * unit <= 86_400_000 * 3650
        else {
            section.problem(key, "is \(text), must be a time such as 30m, 2h or 14d, at least 10m")
            return ScoringFile.halfLifeMillisecondsMinimum
        }
        return count * unit
    }

    // MARK: - Words

    /// Each key of a section with its value; keys are compared without case.
    static func table<Value>(
        _ section: YAMLSection,
        _ read: (String) -> Value
    ) -> [String: Value] {
        var values: [String: Value] = [:]
        for key in section.keys {
            if key.isEmpty || key.utf8.count > 255 {
                section.problem(key, "must be a name of 1 to 255 bytes")
            }
            if values.updateValue(read(key), forKey: key.lowercased()) != nil {
                section.problem(key, "is given twice, but for case")
            }
        }
        if values.count > ScoringFile.wordsMaximum {
            section.problem("", "holds \(values.count), at most \(ScoringFile.wordsMaximum)")
        }
        return values
    }

    private static func readPages(
        _ section: YAMLSection,
        _ categories: [String]
    ) -> (paths: [String: ScoringFile.PageRule], words: [String: ScoringFile.PageRule]) {
        func rules(_ section: YAMLSection) -> [String: ScoringFile.PageRule] {
            table(section) { key in section.section(key) { readPage($0, categories) } }
        }
        return (section.section("paths", rules), section.section("words", rules))
    }

    private static func readPage(
        _ section: YAMLSection,
        _ categories: [String]
    ) -> ScoringFile.PageRule {
        let name = section.text("category", bytesMaximum: 64, default: "")
        let category = categories.firstIndex(of: name)
        if !name.isEmpty && category == nil {
            section.problem("category", "is \(name), which profiles.categories does not have")
        }
        return ScoringFile.PageRule(
            stage: section.number("stage", in: unitRange),
            category: category,
            isOption: section.boolean("option", default: false)
        )
    }

    private static func readClicks(
        _ section: YAMLSection
    ) -> (other: Double, words: [String: Double]) {
        let words = section.section("words") { inner in
            table(inner) { inner.number($0, in: unitRange) }
        }
        return (section.number("other", in: unitRange), words)
    }

    private static func readForms(
        _ section: YAMLSection
    ) -> (rules: [String: ScoringFile.FormRule], other: ScoringFile.FormRule) {
        var rules = table(section) { section.section($0, readForm) }
        let other = rules.removeValue(forKey: "other")
        if other == nil { section.problem("other", "is missing") }
        return (rules, other ?? ScoringFile.FormRule(role: 0, start: 0, later: 0))
    }

    private static func readForm(_ section: YAMLSection) -> ScoringFile.FormRule {
        ScoringFile.FormRule(
            role: section.number("role", in: unitRange),
            start: section.number("start", in: unitRange),
            later: section.number("later", in: unitRange)
        )
    }

    private static func readEvents(
        _ section: YAMLSection
    ) -> (stages: [String: Double], conversions: [String]) {
        let stages = section.section("stages") { inner in
            table(inner) { inner.number($0, in: unitRange) }
        }
        let conversions = section.texts("conversions", bytesMaximum: 64).map { $0.lowercased() }
        for name in conversions where stages[name] != nil {
            section.problem("conversions", "has \(name), which is a stage too")
        }
        if stages.count + conversions.count > ScoringFile.wordsMaximum {
            section.problem("conversions", "and stages hold more than \(ScoringFile.wordsMaximum)")
        }
        return (stages, conversions)
    }

    // MARK: - Profiles

    private static func readProfiles(_ section: YAMLSection) -> ScoringFile.Profiles {
        let categories = section.section("categories", readCategories)
        let signals = section.section("signals") { inner in
            Signal.allCases.map { readRow(inner, $0.name) }
        }
        var profiles = ScoringFile.Profiles(
            temperature: section.number("temperature", in: 0.01...100),
            biases: section.numbers("biases", count: 7, in: weightRange),
            signals: signals,
            categories: categories.names,
            categoryRows: categories.rows,
            categoryHalfLifeMilliseconds: duration(section, "category_half_life"),
            pageViewsMinimum: 0,
            activeSecondsMinimum: 0,
            signalsMinimum: 0,
            confidenceMinimum: 0,
            taggedSecondsMinimum: 0,
            activeSecondsHalf: 0,
            signalsFull: 0,
            taggedSecondsFull: 0,
            lead: 0,
            leadAtOnce: 0,
            keep: 0,
            lookMilliseconds: 0
        )
        section.section("minimum") { readMinimum($0, &profiles) }
        section.section("confidence") { readConfidence($0, &profiles) }
        section.section("hysteresis") { readHysteresis($0, &profiles) }
        return profiles
    }

    private static func readCategories(
        _ section: YAMLSection
    ) -> (names: [String], rows: [ScoringFile.ProfileRow]) {
        let names = section.keys
        if names.count > ScoringFile.categoriesMaximum {
            section.problem(
                names[ScoringFile.categoriesMaximum],
                "is one too many: at most \(ScoringFile.categoriesMaximum) categories"
            )
        }
        return (names, names.map { readRow(section, $0) })
    }

    private static func readRow(_ section: YAMLSection, _ key: String) -> ScoringFile.ProfileRow {
        let numbers = section.numbers(key, count: 8, in: weightRange)
        return ScoringFile.ProfileRow(usual: numbers[0], weights: Array(numbers.dropFirst()))
    }

    private static func readMinimum(
        _ section: YAMLSection,
        _ profiles: inout ScoringFile.Profiles
    ) {
        profiles.pageViewsMinimum = section.number("page_views", in: amountRange)
        profiles.activeSecondsMinimum = section.number("active_seconds", in: amountRange)
        profiles.signalsMinimum = section.number("signals", in: 0...27)
        profiles.confidenceMinimum = section.number("confidence", in: unitRange)
        profiles.taggedSecondsMinimum = section.number("tagged_seconds", in: amountRange)
    }

    private static func readConfidence(
        _ section: YAMLSection,
        _ profiles: inout ScoringFile.Profiles
    ) {
        profiles.activeSecondsHalf = section.number("active_seconds", in: 1...1_000_000)
        profiles.signalsFull = section.number("signals", in: 1...27)
        profiles.taggedSecondsFull = section.number("tagged_seconds", in: 1...1_000_000)
    }

    private static func readHysteresis(
        _ section: YAMLSection,
        _ profiles: inout ScoringFile.Profiles
    ) {
        profiles.lead = section.number("lead", in: unitRange)
        profiles.leadAtOnce = section.number("lead_at_once", in: unitRange)
        profiles.keep = section.number("keep", in: unitRange)
        profiles.lookMilliseconds = section.number("seconds", in: 0...3600) * 1000
    }
}
