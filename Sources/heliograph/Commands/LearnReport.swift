import Foundation
import Records
import Scoring
import Settings

/// What `score learn` came to, site by site.
struct LearnReport: Encodable {
    /// How good one way of foretelling was.
    struct Worth: Encodable {
        let areaUnderCurve: Double?
        let brierScore: Double
        let logLoss: Double
        let calibrationError: Double

        init(_ measures: LearnMeasures) {
            areaUnderCurve = measures.areaUnderCurve
            brierScore = measures.brierScore
            logLoss = measures.logLoss
            calibrationError = measures.calibrationError
        }
    }

    /// A weight before and after.
    struct Weight: Encodable {
        let name: String
        let rule: Double
        let learned: Double
        let deviation: Double
    }

    struct Site: Encodable {
        let site: String
        let version: UInt64
        let examples: UInt64
        let conversions: UInt64
        /// `learned`, or why the rule is used: `thin`, `drifted`.
        let used: String
        let rule: Worth
        let learned: Worth
        let shown: Worth
        let weights: [Weight]
    }

    private(set) var sites: [Site] = []

    init(_ book: LearnedBook, _ file: ScoringFile, _ lines: LearnLines) {
        let prior = LearnPosterior(ScoringModel(file), file.learning)
        for (name, learned) in book.sites.sorted(by: { $0.key.text < $1.key.text }) {
            let measures = lines.measures[name.text] ?? LearnLines.Measures()
            sites.append(
                Site(
                    site: name.text,
                    version: learned.version,
                    examples: learned.examples,
                    conversions: learned.conversions,
                    used: learned.trust.verdict(file.learning).name,
                    rule: Worth(measures.rule),
                    learned: Worth(measures.learned),
                    shown: Worth(measures.shown),
                    weights: Self.weights(prior, learned.posterior)
                )
            )
        }
    }

    private static func weights(_ prior: LearnPosterior, _ posterior: LearnPosterior) -> [Weight] {
        LearnFeatures.names.enumerated().map { index, name in
            Weight(
                name: name,
                rule: prior.mean[index],
                learned: posterior.mean[index],
                deviation: posterior.deviation(of: index)
            )
        }
    }

    // MARK: - As text

    private static let weightsShown = 8

    var text: String {
        sites.isEmpty ? "no site has examples yet" : sites.map(Self.text).joined(separator: "\n\n")
    }

    private static func text(_ site: Site) -> String {
        var lines = [
            "\(site.site): \(site.examples) examples, \(site.conversions) with a conversion; "
                + meaning(site.used),
            "            AUC    Brier  log loss  calibration error",
            line("rule", site.rule), line("learned", site.learned), line("shown", site.shown),
            "  what moved most, as weight of the rule -> learned (deviation):",
        ]
        let moved = site.weights.sorted { abs($0.learned - $0.rule) > abs($1.learned - $1.rule) }
        lines += moved.prefix(weightsShown).map { weight in
            "    \(weight.name): \(digits(weight.rule, 2)) -> \(digits(weight.learned, 2)) "
                + "(\(digits(weight.deviation, 2)))"
        }
        return lines.joined(separator: "\n")
    }

    private static func meaning(_ used: String) -> String {
        switch used {
        case "learned": "what was learned is used"
        case "drifted": "the rule is used: of late it foretells better"
        default: "the rule is used: too few examples of late"
        }
    }

    private static func line(_ name: String, _ worth: Worth) -> String {
        let padded = name.padding(toLength: 9, withPad: " ", startingAt: 0)
        let area = worth.areaUnderCurve.map { digits($0, 3) } ?? "  -  "
        return "  \(padded) \(area)  \(digits(worth.brierScore, 4))    "
            + "\(digits(worth.logLoss, 4))  \(digits(worth.calibrationError, 4))"
    }

    private static func digits(_ number: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", number)
    }
}
