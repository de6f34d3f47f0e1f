import BenchLoad
import Glibc

/// What the stores hold of one phase's events, compared with what was acknowledged.
struct Reconciliation: Codable, Equatable, Sendable {
    /// First-time events that a 2xx was given for.
    var acknowledgedEvents = 0
    /// Rows in `heliograph.event` that were received since the phase began.
    var storedRows = 0
    /// Events that the engine says it folded meanwhile.
    var foldedEvents = 0
    /// Events in repeats that a 2xx was given for.
    var repeatedEvents = 0
    /// Events that the engine says it dropped as repeats meanwhile.
    var duplicateEvents = 0
    /// From the begin of the phase until every row was there.
    var storedAfterSeconds: Double?
    /// Every figure agrees, and no request's fate is unknown.
    var reconciled = false
}

/// The engine's stores, seen from outside.
struct Stores: ~Copyable {
    private let table: EventTable
    private let metrics: MetricsPage
    private let longestWaitSeconds: Double

    private enum Limits {
        static let pollNanoseconds: Int64 = 200_000_000
        /// Counting millions of rows takes a core; the stores get four times as long in between.
        static let restPerLook: Int64 = 4
        static let progressNanoseconds: Int64 = 5_000_000_000
        static let settleNanoseconds: Int64 = 30_000_000_000
    }

    init(table: consuming EventTable, metrics: MetricsPage, longestWaitSeconds: Double) {
        self.table = table
        self.metrics = metrics
        self.longestWaitSeconds = longestWaitSeconds
    }

    /// What the engine has counted when nothing is left to fold from earlier.
    func settledFolds() throws(BenchFailure) -> (folded: Int, duplicates: Int) {
        let end = Clock.monotonicNanoseconds() + Limits.settleNanoseconds
        var last = try metrics.folds()
        while Clock.monotonicNanoseconds() < end {
            Clock.sleep(nanoseconds: Limits.pollNanoseconds)
            let folds = try metrics.folds()
            if folds == last { return folds }
            last = folds
        }
        throw .metrics("events are still being folded; is other load running?")
    }

    /// Waits until the stores have everything that was acknowledged, or until time is up.
    func reconcile(
        _ outcome: PhaseOutcome,
        before: (folded: Int, duplicates: Int)
    ) throws(BenchFailure) -> Reconciliation {
        var result = Reconciliation()
        result.acknowledgedEvents = outcome.whole.distinctEvents
        result.repeatedEvents = outcome.whole.repeatedEvents
        let start = Clock.monotonicNanoseconds()
        var nextProgress = start + Limits.progressNanoseconds
        while true {
            let asked = Clock.monotonicNanoseconds()
            try look(outcome, before, &result)
            let now = Clock.monotonicNanoseconds()
            if result.storedRows >= result.acknowledgedEvents, result.storedAfterSeconds == nil {
                result.storedAfterSeconds = Double(now - outcome.startedAtNanoseconds) / 1e9
            }
            if isComplete(result) || Double(now - start) / 1e9 > longestWaitSeconds { break }
            if now >= nextProgress {
                report(result)
                nextProgress = now + Limits.progressNanoseconds
            }
            let pause = max(Limits.pollNanoseconds, Limits.restPerLook * (now - asked))
            Clock.sleep(nanoseconds: pause)
        }
        result.reconciled = isComplete(result) && outcome.unresolved == 0
        return result
    }

    private func look(
        _ outcome: PhaseOutcome,
        _ before: (folded: Int, duplicates: Int),
        _ result: inout Reconciliation
    ) throws(BenchFailure) {
        let folds = try metrics.folds()
        result.foldedEvents = folds.folded - before.folded
        result.duplicateEvents = folds.duplicates - before.duplicates
        result.storedRows = try table.count(
            site: "demo",
            sinceEpochMilliseconds: outcome.startedAtEpochMilliseconds
        )
    }

    private func isComplete(_ result: Reconciliation) -> Bool {
        result.storedRows == result.acknowledgedEvents
            && result.foldedEvents == result.acknowledgedEvents
    }

    private func report(_ result: Reconciliation) {
        Console.progress(
            "waiting for the stores: \(result.acknowledgedEvents) events acknowledged, "
                + "\(result.foldedEvents) folded, \(result.storedRows) rows"
        )
    }
}
