import Bytes
import Settings
import Telemetry

/// Why a request takes no effect, and where the reason stands in it.
struct Refusal: Error {
    let problem: Problem
    let place: String
    /// When to come again; nil for what the engine says to everybody.
    var retryAfterSeconds: Int?

    init(_ problem: Problem, at place: String, retryAfterSeconds: Int? = nil) {
        self.problem = problem
        self.place = place
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// Why one event takes no effect; the rest of its request is unharmed.
struct EventRefusal: Error {
    let problem: Problem
}

extension EventRuleTable {
    /// The site's rule for its custom event `name`; nil when it has none.
    func rule(for name: ByteView, site: Int) throws(EventRefusal) -> Int? {
        switch find(event: name, site: site) {
        case .free: return nil
        case .rule(let rule): return rule
        case .unlisted: throw EventRefusal(problem: .eventUnlisted)
        }
    }
}
