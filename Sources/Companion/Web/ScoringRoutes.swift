import Hummingbird
import Records
import Scoring

/// The route that tells how behaviour becomes a score, whoever is scored.
struct ScoringRoutes: Sendable {
    let reading: ScoreReading

    static let scoring = Endpoint(
        .get,
        "/scoring",
        .scope(.readStats),
        "The weights, half-lives and bands of the scoring file in force."
    ).answering(Schemas.open("model", "base", "bands", "signals"))

    func add(to api: ApiRouter) {
        api.add(Self.scoring) { _ in try JSONBody.response(ScoringDocument(reading.model)) }
    }
}

/// The scoring file's numbers. A score's log-odds are the base and each weight times its signal's value.
struct ScoringDocument: Encodable, Sendable {
    struct Bands: Encodable, Sendable {
        let warm: Double
        let hot: Double
        /// A band is left so many points below where it begins.
        let hysteresis: Double
    }

    struct Row: Encodable, Sendable {
        let signal: String
        let label: String
        let weight: Double
        let halfLifeSeconds: Double

        enum CodingKeys: String, CodingKey {
            case signal, label, weight
            case halfLifeSeconds = "half_life_s"
        }
    }

    let model: String
    let base: Double
    let bands: Bands
    let signals: [Row]

    init(_ model: ScoringModel) {
        let numbers = model.numbers
        self.model = model.name
        base = numbers.intercept
        bands = Bands(warm: numbers.warm, hot: numbers.hot, hysteresis: numbers.hysteresis)
        signals = numbers.rows.map { row in
            Row(
                signal: row.signal.name,
                label: row.signal.label,
                weight: row.weight,
                halfLifeSeconds: row.halfLifeMilliseconds / 1_000
            )
        }
    }
}
