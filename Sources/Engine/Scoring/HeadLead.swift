import Settings

/// Whether somebody is worth a call, an e-mail, or neither yet: readiness against the site's own
/// thresholds (README, heads).
struct LeadHead: Head {
    let name = "lead"

    func read(_ evidence: borrowing HeadEvidence) -> (label: String, value: Double)? {
        let score = evidence.evaluation.score
        let label =
            score >= evidence.lead.qualified
            ? "qualified" : score >= evidence.lead.nurture ? "nurture" : "none"
        return (label, score / 100)
    }
}
