import Records
import Settings

/// What one head says about a visitor.
public struct HeadValue: Equatable, Sendable {
    /// Its name in answers, such as `intent`.
    public let head: String
    /// What it says, such as `compare`.
    public let label: String
    /// How much so, 0 to 1.
    public let value: Double
}

/// Something else that is read from the evidence that scores rest on. Costs nothing until somebody asks:
/// heads keep no state of their own.
protocol Head: Sendable {
    /// The name in answers; never changes.
    var name: String { get }
    /// What can be said; nil when the evidence says nothing about it.
    func read(_ evidence: borrowing HeadEvidence) -> (label: String, value: Double)?
}

/// The registry: a new head is a file and a line here.
enum Heads {
    static let all: [any Head] = [
        IntentHead(),
        DisengagementHead(),
        LeadHead(),
    ]
}

/// What heads may look at: a visitor's evidence at one moment.
struct HeadEvidence {
    let evaluation: Evaluation
    /// The moment, epoch milliseconds.
    let time: Int64
    /// The visitor's last event, epoch milliseconds.
    let seenAt: Int64
    /// Decayed number of sessions as it was at that event.
    let sessionsWhenSeen: Double
    /// Half-life of that number.
    let sessionsHalfLifeMilliseconds: Double
    /// Share of section dwell on what compares: prices, specifications, comparisons.
    let comparingShare: Double
    /// What the site calls a lead.
    let lead: HeadRules.Lead
}

extension PackedState {
    /// What every head says about the visitor at `time` (epoch milliseconds); those that cannot say
    /// anything are left out.
    public func heads(at time: Int64, site: String, _ model: ScoringModel) -> [HeadValue] {
        guard signals.landmark != 0 else { return [] }
        let evidence = evidence(at: time, model.heads.lead(of: site), model)
        return Heads.all.compactMap { head in
            head.read(evidence).map { said in
                HeadValue(head: head.name, label: said.label, value: max(0, min(1, said.value)))
            }
        }
    }

    private func evidence(
        at time: Int64,
        _ lead: HeadRules.Lead,
        _ model: ScoringModel
    ) -> HeadEvidence {
        let evaluation = signals.evaluate(at: time, model)
        let halfLife = model.halfLifeMilliseconds(of: .returnCadence)
        let since = Double(signals.landmark &- seenAt) / halfLife
        return HeadEvidence(
            evaluation: evaluation,
            time: time,
            seenAt: seenAt,
            sessionsWhenSeen: signals.sums[Sum.returnCadence.index] * Shapes.powerOfTwo(since),
            sessionsHalfLifeMilliseconds: halfLife,
            comparingShare: Self.comparingShare(evaluation, model),
            lead: lead
        )
    }

    private static func comparingShare(
        _ evaluation: borrowing Evaluation,
        _ model: ScoringModel
    ) -> Double {
        guard evaluation.dwell > 0 else { return 0 }
        var seconds = 0.0
        for (index, name) in model.categories.enumerated()
        where ["pricing", "specs", "comparison"].contains(name) {
            seconds += evaluation.categories[index]
        }
        return seconds / evaluation.dwell
    }
}
