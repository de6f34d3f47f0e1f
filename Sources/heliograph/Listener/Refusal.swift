import Admission
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
