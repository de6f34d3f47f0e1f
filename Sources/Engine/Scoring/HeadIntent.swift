import Glibc
import Records

/// What somebody is here for: to browse, to compare or to buy (README, heads).
struct IntentHead: Head {
    let name = "intent"

    func read(_ evidence: borrowing HeadEvidence) -> (label: String, value: Double)? {
        guard evidence.evaluation.measured != 0 else { return nil }
        func value(_ signal: Signal) -> Double { evidence.evaluation.values[Int(signal.rawValue)] }
        let buy = -2.5 + 5 * value(.intentProximity) + 2 * value(.formProgress)
        let compare =
            -1.5 + 2.5 * evidence.comparingShare + 2 * value(.tabSwitching)
            + value(.sectionRevisit) + value(.sessionDepth)
        let odds = [("browse", 1.0), ("compare", exp(compare)), ("buy", exp(buy))]
        let whole = odds.reduce(0) { $0 + $1.1 }
        return odds.max { $0.1 < $1.1 }.map { ($0.0, $0.1 / whole) }
    }
}
