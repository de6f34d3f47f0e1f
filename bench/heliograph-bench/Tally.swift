import BenchLoad
import Histogram

/// What came of the requests of a stretch of time. Owned by the load thread.
struct Tally {
    /// Answers by status.
    private(set) var statuses = [Int](repeating: 0, count: Self.statusLimit)
    /// Batches answered with a 2xx.
    private(set) var acknowledgedBatches = 0
    /// Those of them that had been acknowledged before.
    private(set) var acknowledgedRepeats = 0
    /// Events acknowledged for the first time.
    private(set) var distinctEvents = 0
    /// Events in acknowledged repeats.
    private(set) var repeatedEvents = 0
    /// From when the request was due to its 2xx.
    private(set) var acknowledgements = latencyHistogram()
    /// From when a request was due to its send; only in an open loop. A slow server that leaves no
    /// connection free makes it long, and so does a machine that lets the bench wait for a core.
    var sendDelays = latencyHistogram()
    /// Connections lost while requests were in flight or being connected.
    var lostConnections = 0
    /// Connections that were made anew on purpose.
    var newConnections = 0
    /// Requests of an open loop that left the schedule.
    var issued = 0
    /// Answers 429 and 503 that said when to come back.
    private(set) var refusedWithRetryAfter = 0
    /// Those that did not.
    private(set) var refusedWithoutRetryAfter = 0

    private static let statusLimit = 600

    /// Counts an answer.
    @inline(__always)
    mutating func count(_ response: Response, to flight: Flight, nowNanoseconds now: Int64) {
        statuses[min(max(response.status, 0), Self.statusLimit &- 1)] &+= 1
        guard response.status == 204 || response.status == 200 else {
            countRefusal(response)
            return
        }
        acknowledgedBatches &+= 1
        acknowledgements.record(nanoseconds: now &- flight.countsFromNanoseconds)
        if flight.isRepeat {
            acknowledgedRepeats &+= 1
            repeatedEvents &+= Int(flight.recipe.eventCount)
        } else {
            distinctEvents &+= Int(flight.recipe.eventCount)
        }
    }

    private mutating func countRefusal(_ response: Response) {
        guard response.status == 503 || response.status == 429 else { return }
        if response.retryAfterSeconds > 0 {
            refusedWithRetryAfter &+= 1
        } else {
            refusedWithoutRetryAfter &+= 1
        }
    }

    /// Counts by status, without the zeros.
    var statusCounts: [String: Int] {
        var counts: [String: Int] = [:]
        for (status, count) in statuses.enumerated() where count > 0 {
            counts[String(status)] = count
        }
        return counts
    }
}

/// How one stretch of load is to be.
struct PhasePlan {
    /// What the report calls it.
    var name: String
    /// Batches per second; nil is flat out.
    var rate: Double?
    var warmupSeconds: Double
    var seconds: Double
    /// Beacons whose way into Redis is watched, per second; 0 watches none.
    var samplesPerSecond: Double
    /// How an open loop's requests are spread.
    var arrivals = Arrivals.even
    /// A refused batch is not sent again: under overload every request is of somebody else.
    var givesUp = false
}

/// What one stretch of load gave.
struct PhaseOutcome {
    /// The measured part, without warm-up and drain.
    var measured = Tally()
    /// Everything.
    var whole = Tally()
    /// Length of the measured part.
    var measuredSeconds = 0.0
    var startedAtEpochMilliseconds: Int64 = 0
    var startedAtNanoseconds: Int64 = 0
    /// Requests that may have been taken although no answer came.
    var unresolved = 0
    var usageBefore = UsageSnapshot()
    var usageAfter = UsageSnapshot()
}
