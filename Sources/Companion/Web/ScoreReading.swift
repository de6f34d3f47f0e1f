import Bytes
import Records
import Scoring

/// Reads packed sums at a later moment: the same code that scored them, so that a page and the engine
/// never disagree.
enum ScoreReading {
    /// A scorer under `model`.
    static func scorer(_ model: ScoringModel) -> StateScorer {
        { state, site, now in
            state.withUnsafeBytes { PackedState(ByteView($0)) }
                .map { read($0, of: site, at: now, model) }
        }
    }

    private static func read(
        _ state: PackedState,
        of site: String,
        at now: Int64,
        _ model: ScoringModel
    ) -> ScoredState {
        let reading = state.reading(at: now, model)
        let terms = state.terms(at: now, model)
        var scored = ScoredState(
            score: reading.score,
            band: reading.band.name,
            profile: reading.profile.name,
            confidence: reading.confidence,
            likelihood: reading.likelihood,
            terms: [],
            sums: [:]
        )
        for said in state.heads(at: now, site: site, model) {
            scored.heads[said.head] = VisitorDocument.Head(label: said.label, value: said.value)
        }
        for signal in Signal.allCases {
            let term = terms[Int(signal.rawValue)]
            scored.terms.append(
                ScoredState.Term(
                    signal: signal,
                    value: term.value,
                    contribution: term.contribution
                )
            )
            let sums = state.sums(of: signal)
            scored.sums[signal.name] = [sums.sum, sums.weight, Double(state.landmark)]
        }
        return scored
    }
}
