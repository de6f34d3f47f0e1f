import BenchLoad
import Foundation
import Glibc

/// A latency in milliseconds.
struct LatencyReport: Codable, Sendable {
    var p50Ms: Double
    var p99Ms: Double
    var p999Ms: Double
    var maxMs: Double
    var count: UInt64

    init(_ quantiles: Quantiles) {
        p50Ms = rounded(quantiles.p50)
        p99Ms = rounded(quantiles.p99)
        p999Ms = rounded(quantiles.p999)
        maxMs = rounded(quantiles.max)
        count = quantiles.count
    }
}

/// Processor time for each acknowledged batch.
struct CpuReport: Codable, Sendable {
    var userMicrosecondsPerBatch: Double
    var systemMicrosecondsPerBatch: Double
    var cores: Double
    var threads: [String: CpuReport]?
}

/// Resident memory of a group of processes.
struct MemoryReport: Codable, Sendable {
    var beforeBytes: Int
    var afterBytes: Int
}

/// How the way into Redis was watched.
struct FreshnessReport: Codable, Sendable {
    var latency: LatencyReport
    /// Part of a latency that may be the probe's own.
    var resolution: LatencyReport?
    var unseen: Int
}

/// One stretch of load.
struct PhaseReport: Codable, Sendable {
    var name: String
    var server: String
    var rate: Double?
    var seconds: Double
    var batchesPerSecond: Double
    var eventsPerSecond: Double
    /// In an open loop: batches per second that were sent, which a server that frees no
    /// connection, or a machine without a free core, keeps below `rate`.
    var sentPerSecond: Double?
    var statuses: [String: Int]
    var refusedWithRetryAfter: Int
    var refusedWithoutRetryAfter: Int
    var newConnections: Int
    var repeats: Int
    var lostConnections: Int
    var unresolved: Int
    var ack: LatencyReport?
    /// Part of `ack` that passed before the request was sent; only at a set rate.
    var sendDelay: LatencyReport?
    var freshness: FreshnessReport?
    var cpu: [String: CpuReport]
    var memory: [String: MemoryReport]
    /// Cores that processes outside this measurement kept busy; above 0.1 the figures suffer.
    var otherCores: Double
    /// Under overload: accepted batches per second over the flat-out rate.
    var ofCapacity: Double?
    var reconciliation: Reconciliation?
    var sustainedEventsPerSecond: Double?
}

/// Everything that a run found. The keys of the JSON are these names in snake case.
struct Report: Codable, Sendable {
    var load: String
    var connections: Int
    var pipeline: Int
    var visitors: Int
    var seed: UInt64
    var cores: Int
    var averageRequestBytes = 0.0
    var arrivals: String
    var newConnections: Double
    var tls: Double
    var batchesPerSecond: Double?
    var eventsPerSecond: Double?
    var sustainedEventsPerSecond: Double?
    var floorBatchesPerSecond: Double?
    var floorRatio: Double?
    var ackP50Ms: Double?
    var ackP99Ms: Double?
    var ackP999Ms: Double?
    var ackMaxMs: Double?
    var freshnessP50Ms: Double?
    var freshnessP99Ms: Double?
    var freshnessP999Ms: Double?
    var freshnessMaxMs: Double?
    var freshnessResolutionP99Ms: Double?
    /// The rate at which `freshness…` was measured.
    var freshnessBatchesPerSecond: Double?
    var reconciled: Bool?
    var phases: [PhaseReport] = []

    init(_ settings: RunSettings) {
        load = settings.load.name
        connections = settings.connections
        pipeline = settings.pipeline
        visitors = settings.visitors
        seed = settings.seed
        cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        arrivals = settings.arrivals.rawValue
        newConnections = settings.renewedFraction
        tls = settings.encryptedFraction
    }

    /// The report as JSON, keys sorted.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// Three digits behind the point are more than any of these figures deserves.
func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

extension PhaseReport {
    init(_ plan: PhasePlan, server: String, _ outcome: PhaseOutcome, _ watched: FreshnessOutcome?) {
        let tally = outcome.measured
        name = plan.name
        self.server = server
        rate = plan.rate
        seconds = rounded(outcome.measuredSeconds)
        batchesPerSecond = rounded(Double(tally.acknowledgedBatches) / outcome.measuredSeconds)
        eventsPerSecond = rounded(Double(tally.distinctEvents) / outcome.measuredSeconds)
        sentPerSecond = plan.rate.map { _ in
            rounded(Double(tally.issued) / outcome.measuredSeconds)
        }
        statuses = tally.statusCounts
        refusedWithRetryAfter = tally.refusedWithRetryAfter
        refusedWithoutRetryAfter = tally.refusedWithoutRetryAfter
        newConnections = tally.newConnections
        repeats = tally.acknowledgedRepeats
        lostConnections = tally.lostConnections
        unresolved = outcome.unresolved
        ack = Quantiles(nanoseconds: tally.acknowledgements).map(LatencyReport.init)
        sendDelay = Quantiles(nanoseconds: tally.sendDelays).map(LatencyReport.init)
        freshness = watched.flatMap(FreshnessReport.init)
        cpu = Self.cpu(outcome)
        memory = Self.memory(outcome)
        let busy = outcome.usageAfter.machineSeconds - outcome.usageBefore.machineSeconds
        let ours = cpu.values.reduce(0) { $0 + $1.cores }
        otherCores = rounded(max(0, busy / max(0.001, outcome.measuredSeconds) - ours))
    }

    private static func cpu(_ outcome: PhaseOutcome) -> [String: CpuReport] {
        let batches = Double(max(1, outcome.measured.acknowledgedBatches))
        var report: [String: CpuReport] = [:]
        for (group, after) in outcome.usageAfter.groups {
            let before = outcome.usageBefore.groups[group] ?? GroupUsage()
            var usage = CpuReport(
                user: after.userSeconds - before.userSeconds,
                system: after.systemSeconds - before.systemSeconds,
                batches,
                outcome.measuredSeconds
            )
            let threads = threads(before, after, batches, outcome.measuredSeconds)
            if threads.count > 1 { usage.threads = threads }
            report[group] = usage
        }
        return report
    }

    /// By name; threads of one name are added up.
    private static func threads(
        _ before: GroupUsage,
        _ after: GroupUsage,
        _ batches: Double,
        _ seconds: Double
    ) -> [String: CpuReport] {
        var sums: [String: (user: Double, system: Double)] = [:]
        for (thread, usage) in after.threads {
            let start = before.threads[thread]
            let user = usage.userSeconds - (start?.userSeconds ?? 0)
            let system = usage.systemSeconds - (start?.systemSeconds ?? 0)
            guard user + system > 0 else { continue }
            let sum = sums[usage.name] ?? (0, 0)
            sums[usage.name] = (sum.user + user, sum.system + system)
        }
        return sums.mapValues { CpuReport(user: $0.user, system: $0.system, batches, seconds) }
    }

    private static func memory(_ outcome: PhaseOutcome) -> [String: MemoryReport] {
        var report: [String: MemoryReport] = [:]
        for (group, after) in outcome.usageAfter.groups {
            report[group] = MemoryReport(
                beforeBytes: outcome.usageBefore.groups[group]?.residentBytes ?? 0,
                afterBytes: after.residentBytes
            )
        }
        return report
    }
}

extension CpuReport {
    init(user: Double, system: Double, _ batches: Double, _ seconds: Double) {
        userMicrosecondsPerBatch = rounded(user * 1e6 / batches)
        systemMicrosecondsPerBatch = rounded(system * 1e6 / batches)
        cores = rounded((user + system) / max(seconds, 0.001))
    }
}

extension FreshnessReport {
    init?(_ outcome: FreshnessOutcome) {
        guard let times = Quantiles(nanoseconds: outcome.times) else { return nil }
        latency = LatencyReport(times)
        resolution = Quantiles(nanoseconds: outcome.resolutions).map(LatencyReport.init)
        unseen = outcome.unseen
    }
}
