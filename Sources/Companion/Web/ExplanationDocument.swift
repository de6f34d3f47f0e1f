import Foundation
import Records
public import Scoring
import Telemetry

/// Why a visitor's score is what it is, as the API and `heliograph score explain` show it.
public struct ExplanationDocument: Encodable, Sendable {
    /// One signal's part.
    public struct Contribution: Encodable, Sendable {
        /// The signal's name in files.
        public let signal: String
        /// The name that people read.
        public let label: String
        /// What was measured, in words.
        public let sentence: String
        let amount: Double
        let unit: String
        let evidence: Double
        let value: Double
        let beta: Double
        /// What it adds to the log-odds.
        public let logOdds: Double
        /// Its part of everything that pulls, 0 to 1.
        public let share: Double
        /// The score if it were not there.
        public let scoreWithout: Double
        let halfLifeSeconds: Double

        enum CodingKeys: String, CodingKey {
            case signal, label, sentence, amount, unit, evidence, value, beta, share
            case logOdds = "log_odds"
            case scoreWithout = "score_without"
            case halfLifeSeconds = "half_life_s"
        }
    }

    /// A signal that says nothing.
    public struct Absence: Encodable, Sendable {
        /// The signal's name in files.
        public let signal: String
        /// Why that is.
        public let reason: String
    }

    /// A part of the profile.
    public struct ProfilePart: Encodable, Sendable {
        /// A signal's name, or `content:` and a category's.
        public let name: String
        /// What it adds to the profile's log-odds.
        public let logOdds: Double

        enum CodingKeys: String, CodingKey {
            case name
            case logOdds = "log_odds"
        }
    }

    /// A change of band that decay alone will bring.
    public struct Next: Encodable, Sendable {
        /// When, RFC 3339.
        public let at: String
        /// The band from then on.
        public let band: String
        let condition = "nothing happens"

        enum CodingKeys: String, CodingKey {
            case at, band
            case condition = "if"
        }
    }

    private static let nextMaximum = 3
    private static let profilePartsMaximum = 5

    /// The site's name.
    public let site: String
    /// The visitor's id; several, separated by blanks, when they were scored as one.
    public let visitor: String
    /// The moment that everything is about, epoch milliseconds.
    public let asOf: Int64
    /// The scoring model.
    public let model: String
    /// Log-odds of nobody known.
    public let base: Double
    /// What signals add, the largest first.
    public let contributions: [Contribution]
    /// Base and all contributions, in the order of the signals.
    public let sum: Double
    /// 100 times the logistic of the sum.
    public let score: Double
    /// The band.
    public let band: String
    /// Signals that say nothing, and why.
    public let notMeasured: [Absence]
    /// The profile.
    public let profile: String
    /// Trust in it, 0 to 1.
    public let confidence: Double
    /// How likely each profile is.
    public let probabilities: [String: Double]
    /// The largest parts of the likeliest profile.
    public let profileTerms: [ProfilePart]
    /// What decay alone will bring.
    public let next: [Next]

    enum CodingKeys: String, CodingKey {
        case site, visitor, model, base, contributions, sum, score, band, profile, confidence
        case probabilities, next
        case asOf = "as_of"
        case notMeasured = "not_measured"
        case profileTerms = "profile_terms"
    }

    /// Explains a state at `time` under `model`.
    public init(
        site: String,
        visitor: String,
        state: PackedState,
        at time: Int64,
        _ model: ScoringModel
    ) {
        let explanation = state.explanation(at: time, model)
        let reading = explanation.reading
        (self.site, self.visitor) = (site, visitor)
        (asOf, self.model, base) = (time, explanation.model, explanation.intercept)
        contributions = explanation.largestFirst.map { Contribution($0, explanation) }
        (sum, score, band) = (explanation.logOdds, explanation.score, reading.band.name)
        notMeasured = explanation.parts.filter { !$0.isMeasured }.map {
            Absence(signal: $0.signal.name, reason: $0.signal.absence)
        }
        (profile, confidence) = (reading.profile.name, reading.confidence)
        let seven = Profile.allCases.dropFirst()
        probabilities = seven.reduce(into: [:]) { table, profile in
            table[profile.name] = explanation.probabilities[Int(profile.rawValue) - 1]
        }
        let likeliest = seven.max { one, other in
            explanation.probabilities[Int(one.rawValue) - 1]
                < explanation.probabilities[Int(other.rawValue) - 1]
        }
        profileTerms = state.profileTerms(of: likeliest ?? .undetermined, at: time, model)
            .prefix(Self.profilePartsMaximum)
            .map { ProfilePart(name: $0.name, logOdds: $0.contribution) }
        next = state.bandChanges(after: time, maximum: Self.nextMaximum, model).map {
            Next(at: RFC3339.text(epochMilliseconds: $0.time), band: $0.band.name)
        }
    }
}

extension ExplanationDocument.Contribution {
    fileprivate init(_ part: Explanation.Part, _ explanation: Explanation) {
        (signal, label, sentence) = (part.signal.name, part.signal.label, part.sentence)
        (amount, unit, evidence) = (part.amount, part.unit, part.certainty)
        (value, beta, logOdds) = (part.value, part.weight, part.contribution)
        share = explanation.share(of: part)
        scoreWithout = explanation.score(without: part)
        halfLifeSeconds = part.halfLifeMilliseconds / 1_000
    }
}
