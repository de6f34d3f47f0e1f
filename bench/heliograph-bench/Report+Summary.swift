extension Report {
    /// Fills the figures at the top in from the phases.
    mutating func summarise(_ floorRates: [Double], freshnessAtFraction: Double) {
        let engine = phases.filter { $0.server != "nginx" }
        if let first = engine.first {
            batchesPerSecond = first.batchesPerSecond
            eventsPerSecond = first.eventsPerSecond
            sustainedEventsPerSecond = first.sustainedEventsPerSecond
            ackP50Ms = first.ack?.p50Ms
            ackP99Ms = first.ack?.p99Ms
            ackP999Ms = first.ack?.p999Ms
            ackMaxMs = first.ack?.maxMs
            if first.server == "engine" {
                reconciled = engine.allSatisfy { $0.reconciliation?.reconciled == true }
            }
        }
        if let first = engine.first {
            let wanted = first.batchesPerSecond * freshnessAtFraction
            let rated = engine.filter { $0.rate != nil && $0.ofCapacity == nil }
            let distance = { (phase: PhaseReport) in abs((phase.rate ?? 0) - wanted) }
            summariseFreshness(rated.min { distance($0) < distance($1) } ?? first)
        }
        if !floorRates.isEmpty {
            floorBatchesPerSecond = rounded(floorRates.reduce(0, +) / Double(floorRates.count))
        }
        if let floor = floorBatchesPerSecond, floor > 0, let rate = batchesPerSecond {
            floorRatio = rounded(rate / floor)
        }
    }

    private mutating func summariseFreshness(_ phase: PhaseReport) {
        freshnessBatchesPerSecond = phase.batchesPerSecond
        freshnessP50Ms = phase.freshness?.latency.p50Ms
        freshnessP99Ms = phase.freshness?.latency.p99Ms
        freshnessP999Ms = phase.freshness?.latency.p999Ms
        freshnessMaxMs = phase.freshness?.latency.maxMs
        freshnessResolutionP99Ms = phase.freshness?.resolution?.p99Ms
    }
}
