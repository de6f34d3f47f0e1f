import Bytes
import Records
import Scoring

/// Reads packed sums at a later moment: the same code that scored them, so that a page and the engine
/// never disagree.
struct ScoreReading: Sendable {
    /// The model in force; it may change.
    let current: @Sendable () -> ScoringModel

    var model: ScoringModel { current() }

    /// A scorer of visitors' documents.
    var scorer: StateScorer {
        { state, site, now in unpacked(state).map { read($0, of: site, at: now) } }
    }

    /// A state from its bytes; nil when they are not one.
    func unpacked(_ state: [UInt8]) -> PackedState? {
        state.withUnsafeBytes { PackedState(ByteView($0)) }
    }

    private func read(_ state: PackedState, of site: String, at now: Int64) -> ScoredState {
        let model = model
        let explanation = state.explanation(at: now, model)
        let reading = explanation.reading
        var scored = ScoredState(
            score: explanation.score,
            band: reading.band.name,
            profile: reading.profile.name,
            confidence: reading.confidence,
            likelihood: reading.likelihood,
            terms: [],
            sums: [:],
            model: explanation.model
        )
        for said in state.heads(at: now, site: site, model) {
            scored.heads[said.head] = VisitorDocument.Head(label: said.label, value: said.value)
        }
        for part in explanation.parts {
            scored.terms.append(
                ScoredState.Term(
                    signal: part.signal,
                    value: part.value,
                    contribution: part.contribution,
                    sentence: part.isMeasured ? part.sentence : nil
                )
            )
            let sums = state.sums(of: part.signal)
            scored.sums[part.signal.name] = [sums.sum, sums.weight, Double(state.landmark)]
        }
        return scored
    }
}
