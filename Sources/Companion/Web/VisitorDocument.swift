import Records
import Settings

/// A visitor's state decoded and evaluated: what scoring says about packed sums at one moment.
struct ScoredState: Sendable {
    /// What a signal adds to the score.
    struct Term: Sendable {
        let signal: Signal
        /// Normalised evidence, 0 to 1.
        let value: Double
        /// Its part of the log-odds.
        let contribution: Double
        /// What was measured, in words; nil when nothing was.
        var sentence: String?
    }

    var score: Double
    var band: String
    var profile: String
    var confidence: Double
    var likelihood: Double
    var terms: [Term]
    /// Sum, weight and the moment both are valid at, by signal.
    var sums: [String: [Double]]
    /// What each head says, by its name.
    var heads: [String: VisitorDocument.Head] = [:]
    /// The model that said so.
    var model = ""
}

/// Evaluates packed sums at a moment; nil when it cannot read them.
typealias StateScorer =
    @Sendable (_ state: [UInt8], _ site: String, _ epochMilliseconds: Int64) -> ScoredState?

/// A visitor as the API shows it.
struct VisitorDocument: Encodable, Sendable {
    struct Term: Encodable, Sendable {
        let signal: String
        let label: String
        let value: Double
        let contribution: Double
        let sentence: String?
    }

    /// What a head says, such as `compare`, and how much so, 0 to 1.
    struct Head: Encodable, Sendable {
        let label: String
        let value: Double
    }

    let visitor: String
    var score: Double
    var band: String
    var profile: String
    var confidence: Double
    /// How likely a conversion is, with its 5 % and 95 % points, as of `updated`.
    var likelihood: Double
    let likelihoodLow: Double?
    let likelihoodHigh: Double?
    /// `learned`, or why it is the rule that says so: `thin`, `drifted`.
    let likelihoodBy: String?
    var model: String
    let updated: Int64
    let seen: Int64
    /// The moment that score, band and terms are valid at.
    let asOf: Int64
    var terms: [Term] = []
    var sums: [String: [Double]] = [:]
    var heads: [String: Head] = [:]
    /// Where the score is going, by window; nil where that was not asked or cannot be known.
    var trend: [String: TrendDocument]?
    /// The person that the visitor is read as part of; nil when it is read alone, or nobody can say.
    var identity: PersonDocument?
    /// Browsers that may be the same person's, the surest first; nil when nobody can say.
    var links: [LikelyLink]?
    /// The visitor's own packed sums; not shown.
    let state: [UInt8]?

    enum CodingKeys: String, CodingKey {
        case visitor, score, band, profile, confidence, likelihood, model, updated, seen
        case asOf = "as_of"
        case likelihoodLow = "likelihood_low", likelihoodHigh = "likelihood_high"
        case likelihoodBy = "likelihood_by"
        case terms, sums, heads, trend, identity, links
    }

    /// Builds the document from the hash in Redis; nil when there is no such visitor.
    init?(
        visitor: String,
        site: String,
        hash: [String: [UInt8]],
        now: Int64,
        scorer: StateScorer
    ) {
        func text(_ key: String) -> String? {
            hash[key].map { String(decoding: $0, as: UTF8.self) }
        }
        func number(_ key: String) -> Double { text(key).flatMap(Double.init).finite ?? 0 }
        guard let updated = text("updated").flatMap(Int64.init) else { return nil }
        self.visitor = visitor
        self.updated = updated
        seen = text("seen").flatMap(Int64.init) ?? updated
        model = text("model") ?? ""
        score = number("score")
        band = text("band") ?? ""
        profile = text("profile") ?? ""
        confidence = number("confidence")
        likelihood = number("likelihood")
        likelihoodLow = text("likelihood_low").flatMap(Double.init).finite
        likelihoodHigh = text("likelihood_high").flatMap(Double.init).finite
        likelihoodBy = text("likelihood_by")
        // Another machine's clock may be ahead of ours; a score is never read before its moment.
        asOf = max(now, updated)
        state = hash["state"]
        // Of who is part of a person, the person's sums are read.
        let sums = hash["joined"] ?? state
        if let sums, let scored = scorer(sums, site, asOf) { take(scored) }
    }

    private mutating func take(_ scored: ScoredState) {
        score = (scored.score * 10).rounded() / 10
        band = scored.band
        profile = scored.profile
        confidence = scored.confidence
        // What conversions have taught the engine alone can say.
        if likelihoodBy == nil { likelihood = scored.likelihood }
        sums = scored.sums
        heads = scored.heads
        if !scored.model.isEmpty { model = scored.model + model.drop { $0 != "+" } }
        let ordered = scored.terms.sorted {
            (abs($1.contribution), $0.signal.rawValue) < (abs($0.contribution), $1.signal.rawValue)
        }
        terms = ordered.map { term in
            Term(
                signal: term.signal.name,
                label: term.signal.label,
                value: term.value,
                contribution: term.contribution,
                sentence: term.sentence
            )
        }
    }
}

extension Optional where Wrapped == Double {
    fileprivate var finite: Double? { flatMap { $0.isFinite ? $0 : nil } }
}
