public import Settings

extension AgentWords {
    /// What is built in, without any file.
    public static func builtIn() throws(SettingsError) -> AgentWords {
        try parse("{}", file: "built-in")
    }

    /// What is built in, and on top of it the file at `path`.
    public static func load(path: String) throws(SettingsError) -> AgentWords {
        try parse(try SettingsText.read(path), file: path)
    }

    /// What is built in, and on top of it `text`; every problem is in the error with its line.
    public static func parse(_ text: String, file: String) throws(SettingsError) -> AgentWords {
        let own = try YAMLReader.read(text, file: file, AgentWordsFile.init)
        var entries = AgentTables.entries
        if own.keepsBuiltIn {
            let builtIn = try YAMLReader.read(
                String(decoding: PackageResources.bots_yaml, as: UTF8.self),
                file: "built-in bots.yaml",
                AgentWordsFile.init
            )
            entries += builtIn.entries
        }
        return AgentWords(entries + own.entries, rules: own.rules)
    }
}

/// A file of words as it is written: lists by meaning, points and bands.
struct AgentWordsFile {
    var entries: [AgentEntry] = []
    var keepsBuiltIn: Bool
    var rules: BotRules

    init(_ section: YAMLSection) {
        keepsBuiltIn = section.boolean("built_in", default: true)
        rules = BotRules(section)
        for (key, meaning) in Self.lists { read(section, key, meaning) }
        checkSize(section)
    }

    private static let lists: [(String, AgentMeaning)] = [
        ("people", .person), ("ai_crawlers", .aiCrawler), ("previews", .preview),
        ("libraries", .library), ("bots", .bot), ("headless", .headless), ("cues", .cue),
        ("weak_cues", .weakCue), ("products", .product), ("browsers", .plainBrowser),
        ("attacks", .attack),
        ("ai_hints", .aiHint),
    ]

    private mutating func read(_ section: YAMLSection, _ key: String, _ meaning: AgentMeaning) {
        for text in section.texts(key, bytesMaximum: Limits.agentWordBytesMaximum) {
            guard let entry = AgentEntry(text, meaning) else {
                section.problem(
                    key,
                    "holds \"\(text)\"; a word is 1 to \(Limits.agentWordBytesMaximum) bytes of "
                        + "text, with ^ or < before it and $ or > behind it where it must begin "
                        + "or end the user agent or a word"
                )
                continue
            }
            entries.append(entry)
        }
    }

    private func checkSize(_ section: YAMLSection) {
        let bytes = entries.reduce(0) { $0 + $1.word.bytes.count }
        if entries.count > Limits.agentWordsMaximum || bytes > Limits.agentWordsBytesMaximum {
            section.problem(
                "bots",
                "and the other lists hold \(entries.count) words of \(bytes) bytes, at most "
                    + "\(Limits.agentWordsMaximum) of \(Limits.agentWordsBytesMaximum) are taken"
            )
            // The tables behind are sized for what is allowed, and the file is refused anyway.
        }
    }
}

extension BotRules {
    /// The sections `bands` and `points`; what is absent is as `standard` has it.
    init(_ section: YAMLSection) {
        self = .standard
        (suspect, bot) = section.section("bands") {
            (
                $0.integer("suspect", in: 1...100, default: suspect),
                $0.integer("bot", in: 1...100, default: bot)
            )
        }
        if suspect >= bot { section.problem("bands", "suspect must be less than bot") }
        section.section("points") { inner in
            headersMaximum = inner.integer(
                "headers_together",
                in: 0...100,
                default: headersMaximum
            )
            points = Self.reasons.map { inner.integer($0.name, in: 0...100, default: $0.points) }
        }
    }
}
