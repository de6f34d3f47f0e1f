import Privacy
import Synchronization
import Telemetry

/// Counts what sanitising took out, by class, so that a page that leaks is noticed. Shared by listeners;
/// finds are rare, so one set of counters does for all.
final class PersonalDataMeter: Sendable {
    private let counts = InlineArray<32, Atomic<Int64>> { _ in Atomic(0) }

    /// A meter that is shown among `metrics`.
    init(_ metrics: Metrics) {
        metrics.expose { [weak self] in self.map { [$0.family] } ?? [] }
    }

    func add(_ findings: Findings) {
        for one in PersonalClass.allCases where findings.classes.has(one) {
            let amount = Int64(findings.count(one))
            counts[Int(one.rawValue)].add(amount, ordering: .relaxed)
        }
    }

    private var family: MetricFamily {
        MetricFamily(
            metric: "heliograph_personal_data_removed_total",
            kind: .counter,
            help: "Pieces of personal data taken out before anything was stored, by class.",
            samples: PersonalClass.allCases.map { one in
                let value = counts[Int(one.rawValue)].load(ordering: .relaxed)
                return (labels: [("class", one.name.description)], value: value)
            }
        )
    }
}
