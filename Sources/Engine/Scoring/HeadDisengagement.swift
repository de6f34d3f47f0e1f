import Glibc

/// How surprising a visitor's silence is, measured against its own rhythm (README, heads).
///
/// Sessions that come every g add up to 1/(1 − 2^(−g/h)) under half-life h, right after one of them; turned
/// round this gives the visitor's own gap. With few sessions it comes out too long, so that nobody is given
/// up early.
struct DisengagementHead: Head {
    /// From so many decayed sessions on there is a rhythm: a second one, at most four half-lives after the
    /// first.
    private static let sessionsMinimum = 1.0625
    private static let lateValue = 0.5
    private static let leavingValue = 0.875

    let name = "disengagement"

    func read(_ evidence: borrowing HeadEvidence) -> (label: String, value: Double)? {
        let sessions = evidence.sessionsWhenSeen
        guard sessions >= Self.sessionsMinimum else { return nil }
        // Sessions are half an hour apart at least, whatever a clock that was set makes of their number.
        let gap = max(
            -evidence.sessionsHalfLifeMilliseconds * log2(1 - 1 / sessions),
            Double(VisitorState.sessionGapMilliseconds)
        )
        let silence = Double(max(0, evidence.time &- evidence.seenAt))
        let value = 1 - Shapes.powerOfTwo(-silence / gap)
        let label =
            value >= Self.leavingValue ? "leaving" : value >= Self.lateValue ? "late" : "engaged"
        return (label, value)
    }
}
